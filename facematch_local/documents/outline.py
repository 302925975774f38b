"""Outline of a document from the map of the document network."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.faces import Face, head_axes
from facematch_local.networks.document import DOCUMENT_PLACES, DocumentScores, Window

_SURE: Final = 0.5  # probability from which a cell of the map belongs to the document
_LEAST_PLACES: Final = 6.0
# Cells from this share of the largest probability may belong to the same document; the tighter crop adds this share of
# the document's size as a margin.
_MAYBE: Final = 0.5
_AROUND: Final = 0.15
_FINE: Final = 8  # the outline is drawn at this multiple of the map's resolution


def outline(scores: DocumentScores, face: Face | None) -> NDArray[np.float32] | None:
    """Corners of the document with `face` on it, or else of the largest document.

    Args:
        scores: scores of the document network.
        face: the face on the document; None if none was found.

    Returns:
        (4, 2) float32 in pixels of the photo: top left, top right, bottom right, bottom left. The orientation follows
        the face, or the longer sides without a face. None if the map shows no document with four corners.
    """
    import cv2

    left, top, right, bottom = scores.window
    side = DOCUMENT_PLACES * _FINE
    smooth = cv2.resize(scores.places, (side, side), interpolation=cv2.INTER_LINEAR)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((smooth >= _SURE).astype(np.uint8), connectivity=8)
    extent = np.array([right - left, bottom - top], np.float64) / side
    chosen = 0
    if face is not None:
        x, y = np.clip((face.eye_midpoint - (left, top)) / extent, 0, side - 1).astype(int)
        chosen = int(pieces[y, x])
    if chosen == 0 and len(stats) > 1:
        chosen = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if chosen == 0 or stats[chosen, cv2.CC_STAT_AREA] < _LEAST_PLACES * _FINE**2:
        return None
    contours, _ = cv2.findContours((pieces == chosen).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(max(contours, key=len))
    corners = cv2.approxPolyN(hull, 4).reshape(-1, 2).astype(np.float64)
    if len(corners) != 4:
        return None
    corners = (corners + 0.5) * extent - 0.5 + (left, top)
    return _as_read(corners, face).astype(np.float32)


def closer(scores: DocumentScores) -> Window:
    """The part of the examined window that most likely shows a document: the largest sum of the map, with a margin."""
    import cv2

    left, top, right, bottom = scores.window
    maybe = (scores.places >= _MAYBE * scores.places.max()).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(maybe, connectivity=8)
    sums = np.bincount(pieces.ravel(), weights=(scores.places * maybe).ravel())
    x, y, width, height, _ = stats[1 + sums[1:].argmax()].tolist()  # at least one piece exists: it contains the maximum
    across, down = (right - left) / DOCUMENT_PLACES, (bottom - top) / DOCUMENT_PLACES
    return (
        max(left + int((x - _AROUND * width) * across), left),
        max(top + int((y - _AROUND * height) * down), top),
        min(left + int(np.ceil((x + (1 + _AROUND) * width) * across)), right),
        min(top + int(np.ceil((y + (1 + _AROUND) * height) * down)), bottom),
    )


def _as_read(corners: NDArray[np.float64], face: Face | None) -> NDArray[np.float64]:
    """The corners clockwise from the top left; the top follows the face's roll, or else the longer sides."""
    middle = corners.mean(axis=0)
    corners = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    edges = np.roll(corners, -1, axis=0) - corners
    if face is not None:
        across = head_axes(face)[0]
    else:
        lengths = np.linalg.norm(edges, axis=1)
        longer = edges[0] - edges[2] if lengths[0] + lengths[2] >= lengths[1] + lengths[3] else edges[1] - edges[3]
        # Two readings are possible; take the one that is less upside down.
        across = longer if (longer[0], longer[1]) > (0.0, 0.0) else -longer
    return np.roll(corners, -int((edges @ across).argmax()), axis=0)
