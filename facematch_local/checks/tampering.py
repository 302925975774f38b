"""Does the portrait differ from the rest of the document in how its pixels came about (code 3)."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import NO_FACE, Measure, Subject
from facematch_local.checks.document import Document
from facematch_local.faces import Face
from facematch_local.heads import Pixels

_LONGEST: Final = 640
_BLOCK: Final = 8
_LEAST_BLOCKS: Final = 12


@dataclass(frozen=True, slots=True)
class Traces:
    """Weak signs, each about 0 for a portrait that was made with its card.

    Attributes:
        noise: logarithm of the portrait's noise over the rest's, at the calmest fifth of 8 x 8 blocks.
        detail: logarithm of the finest detail per step of brightness, portrait over rest: resampling, sharpening.
        grid: how much more the portrait's blocks follow a JPEG grid of their own than that of the rest.
        quantisation: logarithm of how much another compression changes the portrait, over the rest.
        colour_noise: `noise`, of the colour difference channels.
    """

    noise: float
    detail: float
    grid: float
    quantisation: float
    colour_noise: float


def traces(pixels: Pixels, document: Document, face: Face) -> Traces | None:
    """Measure the signs in an HxWx3 uint8 BGR photo; None where portrait or rest has too few pixels."""
    import cv2

    part, corners, box = _part(pixels, document, face)
    height, width = part.shape[:2]
    on_card = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(on_card, np.round(corners).astype(np.int32), 1)
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    lab = cv2.cvtColor(part, cv2.COLOR_BGR2LAB)
    rows, columns = height // _BLOCK, width // _BLOCK
    if rows < 4 or columns < 4:
        return None
    inner, outer = _regions(on_card, box, rows, columns)
    if inner.sum() < _LEAST_BLOCKS or outer.sum() < _LEAST_BLOCKS:
        return None
    rest = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    colour = lab[..., 1].astype(np.float32) + lab[..., 2].astype(np.float32)
    colour_rest = colour - cv2.GaussianBlur(colour, (0, 0), 1.0)
    steps = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    fine = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    _, data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, 85])
    changed = np.abs(
        cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2GRAY).astype(np.float32) - grey
    )
    noise, colour_noise = _blocks(np.abs(rest), rows, columns), _blocks(np.abs(colour_rest), rows, columns)
    change = _blocks(changed, rows, columns)
    detail = _blocks(fine, rows, columns) / (_blocks(steps, rows, columns) + 1.0)

    def ratio(values: NDArray[np.float32], quantile: float, floor: float) -> float:
        a, b = (float(np.quantile(values[region], quantile)) for region in (inner, outer))
        return float(np.log((a + floor) / (b + floor)))

    return Traces(
        noise=ratio(noise, 0.2, 0.15),
        detail=ratio(detail, 0.5, 0.02),
        grid=_own_grid(grey, inner, outer),
        quantisation=ratio(change, 0.5, 0.2),
        colour_noise=ratio(colour_noise, 0.3, 0.15),
    )


def portrait_differs(subject: Subject) -> Measure:
    """Log-odds that the portrait was put into the picture of the card later; 0 is undecided.

    Several weak signs in one score: differences in noise, fine detail, JPEG grid and quantisation between
    the portrait and the rest of the card. The weights are a logistic regression on made swaps
    (`scripts/training/tampering/fit.py`).
    """
    if subject.face is None:
        return Measure.not_assessed(NO_FACE, "logit")
    found = traces(subject.photo.pixels, subject.document, subject.face)
    if found is None:
        return Measure.not_assessed("portrait or card has too few pixels", "logit")
    return Measure(float(features(found) @ _WEIGHTS + _BIAS), "logit")


def features(found: Traces) -> NDArray[np.float64]:
    """What the score is made of, (10,): each sign's excess in either direction."""
    values = np.array(astuple(found))
    # Both directions are suspicious, each in its own measure.
    return np.concatenate([np.maximum(values, 0), np.maximum(-values, 0)])


def _part(pixels: Pixels, document: Document, face: Face) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
    """The document's surroundings, at the photo's own resolution where affordable, on its own JPEG grid."""
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(document.corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int) // _BLOCK * _BLOCK
    high = np.clip(np.ceil(document.corners.max(axis=0)) + 1, low + 1, (width, height)).astype(int)
    middle = (face.box[:2] + face.box[2:]) / 2
    # Of a large card the part around the portrait is enough; making it smaller would wipe out every trace.
    near = np.maximum((middle - _LONGEST / 2).astype(int) // _BLOCK * _BLOCK, low)
    low, high = near, np.minimum(high, near + _LONGEST)
    shift = low.astype(np.float32)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    return part, document.corners - shift, face.box - np.tile(shift, 2)


def _regions(
    on_card: NDArray[np.uint8], box: NDArray[np.float32], rows: int, columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Blocks of the face, and blocks of the card well away from it."""
    y, x = (np.mgrid[0:rows, 0:columns] + 0.5) * _BLOCK
    left, top, right, bottom = (float(v) for v in box)
    cx, cy, w, h = (left + right) / 2, (top + bottom) / 2, max(right - left, 1.0), max(bottom - top, 1.0)
    inner = (np.abs(x - cx) < 0.5 * w) & (np.abs(y - cy) < 0.5 * h)
    far = (np.abs(x - cx) > 1.15 * w) | (np.abs(y - cy) > 1.15 * h)
    card = on_card[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK).min(axis=(1, 3)) > 0
    return inner & card, far & card


def _blocks(values: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    whole = values[: rows * _BLOCK, : columns * _BLOCK]
    mean: NDArray[np.float32] = whole.reshape(rows, _BLOCK, columns, _BLOCK).mean(axis=(1, 3))
    return mean


def _own_grid(grey: NDArray[np.float32], inner: NDArray[np.bool_], outer: NDArray[np.bool_]) -> float:
    """Strength of the blocking at the portrait's best phase less that at the phase of the rest, both directions."""
    total = 0.0
    for axis in (0, 1):
        # Second difference: blocking is a step where the picture itself goes on smoothly.
        jump = np.abs(np.diff(grey, axis=axis))
        jump = np.clip(jump, 0, 12)
        phases = []
        for region in (inner, outer):
            mask = np.kron(region, np.ones((_BLOCK, _BLOCK), bool))
            mask = mask[: jump.shape[0], : jump.shape[1]]
            values = np.where(mask, jump[: mask.shape[0], : mask.shape[1]], 0).sum(axis=1 - axis)
            counts = mask.sum(axis=1 - axis)
            position = np.arange(len(values)) % _BLOCK
            mean = np.bincount(position, values, _BLOCK) / np.maximum(np.bincount(position, counts, _BLOCK), 1)
            phases.append(mean / max(float(np.median(mean)), 1e-3))
        total += float(phases[0].max() - phases[0][int(phases[1].argmax())])
    return total


# Fitted on made swaps (scripts/training/tampering/fit.py --cards 60 --l2 0.001); the order is that of `features`.
_WEIGHTS: Final = np.array([0.0, 0.0, 1.85, 3.66, 0.13, 0.71, 3.41, 0.0, 0.0, 0.0])
_BIAS: Final = -2.93
