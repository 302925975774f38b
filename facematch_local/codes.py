"""The two code tables of the contract, with the exact messages that clients compare."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """`errorCode` of the reply. Only `SUCCESS` has `data`."""

    SUCCESS = 0
    NO_CONTENT = 1
    URL_UNAVAILABLE = 2
    BAD_IMAGE = 3
    OUT_OF_REQUESTS = 4
    BAD_CREDENTIALS = 5
    BAD_FORMAT_TYPE = 6

    @property
    def message(self) -> str:
        """The documented `errorMessage`, with the contract's spelling."""
        return _ERROR_MESSAGES[self]


class WarningCode(IntEnum):
    """`invalidCode` of the reply. If several warnings apply, the reply has the lowest code."""

    SUCCESSFUL = 0
    NO_CARD = 1
    PHOTOCOPY = 2
    TAMPERING = 3
    NO_FACE_ON_CARD = 4
    NO_FACE_ON_PORTRAIT = 5
    SEVERAL_FACES = 6
    SUNGLASSES = 7
    HAT = 8
    MASK = 9
    RECAPTURE_OR_BLUR = 10
    FACE_TOO_SMALL = 11
    FACE_TOO_CLOSE_TO_MARGIN = 12

    @property
    def message(self) -> str:
        """The documented `invalidMessage`, with the contract's spelling."""
        return _WARNING_MESSAGES[self]


_ERROR_MESSAGES = {
    ErrorCode.SUCCESS: "Success",
    ErrorCode.NO_CONTENT: "The photo does not contain content",
    ErrorCode.URL_UNAVAILABLE: "Url is unavailable",
    ErrorCode.BAD_IMAGE: "Incorrect image format",
    ErrorCode.OUT_OF_REQUESTS: "Out of requests",
    ErrorCode.BAD_CREDENTIALS: "Incorrect api_key or api_secret",
    ErrorCode.BAD_FORMAT_TYPE: "Incorrect format type",
}

_WARNING_MESSAGES = {
    WarningCode.SUCCESSFUL: "Successful",
    WarningCode.NO_CARD: "The ID card photo is not existed",
    WarningCode.PHOTOCOPY: "The picture is a photocopy version of the id card",
    WarningCode.TAMPERING: "The ID card photo is suspected of tampering",
    WarningCode.NO_FACE_ON_CARD: "The ID card photo does not contain a face",
    WarningCode.NO_FACE_ON_PORTRAIT: "The portrait photo does not contain a face",
    WarningCode.SEVERAL_FACES: "Photo contains more than one face",
    WarningCode.SUNGLASSES: "Wearing sunglasses",
    WarningCode.HAT: "Wearing a hat",
    WarningCode.MASK: "Wearing a mask",
    WarningCode.RECAPTURE_OR_BLUR: "Photo taken from picture, screen, blurred noise or sign of fraud",
    WarningCode.FACE_TOO_SMALL: "The face in the picture is too small",
    WarningCode.FACE_TOO_CLOSE_TO_MARGIN: "The face in the portrait photo is too close to the margin",
}
