"""Train the recapture network on the captures of `data.py`; writes `networks/recapture.onnx` of a pack.

    python -m scripts.training.recapture.train --data DATA --teachers TEACHERS --others PICTURES --work WORK

A net from random numbers learns to see what the teacher (MiniFASNet V2) sees, see `distil.py`; then a decision on its
features is fitted. Every stage keeps its result in the work folder and is skipped when it is there.

A net trained on these captures alone finds nearly all synthetic recaptures and neither of the real ones: it has seen
synthetic ones only. The teacher has seen real ones, but takes every tenth live photo, most blurred ones and nearly
every grey one for an attack. The decision keeps what it knows and learns what live photos look like: those are live
whatever the teacher says; a synthetic recapture is one as far as the teacher sees it, or shows a strong period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from facematch_local.networks.recapture import RECAPTURE_SIZE
from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.export import export
from scripts.training.common.image import Array, jpeg
from scripts.training.common.loop import prepare
from scripts.training.recapture.data import build, set_aside, sources
from scripts.training.recapture.distil import (
    CHANGES,
    ELSEWHERE,
    OTHER,
    Teacher,
    batches,
    elsewhere,
    mixed,
    other_things,
    taught,
    written,
)
from scripts.training.recapture.net import FEATURES, RecaptureNet

BATCH, DECISION_STEPS, RATE = 256, 3000, 2e-3
CERTAIN = 2.6  # a period (ln) that no live photo has: what shows it is a recapture, whatever else is seen


def samples(data: Path, teachers: Path, work: Path, others: list[Path]) -> Iterator[Array]:
    """Crops uint8 [80,80,3] for the distillation: what the teacher sees of them is asked anew."""
    wide, _, kinds, _ = build(data, teachers, work, held_out=False)
    rng = np.random.default_rng(7)
    last = np.asarray(wide[0])
    for change in range(CHANGES + 1):
        for index in range(len(wide)):
            crop = np.array(wide[index])
            if change:
                crop = augmented(crop, kinds[index] == 0, np.random.default_rng((index, change)))
            if change == CHANGES:
                crop = mixed(crop, last, rng)
            last = crop
            yield crop
    for _, _, image, box in sources(data, teachers, work, held_out=False):
        for _ in range(ELSEWHERE):
            crop = elsewhere(image, box, rng)
            yield augmented(crop, True, rng) if rng.random() < 0.5 else crop
    for crop in other_things(others, OTHER, rng):
        if rng.random() < 0.3:
            crop = mixed(crop, last, rng)
        yield augmented(crop, True, rng) if rng.random() < 0.5 else crop


def attack_of(wide: Array, teachers: Path, cache: Path) -> Array:
    """The teacher's probability of an attack [N] for crops uint8 [N,80,80,3]."""
    if not cache.exists():
        teacher = Teacher(teachers)
        parts = [teacher(np.asarray(wide[i : i + 64]))[0] for i in range(0, len(wide), 64)]
        np.save(cache, np.concatenate(parts))
    said: Array = np.load(cache)
    return said


@torch.no_grad()
def features_of(net: RecaptureNet, crops: Iterable[Array]) -> Array:
    """The net's features [N,128] of crops uint8 [80,80,3]."""
    return np.concatenate([net.sees(torch.from_numpy(batch))[:, :FEATURES].numpy() for batch in batches(crops, 128)])


