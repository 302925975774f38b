"""Drawn documents, flat: identity cards and their backs, bank cards, licences, passport pages, sheets with a copy.

Invented layouts, far apart from each other, so that what they have in common is what makes a document: print in lines
on a ground of its own, a portrait in its place, proportions, rounded corners. Every function gives BGR uint8 [H,W,3].
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scripts.training.common.image import Array, Rng
from scripts.training.common.synthetic import FONTS, colour, gradient, guilloche, halftone

WIDTHS = (300, 480)  # pixels of a drawn document
CAPITALS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
SMALL = np.array(list("abcdefghijklmnopqrstuvwxyzàâăđêôơưáéíóúüñçäößø"))
DIGITS = np.array(list("0123456789"))
COPIED = 0.3  # share of grey copies
PORTRAITS = 0.85  # share of identity cards with a portrait; the others have none, or it is cut or covered

Area = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def words(rng: Rng, letters: int) -> str:
    """Something like `letters` letters of names, dates and numbers."""
    kind, parts = rng.integers(4), []
    while sum(map(len, parts)) < letters:
        size = int(rng.integers(2, 10))
        if kind == 0:
            parts.append("".join(rng.choice(CAPITALS, size)))
        elif kind == 1:
            parts.append(str(rng.choice(CAPITALS)) + "".join(rng.choice(SMALL, size)))
        elif kind == 2:
            parts.append("".join(rng.choice(DIGITS, size)))
        else:
            parts.append(".".join("".join(rng.choice(DIGITS, n)) for n in (2, 2, 4)))
    return " ".join(parts)[:letters]


def line(rng: Rng, pixels: Array, at: tuple[float, float], height: float, text: str, ink: tuple[int, int, int]) -> None:
    """One line of print, `height` pixels high, its top left at `at`; in one of several hands."""
    x, y = int(at[0]), int(at[1])
    hand = rng.integers(3)
    if hand == 0:
        picture = Image.fromarray(pixels)
        font = ImageFont.load_default(max(height, 5))
        ImageDraw.Draw(picture).text((x, y), text, fill=ink, font=font)
        pixels[:] = np.asarray(picture)
    elif hand == 1:
        scale = height / 24
        thick = max(1, round(height / rng.uniform(7, 14)))
        cv2.putText(pixels, text, (x, int(y + 0.8 * height)), FONTS[rng.integers(4)], scale, ink, thick, cv2.LINE_AA)
    else:
        _signs(rng, pixels, x, y, height, len(text), ink)


def _signs(rng: Rng, pixels: Array, x: int, y: int, height: float, count: int, ink: tuple[int, int, int]) -> None:
    """Signs of no script in particular: a few strokes in a square each, as Chinese, Thai or Arabic looks from afar."""
    for index in range(count):
        left = x + index * height * 0.85
        for _ in range(int(rng.integers(2, 6))):
            ends = rng.uniform(0, 0.8 * height, (2, 2))
            if rng.random() < 0.6:
                ends[1, rng.integers(2)] = ends[0, rng.integers(2)]
            (ax, ay), (bx, by) = ends + np.array([left, y])
            cv2.line(pixels, (int(ax), int(ay)), (int(bx), int(by)), ink, max(1, round(height / 12)), cv2.LINE_AA)


def column(rng: Rng, pixels: Array, area: Area, ink: tuple[int, int, int]) -> None:
    """Lines of print, often with smaller captions above, in (left, top, right, bottom)."""
    left, top, right, bottom = area
    size = pixels.shape[0] * rng.uniform(0.03, 0.075)
    captions, gap = rng.random() < 0.6, rng.uniform(1.25, 2.0)
    pale = tuple(int(c * 0.6 + 90) for c in ink)
    y = top
    while y + size < bottom:
        if captions:
            small = 0.6 * size
            text = words(rng, int(rng.integers(3, 18)))
            line(rng, pixels, (left, y), small, text[: int((right - left) / (0.6 * small))], pale)
            y += 0.9 * size
        room = int((right - left) / (0.62 * size))
        if room > 2 and y + size < bottom:
            line(rng, pixels, (left, y), size, words(rng, int(rng.integers(2, room + 1))), ink)
        y += gap * size


def machine_readable(rng: Rng, pixels: Array, rows: int) -> None:
    """Rows of capitals and fillers along the lower edge, on white or on the ground."""
    height, width = pixels.shape[:2]
    size = height * rng.uniform(0.045, 0.065)
    top = height - rows * 1.6 * size - rng.uniform(0.01, 0.05) * height
    if rng.random() < 0.5:
        pixels[int(top - 0.4 * size) :] = rng.integers(225, 256)
    letters = np.concatenate([CAPITALS, DIGITS, np.full(30, "<")])
    for row in range(rows):
        text = "".join(rng.choice(letters, 30 if rows == 3 else 44))
        scale = 0.9 * width / (len(text) * 19)
        at = (int(0.04 * width), int(top + (row + 0.8) * 1.55 * size))
        cv2.putText(pixels, text, at, cv2.FONT_HERSHEY_PLAIN, scale * 1.75, (30, 30, 30), 1, cv2.LINE_AA)


def codes(rng: Rng, pixels: Array) -> None:
    """A bar code or a square of dots."""
    height, width = pixels.shape[:2]
    if rng.random() < 0.5:
        bars = np.repeat(rng.integers(0, 2, (1, 60)).astype(np.uint8) * 255, 8, axis=0)
        size = (int(width * rng.uniform(0.3, 0.8)), int(height * rng.uniform(0.08, 0.25)))
    else:
        bars = rng.integers(0, 2, (25, 25)).astype(np.uint8) * 255
        size = (int(height * rng.uniform(0.2, 0.4)),) * 2
    x, y = (
        int(rng.uniform(0.03, 0.95) * max(edge - part, 1)) for edge, part in zip((width, height), size, strict=True)
    )
    window = pixels[y : y + size[1], x : x + size[0]]
    window[:] = cv2.resize(bars, window.shape[1::-1], interpolation=cv2.INTER_NEAREST)[..., None]


def chip(rng: Rng, pixels: Array, at: tuple[float, float]) -> None:
    """A smart card's contacts."""
    height = pixels.shape[0]
    w, h = int(0.21 * height), int(0.17 * height)
    x, y = int(at[0] * pixels.shape[1]), int(at[1] * height)
    gold = (int(rng.integers(90, 190)), int(rng.integers(150, 215)), int(rng.integers(180, 235)))
    cv2.rectangle(pixels, (x, y), (x + w, y + h), gold, -1, cv2.LINE_AA)
    dark = tuple(int(0.6 * c) for c in gold)
    for part in (0.33, 0.66):
        cv2.line(pixels, (x, int(y + part * h)), (x + w, int(y + part * h)), dark, 1, cv2.LINE_AA)
        cv2.line(pixels, (int(x + part * w), y), (int(x + part * w), y + h), dark, 1, cv2.LINE_AA)


