"""Representation of objects with photos or embeddings: only shapes and sizes, for logs and tracebacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


class BriefRepr:
    """Base of a dataclass (`repr=False`) whose representation shows arrays by type and shape, and bytes by length."""

    __slots__ = ()

    def __repr__(self) -> str:
        fields = [field for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]
        inner = ", ".join(f"{field.name}={brief(getattr(self, field.name))}" for field in fields)
        return f"{type(self).__name__}({inner})"


def brief(value: Any) -> str:
    """`repr(value)`, except `<float32 512>` or `<uint8 480x640x3>` for arrays and `<1234 bytes>` for bytes."""
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
