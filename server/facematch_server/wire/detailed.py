"""The reply of `POST /v1/compare`: the library's `DetailedResult` with face crops and the contract's reply."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from facematch_local.result import Detailed, DetailedPhoto, DetailedResult, MatchResult, PhotoResult, describe
from facematch_local.result import describe_photo as describe_without_crops
from facematch_server.wire.profile import Profile
from facematch_server.wire.reply import Compared, FoundFace, compared, print_comparison


class PhotoOut(DetailedPhoto):
    """What was found in one photo, with the compared face."""

    crop: str = Field(repr=False, description="the compared face as base64 of a JPEG; empty without a face")
    aligned: str = Field(
        repr=False, description="the compared face as the recogniser saw it, base64 of a JPEG; empty without a face"
    )

    @classmethod
    def of(cls, photo: PhotoResult, face: FoundFace | None) -> Self:
        """The serialised form of one photo's result; `face` is the compared face, encoded already."""
        crop = face.jpeg if face else b""
        return cls(**_fields(describe_without_crops(photo)), crop=_base64(crop), aligned=_base64(photo.aligned_jpeg()))


class WireOut(Detailed):
    """The contract's reply to the same comparison, as text, byte for byte."""

    documented: str = Field(repr=False, description="in the `documented` wire profile")
    observed: str = Field(repr=False, description="in the `observed` wire profile")

    @classmethod
    def of(cls, reply: Compared) -> Self:
        """The contract's replies to a comparison."""
        return cls(**{profile.value: print_comparison(reply, profile).decode("ascii") for profile in Profile})


class CompareOut(DetailedResult):
    """The detailed reply to one comparison."""

    request_id: str = Field(description="the `X-Request-ID` of the reply")
    images: Sequence[PhotoOut] = Field(min_length=2, max_length=2, description="image 1 and image 2")
    wire: WireOut

    @classmethod
    def of(cls, result: MatchResult, request_id: str) -> Self:
        """The reply to a result."""
        reply = compared(result)
        pairs = zip(result.images, (reply.face1, reply.face2), strict=True)
        content = _fields(describe(result)) | {"images": [PhotoOut.of(photo, face) for photo, face in pairs]}
        return cls(**content, request_id=request_id, wire=WireOut.of(reply))


class ErrorOut(Detailed):
    """The envelope of an error."""

    data: None = None
    errorCode: str = Field(description="1 to 6 as in the contract, else the HTTP status")  # noqa: N815
    errorMessage: str  # noqa: N815
    image: Literal[1, 2] | None = Field(None, description="the photo at fault; null if no photo is, or if unknown")
    reason: str = Field("", description="the fault in one sentence; empty if `errorMessage` says all")


def _fields(model: Detailed) -> dict[str, object]:
    return {name: getattr(model, name) for name in type(model).model_fields}


def _base64(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode("ascii")
