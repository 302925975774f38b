"""Checkpoint to the shipped det.onnx: batch norms folded, weights stored as fp16 and cast to fp32 when loaded."""

from __future__ import annotations

from pathlib import Path

import torch

from scripts.training.common.arguments import parser_of
from scripts.training.common.export import finish, folded, to_onnx
from scripts.training.detector.net import PER_ANCHOR, Detector, ScrfdLayout

# Taken off the score logits of the anchors for 6-24, 24-56, 56-112, 112-220, 220-340 and 340-900 pixels, so that at a
# score of 0.5 false faces are rare: what looks like a tiny face must be surer, for most things that do are leaves and
# lettering. Set on every second held-out `no_card` photo and a cat; `evaluate.py` counts false faces on the others.
SCORE_SHIFTS = ((0.45, 0.45), (0.3, 0.3), (0.3, 0.3))
NAMES = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]


def fused(detector: Detector) -> Detector:
    """A copy in eval mode with every batch norm folded into its convolution and the slot scales into the weights."""
    out = folded(detector)
    for level, layer in enumerate(out.predict):
        scale = getattr(out, f"scale{level}")
        layer.weight.data *= scale.view(-1, 1, 1, 1)
        layer.bias.data *= scale.view(-1)
        scale.fill_(1)
        for anchor, shift in enumerate(SCORE_SHIFTS[level]):
            layer.bias.data[anchor * PER_ANCHOR] -= shift
    return out


def export(detector: Detector, path: Path) -> None:
    """Write `detector` to `path`; input [1,3,H,W] with H and W free multiples of 32."""
    wrapped = ScrfdLayout(fused(detector)).eval()
    axes = {"input": {2: "height", 3: "width"}, **{name: {0: "anchors"} for name in NAMES}}
    to_onnx(wrapped, (torch.zeros(1, 3, 320, 320),), path, ["input"], NAMES, axes, opset=13)
    # Mul by the folded scale of one is left to onnxruntime's optimiser only if it stays out of the graph.
    finish(path)


def main() -> None:
    parser = parser_of(__doc__, "checkpoint", "out")
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    detector = Detector()
    detector.load_state_dict(state["ema"])
    export(detector, arguments.out)


if __name__ == "__main__":
    main()
