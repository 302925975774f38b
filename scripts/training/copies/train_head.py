"""Train the copy head on the views of `copy_samples.py`; writes `models/compact/heads/copy.onnx`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paths  # noqa: F401
import torch
from copy_net import CopyNet
from torch import Tensor
from torch.nn import functional
from training import begun_with, export, train

from facematch_local.networks.photocopy import PHOTOCOPY_SIZE

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[3]
BATCH = 96


def changed(view: Array, rng: np.random.Generator) -> Array:
    """A view as it is or mirrored, in a little other light."""
    if rng.random() < 0.5:
        view = view[:, ::-1]
    gain = np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.1, 3))
    table = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(view), table[:, None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, nargs="+", required=True, help="folders that copy_samples.py wrote")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    stored = [np.load(folder / "views.npy", mmap_mode="r") for folder in arguments.views]
    views = [view for folder in stored for view in folder]  # each a window into its file
    copies = np.concatenate([np.load(folder / "copies.npy") for folder in arguments.views])
    groups = np.flatnonzero(copies), np.flatnonzero(copies == 0)

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.concatenate([rng.choice(group, BATCH // 2) for group in groups])
        pixels = np.stack([changed(views[i], rng) for i in chosen])
        return (torch.from_numpy(pixels),), torch.from_numpy(copies[chosen, None].astype(np.float32))

    arguments.work.mkdir(parents=True, exist_ok=True)
    net = CopyNet()
    if arguments.start:
        begun_with(net, arguments.start)
    net = train(
        net, batch_of, functional.binary_cross_entropy_with_logits, arguments.steps,
        arguments.work / "copy.pt", arguments.rate,
    )  # fmt: skip
    example = torch.zeros(1, PHOTOCOPY_SIZE, PHOTOCOPY_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "heads" / "copy.onnx", int8=True)


if __name__ == "__main__":
    main()
