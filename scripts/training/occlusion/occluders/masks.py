"""Masks and what is like them: scarves, hands, microphones, masks below the chin."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.paint import (
    JAW,
    SIZE,
    blend,
    cloth,
    colour,
    frame_of,
    noise,
    out_from,
    region,
    skin,
    smooth,
    strokes,
)


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
