"""Squares as trainings see them, drawn once for all trainings: WORK/pool.u8 and WORK/pool.csv.

    python -m scripts.training.texture.pool --work WORK

Every square passes through other light, other noise reduction and sharpening, another scale and other compression, in
the same way whether it is real or recaptured. Half of the pool is real, half is recaptured.
"""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array, Rng, jpeg
from scripts.training.common.photos import read_rows
from scripts.training.texture.camera import developed, toned
from scripts.training.texture.data import Tile, read_tiles
from scripts.training.texture.net import SIDE

COUNT = 100_000
# How often each group is drawn.
REAL = {
    "a": 0.25, "b": 0.22, "f": 0.04, "world": 0.13, "remade": 0.06, "lfw": 0.05, "asian_faces": 0.03,
    "east_asian_people": 0.08, "masks": 0.03, "sunglasses": 0.03, "scenes": 0.05, "no_card": 0.07, "groups": 0.02,
}  # fmt: skip
ATTACK = {
    "a, laptop": 0.08, "a, phone": 0.14, "a, print": 0.12, "b, screen": 0.25, "f, screen": 0.06, "display": 0.28,
    "paper": 0.15,
}  # fmt: skip


def name_of(tile: Tile) -> str:
    """The group of a real square, the species of a recaptured one."""
    return tile.species or tile.group


def changed(square: Array, rng: Rng) -> Array:
    """SIDE x SIDE x 3 uint8 of a square, which is at least as large, as another camera and app would have given it."""
    shortest = min(square.shape[:2])
    wanted = SIDE
    if rng.random() < 0.4:
        wanted = int(rng.integers(SIDE, shortest + 1))
    elif rng.random() < 0.25:  # enlarged, as people enlarge small photos
        wanted = int(SIDE * np.exp(rng.uniform(-1.1, 0)))
    top, left = (int(rng.integers(0, n - wanted + 1)) for n in square.shape[:2])
    part = square[top : top + wanted, left : left + wanted]
    first = rng.random() < 0.3
    if first:
        part = developed(part, rng)
    if wanted != SIDE:
        how = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
        part = cv2.resize(part, (SIDE, SIDE), interpolation=how)
    if not first:
        part = toned(part, rng)
    if rng.random() < 0.12:
        grain = rng.standard_normal((SIDE, SIDE, 3), dtype=np.float32) * np.float32(rng.uniform(1, 6))
        part = np.clip(part + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.55:
        part = jpeg(part, int(rng.integers(45, 97)))
    return part


def members_of(names: Array, shares: dict[str, float]) -> tuple[list[Array], Array]:
    """Places of each group that is there, and how often each is drawn [groups], sum 1."""
    members = {name: np.flatnonzero(names == name) for name in shares}
    members = {name: rows for name, rows in members.items() if len(rows)}
    chances = np.array([shares[name] for name in members])
    return list(members.values()), chances / chances.sum()


def write_pool(work: Path, count: int) -> None:
    """`pool.u8` [count,SIDE,SIDE,3] and `pool.csv` with the number of each one's tile."""
    pixels, tiles = read_tiles(work / "tiles")
    names = np.array([name_of(tile) if not tile.apart else "" for tile in tiles])
    groups = [members_of(names, shares) for shares in (REAL, ATTACK)]
    with (work / "pool.u8").open("wb") as stream, (work / "pool.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(("tile",))
        for number in range(count):
            rng = np.random.default_rng((7, number))
            members, chances = groups[number % 2]
            chosen = int(rng.choice(members[int(rng.choice(len(members), p=chances))]))
            tile = tiles[chosen]
            stream.write(changed(np.asarray(pixels[chosen])[: tile.height, : tile.width], rng).tobytes())
            writer.writerow((chosen,))


def read_pool(work: Path) -> tuple[Array, Array]:
    """Squares [N,SIDE,SIDE,3], read from the file as they are used, and the number of each one's tile [N]."""
    numbers = np.array([int(row["tile"]) for row in read_rows(work / "pool.csv")])
    return np.memmap(work / "pool.u8", np.uint8, "r", shape=(len(numbers), SIDE, SIDE, 3)), numbers


def main() -> None:
    parser = parser_of(__doc__, "work")
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    write_pool(arguments.work, arguments.count)


if __name__ == "__main__":
    main()
