"""Train the face filter on the candidates of `data.py`; writes `networks/face_filter.onnx` of a pack.

One block of candidates in ten is kept out of the training: the weights of detector and filter, where the detector is
unsure, are fitted on it (logistic regression) and put into the file. Composed pictures of one photo may lie on both
sides, so the figures of these candidates are optimistic; `evaluate.py` has photos held out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facematch_local.networks.face_filter import FACE_FILTER_SIZE
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.export import export
from scripts.training.common.image import Array
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.face_filter.crops import STORED, STORED_SCALE, seen
from scripts.training.face_filter.net import FaceFilterNet

BATCH = 128
LEAST = 0.2  # least confidence of the detector at which the filter is asked
BLOCK = 100  # candidates of neighbouring photos


def view(crop: Array, rng: np.random.Generator) -> Array:
    """The network's input cut from a stored crop, as if the box lay a little elsewhere, sometimes in other light."""
    angle, scale = rng.normal(0, 0.08), np.exp(rng.normal(0, 0.07))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn = turn * [-1, 1]
    picture = seen(crop, turn, STORED / 2 + rng.normal(0, 0.04 * STORED / STORED_SCALE, 2))
    gain, cast = np.exp(rng.normal(0, 0.15)), np.exp(rng.normal(0, 0.06, 3))
    if rng.random() < 0.1:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    return np.clip(picture * gain * cast + rng.normal(0, 8), 0, 255).astype(np.uint8)


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits[:, 0], targets)


@torch.no_grad()
def figures(net: torch.nn.Module, crops: Array, face: Array, score: Array) -> dict[str, Any]:
    """Of candidates that the detector is unsure of: how many the filter finds, and weights for both together."""
    views = np.stack([seen(crop) for crop in crops])
    said = torch.cat([net(torch.from_numpy(part))[:, 0] for part in np.array_split(views, len(views) // 256 + 1)])
    detector = torch.from_numpy(np.clip(score, 1e-4, 1 - 1e-4).astype(np.float32)).logit()
    columns, target = torch.stack([torch.ones_like(said), detector, said], dim=1), torch.from_numpy(face).float()
    result: dict[str, Any] = {"candidates": len(face), "faces": int(face.sum())}
    for name, used in (("detector", [0, 1]), ("head", [0, 2]), ("both", [0, 1, 2])):
        with torch.enable_grad():
            weights = torch.zeros(len(used), requires_grad=True)
            solver = torch.optim.LBFGS([weights], max_iter=200)

            def closure(weights: Tensor = weights, used: list[int] = used, solver: Any = solver) -> Tensor:
                solver.zero_grad()
                loss = functional.binary_cross_entropy_with_logits(columns[:, used] @ weights, target)
                loss.backward()
                return loss

            solver.step(closure)
        joint = (columns[:, used] @ weights.detach()).numpy()
        found = {}
        for rate in (0.01, 0.03, 0.1):
            limit = np.quantile(joint[~face], 1 - rate)
            found[f"found_at_{rate:g}_of_others"] = round(float((joint[face] > limit).mean()), 4)
        result[name] = {"weights": [round(float(w), 3) for w in weights], **found}
    return result


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--candidates", type=Path, nargs="+", required=True)
    add_training(parser, steps=9500)
    parser.add_argument("--unsure", type=float, default=0.7, help="confidence from which the filter is not asked")
    arguments = parser.parse_args()
    prepare()
    stored: dict[str, list[Array]] = {"crops": [], "face": [], "score": []}
    for path in arguments.candidates:
        with np.load(path) as part:
            for name, values in stored.items():
                values.append(part[name])
    unsure = arguments.unsure
    crops, face, score = (np.concatenate(stored[name]) for name in ("crops", "face", "score"))
    print(f"{len(face)} candidates, {face.sum()} faces, {(score < unsure).sum()} unsure", flush=True)
    kept_out = np.arange(len(face)) // BLOCK % 10 == 0
    judged = kept_out & (score >= LEAST) & (score < unsure)
    # Half of a batch are faces, half of those and two thirds of the others such as the detector is unsure of.
    groups = [np.flatnonzero(kind) for kind in (
        face & (score < unsure), face & (score >= unsure), ~face & (score >= LEAST), ~face & (score < LEAST)
    )]  # fmt: skip
    groups = [group[~kept_out[group]] for group in groups]
    counts = (BATCH // 4, BATCH // 4, BATCH // 3, BATCH - BATCH // 2 - BATCH // 3)

    def batch_of(rng: np.random.Generator) -> Batch:
        chosen = np.concatenate([rng.choice(group, count) for group, count in zip(groups, counts, strict=True)])
        views = np.stack([view(crops[i], rng) for i in chosen])
        return (torch.from_numpy(views),), torch.from_numpy(face[chosen].astype(np.float32))

    net = trained(FaceFilterNet(), batch_of, loss_of, arguments, "confirmation")
    result = figures(net, crops[judged], face[judged], score[judged])
    print(json.dumps(result, indent=1), flush=True)
    (arguments.out / "figures").mkdir(parents=True, exist_ok=True)
    (arguments.out / "figures" / "confirmation.json").write_text(json.dumps(result, indent=1) + "\n")
    net.joint.copy_(torch.tensor(result["both"]["weights"]))  # type: ignore[operator, union-attr]
    example = torch.zeros(1, FACE_FILTER_SIZE, FACE_FILTER_SIZE, 3, dtype=torch.uint8)
    export(net, (example, torch.full((1, 1), 0.5)), arguments.out / "networks" / "face_filter.onnx", int8=True)


if __name__ == "__main__":
    main()
