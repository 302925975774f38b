"""The recogniser: a plain network of dense 3x3 convolutions, which CPUs run near their peak, in training as well."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS, DEPTHS, EMBEDDING, GRID = (48, 128, 256), (3, 6, 3), 256, 7
# Crops come at CROP pixels, as ArcFace has them, and are looked at in LOOK pixels: with little training time more
# faces teach more than more pixels, and a card portrait holds no more.
CROP, LOOK = 112, 80


class ConvUnit(nn.Module):
    """3x3 convolution and batch norm, added to the input where the shape stays, then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return functional.relu(x + y if self.shortcut else y)


class Recogniser(nn.Module):
    """[B,3,112,112] RGB in (x-127.5)/127.5, or [B,3,80,80] reduced before, to embeddings [B,256], not normalised."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS, stem: int = 16) -> None:
        super().__init__()
        self.stem = ConvUnit(3, stem, 2)
        stages, inputs = [], stem
        for width, depth in zip(widths, depths, strict=True):
            stages.append(
                nn.Sequential(ConvUnit(inputs, width, 2), *(ConvUnit(width, width) for _ in range(depth - 1)))
            )
            inputs = width
        self.stages = nn.ModuleList(stages)
        self.pool = nn.Conv2d(inputs, inputs, GRID, groups=inputs, bias=False)
        self.pool_norm = nn.BatchNorm2d(inputs)
        self.embed = nn.Linear(inputs, EMBEDDING)

    def features(self, x: Tensor) -> Tensor:
        if x.shape[-1] != LOOK:
            x = functional.interpolate(x, size=(LOOK, LOOK), mode="bilinear", align_corners=False)
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def head(self, x: Tensor) -> Tensor:
        x = functional.interpolate(x, size=(GRID, GRID), mode="bilinear", align_corners=False)
        return self.embed(self.pool_norm(self.pool(x)).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def deepened(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Weights of a shallower network, for a deeper one that starts by computing the same.

    A unit with a shortcut whose norm has gain zero passes its input on unchanged, since that is never negative
    (Net2DeeperNet, Chen et al. 2016).
    """
    start = {name: value.clone() for name, value in network.state_dict().items()}
    for name in start:
        if name in weights:
            start[name] = weights[name]
        elif name.endswith("norm.weight"):
            start[name] = torch.zeros_like(start[name])
    return start
