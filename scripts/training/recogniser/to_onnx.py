"""Checkpoint to rec.onnx: batch norms folded, weights stored as fp16 and cast when loaded, batch dimension free."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from net import Recogniser
from onnx_file import finish, folded
from torch import nn
from torch.nn.utils import fusion
from train import BATCH


def export(network: Recogniser, path: Path) -> None:
    """Write `network` to `path`: input [N,3,112,112], output [N,256].

    insightface takes a recogniser whose first nodes are no subtraction and multiplication for one that wants
    (x - 127.5) / 127.5, as this one does.
    """
    network = folded(network)
    network.pool = fusion.fuse_conv_bn_eval(network.pool, network.pool_norm)
    network.pool_norm = nn.Identity()
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 112, 112),),
        str(path),
        input_names=["input"],
        output_names=["embedding"],
        dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=13,
        dynamo=False,
    )
    finish(path)


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
        "bytes_without_centring": arguments.out.stat().st_size,
        "steps": state["step"],
        "samples": state["step"] * BATCH,
        "minutes": round(state["used"] / 60, 1),
        "validation": state["log"],
    }
    arguments.summary.parent.mkdir(parents=True, exist_ok=True)
    arguments.summary.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
