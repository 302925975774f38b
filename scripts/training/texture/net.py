"""The texture network: convolutions over a square at the photo's own resolution, joined by those over its spectrum."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from scripts.training.common.units import ConvUnit, trunk

SIDE = 96
WINDOW, STEP = 64, 32  # of the windows whose spectra are averaged
FEATURES = 32


class Spectrum(nn.Module):
    """Grey [B,SIDE,SIDE] to the logarithm of the mean power [B,1,WINDOW,WINDOW/2+1] of overlapping windows.

    Written as products with the matrices of the transform, because ONNX Runtime has no fast one.
    """

    def __init__(self) -> None:
        super().__init__()
        turn = 2 * np.pi * np.outer(np.arange(WINDOW), np.arange(WINDOW)) / WINDOW
        turn = np.fft.fftshift(turn, axes=0)  # frequency zero in the middle
        half = 2 * np.pi * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) / WINDOW
        for name, value in {
            "cosines": np.cos(turn), "sines": np.sin(turn),
            "half_cosines": np.cos(half).T, "half_sines": np.sin(half).T,
            "window": np.outer(np.hanning(WINDOW), np.hanning(WINDOW)),
        }.items():  # fmt: skip
            self.register_buffer(name, torch.from_numpy(value.astype(np.float32)), persistent=False)

    def forward(self, grey: Tensor) -> Tensor:
        starts = range(0, SIDE - WINDOW + 1, STEP)
        windows = torch.stack([grey[:, i : i + WINDOW, j : j + WINDOW] for i in starts for j in starts], 1)
        windows = (windows - windows.mean((2, 3), keepdim=True)) * self.window
        across_real, across_other = windows @ self.half_cosines, windows @ self.half_sines
        real = self.cosines @ across_real - self.sines @ across_other
        other = self.cosines @ across_other + self.sines @ across_real
        power = (real * real + other * other).mean(1, keepdim=True)
        return torch.log(power + 1.0)


class TextureNet(nn.Module):
    """uint8 [B,96,96,3] BGR to the logit of a recapture [B,1]."""

    INPUTS = ("tiles",)
    OUTPUT = "scores"
    CONVENTION = "texture-1"

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvUnit(3, 16, 2, 5)
        self.rest = nn.Sequential(
            ConvUnit(16, 16), ConvUnit(16, 32, 2), ConvUnit(32, 32), ConvUnit(32, 56, 2), ConvUnit(56, 56)
        )
        self.spectrum = Spectrum()
        self.waves = trunk((8, 16, 24), (1, 1, 1), 2)
        self.joined = nn.Linear(56 + 56 + 24 * 8 * 5, FEATURES)
        self.decision = nn.Linear(FEATURES, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, tiles: Tensor) -> Tensor:
        x = tiles.permute(0, 3, 1, 2).float()
        grey = x[:, 0] * 0.114 + x[:, 1] * 0.587 + x[:, 2] * 0.299
        waves = self.spectrum(grey) / 8
        local = nn.functional.avg_pool2d(waves, 9, 1, 4, count_include_pad=False)
        waves = self.waves(torch.cat([waves - 1, 4 * (waves - local)], 1)).flatten(1)
        # Light and colour say little; what is left is contrast around the mean of the square.
        x = self.rest(self.first((x - x.mean((2, 3), keepdim=True)) / 32))
        features = torch.cat([x.mean((2, 3)), x.amax((2, 3)) / 4, waves], 1)
        logit: Tensor = self.decision(self.drop(nn.functional.relu(self.joined(features))))
        return logit

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """Logits as they are: the library averages those of several squares."""
        return logits
