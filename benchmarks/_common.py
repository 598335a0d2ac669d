"""What the benchmarks share: a process of its own for each figure, the machine's name, and the table."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from ectopy.errors import EctopyError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

P = ParamSpec("P")
T = TypeVar("T")


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns in a new process with one thread, so that its time and memory are its own."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # inherited, and read when NumPy comes in
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *args, **kwargs).result()


def run(benchmark: Callable[[], None]) -> None:
    """Run a benchmark; what a user can mend becomes one line."""
    try:
        benchmark()
    except EctopyError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")


def heading(what: str, *packages: str) -> None:
    """What is measured, on which machine, with which versions."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"{what}\n{_processor()}, {os.cpu_count()} cores; {platform.system()} {platform.machine()}")
    print(f"Python {platform.python_version()}, {versions}\n", flush=True)


def row(what: str, *cells: str) -> None:
    print(f"{what:<44}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def judged(what: str, figure: float, unit: str, *, at_least: float | None = None, below: float | None = None) -> None:
    """A row with the aim, and how many times better than it the figure is; under 1.00 x it is missed."""
    digits = ",.0f" if figure >= 100 else ".2f"
    if at_least is not None:
        row(what, f"{figure:{digits}} {unit}", f">= {at_least:,g} {unit}", f"{figure / at_least:.2f} x")
    elif below is not None:
        row(what, f"{figure:{digits}} {unit}", f"< {below:,g} {unit}", f"{below / figure:.2f} x")


def _processor() -> str:
    """The processor's name; Linux has it in a file only."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
