"""Which half a photo is in, the one spelling of its path, and lists that have not the form."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.evaluation.split import LabelError, held_out, held_out_people, person, read_rows, relative_name


def test_a_person_in_a_numbered_folder_is_in_one_half_wherever_the_folder_lies() -> None:
    for folder, out in (("p01", False), ("p02", True), ("set/p02", True), ("set/p03", False)):
        assert {held_out(f"{folder}/{n:03d}.jpg") for n in range(20)} == {out}
    # A file of such a name is no folder.
    assert {held_out(f"p02.{n}") for n in range(20)} == {True, False}


@pytest.mark.parametrize("text", ["masks/0001.jpg", "./masks/0001.jpg", "masks//0001.jpg", "a/../masks/./0001.jpg"])
def test_all_spellings_of_a_path_are_one(text: str) -> None:
    assert relative_name(text, "list") == "masks/0001.jpg"


@pytest.mark.parametrize("text", ["../d/set", "a/../../b.jpg", "..", "/etc/passwd"])
def test_paths_outside_the_data_folder_are_refused(text: str) -> None:
    with pytest.raises(LabelError, match=r"^list, line 2: .* is not a path in the data folder"):
        relative_name(text, "list, line 2")


@pytest.mark.parametrize(
    ("path", "folder", "shown"),
    [
        ("lfw/A_B/A_B_0001.jpg", None, "lfw/A_B"),
        ("lfw/A_B/A_B_0001.jpg", "lfw/A_B", "lfw/A_B"),
        ("p02/1.jpg", None, "p02"),
        ("faces/anna/1.jpg", "faces", "faces/anna"),
        ("faces/anna/out/1.jpg", "faces", "faces/anna"),
        ("anna/1.jpg", ".", "anna"),
        ("1.jpg", ".", "1.jpg"),
        ("a/flat/1.jpg", "a/flat", "a/flat/1.jpg"),
        ("a/flat/1.jpg", None, "a/flat/1.jpg"),
    ],
)
def test_a_folder_is_a_person_or_holds_one_of_each(path: str, folder: str | None, shown: str) -> None:
    assert person(path, folder) == shown


def test_the_people_held_out(tmp_path: Path) -> None:
    pairs = tmp_path / "lfw_pairs.csv"
    assert held_out_people(pairs) == frozenset()
    pairs.write_text("path1,path2,same,fold\nlfw/A/1.jpg,lfw/B/1.jpg,0,7\nlfw/C/1.jpg,lfw/D/1.jpg,0,6\n", "utf-8")
    assert held_out_people(pairs) == {"A", "B"}


@pytest.mark.parametrize("content", [b"path1,path2\na,b\n", b"", b"fold,path1,path2\n\xff,a,b\n"])
def test_pairs_of_another_form_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lfw_pairs.csv").write_bytes(content)
    with pytest.raises(LabelError, match=r"lfw_pairs\.csv: "):
        held_out_people(tmp_path / "lfw_pairs.csv")


def test_lists_of_spreadsheets_are_read_and_lines_counted_as_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes('\ufeffPath, Code\r\n\r\n"a.jpg",9\r\nb.jpg\r\n'.encode())
    assert read_rows(file, ("path", "code")) == [
        (3, {"path": "a.jpg", "code": "9"}),
        (4, {"path": "b.jpg", "code": ""}),
    ]