def emblems(rng: Rng, pixels: Array) -> None:
    """Discs, rings, flags and pale shapes of the ground."""
    height, width = pixels.shape[:2]
    for _ in range(int(rng.integers(0, 4))):
        x, y, r = int(rng.uniform(0, width)), int(rng.uniform(0, height)), int(height * rng.uniform(0.05, 0.3))
        layer = pixels.copy()
        if rng.random() < 0.6:
            cv2.circle(layer, (x, y), r, colour(rng), int(rng.choice([-1, 1, 3])), cv2.LINE_AA)
        else:
            cv2.rectangle(layer, (x, y), (x + 2 * r, y + r), colour(rng), -1)
        strength = rng.uniform(0.1, 0.9)
        cv2.addWeighted(layer, strength, pixels, 1 - strength, 0, pixels)


def portrait_on(rng: Rng, pixels: Array, face: Array, area: Area, pale: float) -> None:
    """Print a portrait into (left, top, right, bottom), its colours weakened; `pale` 0 as it is to 1 gone."""
    left, top, right, bottom = (int(v) for v in area)
    window = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if min(window.shape[:2]) < 4:
        return
    height, width = window.shape[:2]
    h, w = face.shape[:2]
    side = min(w / width, h / height)
    x, y = int((w - side * width) / 2), int((h - side * height) / 2)
    part = face[y : y + max(int(side * height), 1), x : x + max(int(side * width), 1)]
    printed = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.3:
        printed = np.repeat(printed.mean(axis=2, keepdims=True), 3, axis=2)
    printed = 128 + (printed - 128) * rng.uniform(0.6, 1.0) + rng.uniform(-10, 25)
    alpha = np.full((height, width, 1), 1 - pale, np.float32)
    if rng.random() < 0.3:  # no rectangle of its own: cut out, or fading into the ground
        oval = np.zeros((height, width), np.float32)
        axes = (int(0.47 * width), int(0.49 * height))
        cv2.ellipse(oval, (width // 2, height // 2), axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        alpha *= cv2.GaussianBlur(oval, (0, 0), max(0.03 * width, 0.5))[..., None]
    window[:] = np.clip(window * (1 - alpha) + printed * alpha, 0, 255).astype(np.uint8)


def ground(rng: Rng, width: int, height: int) -> Array:
    """What a document is printed on: pale tints, white, sometimes strong or dark colours."""
    pixels = gradient(rng, width, height)
    kind = rng.random()
    if kind < 0.65:
        pixels = (pixels // 4 + rng.integers(150, 192)).astype(np.uint8)
    elif kind < 0.8:
        pixels = (pixels // 16 + rng.integers(200, 240)).astype(np.uint8)
    if rng.random() < 0.5:
        guilloche(rng, pixels)
    emblems(rng, pixels)
    return pixels


def ink_on(rng: Rng, pixels: Array) -> tuple[int, int, int]:
    """A colour that reads on this ground."""
    return colour(rng, 0, 100) if pixels.mean() > 110 else colour(rng, 190, 256)


def identity_card(rng: Rng, face: Array) -> tuple[Array, Area | None]:
    """Front of an identity card, licence or permit, and where the portrait is on it, where there is one."""
    width = int(rng.integers(*WIDTHS))
    height = int(width / rng.choice([1.586, 1.586, 1.42, 1.35]))
    pixels = ground(rng, width, height)
    ink = ink_on(rng, pixels)
    tall = height * rng.uniform(0.35, 0.72)
    wide = tall * rng.uniform(0.7, 0.9)
    on_left = rng.random() < 0.75
    left = width * rng.uniform(0.03, 0.08)
    left = left if on_left else width - left - wide
    top = min(height * rng.uniform(0.14, 0.35), height - tall - 2)
    shown = rng.random() < PORTRAITS
    if rng.random() < 0.85:
        for row in range(int(rng.integers(1, 3))):
            size = height * rng.uniform(0.04, 0.085)
            at = (width * rng.uniform(0.05, 0.4), height * (0.02 + 0.08 * row))
            line(rng, pixels, at, size, words(rng, int(rng.integers(6, 26))), ink_on(rng, pixels))
    area = (left + wide + 0.03 * width, top, 0.97 * width, 0.95 * height)
    column(rng, pixels, area if on_left else (0.04 * width, top, left - 0.03 * width, 0.95 * height), ink)
    if rng.random() < 0.25:
        machine_readable(rng, pixels, int(rng.integers(2, 4)))
    if rng.random() < 0.3:
        chip(rng, pixels, (rng.uniform(0.05, 0.75), rng.uniform(0.15, 0.5)))
    if rng.random() < 0.2:
        codes(rng, pixels)
    if shown:
        portrait_on(rng, pixels, face, (left, top, left + wide, top + tall), 0.0)
        if rng.random() < 0.4:
            small = rng.uniform(0.3, 0.55)
            x, y = width * (rng.uniform(0.7, 0.85) if on_left else 0.05), height * rng.uniform(0.3, 0.6)
            portrait_on(rng, pixels, face, (x, y, x + small * wide, y + small * tall), rng.uniform(0.2, 0.7))
    if rng.random() < 0.3:  # a signature
        turns = np.cumsum(rng.normal(0, 1, (14, 2)), axis=0) * [0.05 * width, 0.04 * height]
        points = turns - turns.mean(0) + np.array([width * rng.uniform(0.3, 0.8), height * rng.uniform(0.7, 0.9)])
        cv2.polylines(pixels, [points.astype(np.int32)], False, (60, 30, 30), 1, cv2.LINE_AA)
    return pixels, (left, top, left + wide, top + tall) if shown else None


def back(rng: Rng, _: Array) -> tuple[Array, Area | None]:
    """Back of a card: print, machine-readable rows, bar codes, a fingerprint, a magnetic stripe; no portrait."""
    width = int(rng.integers(*WIDTHS))
    height = int(width / rng.choice([1.586, 1.586, 1.42]))
    pixels = ground(rng, width, height)
    ink = ink_on(rng, pixels)
    top = 0.04 * height
    if rng.random() < 0.25:
        top = 0.3 * height
        pixels[int(0.06 * height) : int(0.24 * height)] = rng.integers(10, 50)
    split = rng.uniform(0.3, 0.7) * width
    column(rng, pixels, (0.04 * width, top, split - 5, height * rng.uniform(0.4, 0.95)), ink)
    column(rng, pixels, (split, top, 0.97 * width, height * rng.uniform(0.4, 0.95)), ink)
    if rng.random() < 0.6:
        machine_readable(rng, pixels, int(rng.integers(2, 4)))
    if rng.random() < 0.4:
        codes(rng, pixels)
    if rng.random() < 0.2:
        x, y, r = int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.3, 0.7) * height), int(0.12 * height)
        for ring in range(2, r, 3):
            cv2.ellipse(pixels, (x, y), (ring, int(1.3 * ring)), 10, 0, 300, (70, 60, 60), 1, cv2.LINE_AA)
    return pixels, None


def bank_card(rng: Rng, face: Array) -> tuple[Array, Area | None]:
    """Bank, membership and loyalty cards: strong colours, a chip, a long number; rarely a portrait."""
    width = int(rng.integers(*WIDTHS))
    height = int(width / 1.586)
    pixels = gradient(rng, width, height)
    emblems(rng, pixels)
    ink = (235, 235, 235) if pixels.mean() < 140 else (25, 25, 25)
    if rng.random() < 0.8:
        chip(rng, pixels, (0.09, rng.uniform(0.3, 0.45)))
    if rng.random() < 0.85:
        text = " ".join("".join(rng.choice(DIGITS, 4)) for _ in range(4))
        size = 0.075 * width
        at = (int(0.08 * width), int(0.66 * height))
        cv2.putText(pixels, text, at, cv2.FONT_HERSHEY_DUPLEX, size / 26, ink, max(1, width // 220), cv2.LINE_AA)
    line(rng, pixels, (0.08 * width, 0.8 * height), 0.08 * height, words(rng, int(rng.integers(6, 20))), ink)
    line(rng, pixels, (0.55 * width, 0.06 * height), 0.13 * height, words(rng, int(rng.integers(3, 8))), ink)
    if rng.random() < 0.5:
        for shift in (0.8, 0.88):
            cv2.circle(
                pixels, (int(shift * width), int(0.82 * height)), int(0.1 * height), colour(rng), -1, cv2.LINE_AA
            )
    if rng.random() < 0.1:
        area = (0.72 * width, 0.25 * height, 0.94 * width, 0.7 * height)
        portrait_on(rng, pixels, face, area, 0.0)
        return pixels, area
    return pixels, None


def passport_page(rng: Rng, face: Array) -> tuple[Array, Area | None]:
    """The data page of a passport, at times with the page above it, and where the portrait is on it."""
    width = int(rng.integers(*WIDTHS))
    height = int(width / 1.42)
    pixels = ground(rng, width, height)
    ink = ink_on(rng, pixels)
    tall = height * rng.uniform(0.42, 0.56)
    left, top = width * rng.uniform(0.03, 0.07), height * rng.uniform(0.14, 0.24)
    column(rng, pixels, (left + 0.34 * width, 0.12 * height, 0.97 * width, 0.76 * height), ink)
    line(rng, pixels, (0.05 * width, 0.03 * height), 0.06 * height, words(rng, int(rng.integers(6, 26))), ink)
    machine_readable(rng, pixels, 2)
    portrait_on(rng, pixels, face, (left, top, left + 0.8 * tall, top + tall), 0.0)
    above = 0
    if rng.random() < 0.35:
        upper = ground(rng, width, height)
        column(rng, upper, (0.1 * width, 0.2 * height, 0.9 * width, height * rng.uniform(0.3, 0.9)), ink)
        shade = np.linspace(1, rng.uniform(0.5, 0.95), height // 4)[:, None, None]
        upper[-(height // 4) :] = upper[-(height // 4) :] * shade
        pixels, above = np.vstack([upper, pixels]), height
    return pixels, (left, above + top, left + 0.8 * tall, above + top + tall)


def sheet_with_copy(rng: Rng, face: Array) -> tuple[Array, Area | None]:
    """A card copied onto a sheet of paper, which is part of the document then."""
    card, area = (identity_card, passport_page, back)[rng.integers(3)](rng, face)
    width = card.shape[1]
    border = rng.uniform(0.05, 0.5, 4) * width
    left, top, right, bottom = border.astype(int).tolist()
    paper = int(rng.integers(225, 256))
    sheet = cv2.copyMakeBorder(card, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(paper,) * 3)
    if area is not None:
        area = (area[0] + left, area[1] + top, area[2] + left, area[3] + top)
    return sheet, area


def copied(rng: Rng, pixels: Array) -> Array:
    """As a copier or a black and white printer gives it."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = 255 / (1 + np.exp(-(grey - rng.uniform(90, 150)) / rng.uniform(18, 60)))
    grey += rng.normal(0, rng.uniform(0, 14), grey.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


KINDS: tuple[tuple[float, Callable[[Rng, Array], tuple[Array, Area | None]]], ...] = (
    (0.46, identity_card),
    (0.18, back),
    (0.12, bank_card),
    (0.16, passport_page),
    (0.08, sheet_with_copy),
)


def document(rng: Rng, face: Array) -> tuple[Array, bool]:
    """One drawn document, mostly with the portrait `face` (BGR uint8, head and shoulders), and whether it is a copy."""
    shares = np.array([share for share, _ in KINDS])
    pixels, _ = KINDS[rng.choice(len(KINDS), p=shares / shares.sum())][1](rng, face)
    if rng.random() < COPIED:
        return copied(rng, pixels), True
    return (halftone(rng, pixels) if rng.random() < 0.12 else pixels), False
