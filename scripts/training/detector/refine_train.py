"""Second stage: pyramid and heads alone learn on, with weight on the points and on faces as users hold them.

The trunk stays as it is, so a step costs half; the running statistics of the batch norms stay too. In the first stage
a third of the faces lean far or lie, and their points cost precision on upright ones.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import torch
from dataset import Batches, Sizes, load_pool
from net import Detector
from targets import losses
from torch.utils.data import DataLoader
from train import average, save

LEARNING_RATE, LOSS_WEIGHTS, LEAN = 1e-3, (1.0, 1.0, 20.0), 0.3
SIZES: Sizes = ((256, 12, 1.0),)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--blanks", type=Path)
    parser.add_argument("--start", type=Path, required=True, help="checkpoint of train.py; its average is refined")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--every", type=int, default=1, help="use one in so many LFW photos: they take long to read")
    parser.add_argument("--seed", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pool = load_pool(arguments.data, arguments.labels, arguments.blanks, arguments.every)
    model = Detector().to(memory_format=torch.channels_last).eval()
    model.load_state_dict(torch.load(arguments.start, map_location="cpu", weights_only=True)["ema"])
    taught = [model.lateral, model.smooth, model.head, model.predict]
    model.requires_grad_(False)
    for part in taught:
        part.requires_grad_(True)
    ema = copy.deepcopy(model)
    weights = [weight for part in taught for weight in part.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.01)
    loader = DataLoader(Batches(pool, arguments.seed, 100_000, LEAN, SIZES), batch_size=None, num_workers=1)
    begun, progress, sums = time.time(), 0.0, [0.0, 0.0, 0.0]
    for step, (pictures, wanted) in enumerate(loader, 1):
        progress = (time.time() - begun) / (60 * arguments.minutes)
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * (0.02 + 0.98 * (1 + math.cos(math.pi * min(progress, 1))) / 2)
        blob = ((pictures.float() - 127.5) / 128).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model(blob)
        parts = losses(outputs, wanted)
        optimiser.zero_grad(set_to_none=True)
        torch.stack([weight * part for weight, part in zip(LOSS_WEIGHTS, parts, strict=True)]).sum().backward()
        optimiser.step()
        average(ema, model, min(step, 90))  # a short memory: there are few steps
        sums = [total + part.item() for total, part in zip(sums, parts, strict=True)]
        if step % 25 == 0:
            print(step, *(f"{total / 25:.4f}" for total in sums), f"{time.time() - begun:.0f} s", flush=True)
            sums = [0.0, 0.0, 0.0]
            save(arguments.checkpoint, {"ema": ema.state_dict(), "step": step})
        if progress >= 1:
            break
    save(arguments.checkpoint, {"ema": ema.state_dict(), "step": step})


if __name__ == "__main__":
    main()
