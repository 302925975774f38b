"""Write the texture network of a checkpoint as it is shipped.

python -m scripts.training.texture.export --work WORK --name all
"""

from __future__ import annotations

from pathlib import Path

import torch

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.export import export
from scripts.training.common.loop import begun_with
from scripts.training.texture.net import SIDE, TextureNet


def write(checkpoint: Path, out: Path) -> None:
    """The averaged network of a checkpoint as an ONNX file."""
    net = TextureNet()
    begun_with(net, checkpoint)
    export(net, (torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),), out, int8=True)


def main() -> None:
    parser = parser_of(__doc__, "work")
    parser.add_argument("--name", required=True, help="of the checkpoint in the work folder")
    add_out(parser)
    arguments = parser.parse_args()
    write(arguments.work / f"{arguments.name}.pt", arguments.out / "networks" / "texture.onnx")


if __name__ == "__main__":
    main()
