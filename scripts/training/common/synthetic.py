"""Drawn things: backgrounds, cards with their printed matter, and what people wear over their faces."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.canvas import Canvas, Faces, Photo, ellipse_outline, face_map, no_faces, rectangle_outline
from scripts.training.common.image import Array, Rng

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
LETTERS = np.array(list("ABCDEFGHIKLMNOPQRSTUVXYaeghinotu0123456789 <:./-"))


def colour(rng: Rng, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    """A random BGR colour."""
    b, g, r = rng.integers(low, high, 3).tolist()
    return b, g, r


def gradient(rng: Rng, width: int, height: int) -> Array:
    """Smooth colour field, BGR uint8."""
    coarse = rng.integers(0, 256, (rng.integers(1, 4), rng.integers(1, 4), 3), dtype=np.uint8)
    if rng.random() < 0.5:  # most tables, walls and cards are of one colour
        coarse = np.clip(coarse * 0.15 + np.array(colour(rng)) * 0.85, 0, 255).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def write(rng: Rng, pixels: Array, lines: int, ink: tuple[int, int, int], area: tuple[int, int, int, int]) -> None:
    """Lines of random letters within `area` (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = area
    step = (y1 - y0) / max(lines, 1)
    for line in range(lines):
        scale = float(np.clip(step / 32 * rng.uniform(0.5, 0.9), 0.2, 3))
        text = "".join(rng.choice(LETTERS, rng.integers(4, 40)).tolist())
        text = text[: max(2, int((x1 - x0) / (19 * scale)))]
        at = (int(x0 + rng.integers(0, 6)), int(y0 + step * (line + 0.8)))
        cv2.putText(pixels, text, at, FONTS[rng.integers(4)], scale, ink, int(1 + scale), cv2.LINE_AA)


def shapes(rng: Rng, pixels: Array, count: int) -> None:
    """Discs, rings, blobs with dots, bars: what a careless detector takes for faces."""
    height, width = pixels.shape[:2]
    for _ in range(count):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        r = int(np.exp(rng.uniform(np.log(4), np.log(min(height, width) / 2))))
        ink, kind = colour(rng), rng.integers(5)
        thick = int(rng.integers(1, 4)) if rng.random() < 0.5 else -1
        if kind == 0:
            cv2.circle(pixels, (x, y), r, ink, thick, cv2.LINE_AA)
        elif kind == 1:
            cv2.ellipse(pixels, (x, y), (r, int(r * rng.uniform(0.5, 1.5))), rng.uniform(0, 180), 0, 360, ink, thick)
        elif kind == 2:
            cv2.rectangle(pixels, (x, y), (x + r, y + int(r * rng.uniform(0.3, 2))), ink, thick)
        elif kind == 3:
            corners = rng.integers(-r, r + 1, (rng.integers(3, 7), 2)) + np.array([x, y])
            cv2.fillPoly(pixels, [corners.astype(np.int32)], ink, cv2.LINE_AA)
        else:
            cv2.ellipse(pixels, (x, y), (r, int(r * 1.3)), 0, 0, 360, ink, -1, cv2.LINE_AA)
            for _ in range(rng.integers(2, 6)):
                dot = (x + int(rng.uniform(-0.7, 0.7) * r), y + int(rng.uniform(-0.9, 0.9) * r))
                cv2.circle(pixels, dot, max(1, int(r * rng.uniform(0.05, 0.3))), colour(rng), -1, cv2.LINE_AA)


def drawn_background(rng: Rng, width: int, height: int) -> Array:
    """Colour field with shapes, texture or text, BGR uint8."""
    pixels = gradient(rng, width, height)
    if rng.random() < 0.6:
        shapes(rng, pixels, int(rng.integers(1, 14)))
    if rng.random() < 0.3:
        write(rng, pixels, int(rng.integers(2, 14)), colour(rng), (0, 0, width, height))
    if rng.random() < 0.3:
        grain = rng.integers(2, 9)
        field = rng.normal(0, rng.uniform(5, 40), (height // grain + 1, width // grain + 1)).astype(np.float32)
        field = cv2.resize(field, (width, height))[..., None]
        pixels = np.clip(pixels + field, 0, 255).astype(np.uint8)
    return pixels


def guilloche(rng: Rng, pixels: Array) -> None:
    """Wavy security lines as on identity cards."""
    height, width = pixels.shape[:2]
    x = np.linspace(0, width, 60)
    ink = tuple(int(c) for c in np.clip(pixels.mean((0, 1)) + rng.normal(0, 35, 3), 0, 255))
    for k in range(int(rng.integers(6, 24))):
        phase, rise = rng.uniform(0.01, 0.06), rng.uniform(4, 40)
        y = k * height / 14 + rise * np.sin(x * phase + k * 0.35)
        cv2.polylines(pixels, [np.stack([x, y], 1).astype(np.int32)], False, ink, 1, cv2.LINE_AA)


def card(rng: Rng, portrait: Photo | None, index: int) -> Photo:
    """An identity card of invented layout with the portrait of face `index`, perhaps with a ghost portrait too."""
    width = int(rng.integers(300, 480))
    height = int(width / rng.choice([1.586, 1.42, 1.35])) if rng.random() < 0.9 else int(width * 1.5)
    pale = rng.random() < 0.8
    pixels = gradient(rng, width, height)
    if pale:
        pixels = (pixels // 3 + 165).astype(np.uint8)
    if rng.random() < 0.7:
        guilloche(rng, pixels)
    if rng.random() < 0.4:
        shapes(rng, pixels, int(rng.integers(1, 4)))
    left = rng.random() < 0.75
    x0, x1 = (int(width * 0.36), width - 8) if left else (8, int(width * 0.64))
    ink = colour(rng, 0, 110) if pale else colour(rng)
    write(rng, pixels, int(rng.integers(4, 11)), ink, (x0, int(height * 0.2), x1, int(height * 0.95)))
    write(rng, pixels, 2, colour(rng, 0, 160), (int(width * 0.2), 4, width - 8, int(height * 0.2)))
    emblem = (int(width * 0.1), int(height * 0.11))
    for ring in range(int(rng.integers(0, 4))):
        cv2.circle(pixels, emblem, int(height * 0.08) - ring * 4, colour(rng), 2 if ring else -1, cv2.LINE_AA)
    canvas = Canvas(pixels)
    if portrait is not None:
        size = height * rng.uniform(0.2, 0.36)
        at = (width * (0.18 if left else 0.82), height * rng.uniform(0.48, 0.6))
        _print_portrait(rng, canvas, portrait, index, size, at, 1.0)
        if rng.random() < 0.35:  # the ghost portrait: small, pale, at the other side
            at = (width * (rng.uniform(0.75, 0.9) if left else rng.uniform(0.1, 0.25)), height * rng.uniform(0.5, 0.8))
            _print_portrait(rng, canvas, portrait, index, size * rng.uniform(0.35, 0.6), at, rng.uniform(0.3, 0.8))
    pixels = canvas.pixels
    if rng.random() < 0.25:
        pixels = halftone(rng, pixels)
    if rng.random() < 0.15:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return Photo(pixels, canvas.faces)


def _print_portrait(
    rng: Rng, canvas: Canvas, photo: Photo, index: int, size: float, at: tuple[float, float], opacity: float
) -> None:
    box = photo.faces.boxes[index]
    w, h = box[2:] - box[:2]
    if rng.random() < 0.25:
        outline = ellipse_outline(box, rng.uniform(0.7, 0.95), rng.uniform(0.75, 1), rng.uniform(0.6, 1))
    else:
        side, top, low = rng.uniform(0.3, 0.55) * w, rng.uniform(0.35, 0.7) * h, rng.uniform(0.3, 0.9) * h
        outline = rectangle_outline(box[0] - side, box[1] - top, box[2] + side, box[3] + low)
    if opacity < 1 or rng.random() < 0.15:
        grey = cv2.cvtColor(photo.pixels, cv2.COLOR_BGR2GRAY)
        photo = Photo(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), photo.faces)
    matrix = face_map(photo, index, size, at, 0.0, rng.random() < 0.5)
    canvas.paste(photo, matrix, outline, float(rng.choice([0, 0, 2, 4])), opacity)


def halftone(rng: Rng, pixels: Array) -> Array:
    """Printed dots: each channel compared with a turned cosine screen, softened as by ink and lens."""
    height, width = pixels.shape[:2]
    pitch = rng.uniform(2.2, 5)
    out = np.empty((height, width, 3), np.float32)
    for channel, degrees in enumerate(rng.permutation([15, 45, 75])):
        turn = np.exp(1j * np.deg2rad(degrees)) * 2 * np.pi / pitch
        # cos(u) + cos(v) with u and v turned axes, from products of one-dimensional waves: far fewer cosines
        across, down = np.exp(1j * turn.real * np.arange(width)), np.exp(1j * turn.imag * np.arange(height))
        first = (down[:, None] * across[None]).real
        across, down = np.exp(-1j * turn.imag * np.arange(width)), np.exp(1j * turn.real * np.arange(height))
        screen = 127.5 + 63 * (first + (down[:, None] * across[None]).real)
        out[..., channel] = 127.5 + (pixels[..., channel] - screen) * 5
    soft = cv2.GaussianBlur(np.clip(out, 0, 255).astype(np.uint8), (0, 0), pitch * rng.uniform(0.2, 0.5))
    strength = rng.uniform(0.4, 1)
    return cv2.addWeighted(soft, strength, pixels, 1 - strength, 0)


def wear(rng: Rng, pixels: Array, faces: Faces, index: int, kind: str) -> None:
    """Draw `kind` (mask, sunglasses, glasses, hat, blob) on a face, placed by its five points."""
    points = faces.points[index]
    middle, mouth = points[:2].mean(0), points[3:].mean(0)
    right, down = points[1] - points[0], mouth - middle
    reach = np.linalg.norm(down)
    if np.linalg.norm(right) < 0.5 * reach:  # profile: the eye distance says nothing about the face's width
        return
    frame = np.array([middle, right, down])

    def place(coordinates: list[tuple[float, float]]) -> Array:
        spots = np.array(coordinates) + rng.normal(0, 0.03, (len(coordinates), 2))
        return np.round((frame[0] + spots[:, :1] * frame[1] + spots[:, 1:] * frame[2]) * 8).astype(np.int32)

    def fill(coordinates: list[tuple[float, float]], ink: tuple[int, int, int]) -> None:
        cv2.fillPoly(pixels, [place(coordinates)], ink, cv2.LINE_AA, 3)

    if kind == "mask":
        ink = colour(rng) if rng.random() < 0.5 else colour(rng, 170, 256)
        top = rng.uniform(0.3, 0.55)
        outline = [(-0.95, top - 0.1), (0, top), (0.95, top - 0.1), (0.9, 1.2), (0.5, 1.75), (0, 1.95), (-0.5, 1.75)]
        fill([*outline, (-0.9, 1.2)], ink)
        shade = (int(ink[0] * 0.8), int(ink[1] * 0.8), int(ink[2] * 0.8))
        for y in np.arange(top + 0.3, 1.6, 0.35):
            cv2.polylines(pixels, [place([(-0.8, y), (0, y + 0.1), (0.8, y)])], False, shade, 1, cv2.LINE_AA, 3)
    elif kind in ("sunglasses", "glasses"):
        ink, radius = colour(rng, 0, 70), rng.uniform(0.3, 0.42)
        thick = max(1, int(reach * 0.05))
        turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        power = rng.uniform(0.5, 1)
        for side in (-0.5, 0.5):
            lens = [
                (side + radius * np.sign(np.cos(t)) * abs(np.cos(t)) ** power,
                 0.05 + radius * 0.9 * np.sign(np.sin(t)) * abs(np.sin(t)) ** power) for t in turn
            ]  # fmt: skip
            if kind == "sunglasses":
                fill(lens, ink)
            else:
                cv2.polylines(pixels, [place(lens)], True, ink, thick, cv2.LINE_AA, 3)
        bars = ([(-0.15, 0.0), (0.15, 0.0)], [(-0.85, 0.0), (-1.1, -0.05)], [(0.85, 0.0), (1.1, -0.05)])
        for bar in bars:
            cv2.polylines(pixels, [place(bar)], False, ink, thick, cv2.LINE_AA, 3)
    elif kind == "hat":
        ink, brim = colour(rng), rng.uniform(-0.75, -0.45)
        fill([(-1.15, brim), (1.15, brim), (1.05, -1.6), (0.5, -2.1), (-0.5, -2.1), (-1.05, -1.6)], ink)
        fill([(-1.3, brim), (1.3, brim), (1.2, brim + 0.15), (-1.2, brim + 0.15)], colour(rng, 0, 120))
    else:  # a hand, a strand of hair, a microphone
        x, y, r = rng.uniform(-1.2, 1.2), rng.uniform(0.6, 2), rng.uniform(0.3, 0.7)
        ink = (int(rng.uniform(60, 160)), int(rng.uniform(90, 190)), int(rng.uniform(120, 240)))
        fill([(x + r * np.cos(t), y + r * np.sin(t)) for t in np.linspace(0, 6, 10)], ink)


def plain_photo(pixels: Array) -> Photo:
    """A photo known to show no face."""
    return Photo(pixels, no_faces())
