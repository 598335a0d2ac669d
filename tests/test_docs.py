"""What the documents promise: links that lead somewhere, and a Python block that runs."""

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
    assert "start_s=295.0" in answer.stdout


def test_the_figures_in_the_readme_are_those_of_the_committed_run():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    report = (ROOT / "docs" / "figures" / "sequence-DS2.md").read_text(encoding="utf-8")
    for figure in ("99.95 %", "99.92 %", "0.950 [0.870, 0.978]", "0.301 [0.175, 0.458]", "0.53 %"):
        assert figure in readme
        assert figure.replace(" %", "%") in report
