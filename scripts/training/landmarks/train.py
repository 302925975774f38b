"""Train the landmark network; writes `networks/landmarks.onnx` of a pack.

    python -m scripts.training.landmarks.train --data DATA --labels LABELS.json --work WORK

Every sample starts from landmarks as wrong as a small detector's and asks for the right ones, see `data.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facematch_local.networks.landmarks import LANDMARK_SIZE
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.export import export
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.landmarks.data import TEMPLATE, crops_of, view
from scripts.training.landmarks.net import LandmarkNet

BATCH = 96
WEIGHTS = {
    "lfw": 1.0, "asian_faces": 4.0, "masks": 2.5, "sunglasses": 5.0, "scenes": 4.0,
    "groups": 3.0, "no_card": 2.0, "cards": 4.0, "photocopies": 3.0,
}  # fmt: skip


def loss_of(offsets: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute error of the coordinates in eye distances: labels of teachers have outliers."""
    return (offsets - targets).abs().mean()


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    add_training(parser, steps=4000)
    arguments = parser.parse_args()
    prepare()
    faces = crops_of(arguments.data, arguments.labels, arguments.work)
    weights = np.array([WEIGHTS[source] for source in faces["source"]])
    chance = np.cumsum(weights / weights.sum())[:-1]
    print(f"{len(weights)} faces", flush=True)
    unit = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))

    def batch_of(rng: np.random.Generator) -> Batch:
        chosen = np.searchsorted(chance, rng.random(BATCH))
        views = [view(faces["crops"][i], faces["points"][i], rng) for i in chosen]
        targets = np.stack([((where - TEMPLATE) / unit).ravel() for _, where in views])
        return (torch.from_numpy(np.stack([seen for seen, _ in views])),), torch.from_numpy(targets.astype(np.float32))

    net = trained(LandmarkNet(), batch_of, loss_of, arguments, "landmarks")
    example = torch.zeros(1, LANDMARK_SIZE, LANDMARK_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "networks" / "landmarks.onnx")


if __name__ == "__main__":
    main()
