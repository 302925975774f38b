"""Composed views of a person, and of a display or a print that someone holds up: what shows at the photo's scale.

The whole square of `networks.recapture.recapture_crop` is composed at once, small, since only outlines, hands, glare
and tone are left of it at 80 pixels. Views of persons get the same hands, glare and pictures on the wall, and what apps
put around photos, so that none of these alone separates the classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from scripts.training.common.degrade import degrade
from scripts.training.common.image import Array, Rng

SIDE = 192  # pixels of a composed view
WIDEST = 2.7  # of the view, in longer sides of the face box


@dataclass(frozen=True)
class Portrait:
    """A photo and its face.

    Attributes:
        image: HxWx3 uint8 BGR.
        box: (4,) float32, left, top, right, bottom.
    """

    image: Array
    box: Array

    @property
    def side(self) -> float:
        """Longer side of the face box in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def centre(self) -> Array:
        """Centre (x, y) of the face box."""
        middle: Array = (self.box[:2] + self.box[2:]) / 2
        return middle


def person(portrait: Portrait, others: list[Array], rng: Rng) -> Array:
    """A view of the person: SIDE x SIDE x 3 uint8 BGR."""
    face, place = _framing(rng)
    view = _placed(portrait, face, place)
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 3)):
            view = _picture_on_wall(view, others[rng.integers(len(others))], face, place, rng)
    if rng.random() < 0.15:
        view = _fingers(view, _skin(portrait), place + face * rng.uniform(-1, 1, 2), face, rng)
    if rng.random() < 0.15:
        view = _glare(view, place, face, rng)
    if rng.random() < 0.12:
        view = _bars(view, others[rng.integers(len(others))], face, place, rng)
    return degrade(rng, view) if rng.random() < 0.7 else view


