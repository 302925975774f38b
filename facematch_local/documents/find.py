"""Evidence of print and edges for a document in a photo, and the document's corners (codes 1 and 3).

A face defines the orientation and scale of its document: portraits on ID-1 and ID-3 documents are printed upright and
at a similar share of the card. The module rotates and scales the photo until the eyes are level and `EYES` pixels
apart, and searches the result for *lines of text* around the face and for *straight edges* that form a box around it
with the proportions of a card. Without a face (the back of a card, a bank card) it searches the whole photo for text:
level, turned by 90 degrees and slightly tilted.

Either kind of evidence suffices: a page copied onto larger paper has no edges, a blurred card has no lines of text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr
from facematch_local.documents.card_edges import card_edges
from facematch_local.documents.upright_view import EYES, HEIGHT, WIDTH, upright
from facematch_local.faces import Face, head_axes
from facematch_local.imaging.perspective import covered, photo_corners
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import limited

# Search without a face: longer sides in pixels to which the photo is scaled (print on a card that fills the photo is
# large), and tilts in degrees.
_LONGEST: Final = (640, 420)
_TILTS: Final = (7.0, -7.0, 14.0, -14.0)

# Amount of each kind of evidence that counts as 1.0, the least that documents show. Six inter-eye distances of text
# are half a line of print on an ID-1 card, more than any photo without print showed. A box visible on all sides is not
# quite enough by itself, because window frames and collages are boxes too.
_TEXT: Final = 6.0
_TEXT_WITHOUT_FACE: Final = 14.0
_EDGES_FROM: Final = 2.8
_EDGES: Final = 1.35
_ENOUGH: Final = 1.0  # evidence from which no other direction is tried
_TILTED: Final = (3.0, 30.0)  # range of roll, degrees, in which the card may be level although the head is not

# A box with less visible edge than this is evidence, but is not used as the card's outline.
_SEEN: Final = 3.0


_Lines = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Document(BriefRepr):
    """Evidence for a document, and its corners.

    Attributes:
        corners: (4, 2) float32 in pixels of the photo: top left, top right, bottom right, bottom left in reading
            orientation; the crossings of the edges if they are visible, else a box around face and text.
        edges: visible length of the card's four edges, 0 (none) to 4 (all four complete).
        evidence: text and edges combined, 0 (none) or more; 1.0 is the least that documents show.
    """

    corners: NDArray[np.float32]
    edges: float
    evidence: float


def find_document(pixels: Pixels, face: Face | None) -> Document:
    """Search an HxWx3 uint8 BGR photo for a document around `face`, or anywhere if `face` is None."""
    return _without_face(pixels) if face is None else _around_face(pixels, face)


def _around_face(pixels: Pixels, face: Face) -> Document:
    """Search along the head's axes; if the evidence is low, also along the photo's: heads tilt on level cards."""
    found = _along(pixels, face, head_axes(face))
    level = _level_axes(face)
    if found.evidence >= _ENOUGH or found.edges >= _SEEN or level is None:
        return found
    return max(found, _along(pixels, face, level), key=_evidence)


def _along(pixels: Pixels, face: Face, axes: NDArray[np.float64]) -> Document:
    import cv2

    picture, inside, matrix = upright(pixels, face, axes)
    across, head = axes[0], head_axes(face)[0]
    lean = float(np.arctan2(across[0] * head[1] - across[1] * head[0], across @ head))
    lines = text_lines(picture, inside, _head_area(lean))
    edges, box = card_edges(picture, inside)
    if box is None or edges < _SEEN:
        box = _extent(lines, inside)
    back = cv2.invertAffineTransform(matrix)
    corners = (box @ back[:, :2].T + back[:, 2]).astype(np.float32)
    text = float(lines[:, 2].sum()) / EYES
    evidence = text / _TEXT + max(edges - _EDGES_FROM, 0.0) / _EDGES
    return Document(corners, edges, evidence)


def _level_axes(face: Face) -> NDArray[np.float64] | None:
    """The photo's axes nearest to the head's; None if the angle between them is outside `_TILTED`."""
    across = head_axes(face)[0]
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    quarter = round(angle / 90) * 90
    if not _TILTED[0] < abs(angle - quarter) < _TILTED[1]:
        return None
    x, y = np.cos(np.radians(quarter)), np.sin(np.radians(quarter))
    return np.array([[x, y], [-y, x]])


def _without_face(pixels: Pixels) -> Document:
    """Search for text in several sizes and directions, because orientation and scale are unknown."""
    corners = photo_corners(pixels)
    smaller = [limited(pixels, longest) for longest in _LONGEST]

    def look(small: Pixels, degrees: float) -> Document:
        lines = _long(text_lines(*_turned(small, degrees)))
        text = float(lines[:, 2].sum()) / EYES
        # The picture was rotated counterclockwise by 90 degrees: its top left corner is the photo's top right.
        read = np.roll(corners, -1, axis=0) if degrees == 90 else corners
        return Document(read, 0.0, text / _TEXT_WITHOUT_FACE)

    best = max((look(small, degrees) for small in smaller for degrees in (0, 90)), key=_evidence)
    if best.evidence >= _ENOUGH:
        return best
    tilted = sorted((look(small, degrees) for small in smaller for degrees in _TILTS), key=_evidence)
    # Take the second best: print shows in more than one search; leaves form lines by chance in one only.
    return max(best, tilted[-2], key=_evidence)


def _evidence(document: Document) -> float:
    return document.evidence


def _turned(picture: Pixels, degrees: float) -> tuple[Pixels, Pixels]:
    """Rotate a picture counterclockwise; return it and its mask, 255 inside the picture and 0 outside."""
    import cv2

    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    across, down = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (round(width * across + height * down), round(width * down + height * across))
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outline = photo_corners(picture) @ matrix[:, :2].T + matrix[:, 2]
    return turned.astype(np.uint8, copy=False), covered(outline, size)


def text_lines(picture: Pixels, inside: Pixels, ignored: tuple[slice, slice] | None = None) -> _Lines:
    """Lines of dark text on a lighter background, horizontal to within a few degrees.

    A line consists of strokes thinner than 9 pixels (black-hat transform) that form at least three letter-sized pieces
    in a row.

    Args:
        picture: HxWx3 uint8 BGR.
        inside: HxW uint8 mask, 255 inside the photo.
        ignored: slices of rows and columns to skip.

    Returns:
        (N, 5) int32: left, top, width, height in pixels, and number of letters.
    """
    import cv2

    # Often only a third of the upright picture lies inside the photo; skip the rest.
    x0, y0, across, down = cv2.boundingRect(inside)
    if not across or not down:
        return np.zeros((0, 5), np.int32)
    window = (slice(y0, y0 + down), slice(x0, x0 + across))
    grey = cv2.cvtColor(picture[window], cv2.COLOR_BGR2GRAY)
    strokes = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))
    ground = cv2.blur(grey, (31, 31))
    dark = strokes > np.maximum(5, 0.13 * ground)
    dark &= cv2.erode(inside[window], np.ones((7, 7), np.uint8), borderValue=0) > 0
    if ignored is not None:
        rows_out, columns_out = ignored
        dark[
            max(rows_out.start - y0, 0) : max(rows_out.stop - y0, 0),
            max(columns_out.start - x0, 0) : max(columns_out.stop - x0, 0),
        ] = False
    _, labels, stats = _pieces(dark.astype(np.uint8))
    width, height, area = (stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    # Letters may touch in a blurred picture, hence wide pieces; solid bars and long rules are not letters.
    letter = (height >= 3) & (height <= 15) & (width <= 60) & (width <= 10 * height) & (area >= 4)
    letter &= area < 0.85 * width * height + 8
    letter[0] = False
    joined = cv2.morphologyEx(letter[labels].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 11), np.uint8))
    count, rows, row_stats = _pieces(joined)
    # The row of a letter is the row of any of its pixels.
    row_of = np.zeros(len(stats), np.int32)
    row_of[labels[dark]] = rows[dark]
    letters = np.bincount(row_of[letter], minlength=count)
    left, top, w, h, filled = (row_stats[:, column] for column in range(5))
    line = (w >= 28) & (h <= 17) & (w >= 3 * h) & (filled >= 0.3 * w * h) & (letters >= 3)
    line[0] = False
    return np.stack([left + x0, top + y0, w, h, letters], axis=1)[line].astype(np.int32)


def _pieces(mask: NDArray[Any]) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    """Connected components of a mask: their number including the background, labels, and `cv2.CC_STAT_` values.

    The algorithm (`CCL_BBDT`) is three times as fast here as OpenCV's default.
    """
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    return count, labels.astype(np.int32, copy=False), stats.astype(np.int32, copy=False)


def _long(lines: _Lines) -> _Lines:
    """The long lines only: in a search without a face, leaves and gravel form short lines."""
    return lines[(lines[:, 4] >= 6) & (lines[:, 2] >= 6 * lines[:, 3])]


def _head_area(lean: float = 0.0) -> tuple[slice, slice]:
    """Rows and columns of the head in the upright picture, to be skipped: hair and brows resemble writing.

    `lean` is the angle in radians between head and picture; the result encloses the rotated head.
    """
    y, x = HEIGHT // 2, WIDTH // 2
    cos, sin = abs(float(np.cos(lean))), abs(float(np.sin(lean)))
    side = round((1.75 * cos + 2.5 * sin) * EYES)
    up, down = (round((reach * cos + 1.75 * sin) * EYES) for reach in (2.3, 2.5))
    return slice(y - up, y + down), slice(x - side, x + side)


def _extent(lines: _Lines, inside: Pixels) -> NDArray[np.float64]:
    """Corners (4, 2) of the box around head and text, clipped to the photo; used if no edges are visible."""
    import cv2

    vertical, horizontal = _head_area()
    left, right = float(horizontal.start), float(horizontal.stop)
    top, bottom = float(vertical.start), float(vertical.stop)
    # Text farther away than any card is wide or high belongs to something else.
    reach_x, reach_y = 17 * EYES, 8 * EYES
    near = lines[
        (np.abs(lines[:, 0] + lines[:, 2] / 2 - WIDTH / 2) < reach_x)
        & (np.abs(lines[:, 1] + lines[:, 3] / 2 - HEIGHT / 2) < reach_y)
    ]
    if len(near):
        left, right = min(left, float(near[:, 0].min())), max(right, float((near[:, 0] + near[:, 2]).max()))
        top, bottom = min(top, float(near[:, 1].min())), max(bottom, float((near[:, 1] + near[:, 3]).max()))
    x0, y0, across, down = cv2.boundingRect(inside)
    if across and down:
        left, right = max(left, float(x0)), min(right, float(x0 + across - 1))
        top, bottom = max(top, float(y0)), min(bottom, float(y0 + down - 1))
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
