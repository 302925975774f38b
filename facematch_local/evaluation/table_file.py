"""Lists (CSV files) that evaluations read."""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from facematch_local.errors import FacematchError


class InputError(FacematchError):
    """A list, a folder or a photo given to an evaluation cannot be used; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a list.

    Attributes:
        line: number of its last line in the file, from 1.
        fields: text by column; "" for a missing field.
    """

    line: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A list with a heading.

    Attributes:
        columns: names of the columns, in lower case.
        rows: the rows; empty lines are skipped.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_table(file: Path) -> Table:
    """Read a CSV file in UTF-8 (a byte order mark is allowed), with commas and a heading.

    Column names are in lower case, and names and fields have no surrounding blanks.

    Raises:
        InputError: the file cannot be read or is not CSV in UTF-8.
    """
    try:
        # Spreadsheets write a byte order mark.
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
            rows = [
                TableRow(reader.line_num, {key: (row.get(name) or "").strip() for key, name in columns.items()})
                for row in reader
            ]
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or type(error).__name__})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read; it is not a CSV file in UTF-8 ({type(error).__name__})") from None
    return Table(tuple(columns), tuple(rows))


def read_rows(file: Path, required: Sequence[str]) -> tuple[TableRow, ...]:
    """The rows of a CSV file that has the required columns (see `read_table`).

    Raises:
        InputError: the file cannot be read or lacks a required column.
    """
    table = read_table(file)
    if missing := [name for name in required if name not in table.columns]:
        raise InputError(
            f"{file}: has no column {', '.join(missing)}; it has {', '.join(table.columns) or 'none'} "
            "(columns are separated by commas)"
        )
    return table.rows


def relative_name(text: str, where: str) -> str:
    """Normalised path relative to the data folder, with forward slashes.

    Args:
        text: the path as written.
        where: the place it was read from; the message of the error begins with it.

    Raises:
        InputError: the path is absolute or leads out of the folder.
    """
    path = PurePath(text)
    name = posixpath.normpath(path.as_posix())
    if path.anchor or name.split("/")[0] == "..":
        raise InputError(f"{where}: {text} is not a path in the data folder")
    return name
