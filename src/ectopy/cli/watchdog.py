"""`ectopy watchdog`: a process of its own that tells when the service is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ectopy.service.notify import MemoryOutbox, Targets
    from ectopy.service.notify.watching import Change


def watchdog(
    url: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8700",
    every: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds between two looks.")] = 10.0,
    after: Annotated[int, typer.Option(min=1, max=100, help="Looks in a row until it is gone, or back.")] = 3,
) -> None:
    """Notify when the service is gone, and when it is back.

    It looks whether samples are taken in, and tells those of the setting 'notify': once when they are not, every 10
    minutes from then on, and once when all is well again. Ctrl-C ends it. Best run under a supervisor; on another
    machine than the service it needs a tunnel to it.
    """
    import logging
    import signal
    import time
    from contextlib import suppress

    from ectopy.errors import SettingsError
    from ectopy.service.notify import MemoryOutbox, Notifier, Targets
    from ectopy.service.notify.watching import Watching
    from ectopy.service.settings import load_settings

    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"--url {url}: expected http://host:port")
    targets = Targets.of(load_settings())
    if not targets.first:
        raise SettingsError(
            "nobody to tell: set notify in ectopy.toml or ECTOPY_SERVICE_NOTIFY, as mailto://user:password@example.org"
        )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a look
    outbox = MemoryOutbox()
    notifier = Notifier(outbox, targets.first)
    notifier.start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    watching = Watching(after)
    typer.echo(f"Watching {url} every {every:g} s; to be told: {', '.join(map(str, targets.first))}")
    with suppress(KeyboardInterrupt):
        while True:
            trouble = _look(url, patience_s=min(every, 5.0))
            if change := watching.looked(trouble is None, time.monotonic()):
                _tell(outbox, targets, url, change, trouble)
                notifier.wake()
            time.sleep(every)
    notifier.close()


def _look(url: str, patience_s: float) -> str | None:
    """What is wrong; None if the service is well."""
    import httpx

    try:
        answer = httpx.get(url.rstrip("/") + "/readyz", timeout=max(1.0, patience_s), trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # a host as "a..b" is no name
        return f"no answer ({error or type(error).__name__})"
    if answer.status_code == 200:
        return None
    try:
        reason = str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        reason = "without a reason"
    return f"not ready, {answer.status_code}: {reason}"


def _tell(outbox: MemoryOutbox, targets: Targets, url: str, change: Change, trouble: str | None) -> None:
    from datetime import UTC, datetime
    from uuid import uuid4

    from ectopy.figures import DISCLAIMER
    from ectopy.service.notify import Message

    at = datetime.now(UTC)
    title = f"Ectopy's service is {change}"
    said = f"{at:%Y-%m-%d %H:%M:%S} UTC: the service at {url} is {change}" + (f": {trouble}" if trouble else "")
    note = "" if change == "back" else "\nSignals may not be taken in, and alarms not told, until it is back."
    typer.echo(said)
    key = f"watchdog-{uuid4().hex[:12]}"
    for target in targets.first:
        outbox.add(
            Message(
                key,
                target.name,
                title,
                f"{said}{note}\n\n{DISCLAIMER}",
                at_us=int(at.timestamp() * 1_000_000),
                priority="none" if change == "back" else "high",
            )
        )
