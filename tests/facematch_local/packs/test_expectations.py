"""The figures of a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.errors import PackError
from facematch_local.packs.expectations import EXPECTATIONS, read_expectations

FIGURE = '{"population": "lfw", "pairs": 10, "people": null, "match": 95, "unsure": 3, "no_match": 2}'


def written(folder: Path, content: str) -> Path:
    path = folder / EXPECTATIONS
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    return folder


def test_a_pack_without_figures(tmp_path: Path) -> None:
    assert read_expectations(tmp_path) is None


def test_figures_are_read(tmp_path: Path) -> None:
    folder = written(tmp_path, f'{{"mated_per_100": [{FIGURE}], "non_mated_per_100000": []}}')
    expectations = read_expectations(folder)
    assert expectations is not None
    (figure,) = expectations.mated_per_100
    assert (figure.population, figure.pairs, figure.people, figure.match) == ("lfw", 10, None, 95.0)
    assert expectations.non_mated_per_100000 == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"mated_per_100": [{}], "non_mated_per_100000": []}', "\xff"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(PackError, match="not a file of expected verdicts"):
        read_expectations(written(tmp_path, content))