def held_up(portrait: Portrait, others: list[Array], rng: Rng, display: bool) -> Array:
    """A display or a print with the person on it, before some room: SIDE x SIDE x 3 uint8 BGR."""
    face, place = _framing(rng)
    scale = face / portrait.side
    size = np.array(portrait.image.shape[1::-1]) * scale
    start = place - portrait.centre * scale
    low = np.maximum(place - face * rng.uniform(0.55, 1.7, 2), start)
    high = np.minimum(place + face * rng.uniform(0.6, 1.9, 2), start + size)
    thick = face * rng.uniform(0.03, 0.25) if display else face * rng.choice([0.0, rng.uniform(0.0, 0.2)])
    edges = np.array([thick, thick * rng.choice([1, 1, 2.5])])
    turn = _turned(place, face, rng)
    shown = _toned(_placed(portrait, face, place), display, rng)
    sheet, around = shown.copy(), np.zeros((SIDE, SIDE), np.uint8)
    rim = (
        float(rng.uniform(2, 50) if rng.random() < 0.8 else rng.uniform(190, 250)) if display else rng.uniform(170, 250)
    )
    inside = np.zeros((SIDE, SIDE), np.uint8)
    _box(inside, low, high, 0)
    sheet[inside == 0] = np.clip(rim + rng.normal(0, 4, 3), 0, 255).astype(np.uint8)
    _box(around, low - edges, high + edges, face * rng.uniform(0.03, 0.15) if display else 0)
    sheet = cv2.warpPerspective(sheet, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    around = cv2.warpPerspective(around, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    if (around > 0).mean() > 0.96:  # nothing of the rim is in view
        return held_up(portrait, others, rng, display)
    room = _room(others[rng.integers(len(others))], rng)
    shadow = cv2.GaussianBlur(around, (0, 0), float(rng.uniform(2, 8))).astype(np.float32) / 255
    room = room * (1 - np.float32(rng.uniform(0, 0.5)) * shadow)[..., None]
    alpha = (around.astype(np.float32) / 255)[..., None]
    view = np.clip(sheet * alpha + room * (1 - alpha), 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        for _ in range(rng.integers(1, 3)):
            corner = np.array([rng.choice([low[0] - edges[0], high[0] + edges[0]]), rng.uniform(low[1], high[1])])
            view = _fingers(view, _skin(portrait), corner if rng.random() < 0.7 else corner[::-1], face, rng)
    if rng.random() < 0.5:
        view = _glare(view, place, face, rng)
    return degrade(rng, view) if rng.random() < 0.7 else view


def _framing(rng: Rng) -> tuple[float, Array]:
    """Longer side of the face and its centre in the view: crops at the border of a photo are moved and smaller."""
    face = SIDE / WIDEST if rng.random() < 0.5 else SIDE / rng.uniform(1.3, WIDEST)
    room = SIDE / 2 - face * 0.5
    shift = rng.normal(0, 0.05, 2) * SIDE if rng.random() < 0.6 else rng.uniform(-1, 1, 2) * room
    return float(face), np.clip(SIDE / 2 + shift, face * 0.45, SIDE - face * 0.45)


def _placed(portrait: Portrait, face: float, place: Array) -> Array:
    """The portrait with its face at a place (x, y), with a longer side of `face` pixels."""
    scale = face / portrait.side
    image, centre = portrait.image, portrait.centre
    if scale < 0.5:
        image, centre = (
            cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA),
            centre * 2 * scale,
        )
        scale = 0.5
    matrix = np.array([[scale, 0, place[0] - scale * centre[0]], [0, scale, place[1] - scale * centre[1]]])
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)


def _turned(place: Array, face: float, rng: Rng) -> Array:
    """A small turn and tilt of the plane around the face."""
    square = place + face * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    angle = np.deg2rad(rng.normal(0, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = (square - place) @ turn.T + place + rng.normal(0, 0.05, (4, 2)) * face
    return cv2.getPerspectiveTransform(square.astype(np.float32), there.astype(np.float32))


def _box(mask: Array, low: Array, high: Array, radius: float) -> None:
    """Fill a rectangle with round corners."""
    r = int(min(radius, *(np.maximum(high - low, 2) / 2)))
    x0, y0, x1, y1 = (round(float(v)) for v in (*low, *high))
    cv2.rectangle(mask, (x0 + r, y0), (x1 - r, y1), 255, -1)
    cv2.rectangle(mask, (x0, y0 + r), (x1, y1 - r), 255, -1)
    for x, y in ((x0 + r, y0 + r), (x1 - r, y0 + r), (x0 + r, y1 - r), (x1 - r, y1 - r)):
        cv2.circle(mask, (x, y), r, 255, -1)


def _toned(view: Array, display: bool, rng: Rng) -> Array:
    """Light and colours of a display or a print."""
    grey = view.mean(2, keepdims=True)
    keep = rng.uniform(0.6, 1.2) if display else rng.uniform(0.3, 1.0)
    x = grey + (view - grey) * np.float32(keep)
    lift = rng.uniform(0, 30 if display else 45)
    x = 255 * np.clip(x / 255, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.2)))
    x = lift + x * np.float32((rng.uniform(0.7, 1.25) if display else rng.uniform(0.6, 0.95)) * (1 - lift / 255))
    cast = np.exp(rng.normal(0.04 if display else 0, 0.08, 3) * np.array([1, 0.5, -1])).astype(np.float32)
    return np.clip(x * cast, 0, 255).astype(np.uint8)


def _room(picture: Array, rng: Rng) -> Array:
    """A part of a photo behind, at times dark or out of focus: SIDE x SIDE x 3 float32."""
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.uniform(0.4, 1.0))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    part = cv2.resize(picture[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        part = cv2.GaussianBlur(part, (0, 0), float(rng.uniform(1, 5)))
    return part.astype(np.float32) * np.float32(rng.uniform(0.35, 1.05))


def _skin(portrait: Portrait) -> Array:
    """Mean colour of the middle of the face."""
    x, y = (int(v) for v in portrait.centre)
    reach = max(int(portrait.side / 8), 1)
    part = portrait.image[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    return part.reshape(-1, 3).mean(0) if part.size else np.full(3, 150.0)


def _fingers(view: Array, skin: Array, at: Array, face: float, rng: Rng) -> Array:
    """One to four fingers side by side, light on one side."""
    angle = rng.uniform(0, 180)
    thick, long = face * rng.uniform(0.07, 0.16), face * rng.uniform(0.2, 0.6)
    across = np.array([-np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    tone = skin * rng.uniform(0.6, 1.3)
    out = view.copy()
    for number in range(int(rng.integers(1, 5))):
        middle = at + across * thick * 1.8 * number + rng.normal(0, thick / 3, 2)
        for part, bright in ((1.0, 0.75), (0.8, 1.0), (0.45, 1.12)):
            size = (max(int(long * (0.7 + 0.3 * part)), 1), max(int(thick * part), 1))
            colour = tuple(float(v) for v in np.clip(tone * bright, 0, 255))
            cv2.ellipse(out, (int(middle[0]), int(middle[1])), size, angle, 0, 360, colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(out, (3, 3), 0.7) if rng.random() < 0.5 else out


def _glare(view: Array, place: Array, face: float, rng: Rng) -> Array:
    mask = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        at = place + face * rng.uniform(-1.2, 1.2, 2)
        size = tuple(max(int(v), 1) for v in face * rng.uniform(0.02, 0.35, 2))
        if rng.random() < 0.5:
            cv2.ellipse(mask, (int(at[0]), int(at[1])), size, rng.uniform(0, 180), 0, 360, 1.0, -1)
        else:
            cv2.rectangle(mask, (int(at[0]), int(at[1])), (int(at[0]) + size[0], int(at[1]) + size[1]), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 8))) * np.float32(rng.uniform(0.2, 1.0))
    return np.clip(view * (1 - mask[..., None]) + 250 * mask[..., None], 0, 255).astype(np.uint8)


def _picture_on_wall(view: Array, picture: Array, face: float, place: Array, rng: Rng) -> Array:
    """A framed picture, a window or a screen that does not cover the face."""
    size = face * rng.uniform(0.4, 1.4, 2)
    at = rng.uniform(-0.3 * size, SIDE - 0.7 * size)
    if (np.abs(at + size / 2 - place) < (size + face) / 2).all():
        return view
    mask, frame = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    _box(mask, at, at + size, 0)
    _box(frame, at - face * rng.uniform(0, 0.1), at + size + face * rng.uniform(0, 0.1), 0)
    out = view.copy()
    out[frame > 0] = rng.uniform(0, 255, 3)
    inside = _room(picture, rng)
    out[mask > 0] = np.clip(inside[mask > 0], 0, 255).astype(np.uint8)
    return out


def _bars(view: Array, picture: Array, face: float, place: Array, rng: Rng) -> Array:
    """Even bars or another photo beside this one, as apps and collages have them: straight, sharp, along the axes."""
    upright = rng.random() < 0.5
    out = np.array(view if upright else view.transpose(1, 0, 2))
    at = place[0] if upright else place[1]
    filling = _room(picture, rng).astype(np.uint8)
    fill: Array = filling if rng.random() < 0.4 else np.full_like(out, rng.choice([0, 128, 255]))
    first, last = int(max(at - face * rng.uniform(0.6, 1.2), 0)), int(min(at + face * rng.uniform(0.6, 1.2), SIDE))
    if rng.random() < 0.7:
        out[:, :first] = fill[:, :first]
    if rng.random() < 0.7:
        out[:, last:] = fill[:, last:]
    return out if upright else np.ascontiguousarray(out.transpose(1, 0, 2))
