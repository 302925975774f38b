"""Checkpoint to rec.onnx: batch norms folded, weights stored as fp16 and cast when loaded, batch dimension free."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from net import ConvUnit, Recogniser
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils import fusion
from train import BATCH

SMALLEST_FP16 = 64  # values; smaller tensors stay fp32


def folded(network: Recogniser) -> Recogniser:
    """A copy in eval mode without batch norms."""
    out = copy.deepcopy(network).to(memory_format=torch.contiguous_format).eval()
    for module in out.modules():
        if isinstance(module, ConvUnit):
            module.conv = fusion.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    out.pool = fusion.fuse_conv_bn_eval(out.pool, out.pool_norm)
    out.pool_norm = nn.Identity()
    return out


def store_fp16(model: onnx.ModelProto) -> None:
    """Halve the file: fp16 weights, each with a Cast that onnxruntime folds away when it loads the file."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_FP16:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def export(network: Recogniser, path: Path) -> None:
    """Write `network` to `path`: input [N,3,112,112], output [N,256].

    insightface takes a recogniser whose first nodes are no subtraction and multiplication for one that wants
    (x - 127.5) / 127.5, as this one does.
    """
    torch.onnx.export(
        folded(network),
        (torch.zeros(1, 3, 112, 112),),
        str(path),
        input_names=["input"],
        output_names=["embedding"],
        dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=13,
        dynamo=False,
    )
    model = onnx.load(str(path))
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
    parser.add_argument("--summary", type=Path, required=True, help="JSON to write: how it was trained")
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)
    network = Recogniser()
    network.load_state_dict(state["ema"])
    export(network, arguments.out)
    summary = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "bytes": arguments.out.stat().st_size,
        "steps": state["step"],
        "samples": state["step"] * BATCH,
        "minutes": round(state["used"] / 60, 1),
        "validation": state["log"],
    }
    arguments.summary.parent.mkdir(parents=True, exist_ok=True)
    arguments.summary.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
