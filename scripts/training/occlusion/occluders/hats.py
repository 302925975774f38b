"""Head coverings and what is like them."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.head import dome, head_of, shade_under
from scripts.training.occlusion.occluders.paint import (
    JAW,
    OVAL_TOP,
    SIZE,
    blend,
    cloth,
    colour,
    noise,
    out_from,
    region,
    smooth,
    strokes,
)


def beanie(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Knitted cap, bandana, surgical cap, turban."""
    brow = rng.uniform(0.35, 0.95)
    shape = dome(mesh, rng, brow, rng.uniform(1.65, 2.5), rng.uniform(1.02, 1.25), rng.uniform(-0.3, brow))
    alpha = region(shape, rng.uniform(0.8, 2))
    shade_under(canvas, alpha, rng)
    base = colour(rng)
    paint = cloth(rng, base, rng.uniform(0.8, 2.0))
    if rng.random() < 0.4:  # the turned-up rim
        middle, _along, down, apart, _half = head_of(mesh)
        yy = np.mgrid[:SIZE, :SIZE][0]
        rim = yy > (middle - down * (brow + rng.uniform(0.25, 0.5)) * apart)[1]
        paint[rim] *= rng.uniform(0.7, 1.25)
    blend(canvas, np.clip(paint, 0, 255), alpha)


def cap(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Cap with a visor, straight or turned aside, or a peaked cap."""
    brow = rng.uniform(0.45, 0.95)
    middle, along, down, apart, half = head_of(mesh)
    alpha = region(dome(mesh, rng, brow, rng.uniform(1.6, 2.2), rng.uniform(1.0, 1.15), brow - 0.1), 1.2)
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
    shade_under(canvas, np.maximum(alpha, visor), rng)
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
    middle, along, down, apart, half = head_of(mesh)
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
    crown = region(dome(mesh, rng, brow - 0.05, rng.uniform(1.7, 2.4), rng.uniform(0.9, 1.1), brow), 1.2)
    if rng.random() < 0.2:
        tip = centre - down * rng.uniform(1.0, 1.6) * apart
        crown = region(np.array([centre - along * wide, tip, centre + along * wide]), 1.5)
    shade_under(canvas, np.maximum(brim, crown), rng)
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
    alpha = region(dome(mesh, rng, brow, rng.uniform(1.9, 2.6), rng.uniform(1.2, 1.6), side), 1.0)
    base = colour(rng, 0.3)
    paint = np.clip(base * (1 + 0.25 * noise(rng, 120))[..., None], 0, 255)
    gloss = np.clip(noise(rng, rng.uniform(30, 80)) - 0.4, 0, 1)[..., None]
    paint = np.clip(paint + 160 * gloss, 0, 255)
    if rng.random() < 0.35:  # vents
        vents = (noise(rng, 18) > 0.6)[..., None]
        paint = np.where(vents, paint * 0.2, paint)
    hole = region(out_from(smooth(mesh[JAW + OVAL_TOP[1:-1]], per=3), mesh[4], rng.uniform(0.98, 1.1)), 1.0)
    yy = np.mgrid[:SIZE, :SIZE][0]
    middle, _along, down, apart, _half = head_of(mesh)
    hole = hole * (yy > (middle - down * brow * apart)[1])
    alpha = alpha * (1 - hole)
    shade_under(canvas, alpha, rng)
    blend(canvas, paint, alpha)
    if rng.random() < 0.7:
        lines = [np.array([mesh[127], mesh[152] + (0, 4)]), np.array([mesh[356], mesh[152] + (0, 4)])]
        blend(canvas, colour(rng, 0.8), strokes(lines, rng.uniform(3, 7)))


def veil(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Hijab, headscarf, hood: cloth all round the face, over the hair and at times the neck."""
    middle, along, down, apart, half = head_of(mesh)
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


def santa(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Pointed cap of soft cloth that falls to a side, with a broad light rim of fur and a bobble."""
    middle, along, down, apart, half = head_of(mesh)
    brow, side = rng.uniform(0.4, 1.0), rng.choice([-1, 1])
    thick, wide = rng.uniform(0.25, 0.5), half * rng.uniform(1.05, 1.25)
    red = np.array([30, 25, 190]) * rng.uniform(0.6, 1.25) if rng.random() < 0.7 else colour(rng)
    top, fall = rng.uniform(1.7, 2.4), rng.uniform(-0.2, 1.4)
    points = [(-wide, -brow), (-0.8 * wide, -0.6 * (brow + top)), (-0.2 * wide, -top), (0.6 * wide, -0.95 * top)]
    points += [(1.3 * wide, -top + 0.6 * fall), (1.5 * wide, -top + fall + 0.3), (0.9 * wide, -0.6 * (brow + top))]
    points += [(wide, -brow)]
    grid = np.array(points) * np.array([side, apart])
    cone = region(smooth(middle + grid[:, :1] * along + grid[:, 1:] * down, per=6), 1.2)
    x = np.linspace(-1.08, 1.08, 9)
    sag = rng.uniform(-0.1, 0.35)
    upper = np.stack([x * wide, (-brow - thick + sag * x**2) * apart], axis=1)
    lower = np.stack([x[::-1] * wide, (-brow + sag * x**2) * apart], axis=1)
    rim_grid = np.vstack([upper, lower])
    rim = region(middle + rim_grid[:, :1] * along + rim_grid[:, 1:] * down, 1.0)
    rim = np.clip(cv2.GaussianBlur(rim, (0, 0), 3) * 2 - 0.5 + 0.35 * noise(rng, 5), 0, 1)
    shade_under(canvas, np.maximum(cone, rim), rng)
    blend(canvas, cloth(rng, red, 1.4), cone)
    fur = np.full(3, rng.uniform(190, 250)) * (1 + 0.12 * noise(rng, 6) + 0.1 * noise(rng, 30))[..., None]
    blend(canvas, np.clip(fur, 0, 255), rim)
    tip = middle + side * 1.5 * wide * along + (fall + 0.3 - top) * apart * down
    yy, xx = np.mgrid[:SIZE, :SIZE]
    bobble = np.clip(rng.uniform(0.25, 0.4) * apart - np.hypot(xx - tip[0], yy - tip[1]), 0, 4) / 4
    blend(canvas, np.clip(fur, 0, 255), bobble.astype(np.float32))


def headband(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A band across forehead or hair, hair seen above it: no head covering."""
    middle, along, down, apart, half = head_of(mesh)
    height, thick = rng.uniform(0.75, 1.45), rng.uniform(0.06, 0.2)
    x = np.linspace(-1, 1, 9)
    sag = rng.uniform(0.15, 0.5)
    upper = np.stack([x * half, (-height - thick / 2 + sag * x**2) * apart], axis=1)
    lower = np.stack([x[::-1] * half, (-height + thick / 2 + sag * x**2) * apart], axis=1)
    grid = np.vstack([upper, lower])
    alpha = region(middle + grid[:, :1] * along + grid[:, 1:] * down, 1.0)
    blend(canvas, cloth(rng, colour(rng)), alpha)
