"""The detector: a plain 3x3 convolution trunk, a small feature pyramid and one head per stride.

Outputs follow insightface's SCRFD layout: two anchors per location at strides 8, 16 and 32, the anchor centre being
grid index times stride. Each anchor is responsible for faces of one range of sizes (`SLOTS`), and its raw outputs are
multiplied by that range's typical size in strides, so that the network regresses numbers of order one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.training.common.units import ConvUnit

STRIDES = (8, 16, 32)
# (stride, smallest, largest, typical) face size in pixels, size = sqrt(width * height)
SLOTS = (
    ((6, 24, 16), (24, 56, 38)),
    ((56, 112, 80), (112, 220, 160)),
    ((220, 340, 270), (340, 900, 440)),
)
PER_ANCHOR = 15  # score, 4 distances, 10 point offsets


class Detector(nn.Module):
    """[B,3,H,W], RGB (x-127.5)/128, H and W multiples of 32, to three maps [B, 2*15, H/s, W/s] (score as logit)."""

    def __init__(self, widths: tuple[int, ...] = (16, 24, 48, 96, 96), neck: int = 48) -> None:
        super().__init__()
        w = widths
        self.stem = nn.Sequential(ConvUnit(3, w[0], 2), ConvUnit(w[0], w[1], 2), ConvUnit(w[1], w[1]))
        self.stage8 = nn.Sequential(ConvUnit(w[1], w[2], 2), *(ConvUnit(w[2], w[2]) for _ in range(3)))
        self.stage16 = nn.Sequential(ConvUnit(w[2], w[3], 2), *(ConvUnit(w[3], w[3]) for _ in range(2)))
        self.stage32 = nn.Sequential(ConvUnit(w[3], w[4], 2), *(ConvUnit(w[4], w[4]) for _ in range(3)))
        self.lateral = nn.ModuleList(nn.Conv2d(c, neck, 1) for c in w[2:5])
        self.smooth = nn.ModuleList(ConvUnit(neck, neck) for _ in STRIDES)
        self.head = nn.ModuleList(ConvUnit(neck, neck) for _ in STRIDES)
        self.predict = nn.ModuleList(nn.Conv2d(neck, 2 * PER_ANCHOR, 1) for _ in STRIDES)
        for level, (layer, stride) in enumerate(zip(self.predict, STRIDES, strict=True)):
            scale = torch.ones(2, PER_ANCHOR)
            for anchor, slot in enumerate(SLOTS[level]):
                scale[anchor, 1:] = slot[2] / stride
            self.register_buffer(f"scale{level}", scale.view(1, -1, 1, 1), persistent=False)
            nn.init.normal_(layer.weight, std=0.01)
            bias = torch.zeros(2, PER_ANCHOR)
            bias[:, 0], bias[:, 1:5] = -4.6, 0.5
            layer.bias.data.copy_(bias.view(-1))

    def forward(self, x: Tensor) -> list[Tensor]:
        c8 = self.stage8(self.stem(x))
        c16 = self.stage16(c8)
        c32 = self.stage32(c16)
        p8, p16, p32 = (layer(c) for layer, c in zip(self.lateral, (c8, c16, c32), strict=True))
        p16 = p16 + functional.interpolate(p32, scale_factor=2.0, mode="nearest")
        p8 = p8 + functional.interpolate(p16, scale_factor=2.0, mode="nearest")
        outputs = []
        for level, feature in enumerate((p8, p16, p32)):
            feature = self.head[level](self.smooth[level](feature))
            # Outside of autocast: eight bits of mantissa are too few for points to a hundredth of a face.
            with torch.autocast("cpu", enabled=False):
                raw = self.predict[level](feature.float())
            outputs.append(raw * getattr(self, f"scale{level}"))
        return outputs


class ScrfdLayout(nn.Module):
    """Batch-of-one wrapper with SCRFD's nine outputs: scores, distances, point offsets, each at strides 8, 16, 32."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        flat = [m.permute(0, 2, 3, 1).reshape(-1, PER_ANCHOR) for m in self.detector(x)]
        return (
            *(m[:, :1].sigmoid() for m in flat),
            *(m[:, 1:5] for m in flat),
            *(m[:, 5:] for m in flat),
        )
