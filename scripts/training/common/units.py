"""The convolution that every network here is built of, and stacks of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Without hardware for it, bfloat16 is emulated, at a fifth of the speed of float32.
FAST_BFLOAT16 = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


class ConvUnit(nn.Module):
    """Convolution and batch norm, added to the input where the shape stays, then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return functional.relu(x + y if self.shortcut else y)


def trunk(widths: tuple[int, ...], depths: tuple[int, ...], inputs: int = 3) -> nn.Sequential:
    """Units of the given widths; each stage halves the resolution with its first unit."""
    layers: list[nn.Module] = []
    for width, depth in zip(widths, depths, strict=True):
        layers += [ConvUnit(inputs, width, 2), *(ConvUnit(width, width) for _ in range(depth - 1))]
        inputs = width
    return nn.Sequential(*layers)
