"""From two encoded photos to what the reply says. Runs in a thread of the inference pool."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks import Role
from facematch_local.imaging.decode import encode_jpeg
from facematch_local.matcher import MatchResult, PhotoResult
from facematch_server.wire import Compared, FoundFace

# A crop is for people and for face recognisers, whose inputs have 112 to 256 pixels: more only makes replies
# heavy (a face that fills a 12 MP selfie would weigh 1 MB in base64).
CROP_SIDE: Final = 640


class Matcher(Protocol):
    """What the service needs of `facematch_local.FaceMatcher`."""

    @property
    def pack(self) -> Any: ...
    @property
    def policy(self) -> Any: ...
    def match(self, image1: bytes, image2: bytes, type1: Role = ...) -> MatchResult: ...


class Comparer(Protocol):
    """Answers one comparison. The seam for answers that do not come from photos, chosen by API key.

    `compare` blocks and may raise `ContractError` for any documented outcome, and the library's
    `NoContentError` and `ImageFormatError`.
    """

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared: ...


class MatcherComparer:
    """Compares the photos."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared:
        """Compare two encoded photos."""
        return compared(self._matcher.match(image1, image2, type1))


def compared(result: MatchResult) -> Compared:
    """What the contract's reply says of a result."""
    first, second = result.images
    return Compared(result.percent, _found(first), _found(second), result.warnings, result.timings)


def crop_jpeg(crop: NDArray[np.uint8]) -> bytes:
    """A face crop (HxWx3 uint8 BGR) as JPEG, no side longer than `CROP_SIDE`."""
    import cv2

    longest = max(crop.shape[:2])
    if longest > CROP_SIDE:
        height, width = (max(round(side * CROP_SIDE / longest), 1) for side in crop.shape[:2])
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return encode_jpeg(crop)


def warm_up(matcher: Matcher) -> None:
    """Run every model once, so that the first request does not pay for it and a broken model shows at the start.

    Raises:
        PackError: a model gives something else than its role promises.
    """
    from facematch_local.errors import PackError

    analyser = matcher.pack.analyser
    analyser.find(np.full((720, 960, 3), 127, np.uint8))
    side = analyser.recogniser.input_size[0]
    features = analyser.recogniser.get_feat([np.full((side, side, 3), 127, np.uint8)])
    if features.ndim != 2 or features.shape[0] != 1 or features.shape[1] < 2 or not np.isfinite(features).all():
        raise PackError(f"{matcher.pack.pack.files['recognition'].path}: gives no embedding; the pack is damaged")


def _found(photo: PhotoResult) -> FoundFace | None:
    if photo.face is None or photo.crop is None:
        return None
    return FoundFace(crop_jpeg(photo.crop), photo.face.score)
