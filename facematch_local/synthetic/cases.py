"""Made cases, for what labelled photos cannot be had of: cards on tables, copies, swaps, recaptures.

Every function is pure: arrays and a seeded `numpy.random.Generator` in, an array out; all arrays are HxWx3
uint8 BGR. Figures on made cases are always reported apart from those on real photos: they say that a measure
answers to what it is meant to, not how often it errs in the field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.imaging.photo import Pixels

if TYPE_CHECKING:
    from PIL import ImageFont

ID1: Final = 85.6 / 53.98
ID3: Final = 125.0 / 88.0

Swap = Literal["paste", "blended", "recompressed"]
_NAMES: Final = ("NGUYEN", "VAN", "THI", "MINH", "HOA", "TRAN", "ANH", "SPECIMEN", "ERIKA", "LE", "QUANG", "MAI")
_LABELS: Final = ("Surname", "Given names", "Date of birth", "Nationality", "Sex", "Place of origin", "No.", "Expiry")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Card(BriefRepr):
    """A flat card: its picture and where the portrait lies in it (left, top, right, bottom in pixels)."""

    pixels: Pixels
    portrait: tuple[int, int, int, int]


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Compressed and decompressed once."""
    import cv2

    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _u8(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def draw_card(
    portrait: Pixels | None,
    rng: np.random.Generator,
    width: int = 1000,
    passport: bool = False,
    engraved: bool = False,
) -> Card:
    """An invented card around a portrait: tinted ground with fine lines, emblem, text, a passport's two last lines.

    Args:
        portrait: head and shoulders, any size; None leaves its place empty.
        rng: decides colours, layout and text.
        width: of the card in pixels.
        passport: ID-3 proportions and a machine-readable zone instead of ID-1.
        engraved: a grey portrait, as lasers burn into polycarbonate.
    """
    import cv2

    height = round(width / (ID3 if passport else ID1))
    ground = _ground(height, width, rng)
    box_height = round(height * rng.uniform(0.46, 0.54 if passport else 0.66))
    box_width = round(box_height * rng.uniform(0.74, 0.84))
    left = round(width * rng.uniform(0.035, 0.07))
    if rng.random() < 0.25:
        left = width - left - box_width
    top = round(height * rng.uniform(0.2, 0.27))
    if portrait is not None:
        # A printed portrait has less contrast and colour than the photo it was made from.
        soft = _fitted(portrait, box_width, box_height).astype(np.float32)
        grey = soft.mean(axis=2, keepdims=True)
        soft = grey + (soft - grey) * (0.0 if engraved else rng.uniform(0.55, 1.0))
        soft = 128 + (soft - 128) * rng.uniform(0.75, 0.95) + rng.uniform(0, 12)
        ground[top : top + box_height, left : left + box_width] = _u8(soft)
    _write(ground, (left, top, box_width, box_height), rng, passport)
    ground = _u8(cv2.GaussianBlur(ground, (0, 0), 0.6).astype(np.float32) + rng.normal(0, 1.5, (height, width, 1)))
    return Card(ground, (left, top, left + box_width, top + box_height))


def photocopy(card: Pixels, rng: np.random.Generator) -> Pixels:
    """A grey copy: steep tone curve, toner grain, a slight loss of sharpness."""
    import cv2

    grey = cv2.cvtColor(card, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.5, 1.2)).astype(np.float32)
    grey = 255 / (1 + np.exp(-(grey - rng.uniform(105, 135)) / rng.uniform(22, 45)))
    grey = grey + rng.normal(0, rng.uniform(4, 14), grey.shape)
    return _u8(np.repeat(np.clip(grey, rng.uniform(10, 40), 250)[..., None], 3, axis=2))


