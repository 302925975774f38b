"""Offline face matching of an ID card photo and a portrait.

`import facematch_local` is cheap; models and image libraries load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facematch_local.codes import ErrorCode, WarningCode
    from facematch_local.errors import (
        FacematchError,
        ImageFormatError,
        NoContentError,
        PackError,
        PolicyError,
    )
    from facematch_local.faces import Face
    from facematch_local.matcher import FaceMatcher, MatchResult
    from facematch_local.similarity import Verdict

__version__ = "0.1.0"

_HOMES = {
    "ErrorCode": "codes",
    "WarningCode": "codes",
    "FacematchError": "errors",
    "ImageFormatError": "errors",
    "NoContentError": "errors",
    "PackError": "errors",
    "PolicyError": "errors",
    "Face": "faces",
    "FaceMatcher": "matcher",
    "MatchResult": "matcher",
    "Verdict": "similarity",
}

__all__ = [
    "ErrorCode",
    "Face",
    "FaceMatcher",
    "FacematchError",
    "ImageFormatError",
    "MatchResult",
    "NoContentError",
    "PackError",
    "PolicyError",
    "Verdict",
    "WarningCode",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
