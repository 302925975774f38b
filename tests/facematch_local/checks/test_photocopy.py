"""Code 2: where a photo still shows colour, by drawn pixels; the network has fixed scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Measure, Role
from facematch_local.checks.photocopy import photocopy
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.networks import Networks
from facematch_local.networks.photocopy import PHOTOCOPY_SIZE, PHOTOCOPY_TEMPLATE

Pixels = NDArray[np.uint8]
# The crop of this face is the photo itself: its landmarks lie on the template.
FACE = Face(np.array([30, 30, 66, 66], np.float32), np.array(PHOTOCOPY_TEMPLATE, np.float32), 0.9)
# The middle half of the crop, where the portrait is.
MIDDLE = slice(24, 72)


class _Network:
    def predict(self, crop: Pixels) -> float:
        return 0.25


def _black() -> Pixels:
    return np.zeros((PHOTOCOPY_SIZE, PHOTOCOPY_SIZE, 3), np.uint8)


def _measured(pixels: Pixels, face: Face | None = FACE) -> Measure:
    network: Any = _Network()
    faces = () if face is None else (face,)
    return photocopy(Examination(Photo(pixels), Role.CARD, faces, Networks(photocopy=network)))


def test_an_exposed_portrait_is_judged_by_the_network() -> None:
    assert _measured(_black() + np.uint8(128)) == Measure(0.25)
    assert _measured(_black() + np.uint8(128), None).reason == "no face was found"


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("lines", "assessed"), [(4, False), (5, True)])
def test_a_tenth_of_the_portrait_must_show_colour(lines: int, assessed: bool, turns: int) -> None:
    """Lines at one side of the middle half; all that lies beyond that side does not count."""
    pixels = _black()
    pixels[: MIDDLE.start + lines] = 128
    measure = _measured(np.ascontiguousarray(np.rot90(pixels, turns)))
    assert (measure.value is not None) is assessed
    assert measure.reason == ("" if assessed else "the document is too dark or overexposed")


@pytest.mark.parametrize(("level", "assessed"), [(25, False), (26, True), (249, True), (250, False)])
@pytest.mark.parametrize("channel", range(3))
def test_the_brightest_channel_decides_whether_a_pixel_has_colour(level: int, assessed: bool, channel: int) -> None:
    pixels = _black()
    pixels[..., channel] = level
    assert (_measured(pixels).value is not None) is assessed
