"""A list of pairs for a stub examiner."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write_list(tmp_path: Path) -> Callable[..., Path]:
    """`write_list(60)`: photos and a CSV with that many rows of which some have no result; gives the CSV."""

    def write(rows: int, photos: int = 10) -> Path:
        folder = tmp_path / "photos"
        folder.mkdir()
        for number in range(photos):
            (folder / f"{number}.jpg").write_bytes(b"photo %d" % number)
        (folder / "damaged.jpg").write_bytes(b"damaged")
        (folder / "empty.jpg").write_bytes(b"nobody")
        path = tmp_path / "pairs.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("path1", "path2", "type1"))
            for row in range(rows):
                second = {3: "damaged", 5: "absent", 7: "empty"}.get(row % 11, str(row % photos))
                writer.writerow((f"photos/{row // photos % photos}.jpg", f"photos/{second}.jpg", "portrait"))
        return path

    return write
