"""A trained model as it is installed: an ONNX file and its card."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ectopy.errors import HashError, ModelError

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before its import: nothing of a patient's leaves the machine
import onnxruntime as ort

_FOLDER = Path(__file__).parent

BALANCED = "balanced"  # the operating point of a model as it is loaded

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
    here = name in installed()
    folder = _FOLDER / name if here else Path(name)
    if not (folder / "card.json").is_file():
        raise ModelError(f"no model '{name}' (installed: {', '.join(installed()) or 'none'}); name one of these")
    remedy = "install ectopy again" if here else "write it again with 'ectopy train'"
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        content = (folder / "model.onnx").read_bytes()
        wanted = card["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HashError(f"model '{name}' in {folder} can't be read ({error}); {remedy}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise HashError(
            f"model '{name}': {folder / 'model.onnx'} has SHA-256 {found[:12]}…, its card says {wanted[:12]}…; {remedy}"
        )
    return TrainedModel(card, content, _finder(folder, card), folder)


def _finder(folder: Path, card: dict[str, Any]) -> TrainedModel | None:
    """The model whose beats it takes: the one beside it, or the installed one."""
    if "finder" not in card:
        return None
    name, wanted = card["finder"]["name"], card["finder"]["sha256"]
    beside = folder.parent / name
    finder = load(str(beside) if (beside / "card.json").is_file() else name)
    if finder.hash != wanted:
        raise ModelError(
            f"model '{card['name']}' was trained on beats of {name} {wanted[:8]}, but {finder.name} is there; "
            f"train it again: ectopy train {card['name']}"
        )
    return finder


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Runs on one thread; holds no stream's state.

    finder : the model whose beats it classifies; None for one that finds them itself
    folder : where it lies, if it does
    """

    card: dict[str, Any]
    content: bytes
    finder: TrainedModel | None = None
    folder: Path | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which opens it anew."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def name(self) -> str:
        """Name and version, as verdicts quote it, and the operating point where it isn't the balanced one."""
        point = self.card.get("operating_point")
        return f"{self.card['name']} {self.card['version']}" + (f", {point}" if point else "")

    def at(self, operating_point: str) -> TrainedModel:
        """The same model at `balanced`, `high-sensitivity` or `few-alarms`, as its card has them.

        Raises
        ------
        ModelError
            If it has no such operating point.
        """
        points = {BALANCED: self.thresholds["abnormal"], **self.card.get("operating_points", {})}
        if operating_point not in points:
            raise ModelError(f"{self.name} has no operating point '{operating_point}'; expected {', '.join(points)}")
        if operating_point == BALANCED:
            return self
        thresholds = {**self.thresholds, "abnormal": points[operating_point]}
        return replace(self, card={**self.card, "thresholds": thresholds, "operating_point": operating_point})

    @property
    def trade(self) -> dict[str, Any] | None:
        """What each threshold gives, as `ectopy evaluate --trade` found it for this very model; None if it did not."""
        if self.folder is None:
            return None
        try:
            found: dict[str, Any] = json.loads((self.folder / "trade.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if found.get("sha256") == self.hash else None

    @property
    def hash(self) -> str:
        return str(self.card["sha256"])

    @property
    def lookahead(self) -> int:
        """Frames by which its output lags behind its input."""
        return int(self.card["lookahead"])

    @property
    def thresholds(self) -> dict[str, float]:
        """Those in force: `abnormal`, and `beat` and `doubt` of a beat finder."""
        return dict(self.card["thresholds"])

    @cached_property
    def _session(self) -> ort.InferenceSession:
        return _open(self.content)

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        return [i.name for i in self._session.get_inputs()], [o.name for o in self._session.get_outputs()]

    def residual(self, shape: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
        """What an autoencoder can't rebuild of beats: shape and usual shape as in `run` -> (n_leads, n, 64), of
        `ectopy.signal.WINDOW`.

        Raises
        ------
        ModelError
            If this is none, or was trained before it could show that.
        """
        session = self._rebuilding
        if session is None:
            raise ModelError(f"{self.name} rebuilds no beats; name 'autoencoder' or 'autoencoder-adaptive'")
        known = {"shape": shape, "usual": usual}
        out: NDArray[np.float32] = session.run(
            ["residual"], {put.name: known[put.name] for put in session.get_inputs()}
        )[0]
        return out

    @cached_property
    def _rebuilding(self) -> ort.InferenceSession | None:
        file = None if self.folder is None else self.folder / "rebuild.onnx"
        return _open(file.read_bytes()) if file and file.is_file() else None

    def start(self, n_leads: int) -> State:
        """The state before the first block or beat: nothing but zeros."""
        shapes = [i.shape for i in self._session.get_inputs() if i.name.startswith("state_")]
        return tuple(np.zeros((n_leads, *shape[1:]), np.float32) for shape in shapes)

    def run(self, state: State, *inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], State]:
        """Probabilities, and the state after.

        A beat finder: (n_leads, n) conditioned samples, n a multiple of 128 -> (n_leads, n / 4, 6), `lookahead` frames
        behind. A beat model: shape, usual shape and rhythm, each (n_leads, n, ...) -> (n_leads, n, 5).
        """
        names, outputs = self._names
        scores, *after = self._session.run(outputs, dict(zip(names, (*inputs, *state), strict=True)))
        return scores, tuple(after)


def _open(content: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
