"""The API keeps what its OpenAPI document says, whatever is sent to it."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
from tests.serving import serving

CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_every_answer_is_one_that_is_declared_and_none_is_a_failure(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        epoch = {"fs": 250, "leads": ["I"]}
        httpx.post(f"{url}/v1/streams/bed-7/epochs", json=epoch).raise_for_status()
        command = [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG)),
            *("run", f"{url}/openapi.json", "--max-examples", "5", "--request-timeout", "30"),
            *("--generation-deterministic", "--no-color"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:]
    assert '"level": "error"' not in (tmp_path / "log").read_text()


def test_the_page_of_the_api_needs_nothing_from_the_internet(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        page = httpx.get(url, follow_redirects=True).raise_for_status().text
        linked = re.findall(r"(?:src|href)=[\"']([^\"']+)", page)
        assert len(linked) >= 2
        for link in linked:
            assert link.startswith("/"), link
            httpx.get(url + link).raise_for_status()
