"""Draw what covers a face, and what only looks like it, on aligned faces.

Everything is drawn on a 320x320 BGR canvas in which the eyes are `EYES` pixels apart (see `canvas.py`), with the 468
points of the MediaPipe mesh telling where brows, eyes, nose, lips and jaw are. Each drawer changes the canvas in
place; `draw` picks some and says what is true of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Rng = np.random.Generator

SIZE, EYES = 320, 60.0
UNKNOWN = -1
JAW = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454]
OVAL_TOP = [454, 356, 389, 251, 284, 332, 297, 338, 10, 109, 67, 103, 54, 21, 162, 127, 234]
EYE_POINTS = ([33, 133, 159, 145], [362, 263, 386, 374])


@dataclass(frozen=True)
class Labels:
    """1 true, 0 false, `UNKNOWN` not to be learnt from."""

    sunglasses: int = 0
    clear_glasses: int = 0
    mask: int = 0
    head_covering: int = 0

    def row(self) -> list[int]:
        """In the order of the head's outputs."""
        return [self.sunglasses, self.clear_glasses, self.mask, self.head_covering]


# ---- paint -----------------------------------------------------------------------------------------------------


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


# ---- masks and what is like them -------------------------------------------------------------------------------------


def mask(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Surgical, cloth, printed or moulded mask over nose and mouth, with folds, seam, valve and straps."""
    ends = rng.choice(3, p=[0.3, 0.4, 0.3])
    jaw = mesh[JAW[ends : len(JAW) - ends]]
    centre = mesh[[13, 4]].mean(0)
    jaw = out_from(jaw, centre, rng.uniform(0.97, 1.1))
    nose = mesh[rng.choice([6, 197, 197, 195, 5])]
    cheeks = mesh[[rng.choice([345, 352, 280, 425]), rng.choice([116, 123, 50, 205])]]
    top = np.array([cheeks[0], mesh[[437, 355]].mean(0) * 0.5 + nose * 0.5, nose, mesh[[217, 126]].mean(0), cheeks[1]])
    top += rng.normal(0, 2.0, top.shape)
    outline = smooth(np.vstack([jaw, top]), per=5)
    alpha = region(outline, rng.uniform(0.8, 1.8))
    base = colour(rng, 0.25)
    if rng.random() < 0.35:
        base = np.array([rng.uniform(170, 240), rng.uniform(150, 225), rng.uniform(90, 200)])  # surgical blue, green
    paint = cloth(rng, base) if rng.random() < 0.6 else np.clip(base * (1 + 0.1 * noise(rng, 50)[..., None]), 0, 255)
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    side = np.abs(xx - centre[0]) / (0.5 * np.ptp(outline[:, 0]) + 1)
    paint = paint * (1.05 - rng.uniform(0, 0.5) * side**2)[..., None]
    low = (yy - nose[1]) / (np.ptp(outline[:, 1]) + 1)
    paint = paint * (1.05 - rng.uniform(0, 0.35) * np.clip(low, 0, 1))[..., None]
    style = rng.random()
    if style < 0.45:  # pleats
        for part in np.linspace(0.3, 0.8, rng.integers(2, 5)):
            y = nose[1] + part * np.ptp(outline[:, 1])
            curve = np.array([[centre[0] - 70, y - 6], [centre[0], y + rng.uniform(0, 8)], [centre[0] + 70, y - 6]])
            paint *= (1 - rng.uniform(0.08, 0.3) * strokes([smooth(curve, False)], 2))[..., None]
    elif style < 0.65:  # seam down the middle, as of folded respirators
        seam = strokes([np.array([nose, mesh[13], mesh[152]])], 2)
        paint *= (1 + rng.uniform(-0.3, 0.2) * seam)[..., None]
    if rng.random() < 0.06:
        spot = mesh[rng.choice([13, 61, 291])]
        valve = np.zeros((SIZE, SIZE), np.uint8)
        cv2.circle(valve, tuple(int(v) for v in spot), int(rng.uniform(8, 14)), 255, -1, cv2.LINE_AA)
        a = (valve / 255.0)[..., None]
        paint = paint * (1 - a) + a * colour(rng, 0.2)
    shadow = cv2.GaussianBlur(alpha, (0, 0), 5) * (1 - alpha)
    blend(canvas, (0, 0, 0), rng.uniform(0, 0.5) * shadow)
    if rng.random() < 0.8:  # straps to the ears
        strap = colour(rng, 0.2) if rng.random() < 0.5 else base
        lines = []
        for end, ear in ((jaw[0], mesh[127]), (jaw[-1], mesh[356])):
            ear = ear + np.sign(ear[0] - centre[0]) * np.array([rng.uniform(2, 12), 0])
            lines += [np.array([end, ear + np.array([0, rng.uniform(-6, 14)])])]
        blend(canvas, strap, strokes(lines, rng.uniform(1, 4)))
    if rng.random() < 0.15:
        alpha = alpha * rng.uniform(0.85, 1)
    blend(canvas, paint, alpha)


def scarf(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Scarf, collar or neck gaiter drawn up over mouth and nose."""
    _left, _right, along, down, apart = frame_of(mesh)
    height = mesh[rng.choice([195, 5, 4, 1])]
    half = rng.uniform(1.15, 1.8) * apart
    top = [height + along * x * half + down * (abs(x) ** 2 * rng.uniform(-0.2, 0.4) * apart) for x in (-1, -0.5, 0)]
    top += [height + along * x * half + down * (abs(x) ** 2 * rng.uniform(-0.2, 0.4) * apart) for x in (0.5, 1)]
    bottom = [height + along * half + down * 4 * apart, height - along * half + down * 4 * apart]
    outline = np.vstack([smooth(np.array(top), False), bottom])
    alpha = region(outline, rng.uniform(1, 2.5))
    blend(canvas, (0, 0, 0), 0.4 * cv2.GaussianBlur(alpha, (0, 0), 5) * (1 - alpha))
    blend(canvas, cloth(rng, colour(rng), 1.8), alpha)


def hand(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A hand over the mouth: palm and fingers in the face's own colour."""
    tone = skin(canvas, mesh) * rng.uniform(0.75, 1.15)
    _left, _right, along, down, apart = frame_of(mesh)
    mouth = mesh[13]
    side = rng.choice([-1, 1])
    angle = rng.uniform(-0.7, 0.7)
    axis = -side * (along * np.cos(angle) - down * np.sin(angle))  # from the palm to the finger tips
    normal = np.array([-axis[1], axis[0]])
    palm = mouth - axis * rng.uniform(0.3, 0.9) * apart
    paint = np.clip(tone * (1 + 0.1 * noise(rng, 40) + 0.04 * noise(rng, 6))[..., None], 0, 255)
    width = rng.uniform(0.2, 0.28) * apart
    for i in range(4):
        start = palm + normal * (i - 1.5) * width
        tip = start + axis * rng.uniform(1.0, 1.5) * apart
        thick = width * 0.98
        alpha = strokes([np.array([start, tip])], thick, 0.8)
        blend(canvas, (0, 0, 0), 0.35 * cv2.GaussianBlur(alpha, (0, 0), 3) * (1 - alpha))
        blend(canvas, paint * rng.uniform(0.9, 1.06), alpha)
    back = [palm + normal * 2.1 * width, palm - normal * 2.1 * width]
    wrist = palm - axis * 1.6 * apart + down * rng.uniform(0, 1.2) * apart
    outline = smooth(np.array([*back, wrist - normal * 1.7 * width, wrist + normal * 1.7 * width]))
    blend(canvas, paint * rng.uniform(0.9, 1.05), region(outline, 1))


def beard(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Beard and moustache, lips free: not a mask."""
    tint = rng.choice(4, p=[0.45, 0.25, 0.2, 0.1])
    tone = [np.array([20, 22, 28]), np.array([30, 50, 80]), np.array([150, 150, 150]), np.array([230, 230, 230])][tint]
    ends = rng.integers(2, 6)
    jaw = out_from(mesh[JAW[ends : len(JAW) - ends]], mesh[4], rng.uniform(0.98, 1.25))
    top = mesh[[425, 326, 2, 97, 205]]
    alpha = region(smooth(np.vstack([jaw, top]), per=5), rng.uniform(2, 6))
    alpha *= 1 - region(smooth(mesh[[61, 37, 0, 267, 291, 405, 17, 181]], per=4), 1.5) * rng.uniform(0.5, 1)
    hair = 0.5 + 0.5 * np.clip(noise(rng, 2.0) + 0.5 * noise(rng, 6), -1, 1)
    blend(canvas, tone * rng.uniform(0.6, 1.2), np.clip(alpha * rng.uniform(0.5, 1.1) * (0.55 + 0.6 * hair), 0, 1))


def microphone(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A microphone (or a cup's rim) before the chin, at most half the mouth covered: not a mask."""
    _left, _right, along, down, apart = frame_of(mesh)
    spot = mesh[14] + down * rng.uniform(0.2, 0.55) * apart + along * rng.uniform(-0.5, 0.5) * apart
    axes = (rng.uniform(0.16, 0.32) * apart, rng.uniform(0.18, 0.38) * apart)
    tilt = rng.uniform(-40, 40)
    tone = colour(rng, 0.6)
    end = spot + down * 3 * apart + along * rng.uniform(-1.5, 1.5) * apart
    blend(canvas, tone * 0.7, strokes([np.array([spot, end])], axes[0] * rng.uniform(0.5, 1.2)))
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    size = (int(axes[0]), int(axes[1]))
    cv2.ellipse(alpha, (int(spot[0]), int(spot[1])), size, tilt, 0, 360, 255, -1, cv2.LINE_AA)
    grid = 1 + 0.35 * np.clip(noise(rng, 2.5), -1, 1)
    blend(canvas, np.clip(tone * grid[..., None], 0, 255), alpha / 255.0)


def chin_mask(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A mask pulled down under the chin, or a high collar: mouth and nose are free."""
    jaw = mesh[JAW[3:-3]]
    jaw = out_from(jaw, mesh[4], rng.uniform(1.03, 1.15))
    top = mesh[[379, 152, 150]] + (0, -rng.uniform(-4, 8))
    alpha = region(smooth(np.vstack([jaw, top]), per=5), 1.2)
    blend(canvas, cloth(rng, colour(rng, 0.2)), alpha)


# ---- glasses and what is like them -----------------------------------------------------------------------------------


def _lenses(mesh: Array, rng: Rng) -> list[Array]:
    """Outlines of two lenses (or one shield)."""
    left, right, along, down, apart = frame_of(mesh)
    style = rng.choice(["aviator", "square", "round", "cat", "narrow", "shield", "large"])
    width = rng.uniform(0.36, 0.46) * apart
    height = width * {"narrow": 0.55, "round": 1.0, "aviator": 0.95, "large": 1.05}.get(style, rng.uniform(0.65, 0.9))
    if style == "large":
        width, height = width * 1.18, height * 1.1
    if style == "round":
        width *= 0.9
    drop = rng.uniform(-0.02, 0.14) * apart
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    power = {"square": 0.5, "large": 0.65, "narrow": 0.6, "cat": 0.7}.get(style, 1.0)
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power * width
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** power * height
    if style == "aviator":
        x = x * (1 - 0.18 * y / height)
        y = y + 0.12 * height
    tilt = 0.3 if style == "cat" else 0.0
    shapes = []
    spread = rng.uniform(0.0, 0.05) * apart
    for eye, side in ((left, -1), (right, 1)):
        outer = side * x  # the same shape, mirrored
        lift = -tilt * height * np.clip(x / width, 0, 1)
        middle = eye + down * drop + along * side * spread
        shapes.append(middle + outer[:, None] * along + (y + lift)[:, None] * down)
    if style == "shield":
        middle = (left + right) / 2 + down * drop
        half, tall = 0.5 * apart + width * 1.1, height * 1.1
        top = [(-half, -0.6 * tall), (0, -tall * 0.8), (half, -0.6 * tall)]
        low = [(half * 0.9, 0.7 * tall), (0.35 * half, tall), (0, 0.3 * tall), (-0.35 * half, tall)]
        points = np.array([*top, *low, (-half * 0.9, 0.7 * tall)])
        shapes = [smooth(middle + points[:, :1] * along + points[:, 1:] * down, per=6)]
    return shapes


def _frame(canvas: Array, mesh: Array, rng: Rng, shapes: list[Array], width: float) -> None:
    _left, _right, along, down, apart = frame_of(mesh)
    tone = colour(rng, 0.55)
    if rng.random() < 0.2:
        tone = np.array([90, 150, 190]) * rng.uniform(0.6, 1.2)  # gold
    lines = []
    if width >= 1:
        lines += [np.vstack([shape, shape[:1]]) for shape in shapes]
    first, last = shapes[0], shapes[-1]
    if len(shapes) == 2:
        inner = first[np.argmax(first @ along)], last[np.argmin(last @ along)]
        arch = (inner[0] + inner[1]) / 2 - down * rng.uniform(0, 0.08) * apart
        lines.append(smooth(np.array([inner[0], arch, inner[1]]), False))
    for shape, ear, side in ((first, mesh[127], -1), (last, mesh[356], 1)):
        edge = shape[np.argmax(side * (shape @ along))]
        if side * ((ear - edge) @ along) > 2:
            lines.append(np.array([edge, ear + down * rng.uniform(-4, 4)]))
    blend(canvas, tone, strokes(lines, max(width, 1.0), 0.6) * rng.uniform(0.75, 1.0))


def _reflection(canvas: Array, rng: Rng, alpha: Array, strength: float) -> None:
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(40, 160)
    wave = np.sin((xx * np.cos(angle) + yy * np.sin(angle)) * 2 * np.pi / period + rng.uniform(0, 6))
    streak = np.clip((wave - rng.uniform(0.2, 0.85)) * 4, 0, 1)
    if rng.random() < 0.4:
        streak = np.clip(noise(rng, rng.uniform(10, 40)) * 2, 0, 1)
    blend(canvas, colour(rng, 0.0) * 0.4 + 150, alpha * streak * strength)


def sunglasses(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Dark, graded, tinted or mirrored lenses that hide the eyes."""
    shapes = _lenses(mesh, rng)
    alpha = np.clip(sum(region(shape, 0.8) for shape in shapes), 0, 1)
    kind = rng.random()
    yy = np.mgrid[:SIZE, :SIZE][0].astype(np.float32)
    middle = np.mean([shape.mean(0)[1] for shape in shapes])
    ramp = np.clip((yy - middle) / 40 + 0.5, 0, 1)
    opacity = np.full((SIZE, SIZE), rng.uniform(0.8, 1.0), np.float32)
    tone: Array = np.full(3, rng.uniform(5, 50)) + rng.normal(0, 6, 3)
    if kind < 0.2:  # brown, green, blue
        tone = colour(rng, 0.0) * rng.uniform(0.15, 0.45)
    paint: Array = np.tile(np.clip(tone, 0, 255).astype(np.float32), (SIZE, SIZE, 1))
    if 0.2 <= kind < 0.45:  # graded
        opacity = np.clip(1.0 - rng.uniform(0.1, 0.4) * ramp, 0, 1)
    elif 0.45 <= kind < 0.65:  # mirrored
        upper, lower = colour(rng, 0.1), colour(rng, 0.3)
        paint = upper * (1 - ramp[..., None]) + lower * ramp[..., None]
        paint = np.clip(paint * (1 + 0.3 * noise(rng, rng.uniform(10, 60)))[..., None], 0, 255)
        opacity[:] = rng.uniform(0.88, 1)
    blend(canvas, (0, 0, 0), rng.uniform(0, 0.35) * cv2.GaussianBlur(alpha, (0, 0), 5) * (1 - alpha))
    blend(canvas, paint, alpha * opacity)
    if rng.random() < 0.7:
        _reflection(canvas, rng, alpha, rng.uniform(0.05, 0.55))
    _frame(canvas, mesh, rng, shapes, rng.choice([0.0, rng.uniform(1, 3), rng.uniform(3, 7)]))


def clear_glasses(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Frames with clear or faintly tinted lenses, glare at times: not sunglasses."""
    shapes = _lenses(mesh, rng)
    alpha = np.clip(sum(region(shape, 0.8) for shape in shapes), 0, 1)
    if rng.random() < 0.4:
        blend(canvas, colour(rng, 0.3), alpha * rng.uniform(0, 0.2))
    if rng.random() < 0.55:
        _reflection(canvas, rng, alpha, rng.uniform(0.1, 0.8))
    blend(canvas, (0, 0, 0), rng.uniform(0, 0.25) * cv2.GaussianBlur(alpha, (0, 0), 4) * (1 - alpha))
    _frame(canvas, mesh, rng, shapes, rng.choice([rng.uniform(1, 3), rng.uniform(3, 7)]))


def dark_sockets(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Deep-set eyes, make-up or top light: eyes dark, no lenses."""
    left, right, _along, down, apart = frame_of(mesh)
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    for eye in (left, right):
        spot = eye - down * rng.uniform(-2, 6)
        size = (int(rng.uniform(0.22, 0.42) * apart), int(rng.uniform(0.14, 0.3) * apart))
        cv2.ellipse(alpha, (int(spot[0]), int(spot[1])), size, rng.uniform(-15, 15), 0, 360, 255, -1)
    soft = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(4, 9)) / 255.0
    blend(canvas, skin(canvas, mesh) * rng.uniform(0.05, 0.3), soft * rng.uniform(0.5, 0.95))


def closed_eyes(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Eyelids down: skin over the eye with a dark lash line."""
    tone = skin(canvas, mesh) * rng.uniform(0.75, 1.0)
    for outer, inner, upper, lower in ((33, 133, 159, 145), (263, 362, 386, 374)):
        corners = mesh[[outer, inner]]
        middle = corners.mean(0)
        opening = mesh[[upper, lower]] + np.array([[0, -4], [0, 3]])
        outline = smooth(np.array([corners[0], opening[0], corners[1], opening[1]]))
        blend(canvas, tone, region(outline, 1.5) * 0.95)
        line = smooth(np.array([corners[0], middle * 0.3 + opening[1] * 0.7, corners[1]]), False)
        blend(canvas, (15, 15, 25), strokes([line], rng.uniform(1, 3)) * rng.uniform(0.5, 0.9))


def shadow(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A hard or soft shadow over part of the face."""
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    centre = mesh[rng.choice([6, 4, 168, 13])]
    angle = rng.uniform(0, 2 * np.pi)
    edge = (xx - centre[0]) * np.cos(angle) + (yy - centre[1]) * np.sin(angle) + 12 * noise(rng, 80)
    alpha = 1 / (1 + np.exp(-edge / rng.uniform(1.5, 25)))
    if rng.random() < 0.4:  # a band across the eyes, as under a brim or from a beam
        band = np.abs(yy - mesh[168][1]) - rng.uniform(14, 30)
        alpha = 1 / (1 + np.exp(band / rng.uniform(2, 8)))
    blend(canvas, (0, 0, 0), alpha * rng.uniform(0.3, 0.8))


# ---- head coverings and what is like them ----------------------------------------------------------------------------


def _head(mesh: Array) -> tuple[Array, Array, Array, float, float]:
    """Middle between the eyes, unit vectors, eye distance, half width of the head."""
    left, right, along, down, apart = frame_of(mesh)
    half = max(float(np.linalg.norm(mesh[454] - mesh[234])) / 2, 0.85 * apart)
    axis = (mesh[10] + mesh[152]) / 2
    middle = (left + right) / 2 * 0.5 + 0.5 * (axis + ((left + right) / 2 - axis) @ down * down)
    return middle, along, down, apart, half * 1.06


def _dome(mesh: Array, rng: Rng, brow: float, top: float, wide: float, side: float) -> Array:
    """A closed cap-like outline; heights in eye distances above the eyes, `side` where it ends at the temples."""
    middle, along, down, apart, half = _head(mesh)
    w = half * wide
    lean = rng.uniform(-0.12, 0.12) * apart
    points = [(-w, -side), (-w * 1.02, -side - 0.35), (-w * 0.85, -brow - 0.75 * (top - brow)), (-w * 0.4, -top)]
    points += [(lean, -top * 1.03), (w * 0.4, -top), (w * 0.85, -brow - 0.75 * (top - brow)), (w * 1.02, -side - 0.35)]
    points += [(w, -side), (w * 0.55, -brow), (0, -brow - rng.uniform(-0.03, 0.08)), (-w * 0.55, -brow)]
    grid = np.array(points) * np.array([1, apart])
    return smooth(middle + grid[:, :1] * along + grid[:, 1:] * down, per=6)


def _under(canvas: Array, alpha: Array, rng: Rng) -> None:
    """The shadow that a covering casts on the forehead."""
    low = np.roll(cv2.GaussianBlur(alpha, (0, 0), 6), int(rng.uniform(2, 14)), axis=0)
    blend(canvas, (0, 0, 0), rng.uniform(0.1, 0.6) * low * (1 - alpha))


def beanie(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Knitted cap, bandana, surgical cap, turban."""
    brow = rng.uniform(0.35, 0.95)
    shape = _dome(mesh, rng, brow, rng.uniform(1.65, 2.5), rng.uniform(1.02, 1.25), rng.uniform(-0.3, brow))
    alpha = region(shape, rng.uniform(0.8, 2))
    _under(canvas, alpha, rng)
    base = colour(rng)
    paint = cloth(rng, base, rng.uniform(0.8, 2.0))
    if rng.random() < 0.4:  # the turned-up rim
        middle, _along, down, apart, _half = _head(mesh)
        yy = np.mgrid[:SIZE, :SIZE][0]
        rim = yy > (middle - down * (brow + rng.uniform(0.25, 0.5)) * apart)[1]
        paint[rim] *= rng.uniform(0.7, 1.25)
    blend(canvas, np.clip(paint, 0, 255), alpha)


def cap(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Cap with a visor, straight or turned aside, or a peaked cap."""
    brow = rng.uniform(0.45, 0.95)
    middle, along, down, apart, half = _head(mesh)
    alpha = region(_dome(mesh, rng, brow, rng.uniform(1.6, 2.2), rng.uniform(1.0, 1.15), brow - 0.1), 1.2)
    base = colour(rng)
    paint = cloth(rng, base)
    front = rng.random()
    turn = rng.uniform(-0.5, 0.5)
    reach, w = rng.uniform(0.1, 0.5), half * rng.uniform(0.8, 1.15)
    height = brow + rng.uniform(0, 0.15)
    points = [(-w, -height), (-0.6 * w, -height - 0.22), (0, -height - 0.3), (0.6 * w, -height - 0.22), (w, -height)]
    points += [
        ((0.6 + turn) * w, -height + reach),
        (turn * w, -height + reach * 1.15),
        ((turn - 0.6) * w, -height + reach),
    ]
    grid = np.array(points) * np.array([1, apart])
    visor = region(smooth(middle + grid[:, :1] * along + grid[:, 1:] * down, per=6), 1.0)
    _under(canvas, np.maximum(alpha, visor), rng)
    blend(canvas, paint, alpha)
    if front < 0.9:
        tone = cloth(rng, base * rng.uniform(0.4, 1.0) if rng.random() < 0.7 else colour(rng))
        blend(canvas, np.clip(tone * rng.uniform(0.6, 1.05), 0, 255), visor)
        blend(canvas, base * 0.3, 0.5 * np.clip(np.roll(visor, -2, 0) - visor, 0, 1))
    if rng.random() < 0.5:  # badge or letters
        spot = middle - down * (brow + 0.65) * apart + along * rng.uniform(-8, 8)
        badge = np.zeros((SIZE, SIZE), np.uint8)
        if rng.random() < 0.5:
            size = (int(rng.uniform(6, 20)), int(rng.uniform(5, 15)))
            cv2.ellipse(badge, (int(spot[0]), int(spot[1])), size, 0, 0, 360, 255, -1, cv2.LINE_AA)
        else:
            word = "".join(chr(c) for c in rng.integers(65, 91, rng.integers(1, 4)))
            cv2.putText(
                badge, word, (int(spot[0]) - 22, int(spot[1]) + 8), 0, rng.uniform(0.7, 1.2), 255, 4, cv2.LINE_AA
            )
        blend(canvas, colour(rng, 0.1), badge / 255.0 * alpha)


def brimmed(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Hat with a brim all round: straw, felt, conical, cowboy."""
    middle, along, down, apart, half = _head(mesh)
    brow = rng.uniform(0.5, 1.0)
    base = colour(rng, 0.3)
    if rng.random() < 0.35:
        base = np.array([130, 180, 210]) * rng.uniform(0.7, 1.15)  # straw
    paint = cloth(rng, base, 0.8)
    wide, tall = half * rng.uniform(1.4, 2.3), rng.uniform(0.12, 0.35) * apart
    centre = middle - down * brow * apart
    bend = rng.uniform(-0.25, 0.3) * apart
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    x, y = np.cos(angles) * wide, np.sin(angles) * tall
    y = y + bend * (x / wide) ** 2
    brim = region(centre + x[:, None] * along + y[:, None] * down, 1.2)
    crown = region(_dome(mesh, rng, brow - 0.05, rng.uniform(1.7, 2.4), rng.uniform(0.9, 1.1), brow), 1.2)
    if rng.random() < 0.2:
        tip = centre - down * rng.uniform(1.0, 1.6) * apart
        crown = region(np.array([centre - along * wide, tip, centre + along * wide]), 1.5)
    _under(canvas, np.maximum(brim, crown), rng)
    blend(canvas, paint, crown)
    if rng.random() < 0.6:
        yy = np.mgrid[:SIZE, :SIZE][0]
        ribbon = (yy > centre[1] - rng.uniform(0.35, 0.6) * apart) * crown
        blend(canvas, colour(rng), ribbon * rng.uniform(0.7, 1))
    blend(canvas, np.clip(paint * rng.uniform(0.7, 1.1), 0, 255), brim)


def helmet(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Motor-cycle, bicycle or work helmet: a glossy shell, wide and high, with straps."""
    brow = rng.uniform(0.45, 0.95)
    side = rng.uniform(-1.3, 0.3)
    alpha = region(_dome(mesh, rng, brow, rng.uniform(1.9, 2.6), rng.uniform(1.2, 1.6), side), 1.0)
    base = colour(rng, 0.3)
    paint = np.clip(base * (1 + 0.25 * noise(rng, 120))[..., None], 0, 255)
    gloss = np.clip(noise(rng, rng.uniform(30, 80)) - 0.4, 0, 1)[..., None]
    paint = np.clip(paint + 160 * gloss, 0, 255)
    if rng.random() < 0.35:  # vents
        vents = (noise(rng, 18) > 0.6)[..., None]
        paint = np.where(vents, paint * 0.2, paint)
    hole = region(out_from(smooth(mesh[JAW + OVAL_TOP[1:-1]], per=3), mesh[4], rng.uniform(0.98, 1.1)), 1.0)
    yy = np.mgrid[:SIZE, :SIZE][0]
    middle, _along, down, apart, _half = _head(mesh)
    hole = hole * (yy > (middle - down * brow * apart)[1])
    alpha = alpha * (1 - hole)
    _under(canvas, alpha, rng)
    blend(canvas, paint, alpha)
    if rng.random() < 0.7:
        lines = [np.array([mesh[127], mesh[152] + (0, 4)]), np.array([mesh[356], mesh[152] + (0, 4)])]
        blend(canvas, colour(rng, 0.8), strokes(lines, rng.uniform(3, 7)))


def veil(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Hijab, headscarf, hood: cloth all round the face, over the hair and at times the neck."""
    middle, along, down, apart, half = _head(mesh)
    top = rng.uniform(1.65, 2.1)
    wide = half * rng.uniform(1.15, 1.6)
    low = rng.uniform(0.6, 3.5)
    points = [(-wide, low), (-wide, 0), (-wide * 0.85, -top * 0.75), (0, -top), (wide * 0.85, -top * 0.75), (wide, 0)]
    points += [(wide, low)]
    if low > 1.8:
        points = [(-wide * 1.5, low), *points[1:-1], (wide * 1.5, low)]
    grid = np.array(points) * np.array([1, apart])
    outer = region(np.vstack([smooth(middle + grid[:, :1] * along + grid[:, 1:] * down, False, 6)]), 1.5)
    oval = mesh[JAW + OVAL_TOP[1:-1]].copy()
    upper = (oval - middle) @ down < 0
    oval[upper] = oval[upper] + down * rng.uniform(-0.25, 0.25) * apart  # how far down the forehead
    oval = out_from(oval, mesh[4], rng.uniform(0.97, 1.12))
    hole = region(smooth(oval, per=3), 1.2)
    if low <= 1.8:  # the neck stays free
        yy = np.mgrid[:SIZE, :SIZE][0]
        hole = np.maximum(hole, (yy > mesh[152][1]).astype(np.float32))
    alpha = outer * (1 - hole)
    blend(canvas, (0, 0, 0), rng.uniform(0.1, 0.5) * cv2.GaussianBlur(alpha, (0, 0), 5) * (1 - alpha))
    blend(canvas, cloth(rng, colour(rng), 1.6), alpha)


def headband(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A band across forehead or hair, hair seen above it: no head covering."""
    middle, along, down, apart, half = _head(mesh)
    height, thick = rng.uniform(0.75, 1.45), rng.uniform(0.06, 0.2)
    x = np.linspace(-1, 1, 9)
    sag = rng.uniform(0.15, 0.5)
    upper = np.stack([x * half, (-height - thick / 2 + sag * x**2) * apart], axis=1)
    lower = np.stack([x[::-1] * half, (-height + thick / 2 + sag * x**2) * apart], axis=1)
    grid = np.vstack([upper, lower])
    alpha = region(middle + grid[:, :1] * along + grid[:, 1:] * down, 1.0)
    blend(canvas, cloth(rng, colour(rng)), alpha)


def fringe(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Hair over the forehead down to the brows and beside the face: no head covering."""
    middle, _along, down, apart, _half = _head(mesh)
    tone = [(18, 18, 22), (25, 40, 65), (60, 100, 150), (120, 120, 125), (40, 60, 120)][
        rng.choice(5, p=[0.5, 0.2, 0.12, 0.08, 0.1])
    ]
    yy, _xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    thin = cv2.resize(rng.normal(0, 1, (4, SIZE)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    locks = cv2.resize(
        rng.normal(0, 1, (2, SIZE // 12)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
    )
    shape = _dome(
        mesh, rng, rng.uniform(0.3, 0.8), rng.uniform(1.55, 1.85), rng.uniform(1.0, 1.12), rng.uniform(-1.2, 0.6)
    )
    alpha = region(shape, 1.5)
    low = np.roll(alpha, 1, 0)
    ends = cv2.GaussianBlur(alpha, (0, 0), 7)
    alpha = np.clip((ends - 0.5) * 6 + 0.5 + 0.6 * locks + 0.4 * thin, 0, 1) * np.clip(ends * 3, 0, 1)
    paint = np.array(tone) * (1 + 0.35 * thin + 0.25 * noise(rng, 40))[..., None]
    shine = np.exp(-(((yy - (middle - down * rng.uniform(1.0, 1.5) * apart)[1]) / 14) ** 2)) * rng.uniform(0, 70)
    paint = paint + (shine * (0.6 + 0.4 * thin))[..., None]
    blend(canvas, np.clip(paint, 0, 255), alpha * np.clip(low + 0.6, 0, 1))


Drawer = Callable[[Array, Array, Rng], None]
HATS: tuple[Drawer, ...] = (beanie, cap, cap, brimmed, helmet, veil)
LIKE_HATS: tuple[Drawer, ...] = (headband, fringe, fringe)
COVERS: tuple[Drawer, ...] = (mask, mask, mask, mask, scarf, hand)
LIKE_COVERS: tuple[Drawer, ...] = (beard, beard, microphone, chin_mask)
LIKE_SUNGLASSES: tuple[Drawer, ...] = (dark_sockets, closed_eyes, shadow)


def draw(canvas: Array, mesh: Array, known: Labels, rng: Rng) -> tuple[Array, Labels]:
    """A copy of the canvas with something drawn on it, and its labels.

    Nothing is drawn where the photo already has it (or may have it): the label stays what it was.
    """
    canvas = canvas.copy()
    pick = rng.random(3)
    bare_eyes = known.sunglasses == 0 and known.clear_glasses != 1
    labels = known
    if known.mask == 0:
        if pick[0] < 0.4:
            COVERS[rng.integers(len(COVERS))](canvas, mesh, rng)
            labels = replace(labels, mask=1)
        elif pick[0] < 0.6:
            LIKE_COVERS[rng.integers(len(LIKE_COVERS))](canvas, mesh, rng)
    if (bare_eyes and known.clear_glasses == UNKNOWN and pick[1] < 0.75) or (bare_eyes and pick[1] < 0.8):
        if pick[1] < 0.35:
            sunglasses(canvas, mesh, rng)
            labels = replace(labels, sunglasses=1, clear_glasses=0)
        elif pick[1] < 0.6:
            clear_glasses(canvas, mesh, rng)
            labels = replace(labels, clear_glasses=1)
        else:
            LIKE_SUNGLASSES[rng.integers(len(LIKE_SUNGLASSES))](canvas, mesh, rng)
    elif known.sunglasses == 0 and pick[1] > 0.85:
        shadow(canvas, mesh, rng)
    if known.head_covering == 0:
        if pick[2] < 0.4:
            HATS[rng.integers(len(HATS))](canvas, mesh, rng)
            labels = replace(labels, head_covering=1)
        elif pick[2] < 0.58:
            LIKE_HATS[rng.integers(len(LIKE_HATS))](canvas, mesh, rng)
    return canvas, labels
