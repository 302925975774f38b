"""Train the occlusion network on the crops of `data.py`; writes `networks/occlusion.onnx` of a pack.

python -m scripts.training.occlusion.train --data DATA --teachers TEACHERS --work WORK
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

from facematch_local.networks.occlusion import OCCLUSION_SIZE
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.export import export, folded
from scripts.training.common.image import Array, jpeg
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.occlusion.canvas import SCALE, STORED
from scripts.training.occlusion.data import LFW_AGAIN, build, reviewed
from scripts.training.occlusion.net import OcclusionNet

BATCH = 96


def augmented(crop: Array, rng: np.random.Generator) -> Array:
    """A training view of a stored crop: 112x112x3 uint8; geometry, light, camera and compression varied."""
    half, size = STORED / 2, OCCLUSION_SIZE
    scale = SCALE / 2 * np.exp(rng.normal(0, 0.07))
    angle = rng.normal(0, 6) * np.pi / 180
    shift = rng.normal(0, 4.0, 2)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    stretch = np.exp(rng.normal(0, 0.04))
    matrix = np.array([[a * stretch, -b, 0], [b * stretch, a, 0]])
    matrix[:, 2] = half + shift - matrix[:, :2] @ (size / 2, size / 2)
    if rng.random() < 0.3:  # a photo that ends close to the face: its border is repeated
        low = (rng.uniform(0, 0.28, 2) * STORED).astype(int)
        high = STORED - (rng.uniform(0, 0.2, 2) * STORED).astype(int)
        if rng.random() < 0.5:
            low[0] = 0
        crop = crop[low[1] : high[1], low[0] : high[0]]
        matrix[:, 2] -= low
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(crop, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    if rng.random() < 0.35:  # few pixels
        small = int(rng.uniform(28, 90))
        how = (cv2.INTER_AREA, cv2.INTER_LINEAR)[rng.integers(2)]
        out = cv2.resize(
            cv2.resize(out, (small, small), interpolation=how), (size, size), interpolation=cv2.INTER_CUBIC
        )
    elif rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
    x = out.astype(np.float32)
    if rng.random() < 0.15:
        x[:] = x.mean(2, keepdims=True)
    gain = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.08, 3)).astype(np.float32)
    x = (x - 127) * np.float32(np.exp(rng.normal(0, 0.2))) + 127 + np.float32(rng.normal(0, 14))
    x = np.clip(x * gain, 0, 255)
    if rng.random() < 0.5:
        x = 255 * (x / 255) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.2:
        x += rng.standard_normal(x.shape, dtype=np.float32) * np.float32(rng.uniform(1, 12))
    out = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        out = jpeg(out, int(rng.integers(25, 92)))
    return out


def sampling_weights(labels: Array, names: list[str]) -> Array:
    """Real positives, and photos once mistaken for hats, count for more than drawn ones; no set is rare."""
    real = np.array(["#" not in name for name in names])
    source = np.array([name.split("/")[0] for name in names])
    weights = np.ones(len(names))
    mistaken = {path for path, notes in reviewed().items() if notes.get("head_covering") == "0"}
    weights[((source != "lfw") & real) | np.array([name in mistaken for name in names])] = 3.0
    for column, factor in ((0, 8.0), (1, 4.0), (2, 6.0), (3, 5.0)):
        weights[real & (labels[:, column] == 1)] = factor
    return weights / weights.sum()


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross entropy, labels softened a little, unknown ones left out; sunglasses and hats not outweighed."""
    known = (targets >= 0).float()
    soft = targets.clamp(0, 1) * 0.96 + 0.02
    return (functional.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known).sum() / known.sum()


def shipped(pack: Path) -> OcclusionNet:
    """The network of a pack to go on from: its batch norms are folded, and its int8 weights are floats again."""
    net = folded(OcclusionNet())
    graph = onnx.load(str(pack / "networks" / "occlusion.onnx")).graph
    values = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
    state = {}
    for name, own in net.state_dict().items():
        key = f"net.{name}"
        if f"{key}_int8" in values:
            value = values[f"{key}_int8"] * values[f"{key}_step"]
        else:
            value = values[f"{key}_fp16"] if f"{key}_fp16" in values else values[key]
        state[name] = torch.from_numpy(value.reshape(own.shape))
    net.load_state_dict(state)
    return net


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers")
    add_training(parser, steps=4000)
    parser.add_argument("--go-on", type=Path, metavar="PACK", help="begin with the network of this pack")
    arguments = parser.parse_args()
    prepare()
    share = LFW_AGAIN if arguments.go_on else 1.0
    crops, labels, names = build(arguments.data, arguments.teachers, arguments.work, held_out=False, lfw=share)
    chances = sampling_weights(labels, names).cumsum()
    print(f"{len(names)} training crops; positives {(labels == 1).sum(0).tolist()}", flush=True)

    def batch_of(rng: np.random.Generator) -> Batch:
        chosen = np.searchsorted(chances, rng.random(BATCH) * chances[-1])
        views = np.stack([augmented(crops[i], rng) for i in chosen])
        return (torch.from_numpy(views),), torch.from_numpy(labels[chosen].astype(np.float32))

    net = shipped(arguments.go_on) if arguments.go_on else OcclusionNet()
    net = trained(net, batch_of, loss_of, arguments, "occlusion")
    example = torch.zeros(1, OCCLUSION_SIZE, OCCLUSION_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "networks" / "occlusion.onnx", int8=True)


if __name__ == "__main__":
    main()
