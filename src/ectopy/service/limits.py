"""What an analysis may cost, and how its refusal reads."""

from __future__ import annotations

from dataclasses import dataclass

from ectopy.errors import EctopyError

MIB = 1024 * 1024


@dataclass(frozen=True)
class AnalysisLimits:
    """Of analyses over the API.

    workers : processes that analyse strips, and as many children beside them that analyse files
    waiting : strips, and as many files, that may wait for one
    wait_s : seconds until a file still at work is answered as a job
    strip_bytes : of a JSON request that a worker takes; a larger one is treated as a file
    json_bytes, upload_bytes : of a JSON request, of all files of an upload, and of all that comes out of an archive
    spare_bytes : of disk that uploads, and what comes of them, leave free
    members : files of an upload or an archive
    expansion : bytes out of an archive for each byte of it
    memory_bytes, cpu_s : of one process; seconds are those of the child of one file
    kept, kept_s : finished jobs that are kept, and for how many seconds
    """

    workers: int = 1
    waiting: int = 32
    wait_s: float = 10.0
    strip_bytes: int = MIB
    json_bytes: int = 16 * MIB
    upload_bytes: int = 512 * MIB
    spare_bytes: int = 256 * MIB
    members: int = 64
    expansion: int = 100
    memory_bytes: int = 4096 * MIB
    cpu_s: int = 1800
    kept: int = 100
    kept_s: float = 3600.0


class RefusedError(EctopyError):
    """Why a request is not done, with the status that says it: a child's own word, or a limit passed."""

    def __init__(self, reason: str, status: int):
        super().__init__(reason)
        self.status = status


def size(n_bytes: int) -> str:
    """As a person reads it."""
    return f"{n_bytes / MIB:,.0f} MiB" if n_bytes >= MIB else f"{n_bytes:,} bytes"
