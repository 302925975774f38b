"""Distil the teacher into the recogniser, stage by stage. Stops by the clock, resumes where it was stopped.

The stages' maps are taught as the embedding is (block-wise distillation: Wang et al. 2018, Li et al. 2020).
"""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array
from scripts.training.common.loop import follow, save
from scripts.training.common.units import FAST_BFLOAT16
from scripts.training.recogniser.batches import Ahead, Batch, Stock, plain
from scripts.training.recogniser.data import Faces
from scripts.training.recogniser.net import STAGES, Recogniser
from scripts.training.recogniser.optimiser import optimisers
from scripts.training.recogniser.people import Part, part_of
from scripts.training.recogniser.restore import restored
from scripts.training.recogniser.teacher import Teacher

BATCH, PEAK, WARM_UP, EMA = 128, 3e-3, 0.02, 0.998
GOING_ON = 0.2  # share of the peak for weights that were trained before
TEMPERATURE = 0.07
FORCED = 0.3  # share of the training


def losses(embedding: Tensor, maps: list[Tensor], batch: Batch) -> dict[str, Tensor]:
    """`cosine` to the teacher; `relation`: similarities in the batch, like pairs counting more; `map`: every stage's.

    `bank`: whom of many other faces each face is like, as the teacher sees it and as the student does
    (cross-entropy of the two softmaxes less the teacher's entropy; SEED, Fang et al. 2021). It is decided by the few
    faces most alike, where false matches come from. `last`, the last stage's map, is only shown.
    """
    student = functional.normalize(embedding.float(), dim=1)
    cosine = (1 - (student * batch.embeddings).sum(1)).mean()
    wanted = batch.embeddings @ batch.embeddings.T
    error = (student @ student.T - wanted) ** 2
    # False matches come from the tail of like pairs, which a plain mean would drown.
    weight = 1 + 20 * wanted.clamp(min=0) ** 2
    weight.fill_diagonal_(0)
    relation = (error * weight).sum() / weight.sum()
    teacher_view = functional.log_softmax(batch.embeddings @ batch.bank.T / TEMPERATURE, dim=1)
    student_view = functional.log_softmax(student @ batch.bank.T / TEMPERATURE, dim=1)
    bank = functional.kl_div(student_view, teacher_view, reduction="batchmean", log_target=True)
    stages = [functional.mse_loss(one.float(), want) for one, want in zip(maps, batch.maps, strict=True)]
    return {
        "bank": bank,
        "cosine": cosine,
        "relation": relation,
        "map": torch.stack(stages).mean(),
        "last": stages[-1].detach(),
    }


def total(parts: dict[str, Tensor], progress: float) -> Tensor:
    return parts["cosine"] + 3 * parts["relation"] + 0.1 * parts["bank"] + (1 - 0.7 * progress) * parts["map"]


def forcing(progress: float, rng: torch.Generator) -> Tensor:
    """Which samples' stages start from the teacher's map [stages,B]: all at first, none once FORCED has passed.

    So every stage learns at once, and then to live with what the stage before it makes of the teacher's map.
    """
    return torch.rand(len(STAGES), BATCH, generator=rng) < 1 - progress / FORCED


def rate(progress: float, peak: float) -> float:
    """Learning rate: warm-up, then half a cosine to a hundredth."""
    if progress < WARM_UP:
        return peak * (0.05 + 0.95 * progress / WARM_UP)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP)))))


@torch.no_grad()
def embed(net: nn.Module, images: Tensor) -> Array:
    net.eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=FAST_BFLOAT16):
        parts = [net(part.contiguous(memory_format=torch.channels_last)).float() for part in images.split(64)]
    return functional.normalize(torch.cat(parts), dim=1).numpy()


