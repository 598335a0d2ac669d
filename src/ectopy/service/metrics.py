"""What `/metrics` shows, for Prometheus. No label of a stream or person is in it."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry a service, so that tests may have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # its memory, CPU time and open files; on Linux only
        own: dict[str, Any] = {"registry": self.registry, "namespace": "ectopy"}
        self.streams = Gauge("streams", "Epochs that run", **own)
        self.writers = Gauge("writers", "Streams that somebody holds a connection to write to", **own)
        self.samples = Counter("samples", "Samples that were kept, of all leads", **own)
        self.verdicts = Counter("verdicts", "Verdicts that were kept", ["verdict"], **own)
        self.gaps = Counter("gaps", "Gaps that were kept", ["reason"], **own)
        self.conflicts = Counter("conflicts", "Chunks refused, as other samples stood in their place", **own)
        self.refused = Counter("refused", "Chunks refused for now: no credit, a full queue or disk", **own)
        self.inference = Histogram("inference_seconds", "One epoch's share of a turn", buckets=_SECONDS, **own)
        self.lag = Histogram("lag_seconds", "From samples on disk to the verdict on disk", buckets=_SECONDS, **own)
        self.store_depth = Gauge("store_depth", "Entries that wait for the disk", **own)
        self.judge_depth = Gauge("judge_depth", "Epochs that wait for their turn", **own)
        self.findings = Counter("findings", "Findings that were told, beginnings and ends", **own)
        self.alarms = Counter("alarms", "Alarms that were raised", ["priority"], **own)
        self.notifications = Counter(
            "notifications", "Tries to tell a target: sent, failed (to be tried again), given up", ["outcome"], **own
        )
