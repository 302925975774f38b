"""Train the document network on the views of `data.py`; writes `networks/document.onnx` of a pack."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facematch_local.networks.document import DOCUMENT_SIZE
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.export import export
from scripts.training.common.image import Array
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.document.data import FULL, UNKNOWN
from scripts.training.document.net import DocumentNet

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
    parser = parser_of(__doc__)
    parser.add_argument("--views", type=Path, nargs="+", required=True, help="folders that data.py wrote")
    add_training(parser, steps=4000)
    arguments = parser.parse_args()
    prepare()
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

    def batch_of(rng: np.random.Generator) -> Batch:
        chosen = np.concatenate([rng.choice(group, BATCH // 2) for group in (with_one, without)])
        pairs = [changed(views[i], masks[i], rng) for i in chosen]
        where = np.stack([mask for _, mask in pairs]).reshape(BATCH, -1).astype(np.float32)
        where = np.where(where == UNKNOWN, -1, where / FULL).astype(np.float32)
        whether = np.stack([shows[chosen], copies[chosen]], axis=1)
        targets = np.concatenate([whether.astype(np.float32), where], axis=1)
        return (torch.from_numpy(np.stack([view for view, _ in pairs])),), torch.from_numpy(targets)

    net = trained(DocumentNet(), batch_of, loss_of, arguments, "document")
    example = torch.zeros(1, DOCUMENT_SIZE, DOCUMENT_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "networks" / "document.onnx", int8=True)


if __name__ == "__main__":
    main()
