"""Synthetic photos of a printed identity card, made from a portrait with a fixed seed.

No public set of card-and-selfie pairs could be used here, so cards are made from portraits. The identity of the face is
known, and the loss that the card causes can be measured. The steps follow those of a real photo: small portrait ->
print (tone, halftone) -> security overlay (guilloche, hologram) -> glare -> card under perspective -> camera (defocus,
noise, white balance) -> JPEG. Sizes are those of ID-1 cards (ISO/IEC 7810: 85.60 x 53.98 mm) with a portrait of about
21 x 27 mm.

Synthetic cards lack the worst of real ones (wear, scratches, ten years between the photos); see docs/accuracy.md.

All functions take and return HxWx3 uint8 BGR arrays and do not change their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels

CARD_WIDTH, CARD_HEIGHT = 1012, 638
"""The card as printed: 85.60 x 53.98 mm at 300 dpi."""

PORTRAIT = (56, 190, 248, 320)
"""Left, top, width, height of the portrait on the card: 21 x 27 mm."""


@dataclass(frozen=True, slots=True)
class CardLook:
    """Strength of each step; pairs are ranges to draw from.

    Attributes:
        photo_width: width of the card in the final photo, pixels.
        saturation: share of the colour that the print keeps.
        black, white: darkest and lightest tone that the print reaches, 0 to 255.
        halftone: depth of the printing screen, from 0 (no screen) to 1 (dots only).
        halftone_cell: width of a cell of the screen, pixels of the card at 300 dpi.
        overlay: opacity of guilloche and hologram lines over the portrait.
        glare: strength of a soft reflection on the card, from 0 (no glare) to 1 (white).
        tilt: largest move of the corners, as a share of the card's width.
        turn: largest rotation in the plane of the photo, degrees.
        blur: standard deviation of the defocus, pixels of the final photo.
        noise: standard deviation of the sensor noise, grey levels.
        cast: largest white balance error per channel, as a share.
        jpeg: quality.
    """

    photo_width: tuple[float, float] = (420, 900)
    saturation: tuple[float, float] = (0.55, 0.95)
    black: tuple[float, float] = (15, 45)
    white: tuple[float, float] = (205, 240)
    halftone: tuple[float, float] = (0.1, 0.35)
    halftone_cell: tuple[float, float] = (2.5, 4.0)
    overlay: tuple[float, float] = (0.08, 0.25)
    glare: tuple[float, float] = (0.0, 0.6)
    tilt: tuple[float, float] = (0.0, 0.06)
    turn: float = 8.0
    blur: tuple[float, float] = (0.4, 1.3)
    noise: tuple[float, float] = (1.0, 5.0)
    cast: float = 0.08
    jpeg: tuple[int, int] = (60, 88)


def card_photo(portrait: Pixels, seed: int, look: CardLook | None = None) -> Pixels:
    """A phone photo of a card with `portrait` on it.

    Args:
        portrait: a photo of head and shoulders, cropped to the proportions of the printed portrait.
        seed: the same seed gives the same photo.
        look: strength of the steps.
    """
    look = look or CardLook()
    generator = np.random.default_rng(seed)
    printed = printed_portrait(portrait, generator, look)
    card = card_face(printed, generator, look)
    card = with_glare(card, generator, look)
    photo = photographed(card, generator, look)
    return camera(photo, generator, look)


def printed_portrait(portrait: Pixels, generator: np.random.Generator, look: CardLook) -> Pixels:
    """The portrait at its printed size, with tones, colours and halftone screen of a card printer."""
    _, _, width, height = PORTRAIT
    small = cv2.resize(_middle(portrait, width / height), (width, height), interpolation=cv2.INTER_AREA)
    pixels = small.astype(np.float32)
    grey = pixels @ np.array([0.114, 0.587, 0.299], np.float32)
    saturation = _draw(generator, look.saturation)
    pixels = grey[..., None] * (1 - saturation) + pixels * saturation
    black, white = _draw(generator, look.black), _draw(generator, look.white)
    pixels = black + pixels * ((white - black) / 255)
    return _halftone(pixels, generator, look)


def card_face(printed: Pixels, generator: np.random.Generator, look: CardLook) -> Pixels:
    """The front of the card: pastel ground, text, portrait, and security lines over all of it."""
    top, bottom = (generator.uniform(170, 245, 3) for _ in range(2))
    ramp = np.linspace(0, 1, CARD_HEIGHT)[:, None, None]
    ground = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (CARD_HEIGHT, CARD_WIDTH, 3))
    card = np.ascontiguousarray(ground).astype(np.uint8)
    left, upper, width, height = PORTRAIT
    card[upper : upper + height, left : left + width] = printed
    for row in range(8):
        y = 200 + row * 48
        text = "".join(generator.choice(list("ABCDEGHIKLMNOPQRSTUVXY 0123456789"), int(generator.integers(10, 26))))
        cv2.putText(card, text, (350, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40, 40, 60), 2, cv2.LINE_AA)
    cv2.putText(card, "SPECIMEN", (330, 90), cv2.FONT_HERSHEY_DUPLEX, 1.8, (60, 40, 150), 3, cv2.LINE_AA)
    lines = _security_lines(generator)
    opacity = _draw(generator, look.overlay) * lines[..., 3:]
    return _truncated(card * (1 - opacity) + lines[..., :3] * opacity)


def with_glare(card: Pixels, generator: np.random.Generator, look: CardLook) -> Pixels:
    """A soft elliptic reflection, screened over the card."""
    height, width = card.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre = generator.uniform(0, width), generator.uniform(0, height)
    radii = generator.uniform(0.12, 0.35) * width, generator.uniform(0.06, 0.2) * width
    spot = np.exp(-(((x - centre[0]) / radii[0]) ** 2) - ((y - centre[1]) / radii[1]) ** 2)
    light = (_draw(generator, look.glare) * spot)[..., None]
    return _truncated(255 - (255 - card.astype(np.float32)) * (1 - light))


def photographed(card: Pixels, generator: np.random.Generator, look: CardLook) -> Pixels:
    """The card scaled, rotated and in perspective on an uneven ground."""
    width = _draw(generator, look.photo_width)
    height = width * CARD_HEIGHT / CARD_WIDTH
    frame = int(width * 1.25), int(height * 1.45)
    ground = generator.uniform(30, 200, 3) + 12 * generator.normal(size=(12, 12, 3))
    photo = cv2.resize(ground.astype(np.float32), frame, interpolation=cv2.INTER_CUBIC)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - [width / 2, height / 2]
    angle = np.radians(generator.uniform(-look.turn, look.turn))
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = turned + generator.uniform(-1, 1, (4, 2)) * _draw(generator, look.tilt) * width
    target = (moved + np.array(frame) / 2).astype(np.float32)
    source = np.array([[0, 0], [CARD_WIDTH, 0], [CARD_WIDTH, CARD_HEIGHT], [0, CARD_HEIGHT]], np.float32)
    # A camera averages over its pixels; sampling a sharp card would alias the printing screen into false moire.
    shrink = CARD_WIDTH / width
    sharp = cv2.GaussianBlur(card, (0, 0), 0.5 * shrink) if shrink > 1 else card
    matrix = cv2.getPerspectiveTransform(source, target)
    seen = cv2.warpPerspective(sharp, matrix, frame, flags=cv2.INTER_LINEAR)
    full = np.full(card.shape[:2], 255, np.uint8)
    mask = cv2.warpPerspective(full, matrix, frame, flags=cv2.INTER_LINEAR)[..., None] / np.float32(255)
    return _truncated(photo * (1 - mask) + seen * mask)


def camera(photo: Pixels, generator: np.random.Generator, look: CardLook) -> Pixels:
    """The photo with defocus, white balance error, noise and JPEG compression of a phone."""
    blur = _draw(generator, look.blur)
    pixels = cv2.GaussianBlur(photo, (0, 0), blur).astype(np.float32) if blur > 0 else photo.astype(np.float32)
    pixels = pixels * generator.uniform(1 - look.cast, 1 + look.cast, 3).astype(np.float32)
    pixels = pixels + _draw(generator, look.noise) * generator.normal(size=pixels.shape).astype(np.float32)
    quality = int(generator.integers(look.jpeg[0], look.jpeg[1] + 1))
    ok, data = cv2.imencode(".jpg", _truncated(pixels), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if ok else None
    return _truncated(pixels) if decoded is None else _truncated(decoded)


def _halftone(pixels: NDArray[np.float32], generator: np.random.Generator, look: CardLook) -> Pixels:
    """Mix with a clustered-dot screen, one angle per channel."""
    depth, cell = _draw(generator, look.halftone), _draw(generator, look.halftone_cell)
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    result = pixels.copy()
    for channel, degrees in enumerate((15, 75, 45)):
        angle = np.radians(degrees)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        screen = 127.5 + 63.75 * (np.cos(2 * np.pi * u / cell) + np.cos(2 * np.pi * v / cell))
        # A soft threshold: ink spreads.
        dots = 255 / (1 + np.exp(-(pixels[..., channel] - screen) / 24))
        result[..., channel] = (1 - depth) * pixels[..., channel] + depth * dots
    return _truncated(result)


def _security_lines(generator: np.random.Generator) -> NDArray[np.float32]:
    """Guilloche waves and bright hologram bands over the card: HxWx4 float32, BGR 0 to 255 and opacity 0 to 1."""
    layer = np.zeros((CARD_HEIGHT, CARD_WIDTH, 4), np.float32)
    x = np.arange(0, CARD_WIDTH, 4, dtype=np.float32)
    for _ in range(3):
        colour = (*generator.uniform(60, 230, 3), 1.0)
        amplitude, period, phase = generator.uniform(15, 50), generator.uniform(90, 320), generator.uniform(0, 6.3)
        for shift in range(0, CARD_HEIGHT + 100, 16):
            y = shift - 50 + amplitude * np.sin(2 * np.pi * x / period + phase + 0.02 * shift)
            points = np.stack([x, y], axis=1).round().astype(np.int32)
            cv2.polylines(layer, [points], False, colour, 1, cv2.LINE_AA)
    rainbow = cv2.cvtColor(
        np.stack(
            [
                np.tile(np.linspace(0, 179, CARD_WIDTH), (CARD_HEIGHT, 1)),
                np.full((CARD_HEIGHT, CARD_WIDTH), 120),
                np.full((CARD_HEIGHT, CARD_WIDTH), 255),
            ],
            axis=2,
        ).astype(np.uint8),
        cv2.COLOR_HSV2BGR,
    )
    across = np.arange(CARD_WIDTH)[None, :] + np.arange(CARD_HEIGHT)[:, None] * generator.uniform(-0.7, 0.7)
    bands = (0.5 + 0.5 * np.sin(2 * np.pi * across / generator.uniform(60, 200))) ** 4
    hologram = bands[..., None] * 0.6
    layer[..., :3] = layer[..., :3] * (1 - hologram) + rainbow * hologram
    layer[..., 3:] = np.maximum(layer[..., 3:], hologram)
    return layer


def _middle(portrait: Pixels, proportion: float) -> Pixels:
    """The largest middle part with `proportion` of width to height."""
    height, width = portrait.shape[:2]
    wanted_width, wanted_height = min(width, round(height * proportion)), min(height, round(width / proportion))
    left, top = (width - wanted_width) // 2, (height - wanted_height) // 2
    return portrait[top : top + wanted_height, left : left + wanted_width]


def _draw(generator: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(generator.uniform(*limits))


def _truncated(pixels: NDArray[np.generic]) -> Pixels:
    """Values clipped to 0 to 255 and truncated (not rounded) to uint8, which keeps published figures reproducible."""
    clipped: Pixels = np.clip(pixels.astype(np.float32), 0, 255).astype(np.uint8)
    return clipped
