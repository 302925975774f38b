"""Squares of photos at their own resolution, real, recaptured and simulated, kept in the work folder.

    python -m scripts.training.texture.data --data DATA --work WORK

Of the project's photos only the development split is read, of the recaptures everything: each training chooses among
them by set and by thing (`recaptures.list_recaptures`).
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array, Rng
from scripts.training.common.photos import list_photos, read_rows
from scripts.training.texture.closeups import display, paper, world
from scripts.training.texture.grounds import drawn_ground
from scripts.training.texture.recaptures import list_recaptures

SIDE = 144  # of a kept square; trainings cut smaller ones out of it
LEAST = 96  # a photo with a shorter side is left out
PER_PHOTO = {
    "lfw": 1, "asian_faces": 3, "east_asian_people": 4, "masks": 2, "sunglasses": 2, "scenes": 8, "no_card": 12,
    "groups": 6,
}  # fmt: skip
SIMULATED = {"world": 3000, "display": 3600, "paper": 2600}
TEXTURES = ("brick.png", "grass.png", "gravel.png", "coffee.png", "chelsea.png", "astronaut.png", "camera.png")


@dataclass(frozen=True)
class Tile:
    """A square and where it comes from.

    Attributes:
        path: the photo.
        group: the set, or the simulation.
        species: kind of attack, "" for a real one.
        apart: not trained on, but kept to choose the limit on.
        height, width: how much of the square is used, from its top left corner.
    """

    path: str
    group: str
    species: str
    apart: bool
    height: int = SIDE
    width: int = SIDE


def kept_apart(path: str) -> bool:
    """A fifth of the development split, by person where people have folders: the limit is chosen on it."""
    folder, _, _ = path.rpartition("/")
    return zlib.crc32((folder if folder.count("/") else path).encode()) % 5 == 0


def squares(image: Array, most: int, rng: Rng) -> Iterator[Array]:
    """At most `most` squares of SIDE pixels without overlap, chosen at random; smaller ones of a smaller photo."""
    high, wide = (min(SIDE, n) for n in image.shape[:2])
    across, down = image.shape[1] // wide, image.shape[0] // high
    places = rng.permutation(across * down)[:most]
    for place in places:
        row, column = divmod(int(place), across)
        top = row * high + (image.shape[0] - down * high) // 2
        left = column * wide + (image.shape[1] - across * wide) // 2
        yield image[top : top + high, left : left + wide]


def photo_tiles(data: Path) -> Iterator[tuple[Tile, Array]]:
    """Of the recaptures all squares, of the other sets some."""
    for photo in list_recaptures(data):
        image = cv2.imread(str(data / photo.path), cv2.IMREAD_COLOR)
        if min(image.shape[:2]) >= LEAST:
            rng = np.random.default_rng(zlib.crc32(photo.path.encode()))
            for part in squares(image, 25, rng):
                yield Tile(photo.path, photo.source, photo.species, False, *part.shape[:2]), part
    for other in list_photos(data, tuple(PER_PHOTO)):
        rng = np.random.default_rng(zlib.crc32(other.path.encode()))
        apart = kept_apart(other.path)
        if other.held_out or (other.source == "lfw" and rng.random() < 0.7):
            continue
        loaded = cv2.imread(str(data / other.path), cv2.IMREAD_COLOR)
        if loaded is not None and min(loaded.shape[:2]) >= LEAST:
            for part in squares(loaded, PER_PHOTO[other.source], rng):
                yield Tile(other.path, other.source, "", apart, *part.shape[:2]), part


def simulated_tiles(data: Path, textures: Path) -> Iterator[tuple[Tile, Array]]:
    """Simulated views of photos, textures and drawn grounds; their content is of no set of recaptures."""
    sets = ("no_card", "scenes", "east_asian_people", "asian_faces", "lfw")
    photos = [p for p in list_photos(data, sets) if not p.held_out and not kept_apart(p.path)]
    photos = [p for p in photos if p.source != "lfw" or zlib.crc32(p.path.encode()) % 12 == 0]
    grounds = [cv2.imread(str(textures / name)) for name in TEXTURES]
    for name, make in (("world", world), ("display", display), ("paper", paper)):
        for number in range(SIMULATED[name]):
            rng = np.random.default_rng((zlib.crc32(name.encode()), number))
            chance = rng.random() if name == "world" else 1.0
            if chance < 0.3:
                content, path = drawn_ground(rng), f"drawn {number}"
            elif chance < 0.45:
                choice = int(rng.integers(len(grounds)))
                content, path = grounds[choice], TEXTURES[choice]
            else:
                photo = photos[rng.integers(len(photos))]
                content, path = cv2.imread(str(data / photo.path)), photo.path
            if content is not None:
                yield Tile(path, name, "" if name == "world" else name, number % 10 == 0), make(content, SIDE, rng)


def write_tiles(data: Path, textures: Path, folder: Path) -> None:
    """`tiles.u8` [N,SIDE,SIDE,3] and `tiles.csv`, one row each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with (folder / "tiles.u8").open("wb") as stream:
        for source in (photo_tiles(data), simulated_tiles(data, textures)):
            for tile, pixels in source:
                square = np.zeros((SIDE, SIDE, 3), np.uint8)
                square[: tile.height, : tile.width] = pixels
                stream.write(square.tobytes())
                rows.append(asdict(tile))
    with (folder / "tiles.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_tiles(folder: Path) -> tuple[Array, list[Tile]]:
    """What `write_tiles` wrote; the pixels are read from the file as they are used."""
    rows = read_rows(folder / "tiles.csv")
    tiles = [
        Tile(r["path"], r["group"], r["species"], r["apart"] == "True", int(r["height"]), int(r["width"])) for r in rows
    ]
    pixels = np.memmap(folder / "tiles.u8", np.uint8, "r", shape=(len(tiles), SIDE, SIDE, 3))
    return pixels, tiles


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    import skimage.data

    write_tiles(arguments.data, Path(skimage.data.__file__).parent, arguments.work / "tiles")


if __name__ == "__main__":
    main()
