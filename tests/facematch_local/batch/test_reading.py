"""Lists of pairs: every row is read or has a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facematch_local.batch.reading import read_pairs
from facematch_local.batch.rows import Pair, RowError
from facematch_local.errors import FacematchError


def read(path: Path, content: str | bytes) -> list[Pair]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_pairs(path))


def reasons(pairs: list[Pair]) -> list[str]:
    assert all(pair.fault is None or pair.fault.code is RowError.BAD_ROW for pair in pairs)
    return [pair.fault.reason if pair.fault else "" for pair in pairs]


def test_csv(tmp_path: Path) -> None:
    rows = '\ufeffextra,path2,path1,type1,id\r\n,b,a,portrait,x1\r\n\r\n,d,"c,\n1",,\r\n'
    assert read(tmp_path / "p.csv", rows) == [
        Pair(1, "x1", "a", "b", "portrait"),
        Pair(2, "2", "c,\n1", "d", "card"),
    ]


def test_bad_rows_of_a_csv_keep_their_place(tmp_path: Path) -> None:
    rows = b"id,path1,path2,type1\ni1,a,b\ni2,,b,\ni3,a,b,both\ni4,\xff,b,\ni5,a\0,b,\ni6,a,b,card\ni7,a,b,card,c\n"
    pairs = read(tmp_path / "p.csv", rows)
    assert [pair.id for pair in pairs] == ["i1", "i2", "i3", "i4", "i5", "i6", "i7"]
    assert reasons(pairs) == [
        "the row has 3 fields, the header 4",
        "path1 is empty or missing",
        "type1 is neither card nor portrait",
        "path1 is not valid UTF-8 text",
        "path1 is not valid UTF-8 text",
        "",
        "the row has 5 fields, the header 4",
    ]


def test_a_field_without_end_spoils_one_row(tmp_path: Path) -> None:
    rows = "path1,path2\na,b\n" + "x" * 200_000 + ",b\nc,d\n"
    assert [bool(reason) for reason in reasons(read(tmp_path / "p.csv", rows))] == [False, True, False]


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"path1": "a", "path2": "b", "id": 7, "more": [1]}',
        "",
        '{"path1": "a"}',
        '{"path1": 5, "path2": "b"}',
        "[1]",
        "{",
        "[" * 100_000,
        '{"path1": "\\ud800", "path2": "b"}',
        '{"path1": "a", "path2": "b", "type1": "portrait", "id": null}',
    ]
    pairs = read(tmp_path / "p.jsonl", "\n".join(lines))
    assert [pair.id for pair in pairs] == ["7", "2", "3", "4", "5", "6", "7", "8"]
    assert reasons(pairs) == [
        "",
        "path2 is empty or missing",
        "path1 is not a text",
        "the line is not a JSON object",
        "the line is not JSON",
        "the line is not JSON",
        "path1 is not valid UTF-8 text",
        "",
    ]
    # All of it can be written in any format.
    assert json.dumps([pair.path1 for pair in pairs], ensure_ascii=False).encode()


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"path1": ["a", None], "path2": ["b", "c"], "id": [5, 6], "more": [0.5, 1.5]})
    parquet.write_table(table, tmp_path / "p.parquet")
    pairs = list(read_pairs(tmp_path / "p.parquet"))
    assert pairs[0] == Pair(1, "5", "a", "b")
    assert reasons(pairs) == ["", "path1 is empty or missing"]


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1 damaged PAR1"])
def test_what_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(FacematchError, match="not a Parquet file"):
        read(tmp_path / "p.parquet", content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", "", "lacks the column path1 and the column path2"),
        ("p.csv", "path1,path\na,b\n", "lacks the column path2"),
        ("p.csv", "path1,path2,path1\na,b,c\n", "has the column path1 more than once"),
        ("p.txt", "", "must end with .csv, .jsonl, .ndjson, .parquet"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(FacematchError, match=message):
        read(tmp_path / name, content)


@pytest.mark.parametrize("name", ["absent.csv", "absent.jsonl"])
def test_a_missing_list(tmp_path: Path, name: str) -> None:
    with pytest.raises(FacematchError, match="No such file"):
        list(read_pairs(tmp_path / name))
