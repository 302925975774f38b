"""Offline face matching of an ID card photo and a portrait.

`import facematch_local` is cheap; models and image libraries load on first use.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facematch_local.calibration import Calibration, Verdict
    from facematch_local.checks import Check, Measure, Role
    from facematch_local.codes import ErrorCode, WarningCode
    from facematch_local.errors import (
        FacematchError,
        ImageFormatError,
        NoContentError,
        PackError,
        PolicyError,
        ProviderError,
    )
    from facematch_local.faces import Face
    from facematch_local.imaging.photo import ImageLimits, Photo
    from facematch_local.matcher import FaceMatcher
    from facematch_local.policy import Finding, Limit, Outcome, Policy
    from facematch_local.result import MatchResult, PhotoResult

__version__ = "0.1.0"

# From 1.29 on ONNX Runtime sends usage data to its maker, unless the process says no before it first loads the
# library. Nothing of this project may connect to other machines, so it says no here, before all other modules.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_MODULES = {
    "calibration": ("Calibration", "Verdict"),
    "checks": ("Check", "Measure", "Role"),
    "codes": ("ErrorCode", "WarningCode"),
    "errors": (
        "FacematchError",
        "ImageFormatError",
        "NoContentError",
        "PackError",
        "PolicyError",
        "ProviderError",
    ),
    "faces": ("Face",),
    "imaging.photo": ("ImageLimits", "Photo"),
    "matcher": ("FaceMatcher",),
    "policy": ("Finding", "Limit", "Outcome", "Policy"),
    "result": ("MatchResult", "PhotoResult"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Calibration",
    "Check",
    "ErrorCode",
    "Face",
    "FaceMatcher",
    "FacematchError",
    "Finding",
    "ImageFormatError",
    "ImageLimits",
    "Limit",
    "MatchResult",
    "Measure",
    "NoContentError",
    "Outcome",
    "PackError",
    "Photo",
    "PhotoResult",
    "Policy",
    "PolicyError",
    "ProviderError",
    "Role",
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
