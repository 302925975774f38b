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

    Written as products with the matrices of the transform, because ONNX Runtime has no fast one. The transform of real
    values needs as many waves as there are values: cosines of frequencies 0 to 31, the cosine of 32, sines of 1 to 31.
    """

    def __init__(self) -> None:
        super().__init__()
        half = WINDOW // 2
        turn = 2 * np.pi * np.outer(np.arange(half + 1), np.arange(WINDOW)) / WINDOW
        waves = np.concatenate([np.cos(turn), np.sin(turn[1:half])]) * np.hanning(WINDOW)
        windows = np.zeros((2, SIDE))
        windows[0, :WINDOW] = windows[1, STEP:] = 1 / WINDOW
        # Frequency of each wave; the sum joins the squares of cosine and sine.
        columns = np.eye(half + 1)[[*range(half + 1), *range(1, half)]]
        frequencies = np.abs(np.arange(WINDOW) - half)  # of the rows of the result, zero in the middle
        rows = columns[:, frequencies].T
        edge = np.isin(frequencies, (0, half))[:, None] | np.isin(np.arange(half + 1), (0, half))
        # Off the edges the same and the opposite direction differ: frequency 1 to 31 each.
        directed = np.zeros((WINDOW, 2, half))
        for frequency in range(1, half):
            directed[half + frequency, 0, frequency] = directed[half - frequency, 1, frequency] = 1
        for name, value in {
            "waves": waves, "level": np.outer(waves.sum(axis=1), waves.sum(axis=1)), "windows": windows,
            "rows": rows, "columns": columns, "edge": edge,
            "directed": directed.reshape(WINDOW, -1), "inner": np.eye(half + 1)[:half] * (np.arange(half + 1) > 0),
        }.items():  # fmt: skip
            self.register_buffer(name, torch.from_numpy(value.astype(np.float32)), persistent=False)

    def forward(self, grey: Tensor) -> Tensor:
        means = (self.windows @ grey @ self.windows.T).reshape(-1, 4, 1, 1)
        across = torch.stack([grey[:, :, :WINDOW], grey[:, :, STEP:]], 1) @ self.waves.T
        both = self.waves @ torch.cat([across[:, :, :WINDOW], across[:, :, STEP:]], 1) - means * self.level
        squares = self.rows @ (both * both).mean(1) @ self.columns
        cosines, sines = both.chunk(2, 2)
        (even, mixed), (other, odd) = cosines.chunk(2, 3), sines.chunk(2, 3)
        same = (even - odd).square() + (mixed + other).square()
        opposite = (even + odd).square() + (mixed - other).square()
        directed = self.directed @ torch.cat([same.mean(1), opposite.mean(1)], 1) @ self.inner
        return torch.log(squares * self.edge + directed + 1.0)[:, None]


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
        self.register_buffer("grey", torch.tensor([[0.114, 0.587, 0.299]]), persistent=False)

    def forward(self, tiles: Tensor) -> Tensor:
        x = tiles.permute(0, 3, 1, 2).float()
        # Light and colour say little; what is left is contrast around the mean of the square.
        x = x - x.mean((2, 3), keepdim=True)
        grey = (self.grey @ x.flatten(2)).reshape(-1, SIDE, SIDE)
        waves = self.spectrum(grey) / 8
        local = nn.functional.avg_pool2d(waves, 9, 1, 4, count_include_pad=False)
        waves = self.waves(torch.cat([waves - 1, 4 * (waves - local)], 1)).flatten(1)
        x = self.rest(self.first(x / 32))
        features = torch.cat([x.mean((2, 3)), x.amax((2, 3)) / 4, waves], 1)
        logit: Tensor = self.decision(self.drop(nn.functional.relu(self.joined(features))))
        return logit

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """Logits as they are: the library averages those of several squares."""
        return logits
