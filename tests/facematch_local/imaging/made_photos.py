"""Small photos in every format."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def corners(height: int = 96, width: int = 128) -> Pixels:
    """BGR with a different colour in each corner, to detect rotations and swapped channels."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)  # top left blue
    pixels[: height // 2, width // 2 :] = (0, 255, 0)  # top right green
    pixels[height // 2 :, : width // 2] = (0, 0, 255)  # bottom left red
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)  # bottom right white
    return pixels


def image_of(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels[:, :, ::-1].copy())


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def assert_close(actual: Pixels, expected: Pixels, mean: float = 4.0) -> None:
    assert actual.shape == expected.shape
    assert actual.dtype == np.uint8
    assert actual.flags.c_contiguous
    assert np.abs(actual.astype(int) - expected.astype(int)).mean() <= mean
