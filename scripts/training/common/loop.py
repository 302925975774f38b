"""The training loop: averaged weights, one-cycle learning rate, checkpoints."""

from __future__ import annotations

import argparse
import copy
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from scripts.training.common.arguments import HIGHEST_RATE
from scripts.training.common.units import FAST_BFLOAT16

INITIAL_SEED = 1
Batch = tuple[tuple[Tensor, ...], Tensor]  # network inputs and targets


def begun_with(net: nn.Module, checkpoint: Path) -> nn.Module:
    """`net` with the averaged weights that `train` left in a checkpoint, where names and shapes are the same."""
    kept = torch.load(checkpoint, map_location="cpu", weights_only=False)["average"]
    own = net.state_dict()
    kept = {name: value for name, value in kept.items() if name in own and own[name].shape == value.shape}
    print("from the start file:", len(kept), "of", len(own), "tensors", flush=True)
    net.load_state_dict(own | kept)
    return net


def train(
    net: nn.Module,
    batch_of: Callable[[np.random.Generator], Batch],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    checkpoint: Path,
    peak_rate: float = HIGHEST_RATE,
    seed: int = 1,
    call: Callable[..., Tensor] = nn.Module.__call__,
) -> nn.Module:
    """Train `net` for `steps` batches; goes on from `checkpoint` where it exists. Returns the averaged network.

    The batch and the rate of step k depend on `seed`, k and `steps` alone. So a run that was cut off and resumed sees
    the same batches as one that was not; only its dropout draws anew. With another `steps` it goes on towards the new
    end.
    """
    torch.manual_seed(seed)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decay = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak_rate)
    average = copy.deepcopy(net)
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["done"]
    start, running = time.time(), 0.0
    net.train()
    for step in range(done, steps):
        for group in optimiser.param_groups:
            group["lr"] = peak_rate * _rate(step / steps)
        inputs, targets = batch_of(np.random.default_rng((seed, step)))
        with torch.autocast("cpu", torch.bfloat16, enabled=FAST_BFLOAT16):
            output = call(net, *inputs)
        loss = loss_of(output.float(), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        follow(average, net, min(0.998, (step + 1) / (step + 20)))
        running = 0.98 * running + 0.02 * loss.item() if step > done else loss.item()
        if (step + 1) % 50 == 0:
            print(f"{step + 1}/{steps} loss {running:.4f} {time.time() - start:.0f} s", flush=True)
        if (step + 1) % 50 == 0 or step + 1 == steps:
            state = {"net": net.state_dict(), "average": average.state_dict(), "done": step + 1}
            state["optimiser"] = optimiser.state_dict()
            save(checkpoint, state)
    return average.eval()


def _rate(progress: float) -> float:
    """Share of the peak rate: a short rise, then half a cosine down to one hundredth."""
    if progress < 0.08:
        return (progress + 0.002) / 0.082
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.08) / 0.92))


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, keep: float) -> None:
    """Move the averaged weights and statistics towards the net's; `keep` is the share of the average that stays."""
    for a, b in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if a.dtype.is_floating_point:
            a.lerp_(b, 1 - keep)
        else:
            a.copy_(b)


def save(path: Path, state: dict[str, Any]) -> None:
    """Write whole or not at all: a checkpoint cut short by a crash would lose the run."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def prepare() -> None:
    """Seed the initial weights, and use one thread: for torch as many as `OMP_NUM_THREADS` says.

    Call it before the net is built. torch draws another seed in every process otherwise.
    """
    torch.manual_seed(INITIAL_SEED)
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def trained(
    net: nn.Module,
    batch_of: Callable[[np.random.Generator], Batch],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    arguments: argparse.Namespace,
    name: str,
) -> nn.Module:
    """Train as the options of `arguments.add_training` say; the checkpoint is `NAME.pt` in the work folder."""
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.start:
        begun_with(net, arguments.start)
    return train(net, batch_of, loss_of, arguments.steps, arguments.work / f"{name}.pt", arguments.rate)
