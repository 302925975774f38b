"""Optional learned heads of a pack: a face or none, its landmarks, what covers it, recaptures, documents, copies.

A head is one ONNX file. It takes pixels as they are (uint8, NHWC, BGR; scaling happens inside the graph) and
gives probabilities or points. Which crops it wants is a *convention*, named in the file's metadata under `METADATA_KEY`
and fixed here; a head made for another convention is refused when the pack is opened, never misread.

`occlusion-1`
    Input `face`, uint8 (N, 112, 112, 3): the face turned upright and scaled by the similarity transform (least
    squares, Umeyama 1991) that takes its five landmarks to `OCCLUSION_TEMPLATE`. The eyes lie 24 pixels apart a
    little below the middle, so that a hat above the brow and the chin are inside. Outside the photo its border
    pixels are repeated.
    Output `scores`, float32 (N, 4): probabilities of sunglasses, clear glasses, mask, head covering; each by itself.

`recapture-1`
    Input `wide`, uint8 (N, 80, 80, 3): the square of 2.7 times the longer side of the face box around its middle
    (glare, tone, bezel, paper edge, hand). A square that leaves the photo is moved back inside, and made smaller where
    the photo is smaller than it.
    Input `period`, float32 (N, 1): the strongest period in the face at the photo's own resolution, ln, as
    `facematch_local.spectrum.period_of` measures it (halftone, pixel grid, moire: they die in any resampling); 0
    where the photo has too few pixels.
    Output `scores`, float32 (N, 3): probabilities of live, print and screen by both together; they sum to 1.

`landmarks-1`
    Input `face`, uint8 (N, 80, 80, 3): the face by the landmarks that a detector gave, taken to `LANDMARK_TEMPLATE` in
    the same way. The eyes lie 22 pixels apart and all of the face is inside. Outside the photo its border pixels are
    repeated.
    Output `points`, float32 (N, 5, 2): x and y of the five landmarks in pixels of the crop.

`confirmation-1`
    Input `face`, uint8 (N, 64, 64, 3): the square of 1.4 times the longer side of the face box around its middle, as it
    stands in the photo. Outside the photo its border pixels are repeated.
    Input `detector`, float32 (N, 1): the detector's confidence, 0 to 1.
    Output `scores`, float32 (N, 1): probability that the box is about a face, by both together.

`document-1`
    Input `view`, uint8 (N, 192, 192, 3): of a photo with a face the square of 36 inter-eye distances around it, which
    holds a card on whichever side of it the face is; of one without a face all of it. The part of the square that lies
    in the photo is squeezed to 192x192, so that nothing but photo is seen. Where that leaves it unsure, a second view
    is of the part in which the map shows most, squeezed as well.
    Output `scores`, float32 (N, 1): probability that it shows a document.
    Output `map`, float32 (N, 24, 24): by place, probability that it is part of one.

`copy-1`
    Input `portrait`, uint8 (N, 96, 96, 3): the portrait on a document and what is around it, by its landmarks taken to
    `COPY_TEMPLATE` as for `occlusion-1`. The eyes lie 15.5 pixels apart, so that the view is 6.2 times that wide.
    Outside the photo its border pixels are repeated.
    Output `scores`, float32 (N, 1): probability that the document is a grey copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from facematch_local.alignment import ARCFACE_TEMPLATE, averaged, distinct_landmarks, similarity_transform, warp
from facematch_local.errors import PackError

if TYPE_CHECKING:
    from facematch_local.faces import Face

METADATA_KEY: Final = "facematch_convention"

OCCLUSION_SIZE: Final = 112
# The ArcFace template (insightface.utils.face_align.arcface_dst, eyes 35.24 pixels apart) shrunk to 24 pixels
# between the eyes; the mean of its x at 56, the eyes at y = 60.
OCCLUSION_TEMPLATE: Final[tuple[tuple[float, float], ...]] = (
    (43.923, 60.066),
    (67.923, 59.934),
    (55.999, 73.716),
    (46.140, 87.766),
    (66.015, 87.656),
)

LANDMARK_SIZE: Final = 80
# The ArcFace template at 0.625, with a margin of 5 pixels: the 112x112 crop and 8 of its pixels on each side.
LANDMARK_TEMPLATE: Final[tuple[tuple[float, float], ...]] = tuple(
    (0.625 * x + 5.0, 0.625 * y + 5.0) for x, y in ARCFACE_TEMPLATE
)
# Pixels of the crop, half the distance of the eyes there, by which the head may move a landmark. Where it wants more,
# one of the two has not seen the face, and the detector at least has found it.
_LARGEST_CORRECTION: Final = 11.0

CONFIRMATION_SIZE, CONFIRMATION_SCALE = 64, 1.4

DOCUMENT_SIZE, DOCUMENT_PLACES, DOCUMENT_SCALE = 192, 24, 36.0

WIDE_SIZE, WIDE_SCALE = 80, 2.7

COPY_SIZE: Final = 96
# The ArcFace template at 0.44, its middle (x of the mean, y of the eyes) at (48, 41).
COPY_TEMPLATE: Final[tuple[tuple[float, float], ...]] = tuple(
    (0.44 * (x - 56.03) + 48.0, 0.44 * (y - 51.6) + 41.0) for x, y in ARCFACE_TEMPLATE
)

Pixels = NDArray[np.uint8]
Window = tuple[int, int, int, int]  # part of a photo: left, top, right and bottom in pixels


class Session(Protocol):
    """What is used of `onnxruntime.InferenceSession`; its `run` may be called from several threads at once."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]: ...
    def get_inputs(self) -> Sequence[Any]: ...
    def get_outputs(self) -> Sequence[Any]: ...
    def get_modelmeta(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class OcclusionScores:
    """Probabilities, 0 to 1 each; several may be high at once."""

    sunglasses: float
    clear_glasses: float
    mask: float
    head_covering: float


@dataclass(frozen=True, slots=True)
class RecaptureScores:
    """Probabilities, 0 to 1, with sum 1: a live face, a picture of a print, a picture of a screen."""

    live: float
    print: float
    screen: float


@dataclass(frozen=True, slots=True, eq=False)
class DocumentScores:
    """Whether a photo shows a document, and where.

    Attributes:
        document: probability, 0 to 1.
        places: (24, 24) float32, by row and column the probability, 0 to 1, that this part of `window` is document.
        window: what was looked at.
    """

    document: float
    places: NDArray[np.float32]
    window: Window


class _Head:
    """What every head is: an open session of a model that was made for the head's convention.

    Args:
        session: an open ONNX Runtime session.
        name: how an error calls the model, its path for one.

    Raises:
        PackError: the model was not made for this convention.
    """

    CONVENTION: ClassVar[str]
    CROPS: ClassVar[Mapping[str, int]]
    """Side of each input that is a crop, by name."""
    NUMBERS: ClassVar[Sequence[str]] = ()
    """Names of the inputs that are one number."""
    GIVES: ClassVar[Mapping[str, list[int]]]
    """Shape of each output, by name."""

    def __init__(self, session: Session, name: str = "") -> None:
        _require(session, name or self.CONVENTION, self.CONVENTION, self.CROPS, self.GIVES, self.NUMBERS)
        self._session = session


class OcclusionHead(_Head):
    """What covers a face: convention `occlusion-1`. Safe to share between threads."""

    CONVENTION = "occlusion-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": OCCLUSION_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [len(OcclusionScores.__slots__)]}

    def predict(self, crop: Pixels) -> OcclusionScores:
        """Look at one face, 112x112x3 uint8 BGR as `occlusion_crop` cuts it: one forward pass."""
        (scores,) = self._session.run(["scores"], {"face": crop[None]})
        sunglasses, clear_glasses, mask, head_covering = (float(score) for score in scores[0])
        return OcclusionScores(sunglasses, clear_glasses, mask, head_covering)


