"""The result in each format."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from facematch_local.batch.formats import FileFormat
from facematch_local.batch.rows import COLUMNS, Fault, Outcome, RowError, as_record, from_record
from facematch_local.batch.writing import write_outcomes

OUTCOMES = (
    Outcome("1", "a,1.jpg", "b.jpg", "card", 74.9, "unsure", (7, 8)),
    Outcome("é", "a.jpg", "b.jpg", "portrait", 0.0, "no_match", ()),
    Outcome("3", "", "b.jpg", "", fault=Fault(RowError.BAD_ROW, "path1 is empty")),
)


def test_csv(tmp_path: Path) -> None:
    write_outcomes(tmp_path / "o.csv", FileFormat.CSV, OUTCOMES)
    assert list(csv.reader((tmp_path / "o.csv").open(encoding="utf-8", newline=""))) == [
        list(COLUMNS),
        ["1", "a,1.jpg", "b.jpg", "card", "74.90", "unsure", "7", "7 8", "", ""],
        ["é", "a.jpg", "b.jpg", "portrait", "0.00", "no_match", "0", "", "", ""],
        ["3", "", "b.jpg", "", "", "", "", "", "bad_row", "path1 is empty"],
    ]


def test_json_lines(tmp_path: Path) -> None:
    write_outcomes(tmp_path / "o.jsonl", FileFormat.JSON_LINES, OUTCOMES)
    records = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    assert [tuple(record) for record in records] == [COLUMNS] * 3
    assert records[0]["warnings"] == [7, 8]
    assert (records[1]["warning"], records[2]["warning"], records[2]["percent"]) == (0, None, None)
    assert tuple(map(from_record, records)) == OUTCOMES


def test_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_outcomes(tmp_path / "o.parquet", FileFormat.PARQUET, OUTCOMES * 3000)
    rows = parquet.read_table(tmp_path / "o.parquet").to_pylist()
    assert rows == [as_record(outcome) for outcome in OUTCOMES * 3000]


def test_parquet_without_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_outcomes(tmp_path / "o.parquet", FileFormat.PARQUET, ())
    assert parquet.read_table(tmp_path / "o.parquet").column_names == list(COLUMNS)
