"""The edges of a card around its portrait."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facematch_local.documents.upright_view import EYES, HEIGHT, WIDTH
from facematch_local.imaging.photo import Pixels


def card_edges(picture: Pixels, inside: Pixels) -> tuple[float, NDArray[np.float64] | None]:
    """The best box of straight edges around the face with the proportions of a card.

    Returns:
        Visible length of its edges, 0 to 4, and its corners (4, 2) in the picture; 0 and None if there is no such box.
    """
    import cv2

    marks = _edge_marks(picture, inside)
    found = cv2.HoughLinesP(marks, 1, np.pi / 180, 28, minLineLength=36, maxLineGap=7)
    if found is None:
        return 0.0, None
    segments = found.reshape(-1, 4).astype(np.float64) * 2
    near = cv2.dilate(marks, np.ones((3, 3), np.uint8)) > 0
    sides = _sides(segments)
    if sum(len(side) > 0 for side in sides) < 3:
        return 0.0, None
    return _best_box(sides, near, inside)


def _edge_marks(picture: Pixels, inside: Pixels) -> Pixels:
    """Edge mask (Canny) of the picture at half its size, 255 or 0; only inside the photo."""
    import cv2

    marks, within = (np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8) for _ in range(2))
    left, top, width, height = cv2.boundingRect(inside)
    x0, y0, x1, y1 = left // 2, top // 2, (left + width + 1) // 2, (top + height + 1) // 2
    if x1 <= x0 or y1 <= y0:
        return marks
    here, there = np.s_[y0:y1, x0:x1], np.s_[2 * y0 : 2 * y1, 2 * x0 : 2 * x1]
    size = (x1 - x0, y1 - y0)
    half = cv2.GaussianBlur(cv2.resize(picture[there], size, interpolation=cv2.INTER_AREA), (3, 3), 0)
    # The threshold is the 90th percentile over the whole picture; the area outside the photo counts as zeros.
    sharpest = max(100 - 10 * marks.size / (size[0] * size[1]), 0)
    for channel in cv2.split(cv2.cvtColor(half, cv2.COLOR_BGR2LAB)):
        changes = np.abs(cv2.Sobel(channel, cv2.CV_16S, 1, 1)[::3, ::3])
        strong = float(np.clip(np.percentile(changes, sharpest), 12, 60))
        marks[here] |= np.asarray(cv2.Canny(channel, 1.5 * strong, 3 * strong), np.uint8)
    # Remove the border of the photo itself.
    within[here] = cv2.resize(inside[there], size, interpolation=cv2.INTER_NEAREST)
    return marks & np.asarray(cv2.erode(within, np.ones((5, 5))), np.uint8)


def _sides(segments: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Candidate edges above, right of, below and left of the face, longest first.

    Each row is (offset, slope): a horizontal edge is y = offset + slope * (x - middle), a vertical edge is
    x = offset + slope * (y - middle).
    """
    dx, dy = segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]
    length = np.hypot(dx, dy)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    sides = []
    for axis, direction in ((1, -1), (0, 1), (1, 1), (0, -1)):
        along, across = (dx, dy) if axis == 1 else (dy, dx)
        fits = np.abs(across) < 0.3 * np.abs(along)
        slope = across[fits] / np.where(along[fits] == 0, 1, along[fits])
        start = segments[fits][:, [1, 0]] if axis == 1 else segments[fits][:, [0, 1]]
        offset = start[:, 0] + slope * (middle[1 - axis] - start[:, 1])
        distance = direction * (offset - middle[axis]) / EYES
        # Distance from the midpoint between the eyes to the edge: beyond the head and within the size of a card.
        lowest, highest = (1.2, 8.5) if axis == 1 else (1.2, 18.5)
        inside = (distance > lowest) & (distance < highest)
        rows = np.stack([offset[inside], slope[inside]], axis=1)
        sides.append(_distinct(rows, length[fits][inside]))
    return tuple(sides)


def _distinct(rows: NDArray[np.float64], length: NDArray[np.float64], most: int = 5) -> NDArray[np.float64]:
    kept: list[NDArray[np.float64]] = []
    for row in rows[np.argsort(-length)]:
        if all(abs(row[0] - other[0]) > 6 or abs(row[1] - other[1]) > 0.08 for other in kept):
            kept.append(row)
        if len(kept) == most:
            break
    return np.array(kept).reshape(-1, 2)


def _best_box(
    sides: tuple[NDArray[np.float64], ...], near: NDArray[np.bool_], inside: Pixels
) -> tuple[float, NDArray[np.float64] | None]:
    borders = _borders(inside)
    # The photo's border may replace edges of a card that it cuts, but does not count as evidence.
    options = [np.vstack([side, border]) for side, border in zip(sides, borders, strict=True)]
    indices = np.stack(np.meshgrid(*[np.arange(len(o)) for o in options], indexing="ij"), axis=-1).reshape(-1, 4)
    top, right, bottom, left = (option[indices[:, i]] for i, option in enumerate(options))
    boxes = np.stack(
        [_crossing(top, left), _crossing(top, right), _crossing(bottom, right), _crossing(bottom, left)], 1
    )
    lengths = np.linalg.norm(boxes - np.roll(boxes, -1, axis=1), axis=2)
    width, height = (lengths[:, 0] + lengths[:, 2]) / 2, (lengths[:, 1] + lengths[:, 3]) / 2
    uneven = np.maximum(
        np.abs(lengths[:, 0] - lengths[:, 2]) / np.maximum(width, 1),
        np.abs(lengths[:, 1] - lengths[:, 3]) / np.maximum(height, 1),
    )
    # Width over height is 1.586 for ID-1 and 1.42 for ID-3 (ISO/IEC 7810); perspective and cut edges widen the range.
    proportion = width / np.maximum(height, 1)
    good = (proportion > 1.2) & (proportion < 1.9) & (uneven < 0.35) & (width > 7.5 * EYES) & (width < 24 * EYES)
    if not good.any():
        return 0.0, None
    boxes, indices = boxes[good], indices[good]
    steps = np.linspace(0.06, 0.94, 32)[None, None, :, None]
    points = boxes[:, :, None] * (1 - steps) + np.roll(boxes, -1, axis=1)[:, :, None] * steps
    x = np.clip(points[..., 0] / 2, 0, near.shape[1] - 1).astype(np.int32)
    y = np.clip(points[..., 1] / 2, 0, near.shape[0] - 1).astype(np.int32)
    seen = near[y, x].mean(axis=2)
    seen[indices >= np.array([len(side) for side in sides])] = 0.0
    support = seen.sum(axis=1)
    best = int(support.argmax())
    return float(support[best]), boxes[best]


def _borders(inside: Pixels) -> list[NDArray[np.float64]]:
    """The border of the photo on each side of the face, as horizontal or vertical lines."""
    ys, xs = np.flatnonzero(inside[:, WIDTH // 2]), np.flatnonzero(inside[HEIGHT // 2])
    if not len(ys) or not len(xs):
        return [np.zeros((0, 2))] * 4
    return [np.array([[float(offset), 0.0]]) for offset in (ys[0], xs[-1], ys[-1], xs[0])]


def _crossing(level: NDArray[np.float64], upright_line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Crossings (N, 2) of horizontal edges (N, 2) and vertical edges (N, 2)."""
    a, m = level[:, 0], level[:, 1]
    b, n = upright_line[:, 0], upright_line[:, 1]
    # y = a + m (x - X), x = b + n (y - Y)
    x = (b + n * (a - m * WIDTH / 2 - HEIGHT / 2)) / (1 - m * n)
    return np.stack([x, a + m * (x - WIDTH / 2)], axis=1)
