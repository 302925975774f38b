"""The photos of the benchmark: made from pictures that installed packages contain, always the same bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.decode import decode, encode_jpeg

Pixels = NDArray[np.uint8]

# Grey levels of the noise: a JPEG then has as many bits a pixel as one of a camera.
_NOISE: Final = 3.0
_PORTRAIT: Final = (1050, 1400)
_CARD: Final = (1480, 925)
KINDS: Final = ("JPEG", "progressive", "PNG", "HEIC")


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A card and a portrait as encoded photos."""

    card: bytes
    portrait: bytes


def standard_pair() -> Pair:
    """A synthetic card and a portrait, JPEG of 1.4 megapixels each."""
    return Pair(encode_jpeg(_card_pixels(_CARD)), encode_jpeg(_portrait_pixels(_PORTRAIT)))


def portrait_of(megapixels: float, kind: str) -> bytes:
    """A portrait of 3:4 in one of `KINDS`.

    Raises:
        ValueError: the kind is unknown.
    """
    width = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    return _encoded(_portrait_pixels((width, width * 4 // 3)), kind)


def crowd(faces: int) -> bytes:
    """A photo of `faces` faces in a grid, JPEG of 1.9 megapixels; each face is another crop or shade."""
    columns = max(round((faces * 4 / 3) ** 0.5), 1)
    rows = -(-faces // columns)
    height, width = 1200 // rows, 1600 // columns
    sheet = np.full((1200, 1600, 3), 120, np.uint8)
    sources = _people()
    for number in range(faces):
        row, column = divmod(number, columns)
        side = int(0.96 * min(height, width))
        tile = cv2.resize(sources[number % len(sources)], (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
        tile = np.clip(tile * (1.0 - 0.03 * (number % 5)), 0, 255).astype(np.uint8)
        sheet[row * height : row * height + side, column * width : column * width + side] = tile
    return encode_jpeg(_noisy(sheet))


def describe(photo: bytes) -> str:
    """Size of an encoded photo as text."""
    decoded = decode(photo)
    return f"{decoded.width}x{decoded.height}, {len(photo) // 1024} KiB"


def made_card() -> bytes:
    """A synthetic card, 1600x1000, as JPEG: the portrait at the left, lines of text beside it."""
    card = np.full((1000, 1600, 3), (205, 220, 210), np.uint8)
    card[250:800, 90:540] = cv2.resize(astronaut()[10:230, 130:310], (450, 550), interpolation=cv2.INTER_AREA)
    for row in range(8):
        cv2.putText(card, "SPECIMEN 0123456789", (600, 300 + 70 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (60, 50, 50), 3)
    return encode_jpeg(card)


def astronaut() -> Pixels:
    """The astronaut photo of scikit-image (NASA, public domain): 512x512x3 uint8 BGR."""
    import skimage.data

    photo: Pixels = skimage.data.astronaut()[:, :, ::-1]
    return photo


def _card_pixels(size: tuple[int, int]) -> Pixels:
    return _noisy(cv2.resize(decode(made_card()).pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8))


def _portrait_pixels(size: tuple[int, int]) -> Pixels:
    portrait = astronaut()[:448, 64:400]
    return _noisy(cv2.resize(portrait, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8))


def _people() -> list[Pixels]:
    """Square crops around seven faces: six of insightface's group photo, and the astronaut."""
    import insightface.data

    group = insightface.data.get_image("t1")
    # Centres of faces in that photo, and half of the side of the crop.
    faces = ((519, 340, 140), (111, 332, 110), (952, 127, 126), (320, 211, 120), (797, 409, 115), (1165, 336, 112))
    return [*(_square(group, *face) for face in faces), _square(astronaut(), 223, 118, 105)]


def _square(picture: Pixels, x: int, y: int, half: int) -> Pixels:
    return np.ascontiguousarray(picture[max(y - half, 0) : y + half, max(x - half, 0) : x + half])


def _noisy(picture: Pixels) -> Pixels:
    noise = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(1)
    cv2.randn(noise, 0.0, _NOISE)  # type: ignore[call-overload]
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _encoded(pixels: Pixels, kind: str) -> bytes:
    if kind in ("JPEG", "progressive"):
        flags = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_PROGRESSIVE, int(kind == "progressive")]
        return cv2.imencode(".jpg", pixels, flags)[1].tobytes()
    if kind == "PNG":
        # Noise does not compress: a PNG of a camera's photo would exceed the limit on bytes from 3 megapixels on.
        smooth = cv2.medianBlur(pixels, 5) & 0xF8
        return cv2.imencode(".png", smooth, [cv2.IMWRITE_PNG_COMPRESSION, 4])[1].tobytes()
    if kind == "HEIC":
        import pillow_heif

        made = pillow_heif.from_bytes("BGR", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
        stream = io.BytesIO()
        made.save(stream, quality=60, enc_params={"preset": "ultrafast"})
        return stream.getvalue()
    raise ValueError(f"no kind {kind!r}")