def on_background(
    card: Pixels, background: Pixels, rng: np.random.Generator, share: float = 0.6, tilt: float = 0.12
) -> tuple[Pixels, NDArray[np.float32]]:
    """A card lying on, or held before, what `background` shows; with its corners (4, 2), clockwise from its top left.

    Args:
        card: the flat card.
        background: what lies around it.
        rng: decides place, turn and perspective.
        share: width of the card over width of the photo.
        tilt: how far perspective moves the corners, in card widths.
    """
    import cv2

    height, width = background.shape[:2]
    size = share * width
    scale = min(size / card.shape[1], 0.92 * height / card.shape[0])
    w, h = card.shape[1] * scale, card.shape[0] * scale
    corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)], np.float64) / 2
    corners += rng.uniform(-tilt, tilt, (4, 2)) * w / 2
    angle = np.deg2rad(rng.normal(0, 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T
    spare = np.maximum((width, height) - np.ptp(corners, axis=0), 0)
    corners += (width, height) - corners.max(axis=0) - spare * rng.uniform(0.1, 0.9, 2)
    corners = corners.astype(np.float32)
    shape = _rounded(card.shape[0], card.shape[1], 0.035)
    # Shrinking by a warp alone would alias; bring the card near its size in the photo first.
    small = cv2.resize(card, (max(round(w), 8), max(round(h), 8)), interpolation=cv2.INTER_AREA)
    shape = np.asarray(cv2.resize(shape, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
    edge = np.array([(0, 0), (small.shape[1], 0), (small.shape[1], small.shape[0]), (0, small.shape[0])], np.float32)
    matrix = cv2.getPerspectiveTransform(edge - 0.5, corners)
    warped = cv2.warpPerspective(small, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = cv2.warpPerspective(shape, matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    shadow = cv2.GaussianBlur(np.roll(alpha[..., 0], (3, 4), (0, 1)), (0, 0), max(width / 120, 1))[..., None]
    ground = background.astype(np.float32) * (1 - 0.45 * shadow)
    return _u8(ground * (1 - alpha) + warped * alpha), corners


def lit(
    photo: Pixels, rng: np.random.Generator, dim: float = 1.0, cast: tuple[float, float, float] = (1, 1, 1)
) -> Pixels:
    """Under uneven light: a gradient, a cast (factors for B, G, R), dimmer, with sensor noise."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(direction) * (x / width - 0.5) + np.sin(direction) * (y / height - 0.5)
    light = dim * (1 + rng.uniform(0.1, 0.5) * ramp)[..., None] * np.array(cast, np.float32)
    linear = (photo.astype(np.float32) / 255) ** 2.2 * light
    encoded = 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
    return _u8(encoded + rng.normal(0, rng.uniform(1, 3), photo.shape))


def swap_portrait(card: Card, portrait: Pixels, rng: np.random.Generator, kind: Swap) -> Pixels:
    """Another person's portrait in the place of the card's own.

    `paste`: straight in; `blended`: with a soft seam and fitted brightness and colours; `recompressed`:
    pasted from a low-quality JPEG onto another grid.
    """
    import cv2

    left, top, right, bottom = card.portrait
    new = _fitted(portrait, right - left, bottom - top)
    if kind == "recompressed":
        new = jpeg(new, int(rng.integers(40, 65)))
    out = card.pixels.copy()
    if kind != "blended":
        out[top:bottom, left:right] = new
        return out
    old = card.pixels[top:bottom, left:right].astype(np.float32)
    fitted = new.astype(np.float32)
    fitted = (fitted - fitted.mean((0, 1))) / (fitted.std((0, 1)) + 1) * (old.std((0, 1)) + 1) + old.mean((0, 1))
    seam = max((right - left) // 16, 3)
    alpha = np.zeros(old.shape[:2], np.float32)
    alpha[seam:-seam, seam:-seam] = 1
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), seam / 2), np.float32)[..., None]
    out[top:bottom, left:right] = _u8(old * (1 - alpha) + fitted * alpha)
    return out


def edit_text(card: Card, rng: np.random.Generator) -> Pixels:
    """One line of the card's text wiped with the ground beside it and written anew."""
    out = card.pixels.copy()
    height, width = out.shape[:2]
    left, top, right, bottom = card.portrait
    free_left, free_right = (right, width) if width - right > left else (0, left)
    x = int(free_left + 0.1 * (free_right - free_left))
    y = int(rng.uniform(top, bottom - 0.12 * height))
    w, h = int(0.6 * (free_right - free_left)), max(int(0.055 * height), 8)
    patch = out[y : y + h, x : x + w]
    patch[:] = np.median(patch.reshape(-1, 3), axis=0).astype(np.uint8)
    _put(out, (x, y), " ".join(rng.choice(_NAMES, 2)), int(0.9 * h), (25, 20, 20))
    return out


def screen_recapture(photo: Pixels, rng: np.random.Generator, bezel: bool = True) -> Pixels:
    """The photo shown on a screen and photographed: sub-pixels, moire, gamma, glare, bezel, second lens, JPEG."""
    import cv2

    height, width = photo.shape[:2]
    # The panel has its own resolution; each of its pixels is three coloured stripes with black between.
    cells = int(rng.integers(300, 560))
    shown = cv2.resize(photo, (cells, max(round(cells * height / width), 2)), interpolation=cv2.INTER_AREA)
    factor = 3
    panel = np.kron(shown.astype(np.float32) / 255, np.ones((factor, factor, 1), np.float32)) ** 2.2
    stripes = np.zeros((factor, factor, 3), np.float32)
    for channel, column in ((2, 0), (1, 1), (0, 2)):
        stripes[: factor - 1, column, channel] = 1
    gain = (1 / stripes.mean(axis=(0, 1))).astype(np.float32)
    lattice = np.tile(stripes * gain, (shown.shape[0], shown.shape[1], 1))
    panel = panel * (1 + rng.uniform(0.5, 0.9) * (lattice - 1))
    if bezel:
        edge = round(0.04 * panel.shape[1])
        panel = np.pad(panel, ((edge, edge), (edge, edge), (0, 0)), constant_values=0.004)
        rim = round(edge * rng.uniform(0.5, 2.0))
        panel = np.pad(panel, ((rim, rim), (rim, rim), (0, 0)), constant_values=float(rng.uniform(0.05, 0.5)))
    return _second_camera(
        panel.astype(np.float32, copy=False),
        photo.shape[:2],
        rng,
        glare=rng.uniform(0.0, 0.25),
        lift=rng.uniform(0.0, 0.03),
    )


def print_recapture(photo: Pixels, rng: np.random.Generator, edge: bool = True) -> Pixels:
    """The photo printed and photographed: halftone screens at their angles, ink gamut, paper edge, second camera."""
    import cv2

    height, width = photo.shape[:2]
    side = 1200
    scale = side / max(height, width)
    large = cv2.resize(photo, (max(round(width * scale), 2), max(round(height * scale), 2)))
    inks = 1 - large.astype(np.float32) / 255
    y, x = np.mgrid[0 : inks.shape[0], 0 : inks.shape[1]].astype(np.float32)
    pitch = rng.uniform(4.5, 7.0)
    dots = np.empty_like(inks)
    for channel, degrees in enumerate((0, 75, 15)):
        angle = np.deg2rad(degrees + rng.uniform(-3, 3))
        u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch))
        dots[..., channel] = 1 / (1 + np.exp(-(inks[..., channel] - screen) * 12))
    strength = rng.uniform(0.5, 1.0)
    covered = inks * (1 - strength) + dots * strength
    paper = np.array([0.93, 0.95, 0.96], np.float32) * rng.uniform(0.85, 1.0)
    printed = paper * (1 - covered * rng.uniform(0.82, 0.93))
    if edge:
        white = round(0.03 * side * rng.uniform(0.5, 2))
        printed = np.concatenate([np.broadcast_to(paper, (white, printed.shape[1], 3)), printed], axis=0)
        printed = np.concatenate([np.broadcast_to(paper, (printed.shape[0], white, 3)), printed], axis=1)
        rim = round(0.05 * side)
        desk = np.array([0.2, 0.3, 0.4], np.float32) * rng.uniform(0.3, 1.5)
        printed = np.pad(printed, ((rim, rim), (rim, rim), (0, 0)))
        mask = np.ones(printed.shape[:2], bool)
        mask[rim:-rim, rim:-rim] = False
        printed[mask] = desk
    return _second_camera(printed.astype(np.float32) ** 2.2, photo.shape[:2], rng, glare=0.0, lift=0.01)


def motion_blur(photo: Pixels, length: int, rng: np.random.Generator) -> Pixels:
    """Moved along a random direction by `length` pixels during the exposure."""
    import cv2

    size = max(length | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    turn = cv2.getRotationMatrix2D((size // 2, size // 2), float(rng.uniform(0, 180)), 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size)).astype(np.float32)
    return _u8(cv2.filter2D(photo, -1, kernel / kernel.sum()))


def gaussian_blur(photo: Pixels, sigma: float) -> Pixels:
    """Out of focus, as a Gaussian of `sigma` pixels."""
    import cv2

    return _u8(cv2.GaussianBlur(photo, (0, 0), sigma))


def scaled(photo: Pixels, factor: float) -> Pixels:
    """Smaller by `factor`, area-averaged."""
    import cv2

    height, width = photo.shape[:2]
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return _u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))


def fitted_to(photo: Pixels, longest: int) -> Pixels:
    """Resized, in whichever direction, to `longest` pixels on its longer side."""
    import cv2

    factor = longest / max(photo.shape[:2])
    if factor < 1:
        return scaled(photo, factor)
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    return _u8(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC))


def cut(photo: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """Without a strip of `share` of one side, chosen at random."""
    height, width = photo.shape[:2]
    side = int(rng.integers(4))
    x, y = round(share * width), round(share * height)
    left, top = (x if side == 0 else 0), (y if side == 1 else 0)
    right, bottom = width - (x if side == 2 else 0), height - (y if side == 3 else 0)
    return np.ascontiguousarray(photo[top:bottom, left:right])


def side_by_side(photo: Pixels, other: Pixels, factor: float) -> Pixels:
    """A second portrait right of the first, at `factor` of its height."""
    height, width = photo.shape[:2]
    second = fitted_to(other, round(max(height, width) * factor))
    canvas = np.full((max(height, second.shape[0]), width + second.shape[1], 3), 127, np.uint8)
    canvas[:height, :width] = photo
    canvas[: second.shape[0], width:] = second
    return canvas


def with_poster(photo: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """A wall right of the portrait, on it a framed picture of somebody else, a third to half as high."""
    import cv2

    height = photo.shape[0]
    picture = fitted_to(other, round(height * rng.uniform(0.33, 0.48)))
    edge = max(round(0.02 * height), 1)
    framed = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(30.0, 50.0, 70.0))
    wall = np.full((height, framed.shape[1] + 2 * edge, 3), rng.integers(90, 230, 3), np.uint8)
    wall[edge : edge + framed.shape[0], edge : edge + framed.shape[1]] = framed
    return np.concatenate([photo, wall], axis=1)


def on_shirt(photo: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Plain cloth below the portrait, somebody else's picture printed on it in one colour, a third to half as wide."""
    width = photo.shape[1]
    picture = fitted_to(other, round(width * rng.uniform(0.33, 0.48)))
    share = picture.mean(axis=2, keepdims=True) / 255
    cloth, ink = rng.uniform(150, 255, 3), rng.uniform(0, 80, 3)
    shirt = np.empty((round(1.2 * picture.shape[0]), width, 3))
    shirt[:] = cloth
    top, left = round(0.1 * picture.shape[0]), (width - picture.shape[1]) // 2
    shirt[top : top + picture.shape[0], left : left + picture.shape[1]] = cloth * share + ink * (1 - share)
    return np.concatenate([photo, _u8(shirt)])


def with_second_portrait(
    card: Card, portrait: Pixels, rng: np.random.Generator, size: tuple[float, float], opacity: tuple[float, float]
) -> Card:
    """A second, smaller portrait across the card from the first: its ghost, if it is of the same person.

    Args:
        card: a drawn card.
        portrait: whose second portrait it is.
        rng: chooses within the following ranges.
        size: of the second portrait, in shares of the first one's width.
        opacity: how much it covers, 0 to 1.
    """
    left, top, right, bottom = card.portrait
    share = rng.uniform(*size)
    width, height = round((right - left) * share), round((bottom - top) * share)
    x = card.pixels.shape[1] - (left + right) // 2 - width // 2
    y = bottom - height
    pixels = card.pixels.copy()
    place = pixels[y : y + height, x : x + width]
    alpha = rng.uniform(*opacity)
    place[:] = _u8((1 - alpha) * place.astype(np.float32) + alpha * _fitted(portrait, width, height))
    return Card(pixels, card.portrait)


def _second_camera(
    scene: NDArray[np.float32], shape: tuple[int, int], rng: np.random.Generator, glare: float, lift: float
) -> Pixels:
    """Photograph a flat scene (linear light) slightly from the side, back at the size of the original."""
    import cv2

    height, width = shape
    h, w = scene.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    target += rng.uniform(-0.025, 0.025, (4, 2)).astype(np.float32) * width
    # The lens passes about what the sensor resolves, no more; some of the grid survives as moire.
    blur = max(0.36 * w / width, 0.3)
    soft = cv2.GaussianBlur(scene, (0, 0), float(blur * rng.uniform(0.7, 1.2)))
    matrix = cv2.getPerspectiveTransform(source, target)
    seen = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0.02, 0.02, 0.02))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (0.25 * width) ** 2))[..., None]
    tint = 1 + rng.uniform(-0.08, 0.08, 3)
    encoded = 255 * np.clip(seen * tint * rng.uniform(0.8, 1.1) + lift + glare * spot, 0, 1) ** (1 / 2.2)
    return jpeg(_u8(encoded + rng.normal(0, 1.5, encoded.shape)), int(rng.integers(75, 94)))


def _ground(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Two pale tints running into each other, with guilloche lines."""
    import cv2

    def hue(saturation: int) -> NDArray[np.float64]:
        colour = np.array([[[rng.integers(0, 180), saturation, rng.integers(205, 250)]]], np.uint8)
        return np.asarray(cv2.cvtColor(colour, cv2.COLOR_HSV2BGR)[0, 0], np.float64)

    first, second = hue(int(rng.integers(18, 80))), hue(int(rng.integers(18, 80)))
    y, x = np.mgrid[0:height, 0:width] / width
    mix = 0.5 + 0.5 * np.sin(rng.uniform(1, 4) * (x * rng.uniform(0.5, 1) + y) + rng.uniform(0, 6))
    ground = first * mix[..., None] + second * (1 - mix[..., None])
    line_colour = hue(int(rng.integers(60, 150))) * 0.8
    frequency = rng.uniform(60, 110)
    wave = np.sin(2 * np.pi * (frequency * y + rng.uniform(1, 4) * np.sin(2 * np.pi * rng.uniform(1, 3) * x)))
    lines = (np.clip(wave, 0.7, 1) - 0.7) / 0.3 * rng.uniform(0.25, 0.6)
    return _u8(ground * (1 - lines[..., None]) + line_colour * lines[..., None])


def _write(card: Pixels, photo: tuple[int, int, int, int], rng: np.random.Generator, passport: bool) -> None:
    """Title, emblem, labelled lines beside the portrait, sometimes a machine-readable zone."""
    import cv2

    height, width = card.shape[:2]
    left, top, box_width, _ = photo
    ink = tuple(int(v) for v in rng.integers(10, 60, 3))
    strong = tuple(int(v) for v in rng.integers(0, 200, 3))
    radius = round(0.07 * height)
    cv2.circle(card, (round(0.09 * width), round(0.11 * height)), radius, strong, -1, cv2.LINE_AA)
    _put(card, (round(0.28 * width), round(0.05 * height)), "REPUBLIC OF UTOPIA", round(0.055 * height), strong)
    _put(card, (round(0.33 * width), round(0.125 * height)), "IDENTITY CARD", round(0.06 * height), strong)
    x = left + box_width + round(0.03 * width) if left < width / 2 else round(0.05 * width)
    size = round(height * rng.uniform(0.04, 0.052))
    y = top
    bottom = height * (0.78 if passport else 0.93)
    while y + 2.3 * size < bottom:
        _put(card, (x, y), str(rng.choice(_LABELS)), round(0.62 * size), ink)
        words = " ".join(rng.choice(_NAMES, int(rng.integers(1, 4))))
        _put(card, (x, y + round(0.75 * size)), words if rng.random() < 0.6 else _digits(rng), size, ink)
        y += round(2.2 * size)
    if passport:
        for row in range(2):
            name = "<".join(rng.choice(_NAMES, 4)) + "<" * 30
            at = (round(0.04 * width), round(height * (0.83 + 0.075 * row)))
            _put(card, at, name[:40], round(0.05 * height), (25, 25, 25))


def _digits(rng: np.random.Generator) -> str:
    return "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(8, 13))))


def _put(card: Pixels, at: tuple[int, int], text: str, size: int, colour: tuple[int, ...]) -> None:
    from PIL import Image, ImageDraw

    image = Image.fromarray(card)
    ImageDraw.Draw(image).text(at, text, fill=colour, font=_font(size))
    card[:] = np.asarray(image)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(max(size, 6))


def _fitted(portrait: Pixels, width: int, height: int) -> Pixels:
    """The middle of the portrait in the proportions asked for, at the size asked for."""
    import cv2

    h, w = portrait.shape[:2]
    side = min(w / width, h / height)
    cw, ch = min(round(side * width), w), min(round(side * height), h)
    x, y = (w - cw) // 2, (h - ch) // 2
    part = portrait[y : y + ch, x : x + cw]
    how = cv2.INTER_AREA if cw > width else cv2.INTER_CUBIC
    return _u8(cv2.resize(part, (width, height), interpolation=how))


def _rounded(height: int, width: int, radius: float) -> NDArray[np.float32]:
    """1 inside a rectangle with rounded corners that fills the array, 0 outside."""
    r = radius * width
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx = np.maximum(np.maximum(r - x, x - (width - r)), 0)
    dy = np.maximum(np.maximum(r - y, y - (height - r)), 0)
    return np.asarray(np.clip(r - np.hypot(dx, dy) + 0.5, 0, 1), np.float32)


def _u8(values: NDArray[np.generic]) -> Pixels:
    return np.clip(np.rint(values.astype(np.float32)), 0, 255).astype(np.uint8)
