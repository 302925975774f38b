"""Train the texture network on the squares of `pool.py`; leaves a checkpoint for `export.py`.

    python -m scripts.training.texture.train --data DATA --work WORK --without a b f --name base
    python -m scripts.training.texture.train --data DATA --work WORK --start WORK/base.pt --name all

`--without` leaves sets of real recaptures out, live photos included; without any, the held-out things are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.image import Array, Rng
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.texture.data import Tile, read_tiles
from scripts.training.texture.net import SIDE, TextureNet
from scripts.training.texture.pool import ATTACK, REAL, members_of, name_of, read_pool
from scripts.training.texture.recaptures import list_recaptures

BATCH, RATE = 128, 2e-3
SMOOTHED = 0.03  # share of doubt in the labels


def drawer(pool: Array, names: Array) -> Callable[[Rng], Batch]:
    """Batches, half real and half recaptured, each group as often as the tables of `pool` say.

    Args:
        pool: squares [N,SIDE,SIDE,3].
        names: group or species of each one, "" where it may not be trained on [N].
    """
    groups = [members_of(names, shares) for shares in (REAL, ATTACK)]

    def batch(rng: Rng) -> Batch:
        squares, targets = np.empty((BATCH, SIDE, SIDE, 3), np.uint8), np.empty((BATCH, 1), np.float32)
        for place in range(BATCH):
            members, chances = groups[place % 2]
            chosen = pool[int(rng.choice(members[int(rng.choice(len(members), p=chances))]))]
            turned = np.rot90(chosen, int(rng.integers(4)))
            squares[place] = turned[:, ::-1] if rng.random() < 0.5 else turned
            targets[place] = place % 2
        return (torch.from_numpy(squares),), torch.from_numpy(targets)

    return batch


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
    _, tiles = read_tiles(arguments.work / "tiles")
    usable = usable_tiles(tiles, arguments.data, arguments.without)
    pool, numbers = read_pool(arguments.work)
    names = np.array([name_of(tile) if use else "" for tile, use in zip(tiles, usable, strict=True)])[numbers]
    trained(TextureNet(), drawer(pool, names), loss_of, arguments, arguments.name)


if __name__ == "__main__":
    main()