def tmr(embeddings: Array, people: Array, fmr: float) -> float:
    """True match rate at a false match rate over all pairs of these photos."""
    scores, same = embeddings @ embeddings.T, people[:, None] == people[None]
    upper = np.triu(np.ones_like(same), 1)
    impostors = np.sort(scores[upper & ~same])
    return float((scores[upper & same] > impostors[int((1 - fmr) * len(impostors))]).mean())


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with faces.npz, targets.npz and morphs/")
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="length of the whole schedule, pauses left out")
    parser.add_argument("--start", type=Path, help="rec.onnx to go on from where there is no checkpoint")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    faces = Faces.load(arguments.work / "faces.npz")
    with np.load(arguments.work / "targets.npz") as stored:
        embeddings = stored["embeddings"]
    rng = np.random.default_rng(arguments.seed)
    stock = Stock(faces, embeddings, arguments.work / "morphs", Teacher(arguments.teachers), rng)
    rows = np.flatnonzero(part_of(faces) == Part.VALIDATION)
    people = faces.person[rows]
    student = Recogniser()
    state = torch.load(arguments.checkpoint, weights_only=False) if arguments.checkpoint.exists() else None
    going_on = bool(state["going_on"] if state else arguments.start)
    peak = PEAK * (GOING_ON if going_on else 1)
    if arguments.start and not state:
        training = np.flatnonzero(part_of(faces) == Part.TRAINING)
        student = restored(arguments.start, plain(faces, training[:: max(1, len(training) // 512)]))
    student = student.to(memory_format=torch.channels_last)
    ema = copy.deepcopy(student)
    steppers = optimisers(student, peak)
    step, used = 0, 0.0
    log: list[dict[str, float]] = []
    if state:
        student.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        for stepper, stored_state in zip(steppers, state["steppers"], strict=True):
            stepper.load_state_dict(stored_state)
        step, used, log = state["step"], state["used"], state["log"]
        stock.rng = np.random.default_rng([arguments.seed, step])
    print(f"teacher on validation: TMR@1e-2 {tmr(embeddings[rows], people, 1e-2):.4f}", flush=True)

    def monitor() -> None:
        found = embed(ema, plain(faces, rows))
        entry = {
            "step": step,
            "minutes": round(used / 60, 1),
            "morphs": stock.morphs,
            "cosine": float((found * embeddings[rows]).sum(1).mean()),
            "tmr_1e-2": tmr(found, people, 1e-2),
            "tmr_1e-3": tmr(found, people, 1e-3),
        }
        log.append(entry)
        print(json.dumps(entry), flush=True)

    limit = arguments.minutes * 60
    draws = torch.Generator().manual_seed(arguments.seed + step)
    batches = Ahead(lambda: stock.batch(BATCH))
    if going_on and step == 0:
        monitor()
    last_save = last_look = used
    while used < limit:
        start, progress = time.monotonic(), used / limit
        for stepper in steppers:
            for group in stepper.param_groups:
                group["lr"] = rate(progress, peak)
        batch = batches()
        student.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=FAST_BFLOAT16):
            images = batch.images.contiguous(memory_format=torch.channels_last)
            embedding, maps = student.taught(
                images, batch.maps, forcing(max(progress, FORCED if going_on else 0), draws)
            )
        parts = losses(embedding, maps, batch)
        loss = total(parts, progress)
        loss.backward()
        for stepper in steppers:
            stepper.step()
            stepper.zero_grad()
        follow(ema, student, min(EMA, (1 + step) / (20 + step)))
        step += 1
        used += time.monotonic() - start
        if step % 20 == 0:
            shown = {name: round(float(value.detach()), 4) for name, value in parts.items()}
            print(f"{step} {used / 60:.1f} min {step * BATCH / used:.0f}/s {shown}", flush=True)
        if used - last_look > 300:
            monitor()
            last_look = used
        if used - last_save > 150 or used >= limit:
            last_save = used
            state = {
                "model": student.state_dict(),
                "ema": ema.state_dict(),
                "steppers": [s.state_dict() for s in steppers],
                "step": step,
                "going_on": going_on,
                "used": used,
                "log": log,
            }
            save(arguments.checkpoint, state)
    monitor()


if __name__ == "__main__":
    main()
