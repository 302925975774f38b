"""The texture network: convolutions over a square at the photo's own resolution, joined by those over its spectrum."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from scripts.training.common.units import ConvUnit, trunk

SIDE = 96
WINDOW, STEP = 64, 32  # of the windows whose spectra are averaged
FEATURES = 32
FAINT = 4.0  # grey levels of fine detail that count half as much as the strongest


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
        detail = torch.full((3, 1, 5, 5), -1 / 25)
        detail[:, :, 2, 2] += 1
        self.register_buffer("detail", detail, persistent=False)
        self.first = ConvUnit(6, 24, 2, 5)
        self.rest = nn.Sequential(
            ConvUnit(24, 24), ConvUnit(24, 40, 2), ConvUnit(40, 40), ConvUnit(40, 64, 2), ConvUnit(64, 64)
        )
        self.spectrum = Spectrum()
        self.waves = trunk((12, 16, 24), (1, 1, 1), 6)
        self.joined = nn.Linear(64 + 64 + 24 * 8 * 5, FEATURES)
        self.decision = nn.Linear(FEATURES, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, tiles: Tensor) -> Tensor:
        x = tiles.permute(0, 3, 1, 2).float()
        blue, green, red = x.unbind(1)
        planes = (blue * 0.114 + green * 0.587 + red * 0.299, red - blue, green - (red + blue) / 2)
        waves = torch.cat([self.spectrum(plane) for plane in planes], 1) / 8
        local = nn.functional.avg_pool2d(waves, (9, 1), 1, (4, 0), count_include_pad=False)
        local = nn.functional.avg_pool2d(local, (1, 9), 1, (0, 4), count_include_pad=False)
        waves = self.waves(torch.cat([waves - 1, 4 * (waves - local)], 1)).flatten(1)
        # Light and colour say little; what is left is contrast around the mean of the square.
        # A faint grid on flat ground counts as much as a strong edge: fine detail is compressed.
        fine = nn.functional.conv2d(x, self.detail, padding=2, groups=3)
        fine = fine / (fine.abs() + FAINT)
        x = torch.cat([(x - x.mean((2, 3), keepdim=True)) / 32, fine.to(x.dtype)], 1)
        x = self.rest(self.first(x))
        features = torch.cat([x.mean((2, 3)), x.amax((2, 3)) / 4, waves], 1)
        logit: Tensor = self.decision(self.drop(nn.functional.relu(self.joined(features))))
        return logit

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """Logits as they are: the library averages those of several squares."""
        return logits
