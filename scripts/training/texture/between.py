"""Weights on the line between two checkpoints, one trained on from the other: a checkpoint for `scores` and `export`.

    python -m scripts.training.texture.between --work WORK --start base2 --end all4 --share 0.25 --name shipped

A training on few real recaptures learns their cameras and forgets part of what simulated ones of all kinds have taught.
Weights a part of the way keep both (WiSE-FT, Wortsman et al. 2022).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from scripts.training.common.arguments import parser_of
from scripts.training.common.loop import save


def between(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Each tensor of floats `share` of the way from the start to the end; each other one as in the end."""
    return {
        name: torch.lerp(start[name], value, share) if value.dtype.is_floating_point else value
        for name, value in end.items()
    }


def averaged(checkpoint: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint of `common.loop.train`."""
    state: dict[str, dict[str, Tensor]] = torch.load(checkpoint, map_location="cpu", weights_only=False)
    return state["average"]


def main() -> None:
    parser = parser_of(__doc__, "work")
    parser.add_argument("--start", required=True, help="checkpoint in the work folder")
    parser.add_argument("--end", required=True, help="checkpoint that was trained from it")
    parser.add_argument("--share", type=float, required=True, help="0 start to 1 end")
    parser.add_argument("--name", required=True, help="of the checkpoint that is written")
    arguments = parser.parse_args()
    start, end = (averaged(arguments.work / f"{name}.pt") for name in (arguments.start, arguments.end))
    save(arguments.work / f"{arguments.name}.pt", {"average": between(start, end, arguments.share)})


if __name__ == "__main__":
    main()
