"""How what holds a photo or an embedding is printed: into logs and tracebacks, so by shape and size only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


class BriefRepr:
    """A dataclass (`repr=False`) that prints arrays by type and shape, bytes by their number."""

    __slots__ = ()

    def __repr__(self) -> str:
        fields = [field for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]
        inner = ", ".join(f"{field.name}={brief(getattr(self, field.name))}" for field in fields)
        return f"{type(self).__name__}({inner})"


def brief(value: Any) -> str:
    """`repr(value)`, but for arrays `<float32 512>` or `<uint8 480x640x3>`, and for bytes `<1234 bytes>`."""
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {'x'.join(map(str, value.shape))}>"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, tuple | list):
        inner = ", ".join(map(brief, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {brief(item)}" for name, item in value.items()) + "}"
    return repr(value)
