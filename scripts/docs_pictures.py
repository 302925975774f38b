"""Draws the pictures of the docs from this project's own samples, and checks each with a pack before it is written.

    python -m scripts.docs_pictures docs/images --pack standard

The person is NASA's public-domain portrait of an astronaut, which comes with scikit-image; cards, glasses, hat and mask
are drawn. A picture whose photo does not raise the warning in its caption ends the script.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from facematch_local import FaceMatcher
from facematch_local.codes import WarningCode
from facematch_local.imaging.decode import encode_jpeg
from facematch_local.imaging.resampling import scaled
from facematch_local.synthetic.degradation import gaussian_blur
from facematch_local.synthetic.samples import Studio

TILE: Final = (230, 190)
GOOD, BAD, INK, PAPER, LINE = "#0a7d4f", "#b3261e", "#1f2933", "#ffffff", "#d5dbe1"
Photos = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Tile:
    """A photo of a picture.

    Attributes:
        file: name of the sample.
        caption: what it shows, in a few words.
        code: the invalidCode that it raises; 0 for none.
    """

    file: str
    caption: str
    code: int = 0


CARDS: Final = (
    Tile("card.jpg", "flat, whole, in colour"),
    Tile("portrait.jpg", "no card", 1),
    Tile("photocopy.jpg", "a grey copy", 2),
    Tile("card_without_face.jpg", "portrait covered", 4),
    Tile("card_blurred.jpg", "out of focus", 10),
    Tile("card_far_away.jpg", "too far: few pixels", 11),
)
SELFIES: Final = (
    Tile("portrait.jpg", "face free, room around"),
    Tile("sunglasses.jpg", "sunglasses", 7),
    Tile("hat.jpg", "a hat", 8),
    Tile("mask.jpg", "a mask", 9),
    Tile("blurred.jpg", "out of focus", 10),
    Tile("far_away.jpg", "too far: few pixels", 11),
    Tile("at_the_margin.jpg", "cut off", 12),
)


def photos() -> Photos:
    """The JPEG files of all tiles."""
    drawn = dict(Studio().photos())
    drawn["card_blurred.jpg"] = gaussian_blur(drawn["card.jpg"], 5)
    drawn["card_far_away.jpg"] = scaled(drawn["card.jpg"], 0.28)
    return {name: encode_jpeg(pixels) for name, pixels in drawn.items()}


def raised(tile: Tile, role: str, files: Photos, matcher: FaceMatcher) -> int:
    """The lowest code that the tile's photo raises beside a good photo.

    Args:
        tile: the tile.
        role: what the photo should show: `card` or `portrait`.
        files: see `photos`.
        matcher: compares photos.
    """
    pair = (tile.file, "portrait.jpg") if role == "card" else ("card.jpg", tile.file)
    return int(matcher.match(files[pair[0]], files[pair[1]], "card").warning)


def sheet(tiles: Sequence[Tile], files: Photos, columns: int) -> Image.Image:
    """The tiles in rows, each with its caption and code below."""
    rows = -(-len(tiles) // columns)
    width, height = TILE[0] + 16, TILE[1] + 58
    picture = Image.new("RGB", (columns * width + 16, rows * height + 8), PAPER)
    for number, tile in enumerate(tiles):
        left, top = number % columns * width + 16, number // columns * height + 12
        _tile(picture, tile, files, left, top)
    return picture


def glance(files: Photos, matcher: FaceMatcher) -> Image.Image:
    """Card, selfie, and the answer on its scale."""
    result = matcher.match(files["card.jpg"], files["portrait.jpg"], "card")
    picture = Image.new("RGB", (760, 300), PAPER)
    draw = ImageDraw.Draw(picture)
    for left, file, text in ((20, "card.jpg", "card"), (270, "portrait.jpg", "selfie")):
        _photo(picture, files[file], left, 30)
        draw.text((left + TILE[0] / 2, 240), text, INK, _font(18), anchor="ma")
    draw.text((520, 40), f"{result.percent:.2f} %", GOOD, _font(40))
    draw.text((520, 92), "the same person", INK, _font(20))
    _scale(draw, (520, 140), 215, result.percent)
    draw.text((520, 205), f"warnings: {', '.join(code.message for code in result.warnings) or 'none'}", INK, _font(16))
    return picture


def _scale(draw: ImageDraw.ImageDraw, at: tuple[int, int], width: int, percent: float) -> None:
    x, y = at
    for start, end, colour in ((0, 65, BAD), (65, 75, "#d9a400"), (75, 100, GOOD)):
        draw.rectangle((x + width * start / 100, y, x + width * end / 100 - 1, y + 12), colour)
    for mark in (65, 75):
        draw.text((x + width * mark / 100, y + 16), str(mark), INK, _font(14), anchor="ma")
    place = x + width * percent / 100
    draw.polygon([(place, y - 1), (place - 7, y - 13), (place + 7, y - 13)], INK)


def _tile(picture: Image.Image, tile: Tile, files: Photos, left: int, top: int) -> None:
    draw = ImageDraw.Draw(picture)
    # The photo of few pixels fills less of its tile.
    _photo(picture, files[tile.file], left, top, 600 if tile.code == WarningCode.FACE_TOO_SMALL else 0)
    colour = BAD if tile.code else GOOD
    draw.rectangle((left, top, left + TILE[0] - 1, top + TILE[1] - 1), outline=colour, width=4)
    label = f"{tile.code}  {tile.caption}" if tile.code else f"good: {tile.caption}"
    draw.text((left + TILE[0] / 2, top + TILE[1] + 8), label, colour, _font(17), anchor="ma")


def _photo(picture: Image.Image, file: bytes, left: int, top: int, largest: int = 0) -> None:
    """A photo in the middle of a tile.

    Args:
        picture: drawn on in place.
        file: the JPEG file.
        left: left border of the tile.
        top: top border of the tile.
        largest: longer side, in pixels, of a photo that fills the tile; 0: of this photo.
    """
    photo = Image.open(io.BytesIO(file)).convert("RGB")
    factor = min(TILE[0] / photo.width, TILE[1] / photo.height) * min(max(photo.size) / (largest or 1), 1)
    photo = photo.resize((round(photo.width * factor), round(photo.height * factor)), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", TILE, LINE)
    ground.paste(photo, ((TILE[0] - photo.width) // 2, (TILE[1] - photo.height) // 2))
    picture.paste(ground, (left, top))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def main() -> None:
    """Draw all pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="standard")
    options = parser.parse_args()
    files, matcher = photos(), FaceMatcher.open(options.pack)
    for role, tiles in (("card", CARDS), ("portrait", SELFIES)):
        for tile in tiles:
            if (found := raised(tile, role, files, matcher)) != tile.code:
                raise SystemExit(f"{tile.file} raises {WarningCode(found).message!r}, its caption says {tile.code}")
    pictures = {
        "capture-card.jpg": sheet(CARDS, files, 3),
        "capture-selfie.jpg": sheet(SELFIES, files, 4),
        "at-a-glance.png": glance(files, matcher),
    }
    for name, picture in pictures.items():
        picture.save(options.folder / name, quality=82, optimize=True)
        print(name, picture.size)


if __name__ == "__main__":
    main()
