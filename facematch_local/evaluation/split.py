"""Which photos are tuned on and which are held out for the figures.

By person where people are named, else by file, and by a rule rather than a list, so that training scripts,
tuning and reports that use it agree for photos added later too.
"""

from __future__ import annotations

import csv
import hashlib
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from facematch_local.errors import FacematchError

# The official LFW folds share no person; those of the last two are never trained on.
HELD_OUT_FOLDS: Final = frozenset({"7", "8"})
_NUMBERED: Final = re.compile(r"p(\d+)")


class LabelError(FacematchError):
    """A list of labels, or what it names, does not have one of the documented forms."""


def relative_name(text: str, where: str) -> str:
    """The one spelling of a path in the data folder, with forward slashes: the half goes by it.

    Raises:
        LabelError: it is absolute or leads out of the folder; the message begins with `where`.
    """
    path = PurePath(text)
    name = posixpath.normpath(path.as_posix())
    if path.anchor or name.split("/")[0] == "..":
        raise LabelError(f"{where}: {text} is not a path in the data folder")
    return name


def held_out_people(pairs: Path) -> frozenset[str]:
    """People named in the held-out folds of `lfw_pairs.csv` (columns fold, path1, path2); none without it.

    Raises:
        LabelError: the file cannot be read or lacks a column.
    """
    if not pairs.is_file():
        return frozenset()
    rows = [row for _, row in read_rows(pairs, ("fold", "path1", "path2")) if row["fold"] in HELD_OUT_FOLDS]
    return frozenset(Path(row[column]).parent.name for row in rows for column in ("path1", "path2"))


def read_rows(file: Path, required: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Line number and fields of each row of a CSV file, by column; names of columns in lower case, "" for no field.

    Raises:
        LabelError: it cannot be read or lacks a required column.
    """
    try:
        # Spreadsheets put a byte order mark in front.
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
            rows = [
                (reader.line_num, {key: (row.get(name) or "").strip() for key, name in columns.items()})
                for row in reader
            ]
    except OSError as error:
        raise LabelError(f"{file}: cannot be read ({error.strerror or type(error).__name__})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{file}: cannot be read, it is no CSV in UTF-8 ({type(error).__name__})") from None
    if missing := [name for name in required if name not in columns]:
        raise LabelError(
            f"{file}: has no column {', '.join(missing)}; it has {', '.join(columns) or 'none'} (commas part them)"
        )
    return rows


def held_out(path: str, people: frozenset[str] = frozenset()) -> bool:
    """Whether a photo is held out.

    Args:
        path: relative to the data folder, with forward slashes; the first part names the source.
        people: `held_out_people` of the LFW pairs.

    `lfw/PERSON/...` goes by the folds; folders named by a number (`p07`) go by person, the even ones held
    out; all others by the SHA-256 of the path, those with an odd first byte held out.
    """
    parts = path.split("/")
    if parts[0] == "lfw" and len(parts) > 2:
        return parts[1] in people
    if len(parts) > 1 and (number := _NUMBERED.fullmatch(parts[-2])):
        return int(number[1]) % 2 == 0
    return hashlib.sha256(path.encode()).digest()[0] % 2 == 1


def person(path: str, folder: str | None = None) -> str:
    """Whom a photo shows, as far as its path tells: a person's folder, else the photo itself.

    Args:
        path: as in `held_out`.
        folder: the folders in it are a person's each, as `lfw/PERSON` and `p07` are anywhere; None for no such folder.
    """
    parent = posixpath.dirname(path)
    if folder is not None and (parent or ".") != folder:
        return posixpath.normpath(posixpath.join(folder, posixpath.relpath(parent, folder).split("/")[0]))
    named = parent.startswith("lfw/") or _NUMBERED.fullmatch(posixpath.basename(parent))
    return parent if named else path
