"""Checkpoint to the shipped det.onnx: batch norms folded, weights stored as fp16 and cast to fp32 when loaded."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from net import PER_ANCHOR, Detector, ScrfdLayout
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils import fusion

# Taken off the score logits of the anchors for 6-24, 24-56, 56-112, 112-220, 220-340 and 340-900 pixels, so that at a
# score of 0.5 false faces are rare: what looks like a tiny face must be surer, for most things that do are leaves and
# lettering. Set on every second held-out `no_card` photo and a cat; `evaluate.py` counts false faces on the others.
SCORE_SHIFTS = ((0.45, 0.45), (0.3, 0.3), (0.3, 0.3))
NAMES = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]


def fused(detector: Detector) -> Detector:
    """A copy in eval mode with every batch norm folded into its convolution and the slot scales into the weights."""
    out = copy.deepcopy(detector).eval()
    for module in out.modules():
        if hasattr(module, "norm"):
            module.conv = fusion.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    for level, layer in enumerate(out.predict):
        scale = getattr(out, f"scale{level}")
        layer.weight.data *= scale.view(-1, 1, 1, 1)
        layer.bias.data *= scale.view(-1)
        scale.fill_(1)
        for anchor, shift in enumerate(SCORE_SHIFTS[level]):
            layer.bias.data[anchor * PER_ANCHOR] -= shift
    return out


def store_fp16(model: onnx.ModelProto) -> None:
    """Replace fp32 weights by fp16 ones, each followed by a Cast that onnxruntime folds when it loads the file."""
    casts = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def export(detector: Detector, path: Path) -> None:
    """Write `detector` to `path`; input [1,3,H,W] with H and W free multiples of 32."""
    wrapped = ScrfdLayout(fused(detector)).eval()
    torch.onnx.export(
        wrapped,
        (torch.zeros(1, 3, 320, 320),),
        str(path),
        input_names=["input"],
        output_names=NAMES,
        dynamic_axes={"input": {2: "height", 3: "width"}, **{name: {0: "anchors"} for name in NAMES}},
        opset_version=13,
        dynamo=False,
    )
    model = onnx.load(str(path))
    # Mul by the folded scale of one is left to onnxruntime's optimiser only if it stays out of the graph.
    store_fp16(model)
    model.producer_name, model.producer_version, model.doc_string = "facematch-local", "", ""
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    detector = Detector()
    detector.load_state_dict(state["ema"])
    export(detector, arguments.out)


if __name__ == "__main__":
    main()
