"""The spectrum of the texture network is that of the transform, and a shipped file is written anew without a change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the network needs torch, an extra for the trainings")

from scripts.training.texture.export import rewrite  # noqa: E402
from scripts.training.texture.net import SIDE, STEP, WINDOW, Spectrum  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[4] / "models" / "compact" / "networks" / "texture.onnx"


def test_the_spectrum_is_the_mean_power_of_the_windows() -> None:
    row, column = np.mgrid[:SIDE, :SIDE]
    rng = np.random.default_rng(1)
    squares = np.stack(
        [
            rng.uniform(0, 255, (SIDE, SIDE)),
            128 + 60 * np.cos(0.7 * row + 0.4 * column),
            128 + 60 * np.cos(0.7 * row - column),
        ]
    )
    starts = range(0, SIDE - WINDOW + 1, STEP)
    windows = np.stack([squares[:, i : i + WINDOW, j : j + WINDOW] for i in starts for j in starts], axis=1)
    windows = (windows - windows.mean((2, 3), keepdims=True)) * np.outer(np.hanning(WINDOW), np.hanning(WINDOW))
    power = (np.abs(np.fft.fftshift(np.fft.rfft2(windows), axes=2)) ** 2).mean(axis=1)
    found = Spectrum()(torch.from_numpy(squares.astype(np.float32)))[:, 0].numpy()
    assert found == pytest.approx(np.log(power + 1), abs=2e-3)


def test_a_shipped_file_is_written_anew_without_a_change(tmp_path: Path) -> None:
    rewrite(SHIPPED, tmp_path / "once.onnx")
    rewrite(tmp_path / "once.onnx", tmp_path / "twice.onnx")
    squares = np.random.default_rng(2).integers(0, 256, (4, SIDE, SIDE, 3)).astype(np.uint8)
    answers = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"tiles": squares})[0]
        for path in (SHIPPED, tmp_path / "once.onnx", tmp_path / "twice.onnx")
    ]
    assert answers[1] == pytest.approx(answers[0], abs=2e-3)
    assert answers[2] == pytest.approx(answers[1], abs=1e-5)
