"""Train the detector on composed pictures; resumable, with an exponential moving average of the weights."""

from __future__ import annotations

import copy
import math
import time
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from scripts.training.common.arguments import parser_of
from scripts.training.common.compose import LARGE, load_pool
from scripts.training.common.loop import follow, save
from scripts.training.common.units import FAST_BFLOAT16
from scripts.training.detector.data import Batches
from scripts.training.detector.net import Detector
from scripts.training.detector.restore import restored
from scripts.training.detector.targets import losses

LEARNING_RATE, WARM_UP, WEIGHT_DECAY = 2e-3, 150, 0.02
GOING_ON = 0.2  # share of the rate for weights that were trained before: at half of it they lose more than they gain
LOSS_WEIGHTS = (1.5, 2.0, 16.0)  # score, box, points: half-way through, points weigh most: alignment rests on them
LEAN = 0.8  # of the faces, a quarter lean by up to 50 degrees and few lie: the library turns photos itself


def rate(step: int, progress: float, peak: float) -> float:
    """Learning rate: linear warm-up, then half a cosine down to a hundredth at `progress` 1."""
    cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return peak * min((step + 1) / WARM_UP, cosine)


def scaled(pictures: Tensor) -> Tensor:
    """Pictures uint8 as the network takes them."""
    return (pictures.float() - 127.5) / 128


def kept(step: int) -> float:
    """Share of the averaged weights that stays: little while the training is young."""
    return min(0.998, (1 + step) / (10 + step))


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--blanks", type=Path, help="folder of further photos without faces")
    parser.add_argument("--checkpoint", type=Path, required=True, help="written every --every seconds; resumed from")
    parser.add_argument("--start", type=Path, help="det.onnx to go on from where there is no checkpoint")
    parser.add_argument("--steps", type=int, default=7500, help="length of the schedule; may change on resuming")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="end the schedule after this time at the latest"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=float, default=180)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    cv2.setNumThreads(1)
    pool = load_pool(arguments.data, arguments.labels, arguments.blanks)
    print({name: len(of_set) for name, of_set in pool.photos.items()}, "blank", len(pool.blank), flush=True)

    batches = Batches(pool, arguments.seed, arguments.steps, LEAN)
    model = Detector()
    state = torch.load(arguments.checkpoint, weights_only=True) if arguments.checkpoint.exists() else None
    peak = float(state["peak"]) if state else LEARNING_RATE * (GOING_ON if arguments.start else 1)
    if arguments.start and not state:
        large = next(pictures for pictures, _ in map(batches.__getitem__, range(1000)) if pictures.shape[-1] == LARGE)
        model = restored(arguments.start, scaled(large))
    model = model.to(memory_format=torch.channels_last).train()
    ema = copy.deepcopy(model)
    norms = [p for n, p in model.named_parameters() if p.ndim < 2]
    kernels = [p for n, p in model.named_parameters() if p.ndim >= 2]
    groups = [{"params": kernels, "weight_decay": WEIGHT_DECAY}, {"params": norms, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak)
    step = 0
    if state:
        model.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]

    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(step, arguments.steps),
        num_workers=arguments.workers,
        prefetch_factor=4 if arguments.workers else None,
    )
    saved = begun = time.time()
    resumed_at = step / arguments.steps
    sums = [0.0, 0.0, 0.0]
    waited, asked = 0.0, time.time()
    for pictures, wanted in loader:
        waited += time.time() - asked
        in_time = resumed_at + (1 - resumed_at) * (time.time() - begun) / (60 * arguments.minutes)
        progress = max(step / arguments.steps, in_time)
        for group in optimiser.param_groups:
            group["lr"] = rate(step, progress, peak)
        blob = scaled(pictures).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=FAST_BFLOAT16):
            outputs = model(blob)
        parts = losses(outputs, wanted)
        loss = sum(weight * part for weight, part in zip(LOSS_WEIGHTS, parts, strict=True))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        follow(ema, model, kept(step))
        step += 1
        sums = [total + part.item() for total, part in zip(sums, parts, strict=True)]
        if step % 50 == 0:
            means = " ".join(f"{total / 50:.4f}" for total in sums)
            print(f"{step} {means} waited {waited:.0f} of {time.time() - begun:.0f} s", flush=True)
            sums = [0.0, 0.0, 0.0]
        if step == arguments.steps or progress >= 1 or time.time() - saved > arguments.every:
            saved = time.time()
            weights = {"model": model.state_dict(), "ema": ema.state_dict()}
            progress_of = {"optimiser": optimiser.state_dict(), "step": step, "peak": peak}
            save(arguments.checkpoint, {**weights, **progress_of})
        if progress >= 1:
            break
        asked = time.time()


if __name__ == "__main__":
    main()
