"""The detailed reply of `POST /v1/compare`: everything a `MatchResult` holds, as typed JSON."""

from __future__ import annotations

import base64
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from facematch_local.matcher import MatchResult, PhotoResult
from facematch_local.policy import Finding
from facematch_server.matching.comparer import compared, crop_jpeg
from facematch_server.wire import Compared, Profile, print_comparison


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class WarningOut(_Model):
    """A warning that holds."""

    code: int = Field(description="invalidCode of the contract, 1 to 12")
    message: str


class FindingOut(_Model):
    """One measure of one photo, what it was held against, and the outcome."""

    image: Literal[1, 2]
    name: str
    value: float | None = Field(description="null where it could not be assessed; `reason` says why")
    unit: str
    reason: str
    code: int = Field(description="the invalidCode this measure raises when it is outside the limits")
    minimum: float | None
    maximum: float | None
    outcome: Literal["passed", "warning", "not_assessed"]


class FaceOut(_Model):
    """A face in pixels of the decoded photo."""

    box: list[float] = Field(description="left, top, right, bottom")
    landmarks: list[list[float]] = Field(
        repr=False, description="five points x, y: eyes, nose tip, mouth corners; left first"
    )
    score: float = Field(description="confidence of the detector, 0 to 1")


class PhotoOut(_Model):
    """What was found in one photo."""

    role: Literal["card", "portrait"]
    format: str
    width: int
    height: int
    scale: float = Field(description="side of the decoded photo over side of the original")
    faces: list[FaceOut] = Field(description="largest first; the first one was compared")
    crop: str = Field(repr=False, description="the compared face as base64 of a JPEG, empty without a face")
    aligned: str = Field(repr=False, description="the compared face as the recogniser saw it, likewise")


class WireOut(_Model):
    """The contract's reply to the same comparison, as text, byte for byte."""

    documented: str = Field(repr=False)
    observed: str = Field(repr=False)


class CompareOut(_Model):
    """The detailed answer to one comparison."""

    request_id: str
    percent: float = Field(description="0 to 100; 0 where there was nothing to compare")
    match: Literal[1, 0, -1] = Field(description="decided from `percent`: above 75, 65 to 75, below 65")
    cosine: float | None = Field(description="null where a face is missing")
    warnings: list[WarningOut] = Field(description="all that hold, lowest code first")
    findings: list[FindingOut]
    images: list[PhotoOut] = Field(min_length=2, max_length=2)
    pack: str
    calibration: str
    calibrated: bool = Field(description="false: the generic curve was used, no data of this pack stand behind it")
    policy: str
    timings: dict[str, float] = Field(description="seconds by stage; stages of the two photos overlap")
    wire: WireOut


class ErrorOut(_Model):
    """The envelope of an error."""

    data: None = None
    errorCode: str = Field(description="1 to 6 as in the contract, else the HTTP status")  # noqa: N815
    errorMessage: str  # noqa: N815


def describe(result: MatchResult, request_id: str) -> CompareOut:
    """All of a result."""
    return CompareOut(
        request_id=request_id,
        percent=result.percent,
        match=int(result.verdict),
        cosine=result.cosine,
        warnings=[WarningOut(code=int(code), message=code.message) for code in result.warnings],
        findings=[_finding(finding) for finding in result.findings],
        images=[_photo(photo) for photo in result.images],
        pack=result.pack,
        calibration=result.calibration,
        calibrated=result.calibrated,
        policy=result.policy,
        timings={stage: round(seconds, 6) for stage, seconds in result.timings.items()},
        wire=_wire(compared(result)),
    )


def _wire(answer: Compared) -> WireOut:
    return WireOut(**{profile.value: print_comparison(answer, profile).decode("ascii") for profile in Profile})


def _finding(finding: Finding) -> FindingOut:
    return FindingOut(
        image=finding.image,
        name=finding.name,
        value=finding.measure.value,
        unit=finding.measure.unit,
        reason=finding.measure.reason,
        code=int(finding.limit.code),
        minimum=finding.limit.minimum,
        maximum=finding.limit.maximum,
        outcome=finding.outcome.value,
    )


def _photo(photo: PhotoResult) -> PhotoOut:
    return PhotoOut(
        role=photo.role.value,
        format=photo.photo.format,
        width=photo.photo.width,
        height=photo.photo.height,
        scale=photo.photo.scale,
        faces=[
            FaceOut(box=face.box.tolist(), landmarks=face.landmarks.tolist(), score=face.score) for face in photo.faces
        ],
        crop=_jpeg(photo.crop),
        aligned=_jpeg(photo.aligned),
    )


def _jpeg(crop: NDArray[np.uint8] | None) -> str:
    return "" if crop is None else base64.b64encode(crop_jpeg(crop)).decode("ascii")
