"""Structured logs without personal data.

One JSON object per line, or a line for people on a terminal. A request is logged with its route template, never with
its path or query. An exception is logged with its type and its frames, never with its message, which may quote a
request.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from facematch_server.log_repeats import RepeatFilter
from facematch_server.log_text import TextFormatter

LOGGER: Final = logging.getLogger("facematch")

# Libraries that quote content of photos, or URLs with their queries.
_QUOTING: Final = ("httpx", "httpcore", "PIL", "asyncio")


def set_up_logs(level: str, style: str) -> None:
    """Send all logs of the process to standard error, one line each.

    Args:
        level: lowest level, such as "INFO".
        style: "json", "text", or "auto" for text on a terminal and JSON elsewhere.
    """
    handler = logging.StreamHandler(sys.stderr)
    terminal = sys.stderr.isatty()
    if style == "text" or (style == "auto" and terminal):
        # https://no-color.org
        colours = terminal and not os.environ.get("NO_COLOR")
        handler.setFormatter(TextFormatter(_exception_line, colours=colours))
    else:
        handler.setFormatter(_json_formatter())
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUOTING:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Alembic logs every step of creating the tables, which would hide the lines of a first start.
    logging.getLogger("alembic").setLevel(logging.NOTSET if root.level <= logging.DEBUG else logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = name != "uvicorn.access"
        logger.setLevel(max(logging.WARNING, root.level))


def log_fault(message: str, error: BaseException, **fields: Any) -> None:
    """Log an unexpected exception by type and place."""
    LOGGER.error(message, extra={"fields": {**fields, "exception": type(error).__name__, "at": places(error)}})


def log(message: str, **fields: Any) -> None:
    """Log an event."""
    LOGGER.info(message, extra={"fields": fields})


def places(error: BaseException, limit: int = 12) -> list[str]:
    """`file:line function` of the frames of an exception, innermost last; no source lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-limit:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _json_formatter() -> JsonFormatter:
    return _JsonFormatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )


class _JsonFormatter(JsonFormatter):
    """One JSON object; `fields` at the top level, exceptions by type and `places` only."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        fields = log_data.pop("fields", None)
        if isinstance(fields, Mapping):
            log_data.update(fields)
        return super().process_log_record(log_data)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return _exception_line(ei)


def _exception_line(exc_info: Any) -> str:
    error = exc_info[1]
    return "" if error is None else f"{type(error).__name__} at {' < '.join(reversed(places(error)))}"
