"""The result of a match, and its one serialised form.

`MatchResult` holds photos and embeddings. `DetailedResult` is the same result as plain data, without them:
`facematch compare --json` prints it, and the service's `POST /v1/compare` returns it with a few fields added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from facematch_local.brief_repr import BriefRepr
from facematch_local.calibration import Verdict
from facematch_local.checks import Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.faces import Face
from facematch_local.imaging.decode import encode_jpeg
from facematch_local.imaging.photo import Photo
from facematch_local.imaging.resampling import limited
from facematch_local.policy import Finding

# People and face recognisers look at crops; recognisers take 112 to 256 pixels. A face that fills a 12 MP selfie would
# add 1 MB of base64 to a reply.
CROP_SIDE: Final = 640


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhotoResult(BriefRepr):
    """What was found in one photo.

    Attributes:
        photo: the decoded photo.
        role: what the photo should show.
        faces: all faces, largest first; the first one was compared and carries its embedding.
        crop: the compared face cut from the photo with a margin, HxWx3 uint8 BGR; None without a face.
        aligned: the compared face as the recogniser saw it, 112x112x3 uint8 BGR; None without a face.
        measures: the measures of the role's checks, by name of the check.
        timings: seconds by stage: decode, detect, embed, checks.
        document: corners of the document on a photo of a card, (4, 2) float32 in pixels of the photo: top left, top
            right, bottom right, bottom left in reading orientation; None without a document.
    """

    photo: Photo
    role: Role
    faces: tuple[Face, ...]
    crop: NDArray[np.uint8] | None
    aligned: NDArray[np.uint8] | None
    measures: Mapping[str, Measure]
    timings: Mapping[str, float] = field(default_factory=dict)
    document: NDArray[np.float32] | None = None

    @property
    def face(self) -> Face | None:
        """The face that was compared."""
        return self.faces[0] if self.faces else None

    def crop_jpeg(self) -> bytes:
        """`crop` as JPEG, its longer side at most `CROP_SIDE` pixels; empty without a face."""
        return b"" if self.crop is None else crop_jpeg(self.crop)

    def aligned_jpeg(self) -> bytes:
        """`aligned` as JPEG; empty without a face."""
        return b"" if self.aligned is None else crop_jpeg(self.aligned)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MatchResult(BriefRepr):
    """The result of one comparison.

    Attributes:
        percent: 0 to 100, two decimals; 0.0 when a face is missing.
        verdict: follows from `percent`; NO_MATCH when a face is missing.
        cosine: cosine similarity, -1 to 1; None when a face is missing.
        warnings: the codes of all warnings, lowest first; empty without a warning.
        findings: every measure of both photos with its limit and outcome.
        images: what was found in image 1 and in image 2.
        pack: name and version of the model pack.
        calibration: id of the calibration curve.
        calibrated: False when the generic curve was used.
        policy: version of the policy.
        timings: seconds by stage, summed over both photos, and `total`, which is less where the photos ran side by
            side.
    """

    percent: float
    verdict: Verdict
    cosine: float | None
    warnings: tuple[WarningCode, ...]
    findings: tuple[Finding, ...]
    images: tuple[PhotoResult, PhotoResult]
    pack: str
    calibration: str
    calibrated: bool
    policy: str
    timings: Mapping[str, float]

    @property
    def warning(self) -> WarningCode:
        """The one code for which the contract has room: the lowest, or SUCCESSFUL."""
        return self.warnings[0] if self.warnings else WarningCode.SUCCESSFUL


def crop_jpeg(crop: NDArray[np.uint8]) -> bytes:
    """Encode a face crop (HxWx3 uint8 BGR) as JPEG, reduced so that no side is longer than `CROP_SIDE`."""
    return encode_jpeg(limited(crop, CROP_SIDE))


class Detailed(BaseModel):
    """Base of the serialised form: frozen, NaN printed as null."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class DetailedWarning(Detailed):
    """A warning."""

    code: int = Field(description="invalidCode of the contract, 1 to 12")
    message: str = Field(description="invalidMessage of the contract")


