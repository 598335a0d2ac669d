"""`ectopy evaluate`: how good a model is on a split's records, end to end."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ectopy.cli._common import record_progress, save_and_print
from ectopy.cli.data import DataDir

if TYPE_CHECKING:
    from ectopy.evaluation import ByStart, Leads, Scores
    from ectopy.zoo import TrainedModel

_HEADINGS = {"first": "first lead", "all": "all leads"}


class LeadChoice(StrEnum):
    first = "first"
    all = "all"


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Trained model, by name or folder, the default if left out. 'noise': its verdicts in noise; "
            "'findings': its findings and the alarms they raise, on DS1 alone or on DS2 beside it."
        ),
    ] = None,
    on: Annotated[str, typer.Option(help="Split: DS1, DS2, svdb-even or svdb-odd.")] = "DS2",
    leads: Annotated[LeadChoice, typer.Option(help="First lead only, or all leads beside it.")] = LeadChoice.first,
    out: Annotated[Path | None, typer.Option(help="Folder for the scores as JSON and Markdown.")] = None,
    keep_trade: Annotated[
        bool,
        typer.Option("--trade", help="Keep with the model what each threshold would give, as the monitor shows it."),
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Trained model, where 'noise' or 'findings' is asked for."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Score a model on a split. Each look at a test split is recorded in benchmarks/test_runs.csv."""
    from ectopy.data import present, split
    from ectopy.errors import RecordError
    from ectopy.evaluation import TEST_SPLITS, checkout, columns
    from ectopy.reports import check_folder
    from ectopy.verdict import DEFAULT_MODEL
    from ectopy.zoo import load

    special = _SPECIAL.get(model or "")
    if special is None and judge is not None:
        raise typer.BadParameter("--model goes with 'noise' and 'findings'; else name the model alone")
    if special is _findings and on not in ("DS1", "DS2"):
        raise typer.BadParameter(f"--on {on}: findings are scored on DS1 or DS2, whose rhythms are annotated")
    if special is not None and keep_trade:
        raise typer.BadParameter("--trade goes with a model, not with 'noise' or 'findings'")
    if special is not None and leads is LeadChoice.all:
        raise typer.BadParameter("--leads all goes with a model; 'noise' and 'findings' look at the first lead")
    model = (judge if special else model) or DEFAULT_MODEL
    trained = load(model)
    names = present(split(on), data_dir)
    if not names:
        database = split(on)[0].partition("/")[0]
        raise RecordError(f"{on}: none of its records is on this machine; 'ectopy data get {database}'")
    if out is not None:
        check_folder(out)
    root = checkout(Path.cwd()) if on in TEST_SPLITS else None
    for note in _notes(on, names, set(trained.card["records"]), recorded=root is not None):
        typer.echo(note, err=True)

    if special:
        special(on, names, model, root, out, data_dir)
        return
    choices: tuple[Leads, ...] = ("first", "all") if leads is LeadChoice.all else ("first",)
    judged = _run(names, model, choices, data_dir)
    reports = {}
    for choice in choices:
        scores = columns([by_leads[choice] for by_leads in judged])
        if root is not None:
            _record(root, trained, on, scores, choice)
        reports[_HEADINGS[choice]] = scores

    about = f"{trained.name} on {on}, end to end, records: {len(names)}"

    def save() -> list[Path]:
        written = _keep_trade(trained, on, judged) if keep_trade else []
        return written + (_save(out / f"{trained.card['name']}-{on}", about, reports) if out is not None else [])

    save_and_print(_as_markdown(about, reports), save)


def _stress(
    on: str, names: tuple[str, ...], model: str, root: Path | None, out: Path | None, data_dir: Path | None
) -> None:
    """Records in noise, nstdb and the hand-held ones: do verdicts become unreadable rather than wrong?"""
    from ectopy.evaluation import hand_held_figures, stress, stress_report, summarize
    from ectopy.zoo import load

    trained = load(model)
    with record_progress(len(names) + 2) as done:
        found = stress(names, model, data_dir=data_dir, done=done)
        mixed = stress(("nstdb/118e24", "nstdb/118e06"), model, levels_db=(None,), data_dir=data_dir, done=done)
    if root is not None:
        clean = summarize([one.scores for one in found if one.level_db is None])
        _record(root, trained, f"{on} in noise", {"clean": clean})
    about = f"{trained.name} in electrode-motion noise: {on}, records: {len(names)}"
    text = stress_report(about, found, mixed, hand_held_figures(model, data_dir=data_dir))
    stem = f"{trained.card['name']}-{on}-noise"
    save_and_print(text, lambda: [] if out is None else _write(out / stem, {".md": text}))


