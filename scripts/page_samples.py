"""Draw the sample photos of the page at `/`.

Run from the repository's root: `python -m scripts.page_samples HOPPER.jpg`. It writes four JPEG files and their
thumbnails to the page's folder. Their sources are in the public domain:

- Eileen Collins, by NASA: `skimage.data.astronaut` of scikit-image.
- Grace Hopper, by the United States Navy: `grace_hopper.jpg`, a sample of the package matplotlib (HOPPER.jpg).

The cards are invented and imitate no document of any issuer.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import cropped_to, to_uint8
from facematch_local.synthetic.scenes import on_background
from facematch_local.synthetic.text import write_text

FOLDER = Path(__file__).parents[1] / "server" / "facematch_server" / "static" / "samples"
WIDTH, HEIGHT = 1000, 631  # ID-1 proportions
PORTRAIT = (60, 190, 270, 340)  # left, top, width, height on the card
INK, STRONG = (58, 48, 40), (110, 62, 24)
EYES = ((202, 100), (246, 105))  # in the astronaut's photo


def main(hopper: Path) -> None:
    """Write the four photos."""
    from skimage.data import astronaut

    collins = np.ascontiguousarray(astronaut()[:, :, ::-1])
    grace = cv2.imread(str(hopper))
    (FOLDER / "small").mkdir(parents=True, exist_ok=True)
    photos = {
        "card.jpg": on_desk(card(collins[10:290, 110:332], "SPECIMEN", "EILEEN", "12 MAR 1990"), 3),
        "other-card.jpg": on_desk(card(grace[20:480, 60:430], "SPECIMEN", "GRACE", "07 AUG 1988"), 3),
        "portrait.jpg": portrait(collins),
        "sunglasses.jpg": portrait(with_sunglasses(collins)),
    }
    for name, pixels in photos.items():
        cv2.imwrite(str(FOLDER / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 84])
        cv2.imwrite(str(FOLDER / "small" / name), thumbnail(pixels), [cv2.IMWRITE_JPEG_QUALITY, 78])


def card(face: Pixels, surname: str, given: str, born: str) -> Pixels:
    """A flat card with a portrait and a few lines of text: HEIGHTxWIDTHx3 uint8 BGR."""
    pixels = ground()
    left, top, width, height = PORTRAIT
    print_ = cropped_to(face, width, height).astype(np.float32)
    pixels[top : top + height, left : left + width] = to_uint8(128 + (print_ - 128) * 0.9 + 6)
    cv2.circle(pixels, (105, 92), 46, STRONG, -1, cv2.LINE_AA)
    cv2.circle(pixels, (105, 92), 30, (235, 232, 225), 4, cv2.LINE_AA)
    write_text(pixels, (190, 52), "REPUBLIC OF UTOPIA", 36, STRONG)
    write_text(pixels, (190, 104), "IDENTITY CARD", 30, STRONG)
    lines = (("Surname", surname), ("Given names", given), ("Date of birth", born), ("No.", "012 345 678"))
    for row, (label, words) in enumerate(lines):
        write_text(pixels, (372, 196 + 88 * row), label, 19, INK)
        write_text(pixels, (372, 220 + 88 * row), words, 33, INK)
    return to_uint8(cv2.GaussianBlur(pixels, (0, 0), 0.6).astype(np.float32))


def ground() -> Pixels:
    """Two pale tints under fine wavy lines."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / WIDTH
    mix = (0.5 + 0.5 * np.sin(2.2 * (x + y)))[..., None]
    tint = np.array((226.0, 236.0, 214.0)) * mix + np.array((240.0, 226.0, 226.0)) * (1 - mix)
    wave = np.sin(2 * np.pi * (80 * y + 2.0 * np.sin(2 * np.pi * 1.6 * x)))
    return to_uint8(tint - 22 * np.clip(wave - 0.7, 0, 1)[..., None] / 0.3)


def on_desk(flat: Pixels, seed: int) -> Pixels:
    """A photo of the card on a desk: 560x800x3 uint8 BGR."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:560, 0:800]
    grain = cv2.GaussianBlur(rng.normal(0, 1, (560, 800)), (0, 0), sigmaX=60, sigmaY=0.8) * 60
    tone = 1.05 - 0.25 * np.hypot(x / 800 - 0.35, y / 560 - 0.3)
    desk = np.array((96.0, 128.0, 158.0)) * tone[..., None] + grain[..., None]
    photo, _ = on_background(flat, to_uint8(desk), rng, share=0.8, tilt=0.05)
    return photo


def portrait(photo: Pixels) -> Pixels:
    """Head and shoulders of the astronaut: 440x440x3 uint8 BGR. Not enlarged, which could look like a recapture."""
    return np.ascontiguousarray(photo[:440, 10:450])


def thumbnail(photo: Pixels) -> Pixels:
    """The middle of a photo, for the button of a pair: 96x96x3 uint8 BGR. Of a portrait, the upper middle."""
    height, width = photo.shape[:2]
    side = round(0.62 * width) if height == width else height
    left, top = (width - side) // 2, 0
    return np.asarray(cv2.resize(photo[top : top + side, left : left + side], (96, 96), interpolation=cv2.INTER_AREA))


def with_sunglasses(photo: Pixels) -> Pixels:
    """The astronaut's photo with brown sunglasses drawn over the eyes, at four times its size and reduced again."""
    large = cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    lenses, frame = large.copy(), (22, 20, 18)
    (left, y_left), (right, y_right) = ((4 * x, 4 * y) for x, y in EYES)
    for x, y in ((left, y_left), (right, y_right)):
        cv2.ellipse(lenses, (x, y + 26), (78, 66), 5, 0, 360, (30, 50, 80), -1, cv2.LINE_AA)
    large = cv2.addWeighted(lenses, 0.8, large, 0.2, 0)
    for x, y in ((left, y_left), (right, y_right)):
        cv2.ellipse(large, (x, y + 26), (78, 66), 5, 0, 360, frame, 8, cv2.LINE_AA)
    cv2.line(large, (left + 74, y_left + 16), (right - 74, y_right + 16), frame, 10, cv2.LINE_AA)
    cv2.line(large, (left - 78, y_left), (left - 118, y_left - 10), frame, 10, cv2.LINE_AA)
    cv2.line(large, (right + 78, y_right), (right + 114, y_right + 2), frame, 10, cv2.LINE_AA)
    return np.asarray(cv2.resize(large, photo.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
