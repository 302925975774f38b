"""The split of each photo, and the person on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.evaluation.table_file import InputError
from scripts.development.split import Split, held_out, held_out_people, person, split_of


def test_a_person_in_a_numbered_folder_is_in_one_split_wherever_the_folder_lies() -> None:
    for folder, out in (("p01", False), ("p02", True), ("set/p02", True), ("set/p03", False)):
        assert {held_out(f"{folder}/{n:03d}.jpg") for n in range(20)} == {out}
    # A file with such a name is not a folder.
    assert {held_out(f"p02.{n}") for n in range(20)} == {True, False}


def test_people_of_lfw_are_split_by_fold() -> None:
    assert held_out("lfw/A_B/A_B_0001.jpg", frozenset({"A_B"}))
    assert not held_out("lfw/C_D/C_D_0001.jpg", frozenset({"A_B"}))


@pytest.mark.parametrize(
    ("path", "out"),
    [("masks/0001.jpg", True), ("masks/0003.jpg", False), ("no_card/0001.jpg", True), ("no_card/0002.jpg", False)],
)
def test_other_photos_are_split_by_the_hash_of_their_path(path: str, out: bool) -> None:
    assert held_out(path) is out
    assert split_of(path) is (Split.TEST if out else Split.DEVELOPMENT)


@pytest.mark.parametrize(
    ("path", "shown"),
    [("lfw/A_B/A_B_0001.jpg", "lfw/A_B"), ("set/p02/1.jpg", "set/p02"), ("a/flat/1.jpg", "a/flat/1.jpg"), ("1", "1")],
)
def test_a_person_is_known_by_the_folder(path: str, shown: str) -> None:
    assert person(path) == shown


def test_the_people_held_out(tmp_path: Path) -> None:
    pairs = tmp_path / "lfw_pairs.csv"
    assert held_out_people(pairs) == frozenset()
    pairs.write_text("path1,path2,same,fold\nlfw/A/1.jpg,lfw/B/1.jpg,0,7\nlfw/C/1.jpg,lfw/D/1.jpg,0,6\n", "utf-8")
    assert held_out_people(pairs) == {"A", "B"}
    pairs.write_text("path1,path2\na,b\n", "utf-8")
    with pytest.raises(InputError, match=r"lfw_pairs\.csv: has no column fold"):
        held_out_people(pairs)
