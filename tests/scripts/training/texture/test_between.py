"""Weights on the line between two checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="checkpoints need torch, an extra for the trainings")

from scripts.training.texture.between import averaged, between  # noqa: E402


def test_weights_move_a_share_of_the_way_and_counts_stay() -> None:
    start = {"weight": torch.tensor([0.0, 4.0]), "batches": torch.tensor(3)}
    end = {"weight": torch.tensor([8.0, 0.0]), "batches": torch.tensor(7)}
    mixed = between(start, end, 0.25)
    assert mixed["weight"].tolist() == [2.0, 3.0]
    assert mixed["batches"].item() == 7
    assert between(start, end, 0.0)["weight"].tolist() == [0.0, 4.0]
    assert between(start, end, 1.0)["weight"].tolist() == [8.0, 0.0]


def test_the_averaged_weights_of_a_checkpoint_are_read(tmp_path: Path) -> None:
    torch.save({"net": {"weight": torch.zeros(2)}, "average": {"weight": torch.ones(2)}}, tmp_path / "a.pt")
    assert averaged(tmp_path / "a.pt")["weight"].tolist() == [1.0, 1.0]
