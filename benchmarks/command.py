"""How long the command line lets one wait: `ectopy --help`, and the first verdict of `ectopy watch demo`.

Wall time from the start of the process, on a warm disk (the first run is not counted), with the user's own threads.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from _common import heading, judged, row, run

RUNS = 11
ECTOPY = str(Path(sys.executable).with_name("ectopy"))


def benchmark() -> None:
    heading(f"command: median of {RUNS} runs", "ectopy", "typer", "numpy", "onnxruntime")
    bare = times([sys.executable, "-c", "print()"])
    answer = times([ECTOPY, "--help"])
    verdict = times([ECTOPY, "watch", "demo", "--speed", "max"])
    row("wall time to the first line, s", "median", "least", "most")
    for what, taken in (
        ("python -c 'print()'", bare),
        ("ectopy --help", answer),
        ("ectopy watch demo --speed max", verdict),
    ):
        row(f"  {what}", *(f"{f(taken):.2f}" for f in (median, min, max)))
    print()
    row("", "figure", "aim", "better by")
    judged("ectopy --help", median(answer), "s", below=0.5)
    judged("first verdict of ectopy watch demo", median(verdict), "s", below=3)


def times(command: list[str]) -> list[float]:
    """Seconds until the first line on stdout: of `watch` the first verdict, of `--help` all of it, written at once."""
    taken = []
    for _ in range(1 + RUNS):
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            taken.append(time.perf_counter() - began)
            process.kill()
        if not line:
            sys.exit(f"command.py: {' '.join(command)} printed nothing; run it by hand to see why")
    return taken[1:]


if __name__ == "__main__":
    run(benchmark)
