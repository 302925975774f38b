"""Arrays and crops come back as they were written; half a file never has the name of a whole one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.training.common.store import CropWriter, crops_in, save_arrays


def test_arrays_are_written_whole(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a.npz", {"five": np.arange(10), "path": np.array(["x", "y"])})
    with np.load(tmp_path / "a.npz") as stored:
        assert stored["five"].tolist() == list(range(10))
        assert stored["path"].tolist() == ["x", "y"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_arrays(tmp_path / "a.npz", {"one": np.ones(1)})
    monkeypatch.setattr(np, "savez", lambda stream, **_: stream.write(b"half") and stream.missing)
    with pytest.raises(AttributeError):
        save_arrays(tmp_path / "a.npz", {"one": np.zeros(1)})
    with np.load(tmp_path / "a.npz") as stored:
        assert stored["one"].tolist() == [1]


def test_crops_come_back_in_order(tmp_path: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.uint8)
    with CropWriter(tmp_path, {"face": 4}) as writer:
        for crop in crops:
            writer.add({"face": crop})
        with pytest.raises(AssertionError):
            writer.add({"face": crops[0, :2]})
    np.testing.assert_array_equal(crops_in(tmp_path, {"face": 4})["face"], crops)