class RecaptureHead(_Head):
    """Live face, print or screen: convention `recapture-1`. Safe to share between threads."""

    CONVENTION = "recapture-1"
    CROPS: ClassVar[Mapping[str, int]] = {"wide": WIDE_SIZE}
    NUMBERS = ("period",)
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [len(RecaptureScores.__slots__)]}

    def predict(self, crop: Pixels, period: float | None) -> RecaptureScores:
        """Look at one face: one forward pass.

        Args:
            crop: 80x80x3 uint8 BGR as `recapture_crop` cuts it.
            period: the strongest period in the face, ln; None where it could not be measured.
        """
        inputs = {"wide": crop[None], "period": np.array([[period or 0.0]], np.float32)}
        (scores,) = self._session.run(["scores"], inputs)
        live, printed, screen = (float(score) for score in scores[0])
        return RecaptureScores(live, printed, screen)


class LandmarkHead(_Head):
    """Landmarks put right: convention `landmarks-1`. Safe to share between threads.

    A detector small enough to search whole photos places landmarks roughly; looking once more, at the face alone,
    costs about a millisecond.
    """

    CONVENTION = "landmarks-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": LANDMARK_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"points": [5, 2]}

    def predict(self, crop: Pixels) -> NDArray[np.float32]:
        """What the head says of one crop, 80x80x3 uint8 BGR: (5, 2) float32 in its pixels."""
        (points,) = self._session.run(["points"], {"face": crop[None]})
        found: NDArray[np.float32] = points[0]
        return found

    def locate(self, pixels: Pixels, landmarks: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where the landmarks of a face in an HxWx3 uint8 BGR photo really are: one forward pass.

        Args:
            pixels: the photo.
            landmarks: (5, 2), as the detector gave them.
            box: (4,) left, top, right, bottom of the face.

        Returns:
            (5, 2) float32 in pixels of the photo; the given ones where they lie unlike those of any face, or where the
            head sees something else altogether.
        """
        import cv2

        given = distinct_landmarks(landmarks, box)
        matrix = similarity_transform(given, np.asarray(LANDMARK_TEMPLATE, np.float64))
        if float(np.hypot(*matrix[0, :2]) * np.ptp(given, axis=0).max()) < 1.0:  # all in one pixel of the crop
            return landmarks
        points = self.predict(warp(pixels, matrix, LANDMARK_SIZE, border=cv2.BORDER_REPLICATE))
        correction = np.linalg.norm(points - (given @ matrix[:, :2].T + matrix[:, 2]), axis=1)
        if not (correction <= _LARGEST_CORRECTION).all():  # said so that it holds for NaN
            return landmarks
        found: NDArray[np.float32] = ((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T).astype(np.float32)
        return found


class ConfirmationHead(_Head):
    """Is what the detector found a face: convention `confirmation-1`. Safe to share between threads."""

    CONVENTION = "confirmation-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": CONFIRMATION_SIZE}
    NUMBERS = ("detector",)
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1]}

    def confirm(self, pixels: Pixels, box: NDArray[np.float32], score: float) -> float:
        """Probability, 0 to 1, that a box is about a face: one forward pass.

        Args:
            pixels: HxWx3 uint8 BGR photo.
            box: (4,) left, top, right, bottom.
            score: the detector's confidence, 0 to 1.
        """
        inputs = {"face": confirmation_crop(pixels, box)[None], "detector": np.array([[score]], np.float32)}
        (scores,) = self._session.run(["scores"], inputs)
        return float(scores[0, 0])


class DocumentHead(_Head):
    """Does a photo show a document, and where: convention `document-1`. Safe to share between threads."""

    CONVENTION = "document-1"
    CROPS: ClassVar[Mapping[str, int]] = {"view": DOCUMENT_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1], "map": [DOCUMENT_PLACES, DOCUMENT_PLACES]}

    def predict(self, pixels: Pixels, face: Face | None) -> DocumentScores:
        """Look at an HxWx3 uint8 BGR photo, around `face` where there is one: one forward pass."""
        return self.look(pixels, document_window(pixels, face))

    def look(self, pixels: Pixels, window: Window) -> DocumentScores:
        """Look at a part of an HxWx3 uint8 BGR photo: one forward pass."""
        scores, places = self._session.run(["scores", "map"], {"view": _squeezed(pixels, window)[None]})
        return DocumentScores(float(scores[0, 0]), places[0], window)


class CopyHead(_Head):
    """Is a document a grey copy: convention `copy-1`. Safe to share between threads."""

    CONVENTION = "copy-1"
    CROPS: ClassVar[Mapping[str, int]] = {"portrait": COPY_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1]}

    def predict(self, crop: Pixels) -> float:
        """Probability, 0 to 1, by one crop, 96x96x3 uint8 BGR as `copy_crop` cuts it: one forward pass."""
        (scores,) = self._session.run(["scores"], {"portrait": crop[None]})
        return float(scores[0, 0])


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads in use, the pack's own or lent to it; None where there is none."""

    occlusion: OcclusionHead | None = None
    recapture: RecaptureHead | None = None
    document: DocumentHead | None = None
    copy: CopyHead | None = None


def occlusion_crop(pixels: Pixels, face: Face) -> Pixels:
    """The crop of convention `occlusion-1`: 112x112x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return _aligned(pixels, face, OCCLUSION_TEMPLATE, OCCLUSION_SIZE)


def copy_crop(pixels: Pixels, face: Face) -> Pixels:
    """The crop of convention `copy-1`: 96x96x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return _aligned(pixels, face, COPY_TEMPLATE, COPY_SIZE)


def confirmation_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """The crop of convention `confirmation-1`: 64x64x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    import cv2

    left, top, right, bottom = (float(edge) for edge in box)
    scale = CONFIRMATION_SIZE / (CONFIRMATION_SCALE * max(right - left, bottom - top, 1.0))
    half = CONFIRMATION_SIZE / 2
    x, y = half - scale * (left + right) / 2, half - scale * (top + bottom) / 2
    return warp(pixels, np.array([[scale, 0, x], [0, scale, y]]), CONFIRMATION_SIZE, border=cv2.BORDER_REPLICATE)


def document_view(pixels: Pixels, face: Face | None) -> Pixels:
    """The view of convention `document-1`: 192x192x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return _squeezed(pixels, document_window(pixels, face))


def document_window(pixels: Pixels, face: Face | None) -> Window:
    """The part of a photo that `document_view` shows."""
    height, width = pixels.shape[:2]
    if face is None:
        return 0, 0, width, height
    half = DOCUMENT_SCALE * max(face.inter_eye_distance, 1.0) / 2
    x, y = (float(middle) for middle in face.eye_midpoint)
    left, top = (int(np.clip(v - half, 0, max(edge - 8, 0))) for v, edge in ((x, width), (y, height)))
    right, bottom = (int(np.clip(v + half, low + 8, edge)) for v, low, edge in ((x, left, width), (y, top, height)))
    return left, top, right, bottom


def recapture_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """The crop of convention `recapture-1`: 80x80x3 uint8 BGR from an HxWx3 uint8 BGR photo.

    Args:
        pixels: the photo at its own resolution.
        box: (4,) left, top, right, bottom of the face in its pixels.
    """
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    side = max(float(box[2] - box[0]), float(box[3] - box[1]), 1.0)
    return _resized(_square(pixels, centre, WIDE_SCALE * side), WIDE_SIZE)


def _aligned(pixels: Pixels, face: Face, template: Sequence[tuple[float, float]], size: int) -> Pixels:
    """The size x size crop in which the landmarks lie where the template says; border pixels are repeated outside."""
    import cv2

    points = distinct_landmarks(face.landmarks, face.box)
    matrix = similarity_transform(points, np.asarray(template, np.float64))
    return warp(pixels, matrix, size, border=cv2.BORDER_REPLICATE)


def _squeezed(pixels: Pixels, window: Window) -> Pixels:
    left, top, right, bottom = window
    return _resized(pixels[top:bottom, left:right], DOCUMENT_SIZE)


def _square(pixels: Pixels, centre: tuple[float, float], side: float) -> Pixels:
    """A square of the photo, moved and if need be shrunk to lie inside it."""
    height, width = pixels.shape[:2]
    edge = max(min(round(side), width, height), 1)
    left = min(max(round(centre[0] - edge / 2), 0), width - edge)
    top = min(max(round(centre[1] - edge / 2), 0), height - edge)
    return pixels[top : top + edge, left : left + edge]


def _resized(square: Pixels, size: int) -> Pixels:
    import cv2

    if square.shape[:2] == (size, size):
        return np.ascontiguousarray(square)
    factor = int(min(square.shape[:2]) / (1.25 * size))
    if factor > 1:  # whole factors are averaged several times faster than others
        square, _ = averaged(square, factor)
    how = cv2.INTER_AREA if max(square.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=how).astype(np.uint8, copy=False)


def _require(
    session: Session,
    name: str,
    convention: str,
    sizes: Mapping[str, int],
    gives: Mapping[str, list[int]],
    numbers: Sequence[str] = (),
) -> None:
    """Refuse a model that is not what the convention says."""
    stated = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
    if stated != convention:
        raise PackError(f"{name}: made for the convention {stated or 'none'!r}, this version reads {convention!r}")
    shapes = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_inputs()}
    wanted = {key: ("tensor(uint8)", [size, size, 3]) for key, size in sizes.items()}
    wanted |= {key: ("tensor(float)", [1]) for key in numbers}
    outputs = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_outputs()}
    if shapes != wanted or outputs != {key: ("tensor(float)", shape) for key, shape in gives.items()}:
        raise PackError(f"{name}: its inputs or outputs are not those of the convention {convention!r}")
