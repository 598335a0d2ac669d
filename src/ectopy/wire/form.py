"""The form in which a stream's samples are sent and kept: bytes, and what they mean in mV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ectopy.errors import SignalError

Unit = Literal["mV", "uV", "V", "unknown"]
SampleKind = Literal["int16", "float32"]

MISSING = -32768  # an int16 sample that is not there; in float32 it is NaN
_TO_MV = {"mV": 1.0, "uV": 1e-3, "V": 1e3, "unknown": 1.0}
_TYPES: dict[str, np.dtype[Any]] = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}


@dataclass(frozen=True)
class Form:
    """Fixed for an epoch.

    n_leads : samples side by side
    kind : little-endian `int16` or `float32`
    unit : of a value; `unknown` is not calibrated
    gain, offset : value = (stored - offset) / gain; of int16 only
    """

    n_leads: int
    kind: SampleKind = "int16"
    unit: Unit = "mV"
    gain: float = 1.0
    offset: float = 0.0

    @property
    def width(self) -> int:
        """Bytes of one sample of all leads."""
        return self.n_leads * _TYPES[self.kind].itemsize

    def decode(self, stored: bytes) -> NDArray[np.float32]:
        """(n, n_leads) in mV, NaN where missing.

        Raises
        ------
        SignalError
            If the bytes are no whole number of samples.
        """
        if len(stored) % self.width:
            raise SignalError(f"{len(stored)} bytes are no whole number of samples of {self.width} bytes")
        raw = np.frombuffer(stored, _TYPES[self.kind]).reshape(-1, self.n_leads)
        with np.errstate(over="ignore", invalid="ignore"):  # what no float32 holds is infinite, and so missing
            if self.kind == "float32":
                to_mv = _TO_MV[self.unit]
                return raw.astype(np.float32) if to_mv == 1 else (raw * to_mv).astype(np.float32)
            values = (raw - self.offset) * (_TO_MV[self.unit] / self.gain)
            return np.where(raw == MISSING, np.nan, values).astype(np.float32)

    def missing(self, n: int) -> bytes:
        """So many samples that are not there."""
        one = np.full(self.n_leads, MISSING if self.kind == "int16" else np.nan, _TYPES[self.kind])
        return one.tobytes() * n

    def encode(self, samples: ArrayLike) -> bytes:
        """(n, n_leads) in mV to bytes; as `encode_values`."""
        return self._stored(self._checked(samples) / _TO_MV[self.unit])

    def encode_values(self, samples: object) -> bytes:
        """(n, n_leads) in the unit to bytes, None or NaN where missing; int16 rounds, and keeps what it can't hold as
        the nearest that it can.

        Raises
        ------
        SignalError
            If they are of another number of leads, or no numbers.
        """
        return self._stored(self._checked(samples))

    def _checked(self, samples: Any) -> NDArray[np.float64]:
        try:
            values = np.asarray(samples, np.float64)
        except (TypeError, ValueError):
            raise SignalError(f"samples are no numbers, or not of {self.n_leads} leads each") from None
        values = values[:, None] if values.ndim == 1 and self.n_leads == 1 else values
        if values.ndim != 2 or values.shape[1] != self.n_leads:
            raise SignalError(f"samples of shape {values.shape}: expected (n, {self.n_leads})")
        return values

    def _stored(self, values: NDArray[np.float64]) -> bytes:
        if self.kind == "float32":
            with np.errstate(over="ignore"):  # what no float32 holds is infinite, and so missing
                return values.astype(_TYPES["float32"]).tobytes()
        known = np.isfinite(values)
        with np.errstate(over="ignore"):
            whole = np.clip(np.rint(np.where(known, values, 0) * self.gain + self.offset), MISSING + 1, -MISSING - 1)
        return np.where(known, whole, MISSING).astype(_TYPES["int16"]).tobytes()
