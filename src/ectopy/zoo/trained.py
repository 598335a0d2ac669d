"""A trained model as it is installed: an ONNX file and its card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ectopy.errors import HashError, ModelError

_FOLDER = Path(__file__).parent

State = tuple[NDArray[np.float32], ...]


def installed() -> list[str]:
    """Names of the models that came with this package."""
    return sorted(card.parent.name for card in _FOLDER.glob("*/card.json"))


@cache
def load(name: str) -> TrainedModel:
    """An installed model by name, or one in a folder of its own by path.

    Raises
    ------
    ModelError
        If there is no such model.
    HashError
        If its file is not the one its card was written for.
    """
    folder = _FOLDER / name if name in installed() else Path(name)
    if not (folder / "card.json").is_file():
        raise ModelError(f"no model '{name}' (installed: {', '.join(installed()) or 'none'}); name one of these")
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        content = (folder / "model.onnx").read_bytes()
        wanted = card["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HashError(f"model '{name}' in {folder} can't be read ({error}); install ectopy again") from None
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise HashError(
            f"model '{name}': {folder / 'model.onnx'} has SHA-256 {found[:12]}…, its card says "
            f"{wanted[:12]}…; install ectopy again"
        )
    return TrainedModel(card, content)


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Runs on one thread; holds no stream's state."""

    card: dict[str, Any]
    content: bytes

    @property
    def name(self) -> str:
        """Name and version, as verdicts quote it."""
        return f"{self.card['name']} {self.card['version']}"

    @property
    def hash(self) -> str:
        return str(self.card["sha256"])

    @property
    def lookahead(self) -> int:
        """Frames by which its output lags behind its input."""
        return int(self.card["lookahead"])

    @property
    def thresholds(self) -> dict[str, float]:
        """The operating point: `beat` and `abnormal`."""
        return dict(self.card["thresholds"])

    @cached_property
    def _session(self) -> ort.InferenceSession:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return ort.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        return [i.name for i in self._session.get_inputs()], [o.name for o in self._session.get_outputs()]

    def start(self, n_leads: int) -> State:
        """The state before the first block: nothing but zeros."""
        shapes = [i.shape for i in self._session.get_inputs()[1:]]
        return tuple(np.zeros((n_leads, *shape[1:]), np.float32) for shape in shapes)

    def run(self, signal: NDArray[np.float32], state: State) -> tuple[NDArray[np.float32], State]:
        """(n_leads, n) conditioned samples, n a multiple of 128 -> (n_leads, n / 4, 6) probabilities, `lookahead`
        frames behind, and the state after."""
        inputs, outputs = self._names
        scores, *after = self._session.run(outputs, dict(zip(inputs, (signal, *state), strict=True)))
        return scores, tuple(after)
