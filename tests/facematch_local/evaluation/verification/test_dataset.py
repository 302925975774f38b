"""Lists and folders, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.verification.dataset import read


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_pairs_with_groups_folds_and_bad_lines(tmp_path: Path) -> None:
    text = (
        "\ufeffpath1,path2,Same,group,fold\n"
        "a1.jpg,a2.jpg,1,north,1\n"
        "a2.jpg,a3.jpg,TRUE,north,1\n"
        "a1.jpg,b1.jpg,0,north,2\n"
        "a1.jpg,a3.jpg,0,north,2\n"
        "a1.jpg,a1.jpg,1,north,2\n"
        "a1.jpg,,0,north,2\n"
        "a1.jpg,b1.jpg,perhaps,north,2\n"
        "c1.jpg,b1.jpg,no,,2\n"
    )
    dataset = read([_write(tmp_path / "pairs.csv", text)])
    assert dataset.pairs is not None
    assert dataset.pairs.same.tolist() == [True, True, False, False]
    assert list(dataset.pairs.group) == ["north", "north", "north", ""]
    assert list(dataset.pairs.fold) == ["1", "1", "2", "2"]
    assert [path.name for path in dataset.photos] == ["a1.jpg", "a2.jpg", "a3.jpg", "b1.jpg", "c1.jpg"]
    # a1, a2 and a3 are one person by the chain of pairs; b1 and c1 are people of their own.
    assert len(set(dataset.subjects[:3])) == 1
    assert len(set(dataset.subjects)) == 3
    assert [problem.where for problem in dataset.problems] == [f"pairs.csv:{n}" for n in (6, 7, 8, 5)]
    assert "one person" in dataset.problems[-1].reason
    assert dataset.with_all_pairs().pairs is None


def test_named_subjects_join_photos_that_no_pair_joins(tmp_path: Path) -> None:
    text = "path1,path2,same,subject1,subject2\na.jpg,b.jpg,0,Anna,Ben\nc.jpg,d.jpg,0,Anna,Cem\n"
    dataset = read([_write(tmp_path / "p.csv", text)])
    assert dataset.subjects[0] == dataset.subjects[2]
    assert len(set(dataset.subjects)) == 3


def test_photos_with_subjects(tmp_path: Path) -> None:
    text = "path,subject,group\na.jpg,Anna,x\nb.jpg,Ben,y\nc.jpg,Anna,x\na.jpg,Anna,x\n,Ben,y\n"
    dataset = read([_write(tmp_path / "photos.csv", text)])
    assert dataset.pairs is None
    assert dataset.subjects[0] == dataset.subjects[2] != dataset.subjects[1]
    assert list(dataset.groups) == ["x", "y", "x"]
    assert [problem.where for problem in dataset.problems] == ["photos.csv:5", "photos.csv:6"]


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("lists", "photos", "elsewhere"):
        (tmp_path / folder).mkdir()
    for file in ("lists/near.jpg", "photos/far.jpg", "elsewhere/near.jpg"):
        _write(tmp_path / file, "x")
    path = _write(tmp_path / "lists" / "p.csv", "path1,path2,same\nnear.jpg,photos/far.jpg,0\n")
    monkeypatch.chdir(tmp_path)
    assert [photo.resolve() for photo in read([path]).photos] == [
        tmp_path / "lists" / "near.jpg",
        tmp_path / "photos" / "far.jpg",
    ]
    assert read([path], tmp_path / "elsewhere").photos[0] == tmp_path / "elsewhere" / "near.jpg"


def test_folders_by_person_and_group(tmp_path: Path) -> None:
    for name in ("one/anna/1.jpg", "one/anna/2.PNG", "one/south/ben/1.jpg", "two/anna/1.jpg", "one/stray.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    _write(tmp_path / "one" / "anna" / "notes.txt", "x")
    single = read([tmp_path / "one"])
    assert sorted(set(single.groups)) == ["", "south"]
    assert len(single.photos) == 3
    assert len(set(single.subjects)) == 2
    assert [Path(problem.where).name for problem in single.problems] == ["stray.jpg"]
    both = read([tmp_path / "one", tmp_path / "two"])
    assert sorted(set(both.groups)) == ["one", "one/south", "two"]
    # Two folders may use the same name for two people.
    assert len(set(both.subjects)) == 3


@pytest.mark.parametrize(
    "text", ["", "path1;path2;same\n", "path1,path2,same\n", "path1,path2,same\na.jpg,,1\n", "\x00\x00"]
)
def test_a_file_that_is_not_a_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read([_write(tmp_path / "pairs.csv", text)])


def test_missing_and_binary_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read([tmp_path / "none.csv"])
    (tmp_path / "photo.jpg").write_bytes(bytes(range(256)))
    with pytest.raises(InputError):
        read([tmp_path / "photo.jpg"])
    with pytest.raises(InputError, match="not a folder"):
        read([tmp_path, tmp_path / "photo.jpg"])
