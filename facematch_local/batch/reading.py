"""The list of pairs, row by row: CSV, JSON Lines or Parquet, chosen by the name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facematch_local.batch import parquet
from facematch_local.batch.formats import FileFormat, format_of
from facematch_local.batch.rows import INPUT_COLUMNS, Fault, Pair, RowError
from facematch_local.errors import FacematchError

_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells by column, and why the row cannot be used, "" if nothing is known against it."""

    cells: Mapping[str, Any]
    reason: str = ""


def read_pairs(path: Path) -> Iterator[Pair]:
    """Read a list; a row that cannot be used becomes a `Pair` with a fault.

    The columns `path1` and `path2` are required, `type1` and `id` optional; further columns are ignored. Blank lines
    are not rows.

    Raises:
        FacematchError: the file cannot be read, is not of its format, or lacks a required column.
    """
    readers = {FileFormat.CSV: _csv, FileFormat.JSON_LINES: _json_lines, FileFormat.PARQUET: _parquet}
    rows = readers[format_of(path)](path)
    try:
        for number, row in enumerate(rows, 1):
            yield _pair(number, row)
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None


def _csv(path: Path) -> Iterator[_Row]:
    # Bytes that are not UTF-8 become U+FFFD, so that they spoil a row and not the list.
    with path.open("r", encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.reader(stream)
        try:
            header = next(lines, [])
        except csv.Error as error:
            raise FacematchError(f"{path}: the header cannot be read ({error})") from None
        _check_columns(path, header)
        while True:
            try:
                fields = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                yield _Row({}, f"the line cannot be read ({error})")
                continue
            cells = dict(zip(header, fields, strict=False))
            if len(fields) == len(header):
                yield _Row(cells)
            elif fields:
                yield _Row(cells, f"the row has {len(fields)} fields, the header {len(header)}")


def _json_lines(path: Path) -> Iterator[_Row]:
    with path.open("r", encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                yield _Row({}, "the line is not JSON")
                continue
            yield _Row(row) if isinstance(row, dict) else _Row({}, "the line is not a JSON object")


def _parquet(path: Path) -> Iterator[_Row]:
    with parquet.open_file(path) as file:
        _check_columns(path, file.columns)
        yield from map(_Row, file.rows([name for name in INPUT_COLUMNS if name in file.columns]))


def _check_columns(path: Path, names: list[str]) -> None:
    missing = [name for name in ("path1", "path2") if name not in names]
    if missing:
        raise FacematchError(f"{path}: lacks the column {' and the column '.join(missing)}")
    twice = [name for name in INPUT_COLUMNS if names.count(name) > 1]
    if twice:
        raise FacematchError(f"{path}: has the column {twice[0]} more than once")


def _pair(number: int, row: _Row) -> Pair:
    texts = {name: _text(row.cells.get(name)) for name in INPUT_COLUMNS}
    type1 = texts["type1"] or "card"
    reason = row.reason or _reason(row.cells, texts, type1)
    return Pair(
        number=number,
        id=texts["id"] or str(number),
        path1=texts["path1"],
        path2=texts["path2"],
        type1=type1,
        fault=Fault(RowError.BAD_ROW, reason) if reason else None,
    )


def _reason(row: Mapping[str, Any], texts: Mapping[str, str], type1: str) -> str:
    """Why a row cannot be used, "" if it can."""
    for name in ("path1", "path2"):
        if not texts[name]:
            return f"{name} is empty or missing"
        if not isinstance(row[name], str):
            return f"{name} is not a text"
    for name, text in texts.items():
        if _REPLACEMENT in text or "\0" in text:
            return f"{name} is not valid UTF-8 text"
    if type1 not in ("card", "portrait"):
        return "type1 is neither card nor portrait"
    return ""


def _text(value: object) -> str:
    """A cell as text that every output format can hold."""
    if value is None:
        return ""
    # JSON may hold halves of surrogate pairs, which UTF-8 cannot.
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
