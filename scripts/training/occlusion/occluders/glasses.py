"""Glasses and what is like them: deep eye sockets, closed eyes, shadows."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.paint import (
    SIZE,
    blend,
    colour,
    frame_of,
    noise,
    region,
    skin,
    smooth,
    strokes,
)


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
