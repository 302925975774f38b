"""Paint on an aligned canvas, and the frame of the face on it."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng

SIZE, EYES = 320, 60.0
JAW = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454]
OVAL_TOP = [454, 356, 389, 251, 284, 332, 297, 338, 10, 109, 67, 103, 54, 21, 162, 127, 234]
EYE_POINTS = ([33, 133, 159, 145], [362, 263, 386, 374])


def blend(canvas: Array, paint: Array | tuple[float, ...], alpha: Array) -> None:
    """Lay `paint` (a colour, or an image like the canvas) over the canvas; `alpha` float [H,W], 0 to 1."""
    a = alpha[..., None].astype(np.float32)
    canvas[:] = np.clip(canvas * (1 - a) + np.asarray(paint, np.float32) * a, 0, 255).astype(np.uint8)


def region(points: Array, soft: float = 1.5) -> Array:
    """Alpha of a filled polygon with soft edges."""
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(alpha, [np.round(points * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(alpha, (0, 0), soft).astype(np.float32) / 255


def strokes(lines: list[Array], width: float, soft: float = 0.7) -> Array:
    """Alpha of open lines."""
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    whole = [np.round(line * 8).astype(np.int32) for line in lines]
    cv2.polylines(alpha, whole, False, 255, max(1, round(width)), cv2.LINE_AA, 3)
    return cv2.GaussianBlur(alpha, (0, 0), soft).astype(np.float32) / 255


def smooth(points: Array, closed: bool = True, per: int = 8) -> Array:
    """A Catmull-Rom curve through the points."""
    p = np.asarray(points, np.float64)
    n = len(p)
    index = np.arange(n if closed else n - 1)
    at = (lambda i: p[i % n]) if closed else (lambda i: p[np.clip(i, 0, n - 1)])
    p0, p1, p2, p3 = at(index - 1), at(index), at(index + 1), at(index + 2)
    t = np.linspace(0, 1, per, endpoint=False)[:, None, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def noise(rng: Rng, cell: float) -> Array:
    """Smooth noise [H,W], about -1 to 1, with structures of `cell` pixels."""
    n = max(2, int(SIZE / cell) + 2)
    return cv2.resize(rng.normal(0, 0.5, (n, n)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def colour(rng: Rng, dark: float = 0.4) -> Array:
    """A cloth colour, BGR: black, white, grey, navy, surgical blue or anything."""
    kind = rng.random()
    if kind < dark:
        return rng.uniform(5, 60) + rng.normal(0, 6, 3)
    if kind < dark + 0.18:
        return rng.uniform(170, 250) + rng.normal(0, 8, 3)
    if kind < dark + 0.28:
        return rng.uniform(60, 170) + rng.normal(0, 8, 3)
    hsv = np.uint8([[[rng.integers(0, 180), rng.integers(40, 256), rng.integers(50, 240)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(float)


def cloth(rng: Rng, base: Array, strength: float = 1.0) -> Array:
    """A cloth texture as a float image: plain, knitted, striped, checked, dotted or printed, with folds and shade."""
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along = xx * np.cos(angle) + yy * np.sin(angle)
    across = -xx * np.sin(angle) + yy * np.cos(angle)
    paint = np.tile(np.asarray(base, np.float32), (SIZE, SIZE, 1))
    other = colour(rng).astype(np.float32)
    kind, period = rng.random(), rng.uniform(6, 40)
    if kind < 0.12:
        paint[np.sin(along * 2 * np.pi / period) > rng.uniform(-0.5, 0.7)] = other
    elif kind < 0.2:
        paint[(np.sin(along * 2 * np.pi / period) > 0) ^ (np.sin(across * 2 * np.pi / period) > 0)] = other
    elif kind < 0.28:
        dots = np.sin(along * 2 * np.pi / period) * np.sin(across * 2 * np.pi / period)
        paint[dots > rng.uniform(0.2, 0.7)] = other
    elif kind < 0.42:
        blobs = noise(rng, rng.uniform(6, 40))
        paint[blobs > rng.uniform(0, 0.6)] = other
        paint[blobs < -rng.uniform(0.2, 0.8)] = colour(rng)
    elif kind < 0.55:  # knitted
        rib = rng.uniform(4, 10)
        paint *= (1 + 0.25 * np.sin(xx * 2 * np.pi / rib + np.sin(yy * 2 * np.pi / rib)))[..., None]
    shade = 1 + strength * (0.25 * noise(rng, 60) + 0.12 * noise(rng, 16) + 0.05 * noise(rng, 3))
    shade += strength * rng.uniform(-0.3, 0.3) * (xx - SIZE / 2) / SIZE + rng.uniform(-0.3, 0.3) * (yy / SIZE - 0.5)
    return np.clip(paint * shade[..., None], 0, 255)


def skin(canvas: Array, mesh: Array) -> Array:
    """Median colour of the cheeks, BGR."""
    spots = mesh[[50, 280, 205, 425, 151]].round().astype(int).clip(2, SIZE - 3)
    return np.median([canvas[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0) for x, y in spots], axis=0)


def frame_of(mesh: Array) -> tuple[Array, Array, Array, Array, float]:
    """Left eye, right eye, unit vectors along and down the face, distance of the eyes in pixels."""
    left, right = (mesh[points].mean(0) for points in EYE_POINTS)
    apart = float(np.linalg.norm(right - left))
    along = (right - left) / max(apart, 1.0)
    return left, right, along, np.array([-along[1], along[0]]), max(apart, 0.5 * EYES)


def out_from(points: Array, centre: Array, factor: float) -> Array:
    """Points moved away from `centre`."""
    return centre + (points - centre) * factor