def augmented(crop: Array, live: bool, rng: np.random.Generator) -> Array:
    """A crop in another light, mirrored, grey, softer, with noise, bars or compressed once more at times."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    gamma = np.exp(rng.normal(0, 0.15))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    new: Array = cv2.LUT(np.ascontiguousarray(crop), table[:, None])
    if rng.random() < 0.2:
        new = cv2.cvtColor(cv2.cvtColor(new, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15:
        new = cv2.GaussianBlur(new, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(1, 8), new.shape)
        new = np.clip(new + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        quality = int(rng.integers(50, 96))
        new = jpeg(new, quality)
    if rng.random() < (0.15 if live else 0.03):  # bars that some app added: no camera gives them so even
        one, two = (int(v) for v in rng.uniform(0, 0.25, 2) * len(new))
        value = int(rng.choice([0, 128, 255]))
        view = new.transpose(1, 0, 2) if rng.random() < 0.7 else new
        view[:one], view[len(new) - two :] = value, value
    return new


def targets_of(kinds: Array, periods: Array, attack: Array) -> Array:
    """Probabilities to learn [N,3]: live is live; a synthetic recapture is one as far as the teacher sees it."""
    share = np.where(kinds == 0, 0.02, 0.98 * np.where(periods > CERTAIN, 1.0, attack))
    out = np.zeros((len(kinds), 3), np.float32)
    out[:, 0] = 1 - share
    out[np.arange(len(kinds)), np.where(kinds == 0, 1, kinds)] += share
    out[kinds == 0, 1:] = 0.01
    return out


def decide(net: RecaptureNet, plain: Array, changed: Array, targets: Array, chances: Array) -> None:
    """Fit the net's decision on its features by multinomial regression.

    Args:
        net: what it has learned to see stays.
        plain: features [N,128] of the captures.
        changed: features of the same captures, augmented; one half of every batch.
        targets: probabilities [N,3].
        chances: how often each is drawn, cumulated [N].
    """
    inputs, wanted = (torch.from_numpy(plain), torch.from_numpy(changed)), torch.from_numpy(targets)
    nn.init.zeros_(net.decision.weight)
    nn.init.zeros_(net.decision.bias)
    optimiser = torch.optim.AdamW(net.decision.parameters(), RATE, weight_decay=0.05)
    rng = np.random.default_rng(0)
    for step in range(DECISION_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / DECISION_STEPS) + 1e-5
        chosen = np.searchsorted(chances, rng.random(BATCH) * chances[-1])
        change = torch.from_numpy(rng.random(BATCH) < 0.5)[:, None]
        seen = torch.where(change, inputs[1][chosen], inputs[0][chosen])
        loss = functional.cross_entropy(net.decision(seen), wanted[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def chances_of(kinds: Array, names: list[list[str]]) -> Array:
    """How often each capture is drawn, cumulated: live twice as often as a kind of attack, small sets more often."""
    groups = [f"{kind} {name[2]} {name[1] == 'raw'}" for kind, name in zip(kinds, names, strict=True)]
    _, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = counts[index] ** -0.5
    weights[[set_aside(name[0], name[2]) for name in names]] = 0
    for kind in range(3):
        weights[kinds == kind] *= (2.0, 1.0, 1.0)[kind] / weights[kinds == kind].sum()
    return np.asarray(weights.cumsum())


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "others", "work")
    parser.add_argument("--steps", type=int, default=5000, help="of the distillation")
    add_out(parser)
    arguments = parser.parse_args()
    prepare()
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    wide, periods, kinds, names = build(data, teachers, work, held_out=False)
    print(f"{len(kinds)} captures, {np.bincount(kinds).tolist()} live, print, screen", flush=True)
    distil = work / "recapture_distil"
    if not (distil / "features.f32").exists():
        written(samples(data, teachers, work, sorted(arguments.others.iterdir())), Teacher(teachers), distil)
    net = taught(distil, arguments.steps, work / "recapture.pt")
    attack = attack_of(wide, teachers, work / "recapture_train" / "attack.npy")
    again = (augmented(np.array(c), kinds[i] == 0, np.random.default_rng(i)) for i, c in enumerate(wide))
    plain, changed = features_of(net, wide), features_of(net, again)
    decide(net, plain, changed, targets_of(kinds, periods, attack), chances_of(kinds, names))
    example = (torch.zeros(1, RECAPTURE_SIZE, RECAPTURE_SIZE, 3, dtype=torch.uint8), torch.zeros(1, 1))
    export(net, example, arguments.out / "networks" / "recapture.onnx", int8=True)


if __name__ == "__main__":
    main()
