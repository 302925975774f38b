"""The training loop: a run can be repeated, started from another and resumed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the loop needs torch, an extra for the trainings")

from scripts.training.common import loop  # noqa: E402 - needs torch
from scripts.training.common.units import trunk  # noqa: E402 - needs torch


class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
    """uint8 [B,16,16,3] to one logit."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.drop, self.out = trunk((4, 8), (1, 2)), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1)

    def forward(self, pixels):  # type: ignore[no-untyped-def]
        return self.out(self.drop(self.trunk(pixels.permute(0, 3, 1, 2).float() / 255).mean((2, 3))))


def batch_of(rng: np.random.Generator) -> loop.Batch:
    pixels = rng.integers(0, 256, (8, 16, 16, 3), np.uint8)
    return (torch.from_numpy(pixels),), torch.from_numpy((pixels.mean((1, 2, 3)) > 127)[:, None].astype(np.float32))


def weights_after(work: Path, steps: int, start: Path | None = None) -> dict[str, np.ndarray]:
    loop.prepare()
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    arguments = Namespace(work=work, steps=steps, rate=3e-3, start=start)
    net = loop.trained(Net(), batch_of, loss, arguments, "net")
    return {name: value.numpy() for name, value in net.state_dict().items()}


def test_a_run_can_be_repeated(tmp_path: Path) -> None:
    one, two = weights_after(tmp_path / "one", 3), weights_after(tmp_path / "two", 3)
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name], err_msg=name)


def test_a_run_starts_from_the_averaged_weights_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights_after(tmp_path / "first", 3)
    fresh, further = (
        weights_after(tmp_path / name, 1, start)
        for name, start in (("fresh", None), ("further", tmp_path / "first" / "net.pt"))
    )
    assert "from the start file: 20 of 20 tensors" in capsys.readouterr().out
    assert np.abs(fresh["out.weight"] - further["out.weight"]).max() > 1e-4


def test_a_run_that_was_cut_off_sees_the_batches_that_it_missed(tmp_path: Path) -> None:
    seen: list[list[float]] = []

    def run(work: Path, steps: int, until: int) -> None:
        drawn: list[float] = []
        seen.append(drawn)

        def batch(rng: np.random.Generator) -> loop.Batch:
            if len(drawn) == until:
                raise KeyboardInterrupt
            inputs, targets = batch_of(rng)
            drawn.append(float(inputs[0].float().mean()))
            return inputs, targets

        loop.prepare()
        loop.train(Net(), batch, torch.nn.functional.binary_cross_entropy_with_logits, steps, work / "net.pt")

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    run(tmp_path / "whole", 60, 60)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", 60, 55)
    run(tmp_path / "cut", 60, 60)  # the checkpoint is of step 50
    assert seen[1] == seen[0][:55]
    assert seen[2] == seen[0][50:]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    once = weights_after(tmp_path, 2)
    stamp = (tmp_path / "net.pt").stat().st_mtime_ns
    again = weights_after(tmp_path, 2)
    assert (tmp_path / "net.pt").stat().st_mtime_ns == stamp
    assert not (tmp_path / "net.part").exists()
    for name, value in once.items():
        np.testing.assert_array_equal(value, again[name], err_msg=name)


def test_the_average_moves_by_what_does_not_stay() -> None:
    average, net = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    for module, value in ((average, 1.0), (net, 3.0)):
        torch.nn.init.constant_(module.weight, value)
    loop.follow(average, net, 0.75)
    assert average.weight.item() == pytest.approx(1.5)
