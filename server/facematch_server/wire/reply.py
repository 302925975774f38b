"""Replies: one comparison or one error, printed for a profile."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from facematch_local.brief import BriefRepr
from facematch_local.calibration import verdict
from facematch_local.codes import ErrorCode, WarningCode
from facematch_local.result import MatchResult, PhotoResult
from facematch_server.wire.profile import Profile

WARNINGS_HEADER: Final = "X-Facematch-Warnings"


@dataclass(frozen=True, slots=True, repr=False)
class FoundFace(BriefRepr):
    """A compared face: its crop as JPEG and the detector's confidence, 0 to 1."""

    jpeg: bytes
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class Compared(BriefRepr):
    """The content of a reply to a comparison.

    Attributes:
        percent: 0 to 100, at most two decimals. Has no effect if a face is missing: the reply then says 0.
        face1: the face of image 1; None without one.
        face2: the face of image 2, likewise.
        warnings: the codes of all warnings, lowest first.
        timings: seconds by stage, for the metrics; not printed.
    """

    percent: float
    face1: FoundFace | None
    face2: FoundFace | None
    warnings: tuple[WarningCode, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.percent <= 100.0:  # refuses NaN, too
            raise ValueError("percent must lie between 0 and 100")

    @property
    def matching(self) -> str:
        """The percentage as printed, with at least one decimal: "87.42", "100.0"."""
        # Never fail open: without two faces nothing was compared, so the number must not count.
        percent = self.percent if self.face1 and self.face2 else 0.0
        return str(round(percent, 2))

    @property
    def match(self) -> str:
        """The verdict; it follows from the printed text."""
        return str(int(verdict(float(self.matching))))

    @property
    def warning(self) -> WarningCode:
        """The one code for which the contract has room."""
        return min(self.warnings, default=WarningCode.SUCCESSFUL)

    @property
    def header(self) -> str:
        """All codes, comma separated; "0" without warnings."""
        return ",".join(str(int(code)) for code in self.warnings) or str(int(WarningCode.SUCCESSFUL))


def compared(result: MatchResult) -> Compared:
    """The contract's part of a result."""
    first, second = result.images
    return Compared(result.percent, _found(first), _found(second), result.warnings, result.timings)


def print_comparison(compared: Compared, profile: Profile) -> bytes:
    """The body of a reply with errorCode 0."""
    warning = compared.warning
    data: dict[str, Any] = {
        "matching": compared.matching,
        "face1": _crop(compared.face1),
        "face2": _crop(compared.face2),
        "face1_score": _score(compared.face1),
        "face2_score": _score(compared.face2),
        "invalidCode": int(warning) if profile is Profile.OBSERVED else str(int(warning)),
        "invalidMessage": warning.message,
        "match": compared.match,
    }
    return _envelope(data, str(int(ErrorCode.SUCCESS)), ErrorCode.SUCCESS.message, profile)


def print_error(code: ErrorCode, profile: Profile) -> bytes:
    """The body of a reply with a documented errorCode other than 0."""
    if code is ErrorCode.SUCCESS:
        raise ValueError("SUCCESS is not an error")
    return _envelope(None, str(int(code)), code.message, profile)


def print_failure(status: int, message: str) -> bytes:
    """The body for an outcome outside the contract; the HTTP status is its errorCode."""
    return _envelope(None, str(status), message, Profile.DOCUMENTED)


def _envelope(data: dict[str, Any] | None, code: str, message: str, profile: Profile) -> bytes:
    content = {"data": data, "errorCode": code, "errorMessage": message}
    return json.dumps(content, sort_keys=profile is Profile.OBSERVED, separators=(",", ":")).encode("ascii")


def _found(photo: PhotoResult) -> FoundFace | None:
    return None if photo.face is None or photo.crop is None else FoundFace(photo.crop_jpeg(), photo.face.score)


def _crop(face: FoundFace | None) -> str:
    return base64.b64encode(face.jpeg).decode("ascii") if face else ""


def _score(face: FoundFace | None) -> str:
    """Up to six decimals, at least one: "0.999796", "1.0"."""
    if face is None:
        return ""
    whole, _, decimals = f"{face.score:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"
