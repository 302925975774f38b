"""Is the document a grey copy (code 2). A colour copy can't be told this way.

Where there is a copy head, the pack's own or a lent one, the measure is its probability of colour; without one, the
colour itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject
from facematch_local.faces import Face, portrait_corners
from facematch_local.imaging.perspective import rectified, shown
from facematch_local.imaging.photo import Pixels
from facematch_local.networks.photocopy import PhotocopyNetwork, photocopy_crop

_WIDTH: Final = 120
_LINEAR: Final = (np.arange(256, dtype=np.float32) / 255) ** 2.2  # light, 0 to 1, of a pixel value
_BRIGHTNESS_STEPS: Final = 8
_LEAST_PIXELS: Final = 100
_LEAST_SHARE: Final = 0.1  # of the middle of the head's crop
_EDGE: Final = 0.06  # of the view, not looked at
_OTHER_LIGHT: Final = 0.15  # how far the paper's colour may go from that at the face, natural log of a channel


def colour(subject: Subject) -> Measure:
    """How much speaks for a document in colour, by the portrait on it and what is next to that.

    With a copy head: the probability that it is no grey copy, 0 to 1. Without one: the colour left when the light's own
    is taken away, 0 (a grey copy) to about 0.3.
    """
    head, face = subject.heads.photocopy, subject.face
    method = CLASSICAL if head is None else HEAD
    if face is None:
        return Measure.not_assessed(NO_FACE, method=method)
    pixels = subject.photo.pixels
    value = (
        _remaining_colour(pixels, face) if head is None else _probability_of_colour(head, photocopy_crop(pixels, face))
    )
    if value is None:
        return Measure.not_assessed("the document is too dark or overexposed", method=method)
    return Measure(value, method=method)


def _probability_of_colour(head: PhotocopyNetwork, crop: Pixels) -> float | None:
    """0 to 1, by the head; None where too little of the portrait can be seen."""
    height, width = crop.shape[:2]
    portrait = crop[height // 4 : -height // 4, width // 4 : -width // 4]
    return None if _exposed(portrait).mean() < _LEAST_SHARE else 1 - head.predict(crop)


def _exposed(pixels: Pixels) -> NDArray[np.bool_]:
    """Pixels (H, W) whose colour the camera kept."""
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return np.asarray((brightest < 250) & (brightest > 25))


def _remaining_colour(pixels: Pixels, face: Face) -> float | None:
    """Colour that is left without the light's; None where too little can be seen.

    Under one light all greys have its colour, however that changes across the card; a camera's tone curve
    makes the dark ones differ from the pale ones. So each pixel is divided by the brightest around it, and
    what is then typical of its brightness is subtracted. The rest is the document's own colour. Its third quartile
    counts: a card may have a grey portrait on coloured ground or pale ground under a coloured portrait, a copy has
    neither. Only the portrait and what is next to it are looked at, and of that what has ground of much the same
    colour as the face's: the outline of the card need not be known, and a table beside it does not count.
    """
    corners = portrait_corners(face)
    flat = rectified(pixels, corners, _WIDTH)
    height, width = flat.shape[:2]
    relative, ground = _without_light(flat)
    usable = _exposed(flat) & shown(pixels, corners, (width, height))
    apart = np.abs(ground - _at_face(ground))
    usable &= np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2]) < _OTHER_LIGHT
    edge_y, edge_x = round(_EDGE * height), round(_EDGE * width)
    inner = np.s_[edge_y : height - edge_y, edge_x : width - edge_x]
    seen = relative[inner][usable[inner]]
    if len(seen) < _LEAST_PIXELS:
        return None
    return float(np.percentile(_own_colour(seen), 75))


def _without_light(flat: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixels by the brightest around them, and that one's colour: ln of the channels less their mean; (H, W, 3)."""
    import cv2

    height, width = flat.shape[:2]
    linear = _LINEAR[cv2.GaussianBlur(flat, (0, 0), 1.2)]
    small = cv2.resize(linear, (80, max(80 * height // width, 8)), interpolation=cv2.INTER_AREA)
    light = cv2.GaussianBlur(cv2.dilate(small, np.ones((21, 21), np.uint8)), (0, 0), 8)
    light = np.maximum(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), 1e-4)
    relative = cv2.pow(np.clip(linear / light, 1e-4, 1.2), 1 / 2.2)
    ground = np.log(light)
    mean = (ground[..., 0] + ground[..., 1] + ground[..., 2]) / 3
    return relative.astype(np.float32), (ground - mean[..., None]).astype(np.float32, copy=False)


def _at_face(ground: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median over the middle of the view, where the head is; (3,)."""
    height, width = ground.shape[:2]
    middle = ground[round(0.15 * height) : round(0.85 * height), round(0.25 * width) : round(0.75 * width)]
    return np.median(middle.reshape(-1, 3), axis=0).astype(np.float32)


def _own_colour(relative: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel (N, 3) is from the typical colour of its brightness: (N,)."""
    # Channel by channel: NumPy is slow at sums and medians over neighbours.
    blue, green, red = np.ascontiguousarray(relative.T)
    brightness = (blue + green + red) / 3
    step = np.digitize(brightness, np.quantile(brightness, np.linspace(0, 1, _BRIGHTNESS_STEPS + 1)[1:-1]))
    opponents = blue - green, red - green
    for index in range(_BRIGHTNESS_STEPS):
        here = np.flatnonzero(step == index)
        if len(here):
            for opponent in opponents:
                opponent[here] -= np.median(opponent[here])
    distance: NDArray[np.float32] = np.hypot(*opponents)
    return distance
