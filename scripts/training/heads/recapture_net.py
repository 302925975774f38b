"""The recapture head: statistics of spectrum, texture, colour and surroundings, fixed; then a small trained network.

The statistics need no training, so that little data and little computing time go a long way, and they say the same of a
halftone or a pixel grid whatever its pitch: how far the strongest frequency stands out of its ring of the spectrum.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZE = 128
RINGS = 16


class Spectrum(nn.Module):
    """[B,2,128,128] to the log power spectrum [B,2,128,64]: rows are frequencies -64..63, columns 0..63 per 128 pixels.

    For the export the Fourier transform is written as matrix products, so that it needs no operator that ONNX runtimes
    lack; in training the fast one gives the same numbers sooner.
    """

    def __init__(self) -> None:
        super().__init__()
        at = torch.arange(SIZE).float()
        phase = 2 * math.pi / SIZE * torch.outer(torch.arange(-SIZE // 2, SIZE // 2).float(), at)
        window = torch.hann_window(SIZE, periodic=False)
        self.register_buffer("rows_cos", phase.cos() * window, persistent=False)
        self.register_buffer("rows_sin", phase.sin() * window, persistent=False)
        half = phase[SIZE // 2 :].T
        self.register_buffer("columns_cos", half.cos() * window[:, None], persistent=False)
        self.register_buffer("columns_sin", half.sin() * window[:, None], persistent=False)
        self.register_buffer("window", torch.outer(window, window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean((2, 3), keepdim=True)
        power = self.power_by_products(x) if torch.onnx.is_in_onnx_export() else self.power(x)
        # A ripple of one grey level peaks at about 128 * 128 / 8 = 2048, or 15 in ln of power; JPEG leaves about 8.
        return (torch.log(power + 100.0) - 10.0) / 3.0

    def power(self, x: Tensor) -> Tensor:
        """|FFT|^2 of the windowed crop."""
        spectrum = torch.fft.rfft2(x * self.window)
        rolled = torch.roll(spectrum, SIZE // 2, dims=2)[..., : SIZE // 2]
        return rolled.real**2 + rolled.imag**2

    def power_by_products(self, x: Tensor) -> Tensor:
        """The same by matrix products."""
        across_cos, across_sin = x @ self.columns_cos, x @ self.columns_sin
        real = self.rows_cos @ across_cos - self.rows_sin @ across_sin
        imaginary = self.rows_cos @ across_sin + self.rows_sin @ across_cos
        return real * real + imaginary * imaginary


class FineStatistics(nn.Module):
    """Statistics of one 128x128 crop, [B,3,128,128] float BGR 0..255, to [B, `COUNT`]."""

    COUNT = 2 * 4 * RINGS + 18

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = Spectrum()
        rows = torch.arange(-SIZE // 2, SIZE // 2).float()[:, None]
        columns = torch.arange(SIZE // 2).float()[None]
        radius = (rows**2 + columns**2).sqrt()
        # Rings of equal steps in the root of the radius; the lowest frequencies are the face itself.
        ring = ((radius.sqrt() - 2.0) / (math.sqrt(80.0) - 2.0) * RINGS).floor().long()
        # The axes are full of JPEG's and edges' energy: a peak on them tells nothing.
        ring = torch.where((rows.abs() > 1) & (columns > 1), ring, torch.tensor(-1)).flatten()
        places = [(ring == k).nonzero().flatten() for k in range(RINGS)]
        self.sizes = [len(place) for place in places]
        self.register_buffer("order", torch.cat(places), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        grey = x.mean(1, keepdim=True)
        chroma = x[:, 2:] - x[:, :1]
        log_power = self.spectrum(torch.cat([grey, chroma], dim=1)).flatten(2)
        rings = log_power.index_select(2, self.order).split(self.sizes, dim=2)
        mean = torch.stack([ring.mean(2) for ring in rings], dim=2)
        square = torch.stack([(ring * ring).mean(2) for ring in rings], dim=2)
        peak = torch.stack([ring.amax(2) for ring in rings], dim=2)
        spread = ((square - mean * mean).clamp(min=0) + 1e-4).sqrt()
        parts = [mean, spread, peak - mean, (peak - mean) / (spread + 0.1) * 0.3]
        parts = [part.flatten(1) for part in parts]
        for size in (3, 7):  # what is left when a blur is taken away, per channel
            blurred = functional.avg_pool2d(x, (size, 1), 1, (size // 2, 0), count_include_pad=False)
            left = x - functional.avg_pool2d(blurred, (1, size), 1, (0, size // 2), count_include_pad=False)
            power = (left * left).mean((2, 3)) + 0.01
            parts += [power.log() / 3, (left.abs().mean((2, 3)) + 0.1) / power.sqrt()]
        middle = x.mean((2, 3))
        around = ((x * x).mean((2, 3)) - middle * middle).clamp(min=0).sqrt()
        parts += [(middle - 120) / 60, (around - 50) / 25]
        return torch.cat(parts, dim=1)


class WideStatistics(nn.Module):
    """Statistics of the surroundings, [B,3,80,80] float BGR 0..255, to [B, `COUNT`]."""

    COUNT = 25 * 6 + 4 * 10

    def forward(self, x: Tensor) -> Tensor:
        cells = functional.avg_pool2d(x, 16)
        squares = functional.avg_pool2d(x * x, 16)
        spread = (squares - cells * cells).clamp(min=0).add(1).sqrt()
        parts = [((cells - 120) / 60).flatten(1), (spread.log() - 2.5).flatten(1)]
        grey = x.mean(1)
        # Straight edges along the photo: the border of a paper or a bezel adds up over a whole row or column.
        across = (grey[:, :, 1:] - grey[:, :, :-1]).mean(1)
        down = (grey[:, 1:] - grey[:, :-1]).mean(2)
        for line in (across, down):
            padded = functional.pad(line, (0, 1)).unsqueeze(1)
            parts += [functional.max_pool1d(sign * padded, 8).flatten(1) / 10 for sign in (1, -1)]
        return torch.cat(parts, dim=1)


class RecaptureNet(nn.Module):
    """uint8 crops `wide` [B,80,80,3], `face` and `native` [B,128,128,3], BGR, to logits of live, print, screen."""

    INPUTS = ("wide", "face", "native")
    OUTPUT = "scores"
    CONVENTION = "recapture-1"
    COUNTS = (WideStatistics.COUNT, FineStatistics.COUNT, FineStatistics.COUNT)

    def __init__(self, hidden: int = 96) -> None:
        super().__init__()
        self.of_wide, self.of_fine = WideStatistics(), FineStatistics()
        count = sum(self.COUNTS)
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.first, self.second = nn.Linear(count, hidden), nn.Linear(hidden, 32)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(32, 3)

    def statistics(self, wide: Tensor, face: Tensor, native: Tensor) -> Tensor:
        """[B, sum of `COUNTS`]"""
        images = [x.permute(0, 3, 1, 2).float() for x in (wide, face, native)]
        return torch.cat([self.of_wide(images[0]), self.of_fine(images[1]), self.of_fine(images[2])], dim=1)

    def decide(self, statistics: Tensor) -> Tensor:
        """Logits from statistics."""
        x = ((statistics - self.mean) * self.scale).clamp(-4, 4)
        if self.training:  # no single sign may carry the decision: one of the three is missing at times
            keep = (torch.rand(len(x), len(self.COUNTS)) > 0.15).float()
            x = x * torch.repeat_interleave(keep, torch.tensor(self.COUNTS), dim=1)
        x = self.drop(functional.relu(self.first(x)))
        return self.out(functional.relu(self.second(x)))

    def forward(self, wide: Tensor, face: Tensor, native: Tensor) -> Tensor:
        return self.decide(self.statistics(wide, face, native))

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """They sum to one."""
        return logits.softmax(1)
