"""Train the document head on the views of `samples.py`; writes `models/compact/heads/document.onnx`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paths  # noqa: F401
import torch
from document_net import DocumentNet
from samples import FULL, UNKNOWN
from torch import Tensor
from torch.nn import functional
from training import begun_with, export, train

from facematch_local.networks.document import DOCUMENT_SIZE

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[3]
BATCH = 64
PARTS = (slice(0, 1), slice(1, 2), slice(2, None))  # of the net's output: a document, a copy, the places
LEAST = 0.012  # share of the view that a document must have to be asked for


def changed(view: Array, mask: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A view as it is, mirrored or on its side, in a little other light."""
    if rng.random() < 0.5:
        view, mask = view[:, ::-1], mask[:, ::-1]
    if rng.random() < 0.25:
        turns = int(rng.integers(1, 4))
        view, mask = np.rot90(view, turns), np.rot90(mask, turns)
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    table = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(view), table[:, None]), mask


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Whether, whether a copy, and where; a target below zero, which nobody knows, does not count."""
    each = functional.binary_cross_entropy_with_logits(logits, targets.clamp(min=0), reduction="none")
    known = (targets >= 0).float()
    parts = [(each[:, p] * known[:, p]).sum() / known[:, p].sum().clamp(min=1) for p in PARTS]
    return torch.stack(parts).sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, nargs="+", required=True, help="folders that samples.py wrote")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    stored = [np.load(folder / "views.npy", mmap_mode="r") for folder in arguments.views]
    masks, shows, copies = (
        np.concatenate([np.load(folder / f"{name}.npy") for folder in arguments.views])
        for name in ("masks", "shows", "copies")
    )
    copies = np.where(copies == UNKNOWN, np.float32(-1), copies.astype(np.float32))
    views = [view for folder in stored for view in folder]  # each a window into its file
    places = masks.reshape(len(masks), -1)
    seen = (places == UNKNOWN).any(axis=1) | (places.mean(axis=1) > LEAST * FULL)
    with_one, without = np.flatnonzero(shows & seen), np.flatnonzero(~shows)
    print(f"{len(with_one)} views of documents, {len(without)} of anything else", flush=True)

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.concatenate([rng.choice(group, BATCH // 2) for group in (with_one, without)])
        pairs = [changed(views[i], masks[i], rng) for i in chosen]
        where = np.stack([mask for _, mask in pairs]).reshape(BATCH, -1).astype(np.float32)
        where = np.where(where == UNKNOWN, -1, where / FULL).astype(np.float32)
        whether = np.stack([shows[chosen], copies[chosen]], axis=1)
        targets = np.concatenate([whether.astype(np.float32), where], axis=1)
        return (torch.from_numpy(np.stack([view for view, _ in pairs])),), torch.from_numpy(targets)

    arguments.work.mkdir(parents=True, exist_ok=True)
    net = DocumentNet()
    if arguments.start:
        begun_with(net, arguments.start)
    net = train(net, batch_of, loss_of, arguments.steps, arguments.work / "document.pt", arguments.rate)
    example = torch.zeros(1, DOCUMENT_SIZE, DOCUMENT_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "heads" / "document.onnx", int8=True)


if __name__ == "__main__":
    main()
