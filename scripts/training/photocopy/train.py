"""Train the photocopy network on the views of `data.py`; writes `networks/photocopy.onnx` of a pack."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from facematch_local.networks.photocopy import PHOTOCOPY_SIZE
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.export import export
from scripts.training.common.image import Array
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.photocopy.net import PhotocopyNet

BATCH = 96


def changed(view: Array, rng: np.random.Generator) -> Array:
    """A view as it is or mirrored, in a little other light."""
    if rng.random() < 0.5:
        view = view[:, ::-1]
    gain = np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.1, 3))
    table = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(view), table[:, None])


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--views", type=Path, nargs="+", required=True, help="folders that data.py wrote")
    add_training(parser, steps=24000)
    arguments = parser.parse_args()
    prepare()
    stored = [np.load(folder / "views.npy", mmap_mode="r") for folder in arguments.views]
    views = [view for folder in stored for view in folder]  # each a window into its file
    copies = np.concatenate([np.load(folder / "copies.npy") for folder in arguments.views])
    groups = np.flatnonzero(copies), np.flatnonzero(copies == 0)

    def batch_of(rng: np.random.Generator) -> Batch:
        chosen = np.concatenate([rng.choice(group, BATCH // 2) for group in groups])
        pixels = np.stack([changed(views[i], rng) for i in chosen])
        return (torch.from_numpy(pixels),), torch.from_numpy(copies[chosen, None].astype(np.float32))

    net = trained(PhotocopyNet(), batch_of, functional.binary_cross_entropy_with_logits, arguments, "copy")
    example = torch.zeros(1, PHOTOCOPY_SIZE, PHOTOCOPY_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "networks" / "photocopy.onnx", int8=True)


if __name__ == "__main__":
    main()
