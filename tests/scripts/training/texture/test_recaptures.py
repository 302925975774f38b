"""The sets of recaptures: species, and things that stay on one side of the split."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.training.common.photos import read_rows
from scripts.training.texture.recaptures import THINGS, list_recaptures

LABELS = """path,label,source
recaptures/a002_real.jpg,real,"things, set a"
recaptures/a077_screen-laptop.jpg,screen-laptop,"things, set a"
recaptures/b072_screen.jpg,screen,"things, set b"
recaptures/f0001_screen.webp,screen,face clips
recaptures/f0001_real.webp,real,face clips
"""


def test_species_and_sets_follow_the_names(tmp_path: Path) -> None:
    (tmp_path / "recaptures").mkdir()
    (tmp_path / "recaptures" / "labels.csv").write_text(LABELS)
    photos = list_recaptures(tmp_path)
    assert [(p.source, p.species) for p in photos] == [
        ("a", ""), ("a", "a, laptop"), ("b", "b, screen"), ("f", "f, screen"), ("f", ""),
    ]  # fmt: skip
    assert not any(p.held_out for p in photos if p.source == "f")


def test_photos_of_one_thing_are_on_one_side(tmp_path: Path) -> None:
    things = {row["photo"]: row["thing"] for row in read_rows(THINGS)}
    (tmp_path / "recaptures").mkdir()
    lines = [f"recaptures/{name}_{'real' if name[1:] < '077' else 'screen'}.jpg,x,y" for name in things]
    (tmp_path / "recaptures" / "labels.csv").write_text("\n".join(["path,label,source", *lines]))
    sides: dict[str, set[bool]] = {}
    for photo in list_recaptures(tmp_path):
        sides.setdefault(things[Path(photo.path).stem.split("_")[0]], set()).add(photo.held_out)
    assert all(len(held) == 1 for held in sides.values())
    assert {True, False} == {held for sides_of in sides.values() for held in sides_of}


@pytest.mark.parametrize("name", ["a004", "a051", "a077", "a125"])
def test_the_list_of_things_pairs_real_and_recaptured(name: str) -> None:
    """One thing of set a, twice as it is, and from a laptop and a phone."""
    things = {row["photo"]: row["thing"] for row in read_rows(THINGS)}
    assert things[name] == things["a004"]
