"""The result as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from facematch_local.batch.formats import FileFormat
from facematch_local.batch.parquet import ParquetRecords
from facematch_local.batch.rows import COLUMNS, Outcome, as_record


def write_outcomes(path: Path, file_format: FileFormat, outcomes: Iterable[Outcome]) -> None:
    """Write a result file; the same outcomes give the same bytes.

    Raises:
        FacematchError: the format needs a package that is not installed.
        OSError: the file cannot be written.
    """
    writers = {
        FileFormat.CSV: _write_csv,
        FileFormat.JSON_LINES: _write_json_lines,
        FileFormat.PARQUET: _write_parquet,
    }
    writers[file_format](path, outcomes)


def json_line(record: dict[str, Any]) -> str:
    """A record as one line of JSON, with its line end."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def _write_csv(path: Path, outcomes: Iterable[Outcome]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for outcome in outcomes:
            writer.writerow(_cells(outcome))


def _cells(outcome: Outcome) -> list[str]:
    record = as_record(outcome) | {
        "percent": None if outcome.percent is None else f"{outcome.percent:.2f}",
        "warnings": " ".join(map(str, outcome.warnings)),
    }
    return ["" if record[name] is None else str(record[name]) for name in COLUMNS]


def _write_json_lines(path: Path, outcomes: Iterable[Outcome]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(json_line(as_record(outcome)) for outcome in outcomes)


def _write_parquet(path: Path, outcomes: Iterable[Outcome]) -> None:
    records = ParquetRecords(path)
    for outcome in outcomes:
        records.write(as_record(outcome))
    records.close()
