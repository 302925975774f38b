"""Lists: the columns, the line numbers, the paths, and files in another form."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.evaluation.table_file import InputError, read_rows, read_table, relative_name


@pytest.mark.parametrize("text", ["masks/0001.jpg", "./masks/0001.jpg", "masks//0001.jpg", "a/../masks/./0001.jpg"])
def test_all_spellings_of_a_path_are_one(text: str) -> None:
    assert relative_name(text, "list") == "masks/0001.jpg"


@pytest.mark.parametrize("text", ["../d/set", "a/../../b.jpg", "..", "/etc/passwd"])
def test_paths_outside_the_data_folder_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^list, line 2: .* is not a path in the data folder"):
        relative_name(text, "list, line 2")


def test_lists_of_spreadsheets_are_read_and_lines_counted_as_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes('\ufeffPath, Code\r\n\r\n"a.jpg",9\r\nb.jpg\r\n'.encode())
    table = read_table(file)
    assert table.columns == ("path", "code")
    assert [(row.line, row.fields) for row in table.rows] == [
        (3, {"path": "a.jpg", "code": "9"}),
        (4, {"path": "b.jpg", "code": ""}),
    ]
    assert read_rows(file, ("code", "path")) == table.rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"path1,path2\na,b\n", r"has no column fold; it has path1, path2 \(columns are separated by commas\)"),
        (b"fold;path1\n1;2\n", "has no column fold, path1; it has fold;path1"),
        (b"", "has no column fold, path1; it has none"),
        (b"fold,path1\n\xff,a\n", r"cannot be read; it is not a CSV file in UTF-8 \(UnicodeDecodeError\)"),
        (b"fold,path1\n" + b"x" * 200_000 + b",a\n", r"cannot be read; it is not a CSV file in UTF-8 \(Error\)"),
    ],
)
def test_a_file_in_another_form_is_named_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "pairs.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"pairs\.csv: {message}"):
        read_rows(tmp_path / "pairs.csv", ("fold", "path1"))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read \(No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path)
