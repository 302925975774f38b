"""Write the recapture network of `train.py` as it is shipped: the mean of one or more checkpoints' weights.

    python -m scripts.training.recapture.export WORK/first.pt WORK/second.pt --shift 0.5 --out models/compact

The checkpoints are of one training that went on. `--shift` is added to the logit of live, so that the limit chosen on
development photos becomes the policy's limit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from facematch_local.networks.recapture import RECAPTURE_SIZE
from scripts.training.common.arguments import add_out
from scripts.training.common.export import export
from scripts.training.recapture.train import network


def mean_of(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each tensor of floats, the first of each other one."""
    first = states[0]
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in first.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--shift", type=float, default=0.0)
    add_out(parser)
    arguments = parser.parse_args()
    states = [torch.load(path, map_location="cpu", weights_only=False)["average"] for path in arguments.checkpoints]
    net = network()
    net.load_state_dict(mean_of(states))
    with torch.no_grad():
        net.decision.bias[0] += arguments.shift
    example = (torch.zeros(1, RECAPTURE_SIZE, RECAPTURE_SIZE, 3, dtype=torch.uint8), torch.zeros(1, 1))
    export(net.eval(), example, arguments.out / "networks" / "recapture.onnx", int8=True)


if __name__ == "__main__":
    main()
