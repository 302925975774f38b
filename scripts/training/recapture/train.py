"""Train the recapture network on the views of `data.py`; `export.py` writes it into a pack.

    python -m scripts.training.recapture.train --data DATA --work WORK

Every set of real portraits is drawn as often as `SHARES` says. The period, which the network gets as a second input,
keeps the fixed weight of `net.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.image import Array, Rng
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.recapture.data import AS_IT_IS, written
from scripts.training.recapture.edits import changed, edited
from scripts.training.recapture.net import RecaptureNet

BATCH = 128
# How often the real portraits of each set are drawn.
SHARES = {
    "lfw": 0.2, "asian_faces": 0.12, "east_asian_people": 0.22, "masks": 0.22, "sunglasses": 0.14, "scenes": 0.1,
}  # fmt: skip


def drawer(crops: Array, kinds: Array, sets: Array) -> Callable[[Rng], Batch]:
    """Batches, half of them live, most of those as they are; edited, mirrored, in other light and compressed again."""
    members = [np.flatnonzero(kinds == kind) for kind in range(AS_IT_IS)]
    real = {name: np.flatnonzero((kinds == AS_IT_IS) & (sets == name)) for name in SHARES}
    names = [name for name, rows in real.items() if len(rows)]
    chances = np.array([SHARES[name] for name in names])

    def one(kind: int, rng: Rng) -> int:
        rows = members[kind] if kind != AS_IT_IS else real[str(rng.choice(names, p=chances / chances.sum()))]
        return int(rng.choice(rows))

    def batch(rng: Rng) -> Batch:
        drawn = (0, 1, AS_IT_IS, 2, AS_IT_IS, 1, AS_IT_IS, 2)
        chosen = [one(drawn[place % len(drawn)], rng) for place in range(BATCH)]
        wide = np.stack([changed(edited(crops[index], crops[rng.choice(chosen)], rng), rng) for index in chosen])
        return (torch.from_numpy(wide), torch.zeros(BATCH, 1)), torch.from_numpy(kinds[chosen] % AS_IT_IS)

    return batch


def network() -> RecaptureNet:
    """The network with random weights."""
    return RecaptureNet()


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with a little doubt."""
    return functional.cross_entropy(logits, targets, label_smoothing=0.05)


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_training(parser, steps=1500)
    arguments = parser.parse_args()
    prepare()
    crops, kinds, sets = written(arguments.data, arguments.work / "scenes")
    trained(network(), drawer(crops, kinds, sets), loss_of, arguments, "scene")


if __name__ == "__main__":
    main()
