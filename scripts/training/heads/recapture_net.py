"""The recapture head: surroundings, fine texture and spectrum, each with a small network of its own."""

from __future__ import annotations

import math

import torch
from occlusion_net import trunk
from torch import Tensor, nn
from torch.nn import functional

SIZE = 128


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
        self.register_buffer("window", torch.outer(window, window), persistent=False)
        half = phase[SIZE // 2 :].T
        self.register_buffer("columns_cos", half.cos() * window[:, None], persistent=False)
        self.register_buffer("columns_sin", half.sin() * window[:, None], persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
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


class Fine(nn.Module):
    """Texture and spectrum of one 128x128 crop, [B,3,128,128] float BGR 0..255, to features."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = Spectrum()
        self.peaks = trunk((12, 16, 32), (1, 1, 1), inputs=2)
        self.texture = trunk((8, 16, 32, 32), (1, 1, 1, 1))
        self.features = 2 * 32 + 2 * 32

    def forward(self, x: Tensor) -> Tensor:
        grey = x.mean(1, keepdim=True)
        peaks = self.peaks(self.spectrum(torch.cat([grey, x[:, 2:] - x[:, :1]], dim=1)))
        # What a face looks like is of no interest here: only what a small blur takes away.
        residual = (x - functional.avg_pool2d(x, 7, 1, 3, count_include_pad=False)) / 12
        texture = self.texture(residual)
        parts = [part for y in (peaks, texture) for part in (y.mean((2, 3)), y.amax((2, 3)))]
        return torch.cat(parts, dim=1)


class RecaptureNet(nn.Module):
    """uint8 crops `wide` [B,80,80,3], `face` and `native` [B,128,128,3], BGR, to logits of live, print, screen."""

    INPUTS = ("wide", "face", "native")
    CONVENTION = "recapture-1"

    def __init__(self) -> None:
        super().__init__()
        self.surroundings = trunk((12, 16, 32, 48), (1, 1, 1, 1))
        self.face, self.native = Fine(), Fine()
        self.hidden = nn.Linear(2 * 48 + 2 * self.face.features, 64)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(64, 3)

    def forward(self, wide: Tensor, face: Tensor, native: Tensor) -> Tensor:
        images = [x.permute(0, 3, 1, 2).float() for x in (wide, face, native)]
        around = self.surroundings((images[0] - 127.5) / 64)
        parts = [torch.cat([around.mean((2, 3)), around.amax((2, 3))], dim=1)]
        parts += [self.face(images[1]), self.native(images[2])]
        if self.training:  # no single sign may carry the decision: one of the three is missing at times
            keep = (torch.rand(len(parts), len(wide), 1) > 0.15).float()
            parts = [part * k for part, k in zip(parts, keep, strict=True)]
        return self.out(self.drop(functional.relu(self.hidden(torch.cat(parts, dim=1)))))

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """They sum to one."""
        return logits.softmax(1)
