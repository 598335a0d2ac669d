"""What the documents promise: links that lead somewhere, and a Python block that runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_readme_s_python_runs_and_gives_every_verdict():
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    answer = subprocess.run([sys.executable, "-c", block[1]], capture_output=True, text=True, check=True)
    starts = re.findall(r"^(\d+\.0) (?:normal|abnormal|unreadable) ", answer.stdout, re.MULTILINE)
    assert starts == [f"{5 * k:.1f}" for k in range(59)]
    assert "(295.0, " in answer.stdout


ROWS = {
    "ventricular beats (V), F1": "beat.V.f1",
    "supraventricular beats (S), F1": "beat.S.f1",
    "abnormal beats (S, V, F), F1": "beat.abnormal.f1",
    "the same, AUROC": "beat.abnormal.auroc",
    "5-second intervals, F1": "interval.abnormal.f1",
    "the same, AUPRC": "interval.abnormal.auprc",
    "verdicts with findings against beats and rhythms, F1": "interval.with_findings.f1",
    "intervals unreadable": "interval.unreadable.share",
    "false alarms an hour of normal signal": "interval.false_alarms.per_hour",
}


def test_the_figures_in_the_readme_are_those_of_the_committed_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in readme.splitlines() if line[:1] == "|"]
    head = next(cells for cells in lines if cells[0].startswith("`ectopy evaluate MODEL`"))
    models = [re.findall("[a-z-]+", name)[0] for name in head[1:]]
    runs = [json.loads((ROOT / f"docs/figures/{model}-DS2.json").read_text())["first lead"] for model in models]
    assert len(runs) == 5
    rows = {cells[0]: cells[1:] for cells in lines}
    for name, key in ROWS.items():
        for run, cell in zip(runs, rows[name], strict=True):
            value, without = (run[part]["figures"].get(key, {"value": None}) for part in ("from 5:00", "without 232"))
            if value["value"] is None:
                assert cell in ("", "names no class")
                continue
            figure = {"share": lambda x: f"{100 * x:.2f} %", "per_hour": lambda x: f"{x:.0f}"}.get(
                key.rpartition(".")[2], lambda x: f"{x:.3f}"
            )
            whole = figure(value["value"])
            known = whole, f"{whole} [{figure(value['low'])}, {figure(value['high'])}]"
            assert cell in [f"{text} / {figure(without['value'])}" for text in known], (name, cell)
    found = runs[0]["from 5:00"]["figures"]
    se, ppv = (f"{100 * found[f'beat.detection.{of}']['value']:.2f} %" for of in ("se", "ppv"))
    assert f"sensitivity {se}, positive predictivity {ppv}" in readme
