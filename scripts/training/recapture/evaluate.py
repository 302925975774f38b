"""False alarms of a recapture network on the portraits kept apart, by set, and the shift that brings them to a rate.

    python -m scripts.training.recapture.evaluate --data DATA --work WORK

The rate is that of the mean of the sets, since scraped photos of masks and sunglasses alarm more often than others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from facematch_local.checks import Role
from facematch_local.checks.logits import logit
from facematch_local.policy import load_policy
from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array
from scripts.training.common.loop import begun_with
from scripts.training.recapture.data import APART, written
from scripts.training.recapture.train import network
from scripts.training.texture.rates import bpcer

ROWS = 256  # crops at once


@torch.no_grad()
def logits_of(checkpoint: Path, crops: Array) -> Array:
    """Logit of a recapture of each crop [N,80,80,3]: [N] float32, without a period."""
    net = begun_with(network(), checkpoint).eval()
    found = []
    for start in range(0, len(crops), ROWS):
        rows = torch.from_numpy(crops[start : start + ROWS])
        live, *other = net(rows, torch.zeros(len(rows), 1)).unbind(1)
        found.append((torch.logsumexp(torch.stack(other, 1), 1) - live).numpy())
    return np.concatenate(found)


def shift_for(logits: dict[str, Array], limit: float, rate: float) -> float:
    """What is to be added to the logit of live so that a share `rate` of the real photos, the mean of all sets, is
    above the limit (a logit)."""
    values = np.concatenate(list(logits.values()))
    weights = np.concatenate([np.full(len(found), 1 / len(found) / len(logits)) for found in logits.values()])
    order = np.argsort(-values)
    first = int(np.searchsorted(np.cumsum(weights[order]), rate, side="right"))
    return float(values[order[min(first, len(order) - 1)]] - limit)


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    parser.add_argument("--name", default="scene", help="of the checkpoint in the work folder")
    parser.add_argument("--rate", type=float, default=0.02)
    arguments = parser.parse_args()
    crops, kinds, sets = written(arguments.data, arguments.work / "scenes")
    limit = load_policy().limits[Role.PORTRAIT]["recapture"]
    if limit.maximum is None:
        raise SystemExit("the policy has no limit of recapture")
    threshold = logit(limit.maximum)
    found = logits_of(arguments.work / f"{arguments.name}.pt", crops[kinds == APART])
    logits = {name: found[sets[kinds == APART] == name] for name in sorted(set(sets[kinds == APART].tolist()))}
    shift = shift_for(logits, threshold, arguments.rate)
    print(f"shift {shift:.2f} for {arguments.rate:.0%}")
    for name, values in logits.items():
        print(f"{name}: BPCER {bpcer(values - shift, threshold)}")


if __name__ == "__main__":
    main()
