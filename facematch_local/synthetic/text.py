"""Text on drawn cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from facematch_local.imaging.photo import Pixels

if TYPE_CHECKING:
    from PIL import ImageFont

NAMES: Final = ("NGUYEN", "VAN", "THI", "MINH", "HOA", "TRAN", "ANH", "SPECIMEN", "ERIKA", "LE", "QUANG", "MAI")
"""Words for the fields of a card."""


def write_text(card: Pixels, at: tuple[int, int], text: str, size: int, colour: tuple[int, ...]) -> None:
    """Write `text` on the card in place: top left corner at `at` (x, y), letters `size` pixels high, BGR colour."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(card)
    ImageDraw.Draw(image).text(at, text, fill=colour, font=_font(size))
    card[:] = np.asarray(image)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(max(size, 6))
