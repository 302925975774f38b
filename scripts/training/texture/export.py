"""Write the texture network of a checkpoint as it is shipped.

    python -m scripts.training.texture.export --work WORK --name all --shift 0.9
    python -m scripts.training.texture.export --shipped models/compact/networks/texture.onnx

`--shift` is taken from every logit, so that the limit which `evaluate.py` chooses becomes the policy's limit. The
second form writes the weights of a shipped file anew, after a change of the way in which `net.py` computes the same.
Run `python -m scripts.training.common.ranges texture FILE` after either.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.export import export, folded
from scripts.training.common.loop import begun_with
from scripts.training.texture.net import SIDE, TextureNet


def write(checkpoint: Path, out: Path, shift: float = 0.0) -> None:
    """The averaged network of a checkpoint as an ONNX file."""
    net = TextureNet()
    begun_with(net, checkpoint)
    with torch.no_grad():
        net.decision.bias -= shift
    _write(folded(net), out)


def rewrite(shipped: Path, out: Path) -> None:
    """The network of a shipped file as an ONNX file, which may be the same file."""
    net, stored = folded(TextureNet()), stored_weights(shipped)
    net.load_state_dict({name: stored[f"net.{name}"].reshape(value.shape) for name, value in net.state_dict().items()})
    _write(net, out)


def stored_weights(shipped: Path) -> dict[str, Tensor]:
    """The weights of a shipped file as fp32, by name."""
    parts = {part.name: numpy_helper.to_array(part) for part in onnx.load(str(shipped)).graph.initializer}
    whole = {name.removesuffix("_int8"): values for name, values in parts.items() if name.endswith("_int8")}
    others = {name.removesuffix("_fp16"): values for name, values in parts.items() if not name.endswith("_int8")}
    scaled = {name: values * parts[f"{name}_step"] for name, values in whole.items()}
    return {name: torch.from_numpy(values.astype("float32")) for name, values in (others | scaled).items()}


def _write(net: TextureNet, out: Path) -> None:
    export(net, (torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),), out, int8=True)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--work", type=Path, help="folder of the checkpoint")
    parser.add_argument("--name", help="of the checkpoint in the work folder")
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--shipped", type=Path, help="a file as it is shipped, instead of a checkpoint")
    add_out(parser)
    arguments = parser.parse_args()
    out = arguments.out / "networks" / "texture.onnx"
    if arguments.shipped:
        rewrite(arguments.shipped, out)
    elif arguments.work and arguments.name:
        write(arguments.work / f"{arguments.name}.pt", out, arguments.shift)
    else:
        parser.error("give --shipped, or --work and --name")


if __name__ == "__main__":
    main()
