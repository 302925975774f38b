"""An exported file back to a network that can be taught on: what lets training go on where only weights were kept."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from scripts.training.common.units import ConvUnit

FILTER_RMS = 0.06  # about what filters have at the end of a run, so that an update changes them as much as it did then
Norms = list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]


def weights_of(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The weights of an exported file as fp32, by the names they had in the network."""
    return {
        tensor.name.removesuffix("_fp16").removeprefix(prefix): torch.from_numpy(
            numpy_helper.to_array(tensor).astype("float32")
        )
        for tensor in onnx.load(str(path)).graph.initializer
    }


def norms_of(network: nn.Module) -> Norms:
    """Every `ConvUnit`'s name in the file, its convolution and its norm, in the order in which they are run."""
    return [
        (f"{name}.conv", module.conv, module.norm)
        for name, module in network.named_modules()
        if isinstance(module, ConvUnit)
    ]


def unfold(network: nn.Module, stored: dict[str, Tensor], norms: Norms, sample: Tensor) -> None:
    """Give `network` the weights `stored`, in which `norms` were folded into the convolutions before them.

    Any mean and spread may be taken out of a folded convolution and put into a norm after it; those that
    `sample` has there are the ones that training goes on with. The outputs are those of the file, for any input.

    Raises:
        ValueError: the weights are not those of such a network.
    """
    network.eval()
    folded = {name for name, _, _ in norms}
    rest = {name: value for name, value in stored.items() if name.rpartition(".")[0] not in folded}
    keys = network.load_state_dict(rest, strict=False)
    of_norms = tuple(f"{name.rpartition('.')[0]}.norm." if "." in name else f"{name}_norm." for name, _, _ in norms)
    left_out = [k for k in keys.missing_keys if k.rpartition(".")[0] not in folded and not k.startswith(of_norms)]
    if left_out or keys.unexpected_keys:
        raise ValueError(f"not a file of this network: {', '.join([*left_out, *keys.unexpected_keys])}")
    hooks = []
    for name, conv, norm in norms:
        weight, bias = stored[f"{name}.weight"], stored[f"{name}.bias"]
        scale = (weight.square().mean((1, 2, 3)).sqrt() / FILTER_RMS).clamp(min=1e-6)
        conv.weight.data = weight / scale[:, None, None, None]

        def put(
            _: nn.Module, __: object, y: Tensor, norm: nn.BatchNorm2d = norm, scale: Tensor = scale, bias: Tensor = bias
        ) -> None:
            mean, spread = y.mean((0, 2, 3)), y.var((0, 2, 3), unbiased=False)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(spread)
            norm.weight.data = scale * (spread + norm.eps).sqrt()
            norm.bias.data = bias + scale * mean

        hooks.append(conv.register_forward_hook(put))
    with torch.no_grad():
        network(sample)
    for hook in hooks:
        hook.remove()
