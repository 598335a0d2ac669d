"""Logs: a JSON object a line on stderr. No label and no sample is ever in one."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "what": record.getMessage(),
        }
        told |= {key: value for key, value in vars(record).items() if key not in _OWN}
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def configure(level: str) -> dict[str, Any]:
    """Settings for `logging.config`, as uvicorn takes them; one line a request is not among them."""
    handler = {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "lines"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": _Lines}},
        "handlers": {"lines": handler},
        "root": {"handlers": ["lines"], "level": level.upper()},
        "loggers": {
            "uvicorn.access": {"level": "WARNING"},
            "uvicorn.error": {"level": level.upper()},
            "websockets": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
        },
    }
