"""The pictures of the docs show what their captions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local import FaceMatcher
from scripts.docs_pictures import CARDS, SELFIES, Tile, glance, photos, raised, sheet

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return dict(photos())


@pytest.mark.slow
@pytest.mark.parametrize("tile", CARDS, ids=lambda tile: tile.file)
def test_a_card_raises_the_code_below_it(tile: Tile, files: dict[str, bytes], matcher: FaceMatcher) -> None:
    assert raised(tile, "card", files, matcher) == tile.code


@pytest.mark.slow
@pytest.mark.parametrize("tile", SELFIES, ids=lambda tile: tile.file)
def test_a_selfie_raises_the_code_below_it(tile: Tile, files: dict[str, bytes], matcher: FaceMatcher) -> None:
    assert raised(tile, "portrait", files, matcher) == tile.code


def test_the_committed_pictures_are_of_these_sizes(files: dict[str, bytes], matcher: FaceMatcher) -> None:
    from PIL import Image

    drawn = {"capture-card.jpg": sheet(CARDS, files, 3), "capture-selfie.jpg": sheet(SELFIES, files, 4)}
    drawn["at-a-glance.png"] = glance(files, matcher)
    for name, picture in drawn.items():
        with Image.open(IMAGES / name) as committed:
            assert committed.size == picture.size, name
