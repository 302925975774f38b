"""Makes the page `docs/settings.md` from the settings of the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from facematch_server.settings import PREFIX, Settings


def settings_table() -> str:
    """The Markdown of `docs/settings.md`."""
    return "\n".join(_table_lines()) + "\n"


def _table_lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Every option of the service is an environment variable. This page is generated from"
    yield "`server/facematch_server/settings.py`; write it again with"
    yield "`python -m facematch_server.settings_page > docs/settings.md`."
    yield ""
    yield "| Variable | Default | Meaning |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |"


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        value = ",".join(value)
    # A default that depends on the machine (a factory) is explained in the description.
    if value is None or str(value) in ("", "PydanticUndefined"):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(settings_table(), end="")  # noqa: T201