class DetailedFinding(Detailed):
    """One measure of one photo, its limit, and the outcome."""

    image: Literal[1, 2] = Field(description="the photo that was measured")
    name: str = Field(description="name of the check")
    value: float | None = Field(description="null where the photo could not be assessed; `reason` says why")
    unit: str = Field(description='unit of `value`; "1" for ratios, probabilities and counts')
    reason: str = Field(description="why the photo could not be assessed; empty where it was assessed")
    code: int = Field(description="the invalidCode that a value outside the limits raises")
    minimum: float | None = Field(description="lowest value without a warning; null where there is no lower limit")
    maximum: float | None = Field(description="highest value without a warning; null where there is no upper limit")
    outcome: Literal["passed", "warning", "not_assessed"] = Field(description="`value` against the limits")

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The serialised form of a finding."""
        return cls(
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


class DetailedFace(Detailed):
    """A face, in pixels of the decoded photo."""

    box: list[float] = Field(description="left, top, right, bottom")
    landmarks: list[list[float]] = Field(
        repr=False, description="five points x, y: eyes, nose tip, mouth corners; left first"
    )
    score: float = Field(description="confidence of the detector, 0 to 1")


class DetailedPhoto(Detailed):
    """What was found in one photo."""

    role: Literal["card", "portrait"] = Field(description="what the photo should show")
    format: str = Field(description="file format of the photo; empty where the library was given an array")
    width: int = Field(description="pixels of the decoded photo")
    height: int = Field(description="pixels of the decoded photo")
    scale: float = Field(description="side of the decoded photo over side of the original")
    faces: list[DetailedFace] = Field(description="largest first; the first one was compared")
    document: list[list[float]] | None = Field(
        description="corners x, y of the document on a photo of a card: top left, top right, bottom right, bottom left "
        "as read; null without a document"
    )


class DetailedResult(Detailed):
    """A `MatchResult` as plain data: no photos and no embeddings."""

    percent: float = Field(description="0 to 100; 0 where a face is missing")
    match: Literal[1, 0, -1] = Field(description="follows from `percent`: above 75, 65 to 75, below 65")
    verdict: Literal["match", "unsure", "no_match"] = Field(description="`match` as a word")
    cosine: float | None = Field(description="cosine similarity, -1 to 1; null where a face is missing")
    warnings: list[DetailedWarning] = Field(description="all warnings, lowest code first")
    findings: list[DetailedFinding] = Field(description="every measure of both photos")
    images: Sequence[DetailedPhoto] = Field(min_length=2, max_length=2, description="image 1 and image 2")
    pack: str = Field(description="name and version of the model pack")
    calibration: str = Field(description="id of the calibration curve")
    calibrated: bool = Field(description="false: the generic curve was used, which rests on no data of this pack")
    policy: str = Field(description="version of the policy")
    timings: dict[str, float] = Field(description="seconds by stage; stages of the two photos overlap")


def describe(result: MatchResult) -> DetailedResult:
    """The serialised form of a result."""
    return DetailedResult(
        percent=result.percent,
        match=int(result.verdict),
        verdict=result.verdict.name.lower(),
        cosine=result.cosine,
        warnings=[DetailedWarning(code=int(code), message=code.message) for code in result.warnings],
        findings=[DetailedFinding.of(finding) for finding in result.findings],
        images=[describe_photo(photo) for photo in result.images],
        pack=result.pack,
        calibration=result.calibration,
        calibrated=result.calibrated,
        policy=result.policy,
        timings={stage: round(seconds, 6) for stage, seconds in result.timings.items()},
    )


def describe_photo(photo: PhotoResult) -> DetailedPhoto:
    """The serialised form of one photo's result."""
    return DetailedPhoto(
        role=photo.role.value,
        format=photo.photo.format,
        width=photo.photo.width,
        height=photo.photo.height,
        scale=photo.photo.scale,
        faces=[
            DetailedFace(box=face.box.tolist(), landmarks=face.landmarks.tolist(), score=face.score)
            for face in photo.faces
        ],
        document=None if photo.document is None else photo.document.tolist(),
    )
