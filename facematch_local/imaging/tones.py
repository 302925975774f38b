"""Conversion of decoded layouts (grey, palette, transparent, 16-bit, float) to 8-bit BGR.

The conversion works strip by strip: a copy of the whole photo in another layout would double the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

# Pixels per strip; keeps intermediate copies small.
_STRIP_PIXELS: Final = 1 << 20
# Largest values of 8, 10, 12, 14 and 16 bits: sensors and scanners store fewer bits in 16.
_FULL_SCALES: Final = (255, 1023, 4095, 16383, 65535)


def to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Convert a loaded photo of any Pillow mode to HxWx3 uint8 BGR, transparent areas white."""
    import cv2

    scale = _eight_bit_scale(image)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for rows in _strips(image.height, image.width):
        rgb = _to_rgb(_eight_bit(_cut(image, rows), scale))
        pixels[rows] = cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR)
    return pixels


def on_white(bgra: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend an HxWx4 uint8 BGRA array over white: HxWx3 uint8 BGR."""
    pixels = np.empty((*bgra.shape[:2], 3), np.uint8)
    for rows in _strips(*bgra.shape[:2]):
        alpha = bgra[rows, :, 3:].astype(np.float32) / 255
        pixels[rows] = np.rint(bgra[rows, :, :3] * alpha + 255 * (1 - alpha))
    return pixels


def _strips(height: int, width: int) -> Iterator[slice]:
    step = max(_STRIP_PIXELS // width, 1)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def _cut(image: Image.Image, rows: slice) -> Image.Image:
    return image.crop((0, rows.start, image.width, rows.stop))


def _eight_bit_scale(image: Image.Image) -> float | None:
    """Factor that scales 16-bit, 32-bit and float grey to 8 bits; None for other photos.

    The factor depends on the photo's own range, because Pillow's `convert` clips such values to white.
    """
    if not image.mode.startswith(("I", "F")):
        return None
    top = max(float(_values(_cut(image, rows)).max()) for rows in _strips(image.height, image.width))
    if image.mode.startswith("I"):
        # The file does not state how many of the 16 or 32 bits are in use: assume the fewest that hold the maximum.
        full = float(next((full for full in _FULL_SCALES if top <= full), _FULL_SCALES[-1]))
    else:
        full = 1.0 if top <= 1.0 else max(top, 255.0)
    return 255.0 / full


def _eight_bit(image: Image.Image, scale: float | None) -> Image.Image:
    from PIL import Image

    return image if scale is None else Image.fromarray(np.clip(_values(image) * scale, 0, 255).astype(np.uint8))


def _values(image: Image.Image) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(image).astype(np.float32))


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
