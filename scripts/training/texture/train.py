"""Train the texture network on the squares of `data.py`; leaves a checkpoint for `export.py`.

    python -m scripts.training.texture.train --data DATA --work WORK --steps 900 --without a b f --name base
    python -m scripts.training.texture.train --data DATA --work WORK --start WORK/base.pt --name all

`--without` leaves sets of real recaptures out, live photos included; without any, the held-out things are left out.
Every square passes through other light, other noise reduction and sharpening, another
scale and other compression each time, in the same way whether it is real or recaptured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.image import Array, Rng, jpeg
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.texture.camera import developed, toned
from scripts.training.texture.data import Tile, read_tiles
from scripts.training.texture.net import SIDE, TextureNet
from scripts.training.texture.recaptures import list_recaptures

BATCH, RATE = 128, 2e-3
# How often each group is drawn. Half of each batch is real, half is recaptured.
REAL = {
    "a": 0.25, "b": 0.22, "f": 0.04, "world": 0.12, "lfw": 0.07, "asian_faces": 0.03, "east_asian_people": 0.08,
    "masks": 0.03, "sunglasses": 0.03, "scenes": 0.05, "no_card": 0.07, "groups": 0.02,
}  # fmt: skip
ATTACK = {
    "a, laptop": 0.08, "a, phone": 0.14, "a, print": 0.12, "b, screen": 0.25, "f, screen": 0.08, "display": 0.22,
    "paper": 0.11,
}  # fmt: skip
SMOOTHED = 0.03  # share of doubt in the labels


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
    part = np.rot90(part, int(rng.integers(4)))
    return part[:, ::-1] if rng.random() < 0.5 else part


def drawer(pixels: Array, tiles: list[Tile], usable: Array) -> Callable[[Rng], Batch]:
    """Batches of usable squares [N, bool]: each group as often as the tables say."""
    pools = [_pools(tiles, usable, REAL, ""), _pools(tiles, usable, ATTACK, None)]

    def batch(rng: Rng) -> Batch:
        squares, targets = np.empty((BATCH, SIDE, SIDE, 3), np.uint8), np.empty((BATCH, 1), np.float32)
        for place in range(BATCH):
            attack = place % 2
            members, chances = pools[attack]
            chosen = int(rng.choice(members[int(rng.choice(len(members), p=chances))]))
            tile = tiles[chosen]
            squares[place] = changed(np.asarray(pixels[chosen])[: tile.height, : tile.width], rng)
            targets[place] = attack
        return (torch.from_numpy(squares),), torch.from_numpy(targets)

    return batch


def _pools(
    tiles: list[Tile], usable: Array, shares: dict[str, float], species: str | None
) -> tuple[list[Array], Array]:
    names = np.array([(t.group if not t.species else "") if species == "" else t.species for t in tiles])
    members = {name: np.flatnonzero((names == name) & usable) for name in shares}
    members = {name: rows for name, rows in members.items() if len(rows)}
    chances = np.array([shares[name] for name in members])
    return list(members.values()), chances / chances.sum()


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with a little doubt: on a dark or blank square nothing can be told."""
    return functional.binary_cross_entropy_with_logits(logits, targets * (1 - 2 * SMOOTHED) + SMOOTHED)


def usable_tiles(tiles: list[Tile], data: Path, without: list[str]) -> Array:
    """Which squares may be trained on [N, bool]."""
    held = {photo.path for photo in list_recaptures(data) if photo.held_out}
    return np.array([not t.apart and t.group not in without and (bool(without) or t.path not in held) for t in tiles])


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--without", nargs="*", default=[], choices=("a", "b", "f"))
    parser.add_argument("--name", required=True, help="of the checkpoint in the work folder")
    add_training(parser, steps=1000)
    parser.set_defaults(rate=RATE)
    arguments = parser.parse_args()
    prepare()
    pixels, tiles = read_tiles(arguments.work / "tiles")
    batch_of = drawer(pixels, tiles, usable_tiles(tiles, arguments.data, arguments.without))
    trained(TextureNet(), batch_of, loss_of, arguments, arguments.name)


if __name__ == "__main__":
    main()
