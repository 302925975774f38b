"""rec.onnx back to a network that can be taught on."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from scripts.training.common.unfold import norms_of, unfold, weights_of
from scripts.training.recogniser.local_centring import PREFIX
from scripts.training.recogniser.net import Recogniser


def restored(path: Path, sample: Tensor) -> Recogniser:
    """The network whose export is `path`; `sample` [N,3,112,112] sets the norms, see `unfold`.

    Local centring (centre.py) is left out: it is made anew from the weights that the training ends with.
    """
    network = Recogniser()
    norms = [*norms_of(network), ("pool", network.pool, network.pool_norm)]
    stored = {name: value for name, value in weights_of(path).items() if not name.startswith(PREFIX)}
    unfold(network, stored, norms, sample)
    return network
