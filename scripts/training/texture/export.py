"""Write the texture network of a checkpoint as it is shipped.

    python -m scripts.training.texture.export --work WORK --name all --shift 0.9

`--shift` is taken from every logit, so that the limit which `evaluate.py` chooses becomes the policy's limit.
"""

from __future__ import annotations

from pathlib import Path

import torch

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.export import export
from scripts.training.common.loop import begun_with
from scripts.training.texture.net import SIDE, TextureNet


def write(checkpoint: Path, out: Path, shift: float = 0.0) -> None:
    """The averaged network of a checkpoint as an ONNX file."""
    net = TextureNet()
    begun_with(net, checkpoint)
    with torch.no_grad():
        net.decision.bias -= shift
    export(net, (torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),), out, int8=True)


def main() -> None:
    parser = parser_of(__doc__, "work")
    parser.add_argument("--name", required=True, help="of the checkpoint in the work folder")
    parser.add_argument("--shift", type=float, default=0.0)
    add_out(parser)
    arguments = parser.parse_args()
    write(arguments.work / f"{arguments.name}.pt", arguments.out / "networks" / "texture.onnx", arguments.shift)


if __name__ == "__main__":
    main()