def _findings(
    on: str, names: tuple[str, ...], model: str, root: Path | None, out: Path | None, data_dir: Path | None
) -> None:
    """Episodes, delays and alarms, of training patients and, on DS2, of test patients beside them."""
    from ectopy.data import hand_held, present, split
    from ectopy.evaluation import columns, evaluate_findings, findings_report, made_delays, made_sources
    from ectopy.zoo import load

    trained = load(model)
    asked: list[tuple[str, tuple[str, ...], Literal["training", "test"]]] = []
    if on == "DS2":
        asked.append((on, names, "test"))
    asked.append(("DS1", present(split("DS1"), data_dir), "training"))
    asked = [side for side in asked if side[1]]
    total = sum(len(records) + len(hand_held(part, data_dir)) for _, records, part in asked)
    with record_progress(total + len(made_sources(data_dir))) as done:
        sides = [evaluate_findings(*side, model, data_dir=data_dir, done=done) for side in asked]
        made = made_delays(model, data_dir=data_dir, done=done)
    if root is not None:
        _record(root, trained, f"{on} findings", columns([record.by_start for record in sides[0].records]))
    text = findings_report(f"Findings and alarms of {trained.name}", sides, made)
    stem = f"{trained.card['name']}-{on}-findings"
    save_and_print(text, lambda: [] if out is None else _write(out / stem, {".md": text}))


_SPECIAL = {"noise": _stress, "findings": _findings}


def _record(root: Path, model: TrainedModel, on: str, scores: dict[str, Scores], leads: Leads = "first") -> None:
    from ectopy.evaluation import record_look

    path = record_look(root, model=model.name, sha256=model.hash, split=on, leads=leads, scores=scores)
    typer.echo(f"look recorded in {path}", err=True)


def _notes(on: str, names: tuple[str, ...], trained_on: set[str], *, recorded: bool) -> list[str]:
    """What must be known beside the figures."""
    from ectopy.data import patient, split
    from ectopy.evaluation import TEST_SPLITS

    notes = []
    if len(names) < len(split(on)):
        notes.append(f"{on}: only {len(names)} of its {len(split(on))} records are on this machine")
    trained = {patient(name) for name in trained_on}
    seen = sum(patient(name) in trained for name in names)
    if seen:
        notes.append(
            f"{seen} of these records are of patients who trained the model: that shows its fit, not its accuracy"
        )
    if on in TEST_SPLITS and not recorded:
        notes.append("not in a checkout of Ectopy: this look at a test split is not recorded")
    return notes


def _run(
    names: tuple[str, ...], model: str, leads: tuple[Leads, ...], data_dir: Path | None
) -> list[dict[Leads, ByStart]]:
    from ectopy.evaluation import benchmark

    with record_progress(len(names)) as done:
        return benchmark(names, model, leads=leads, data_dir=data_dir, done=done)


def _keep_trade(model: TrainedModel, on: str, judged: list[dict[Leads, ByStart]]) -> list[Path]:
    import json

    from ectopy.evaluation import trade

    start_s, records = next(iter(judged[0]["first"])), [next(iter(one["first"].values())) for one in judged]
    about = {
        "made_by": f"ectopy evaluate {model.card['name']} --on {on} --trade",
        "sha256": model.hash,
        "of": f"{on}, records: {len(records)}, first lead, from {start_s:g} s on",
    }
    assert model.folder is not None  # it was loaded
    return _write(model.folder / "trade", {".json": json.dumps({**about, **trade(records)}, indent=1) + "\n"})


def _as_markdown(about: str, reports: dict[str, dict[str, Scores]], *, whole: bool = False) -> str:
    """Figures side by side, gross with 95 % intervals; `whole` adds each set's matrices and records."""
    from ectopy.evaluation import figure_rows, markdown

    parts = [f"# {about}\n"]
    for leads, scores in reports.items():
        table = markdown(figure_rows({name: s.figures for name, s in scores.items()}))
        parts.append(f"## {leads}\n\n{table}")
        if whole:
            parts += [f"### {leads}, {name}\n\n{s.to_markdown()}" for name, s in scores.items()]
    return "\n".join(parts)


def _save(stem: Path, about: str, reports: dict[str, dict[str, Scores]]) -> list[Path]:
    import json

    plain = {leads: {name: s.to_dict() for name, s in scores.items()} for leads, scores in reports.items()}
    return _write(
        stem,
        {
            ".json": json.dumps({"about": about, **plain}, indent=1, allow_nan=False) + "\n",
            ".md": _as_markdown(about, reports, whole=True),
        },
    )


def _write(stem: Path, contents: dict[str, str]) -> list[Path]:
    from ectopy.errors import OutputError

    written = []
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for suffix, content in contents.items():
            beside = Path(f"{stem}{suffix}.part")  # moved once whole
            beside.write_text(content, encoding="utf-8")
            written.append(beside.replace(f"{stem}{suffix}"))
    except OSError as error:
        raise OutputError(f"{stem.parent}: can't be written ({error.strerror}); choose another folder") from None
    return written
