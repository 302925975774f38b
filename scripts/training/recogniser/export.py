"""Checkpoint to rec.onnx: batch norms folded, weights stored as fp16 and cast when loaded, batch dimension free."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import fusion

from scripts.training.common.arguments import parser_of
from scripts.training.common.export import finish, folded, to_onnx
from scripts.training.recogniser.net import Recogniser
from scripts.training.recogniser.train import BATCH


def export(network: Recogniser, path: Path) -> None:
    """Write `network` to `path`: input [N,3,112,112], output [N,256].

    insightface takes a recogniser whose first nodes are no subtraction and multiplication for one that wants
    (x - 127.5) / 127.5, as this one does.
    """
    network = folded(network)
    network.pool = fusion.fuse_conv_bn_eval(network.pool, network.pool_norm)
    network.pool_norm = nn.Identity()
    axes = {"input": {0: "batch"}, "embedding": {0: "batch"}}
    to_onnx(network, (torch.zeros(1, 3, 112, 112),), path, ["input"], ["embedding"], axes, opset=13)
    finish(path)


def main() -> None:
    parser = parser_of(__doc__, "checkpoint", "out")
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
