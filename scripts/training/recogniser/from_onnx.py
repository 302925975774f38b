"""rec.onnx back to a network that can be taught on."""

from __future__ import annotations

from pathlib import Path

from net import Recogniser
from torch import Tensor
from unfold import norms_of, unfold, weights_of


def restored(path: Path, sample: Tensor) -> Recogniser:
    """The network whose export is `path`; `sample` [N,3,112,112] sets the norms, see `unfold`."""
    network = Recogniser()
    norms = [*norms_of(network), ("pool", network.pool, network.pool_norm)]
    unfold(network, weights_of(path), norms, sample)
    return network
