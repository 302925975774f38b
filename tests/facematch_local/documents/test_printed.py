"""The search for edges only inside the photo gives the same result as a search of the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.documents.card_edges import _edge_marks
from facematch_local.documents.upright_view import HEIGHT, WIDTH

Picture = NDArray[np.uint8]


def _pictured(photo: Picture, box: tuple[int, int, int, int]) -> tuple[Picture, Picture]:
    """The upright picture with the photo in a box (left, top, width, height) and its border repeated; and its mask."""
    left, top, width, height = box
    part = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    around = (top, HEIGHT - top - height, left, WIDTH - left - width)
    inside = np.zeros((HEIGHT, WIDTH), np.uint8)
    inside[top : top + height, left : left + width] = 255
    return np.asarray(cv2.copyMakeBorder(part, *around, cv2.BORDER_REPLICATE), np.uint8), inside


def _of_the_whole_picture(picture: Picture, inside: Picture) -> Picture:
    """The same edge mask, computed over the whole picture."""
    size = (WIDTH // 2, HEIGHT // 2)
    half = cv2.GaussianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (3, 3), 0)
    marks = np.zeros(half.shape[:2], np.uint8)
    for channel in cv2.split(cv2.cvtColor(half, cv2.COLOR_BGR2LAB)):
        strong = float(np.clip(np.percentile(np.abs(cv2.Sobel(channel, cv2.CV_16S, 1, 1)), 90), 12, 60))
        marks |= np.asarray(cv2.Canny(channel, 1.5 * strong, 3 * strong), np.uint8)
    within = cv2.erode(cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST), np.ones((5, 5)))
    return marks & np.asarray(within, np.uint8)


@pytest.mark.parametrize("box", [(0, 0, WIDTH, HEIGHT), (300, 100, 360, 240), (301, 101, 301, 251)])
def test_edges_equal_those_of_the_whole_picture(photo: Picture, box: tuple[int, int, int, int]) -> None:
    picture, inside = _pictured(photo, box)
    marks, expected = _edge_marks(picture, inside), _of_the_whole_picture(picture, inside)
    assert expected.any()
    assert (marks != expected).sum() < 0.03 * (expected > 0).sum()  # the samples for the percentile differ


def test_a_picture_without_photo_has_no_edges(photo: Picture) -> None:
    picture, inside = _pictured(photo, (0, 0, WIDTH, HEIGHT))
    assert not _edge_marks(picture, np.zeros_like(inside)).any()
