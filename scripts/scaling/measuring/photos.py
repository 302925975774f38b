"""The mix of photos that stands for real traffic: four sizes, with the detail and noise of a camera."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.decode import decode, encode_jpeg
from scripts.benchmarking.photos import astronaut, made_card

# Long side in pixels, and how many of ten requests have photos of this size.
SIZES: Final = ((1280, 3), (1600, 4), (2560, 2), (4000, 1))
# Grey levels of the noise; a JPEG then has 1.0 to 1.5 bits a pixel.
_NOISE: Final = 3.0
_BOUNDARY: Final = "scaling-boundary"


@dataclass(frozen=True, slots=True)
class Pair:
    """A card and a portrait as JPEG.

    Attributes:
        megapixels: of each.
        tenths: of ten requests, those with this pair.
    """

    card: bytes
    portrait: bytes
    megapixels: float
    tenths: int

    def base64_body(self) -> bytes:
        """The request as JSON."""
        photos = {"img1": self.card, "img2": self.portrait}
        return json.dumps({name: base64.b64encode(photo).decode() for name, photo in photos.items()}).encode()

    def form_body(self) -> bytes:
        """The request as a multipart form."""
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.jpg"\r\n'.encode()
            + b"Content-Type: image/jpeg\r\n\r\n"
            + photo
            + b"\r\n"
            for name, photo in (("img1", self.card), ("img2", self.portrait))
        ]
        return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def pairs() -> list[Pair]:
    """One pair of each size; always the same bytes with the same libraries."""
    source = np.random.default_rng(1)
    card = decode(made_card()).pixels
    table = cv2.copyMakeBorder(card, 100, 100, 0, 0, cv2.BORDER_CONSTANT, value=(90, 100, 110)).astype(np.uint8)
    portrait = astronaut()[:448, 64:400]
    made = []
    for side, tenths in SIZES:
        short = side * 3 // 4
        made.append(
            Pair(
                _photo(table, (side, short), source),
                _photo(portrait, (short, side), source),
                side * short / 1e6,
                tenths,
            )
        )
    return made


def mixed(made: list[Pair]) -> list[Pair]:
    """Ten requests with the shares of the mix, in a fixed order that spreads the sizes."""
    ten = [pair for pair in made for _ in range(pair.tenths)]
    order = np.random.default_rng(2).permutation(len(ten))
    return [ten[place] for place in order]


def _photo(picture: NDArray[np.uint8], size: tuple[int, int], source: np.random.Generator) -> bytes:
    large = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.float32)
    noisy = large + source.normal(0.0, _NOISE, large.shape).astype(np.float32)
    return encode_jpeg(np.clip(noisy, 0, 255).astype(np.uint8))
