"""Log lines for people: one short line each, with colours on a terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

# ANSI styles by lowest level.
_STYLES: Final = ((logging.ERROR, "1;31"), (logging.WARNING, "33"))
_DIM: Final = "2"


class TextFormatter(logging.Formatter):
    """Time, level if it is not INFO, message, fields. A request reads like a sentence; its stages are left out."""

    def __init__(self, exception_line: Callable[[Any], str], *, colours: bool) -> None:
        """Format lines.

        Args:
            exception_line: a line for the information about an exception, without its message.
            colours: mark levels with ANSI colours.
        """
        super().__init__("%(message)s", "%H:%M:%S")
        self._exception_line = exception_line
        self._colours = colours

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line without an exception."""
        fields = getattr(record, "fields", None) or {}
        time = self._styled(self.formatTime(record, self.datefmt), _DIM)
        if record.message == "request" and "route" in fields:
            return f"{time}  {self._request(fields)}"
        level = "" if record.levelno == logging.INFO else f"{record.levelname}  "
        style = next((style for least, style in _STYLES if record.levelno >= least), "")
        pairs = " ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, ""))
        return f"{time}  {self._styled(level + record.message, style)}  {self._styled(pairs, _DIM)}".rstrip()

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """One line for an exception."""
        return self._exception_line(ei)

    def _request(self, fields: Mapping[str, Any]) -> str:
        status = fields["status"]
        parts = [f"{fields['method']} {fields['route']}", f"{status}"]
        if "error_code" in fields:
            parts.append(f"errorCode {fields['error_code']}")
        if "invalid_code" in fields:
            parts.append(f"invalidCode {fields['invalid_code']}")
        parts.append(f"{fields['ms']:.0f} ms")
        if "key" in fields:
            parts.append(f"key {fields['key']}")
        style = "1;31" if status >= 500 else "33" if status >= 400 or fields.get("error_code", "0") != "0" else ""
        request_id = self._styled(str(fields.get("request_id", "")), _DIM)
        return f"{self._styled('  '.join(parts), style)}  {request_id}"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colours and style and text else text
