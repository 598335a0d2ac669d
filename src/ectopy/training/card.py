"""The model card: what a model is, what trained it, and how it does on patients it has not seen."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tensorflow as tf

from ectopy.errors import OutputError
from ectopy.evaluation import RecordScores, summarize
from ectopy.models.instant import CLASSES, InstantConfig
from ectopy.signal import LABEL_STEP, LAG, RATE, REACH
from ectopy.training.recipes import Recipe
from ectopy.zoo import TrainedModel

_FIGURES = (
    "beat.detection.se", "beat.detection.ppv", "beat.V.se", "beat.V.ppv", "beat.V.f1", "beat.S.se", "beat.S.ppv",
    "beat.S.f1", "beat.F.f1", "beat.abnormal.f1", "beat.abnormal.auroc", "interval.abnormal.f1",
    "interval.abnormal.auprc", "interval.unreadable.share", "interval.false_alarms.per_hour",
)  # fmt: skip
_LIMITS = "research software, not a medical device; no paced patient trained it"
_DATA = {
    "mitdb": "MIT-BIH Arrhythmia Database 1.0.0",
    "svdb": "MIT-BIH Supraventricular Arrhythmia Database 1.0.0",
    "cinc2017": "PhysioNet/CinC Challenge 2017 (recordings labelled normal, their beats found by sleepecg)",
    "nstdb": "noise of MIT-BIH Noise Stress Test Database 1.0.0",
}


def of_instant(config: InstantConfig) -> dict[str, Any]:
    """What the card says `instant` is."""
    return {
        "name": "instant",
        "does": "finds heartbeats in one lead and gives each its AAMI class, 32 labels a second",
        "limits": _LIMITS,
        "input": f"one lead at {RATE} Hz as ectopy.signal conditions it; QRS complexes about 2 from peak to peak",
        "output": list(CLASSES),
        "lookahead": config.lookahead,
        "delay_s": round((LAG + (config.lookahead + REACH) * LABEL_STEP) / RATE, 3),
        "config": asdict(config),
    }


def of_beat_model(name: str, recipe: Recipe, finder: TrainedModel) -> dict[str, Any]:
    """What the card says a beat model is."""
    return {
        "name": name,
        "does": recipe.does,
        "limits": _LIMITS,
        "input": f"beats that {finder.name} finds, a second of each at {RATE} Hz, as ectopy.signal.Series has them",
        "output": list(recipe.output),
        "one_by_one": recipe.one_by_one,
        "finder": {"name": finder.card["name"], "sha256": finder.hash},
        "delay_s": 2.0,
        "config": asdict(recipe.config),
    }


def describe(
    about: dict[str, Any],
    *,
    protocol: str,
    records: Sequence[str],
    settings: dict[str, Any],
    thresholds: dict[str, float],
    operating_points: dict[str, float] | None = None,
    scores: Sequence[RecordScores] = (),
) -> dict[str, Any]:
    """The card of a model, less what follows from its file.

    about : `of_instant` or `of_beat_model`
    settings : how it was trained
    scores : out of fold, a record each
    """
    used = {"nstdb", *(name.partition("/")[0] for name in records)}
    return {
        **about,
        "thresholds": thresholds,
        "operating_points": operating_points or {},
        "protocol": protocol,
        "records": list(records),
        "data": "; ".join(text for folder, text in _DATA.items() if folder in used) + " (ODC-By 1.0)",
        "training": settings,
        "figures": _figures(scores) if scores else {},
        "made_with": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("ectopy", "keras", "onnx")},
            "tensorflow": tf.__version__,
        },
    }


def write_model(folder: Path, content: bytes, card: dict[str, Any]) -> dict[str, Any]:
    """`model.onnx`, `card.json` and `card.md`, which go together by the hash; gives the whole card.

    All are written beside their place first: where the disk is full, the model that was there stays whole.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    card = {"version": digest[:8], **card, "sha256": digest, "bytes": len(content)}
    make_folder(folder)
    files = {"model.onnx": content, "card.json": f"{json.dumps(card, indent=2)}\n".encode()}
    files["card.md"] = _markdown(card).encode()
    try:
        with TemporaryDirectory(prefix=".part-", dir=folder) as temporary:
            for name, part in files.items():
                (Path(temporary) / name).write_bytes(part)
            for name in files:
                (Path(temporary) / name).replace(folder / name)
    except OSError as error:
        raise _refused(folder, error) from None
    return card


def make_folder(folder: Path) -> None:
    """The folder of a model, made if it isn't there; OutputError if it can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from None


def _refused(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder}: the model can't be written there ({error.strerror}); name another with --out")


def _figures(scores: Sequence[RecordScores]) -> dict[str, Any]:
    summary = summarize(scores)
    names = [name for name in _FIGURES if name in summary.figures.index]
    table = summary.figures.loc[names, ["value", "low", "high"]].round(4)
    return {
        "of": f"{len(scores)} training records, each by a model that had not seen its patient; first lead, end to end",
        "from_s": summary.start_s,
        "intervals": "95 %, bootstrap over patients",
        "table": table.to_dict(orient="index"),
    }


def _markdown(card: dict[str, Any]) -> str:
    lines = [
        f"# {card['name']} {card['version']}",
        "",
        f"It {card['does']}. Limits: {card['limits']}.",
        "",
        f"- Input: {card['input']}; output: {', '.join(card['output'])}, {card['delay_s']} s after the moment",
        f"- Data: {card['data']}",
        f"- Trained on (protocol `{card['protocol']}`): {', '.join(card['records'])}",
        f"- Architecture: {card['config']}",
        f"- Training: {card['training']}",
        f"- Operating point, chosen out of fold: {card['thresholds']}; others: {card['operating_points']}",
        f"- Made with: {card['made_with']}",
        f"- File: {card['bytes']:,} bytes, SHA-256 `{card['sha256']}`",
    ]
    if card["figures"]:
        lines += [
            "",
            "## Out of fold",
            "",
            f"{card['figures']['of']}, from {card['figures']['from_s']:.0f} s on.",
            "",
        ]
        lines += ["| figure | value | 95 % interval over patients |", "| --- | --- | --- |"]
        lines += [
            f"| {name} | {row['value']:.4f} | {row['low']:.4f} to {row['high']:.4f} |"
            for name, row in card["figures"]["table"].items()
        ]
        lines += [
            "",
            "Test figures are the benchmark command's (`ectopy evaluate`), which alone reads test records.",
        ]
    return "\n".join(lines) + "\n"
