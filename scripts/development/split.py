"""The split of the development data: photos for training and tuning, and photos held out for figures.

The split follows a rule and not a list, so that trainings, tuning and reports agree on photos that are added later. It
is by person where people are named, and by file elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from pathlib import Path
from typing import Final

from facematch_local.evaluation.table_file import read_rows

HELD_OUT_FOLDS: Final = frozenset({"7", "8"})
"""The official LFW folds share no person; the people of these folds are held out."""

_NUMBERED: Final = re.compile(r"p(\d+)")


class Split(StrEnum):
    """A part of the data."""

    TEST = "test"
    """Held out: never trained or tuned on."""
    DEVELOPMENT = "development"


def held_out_people(pairs: Path) -> frozenset[str]:
    """People named in the held-out folds of `lfw_pairs.csv` (columns fold, path1, path2); empty if it does not exist.

    Raises:
        InputError: the file cannot be read or lacks a column.
    """
    if not pairs.is_file():
        return frozenset()
    rows = [row.fields for row in read_rows(pairs, ("fold", "path1", "path2"))]
    return frozenset(
        Path(row[column]).parent.name for row in rows if row["fold"] in HELD_OUT_FOLDS for column in ("path1", "path2")
    )


def held_out(path: str, people: frozenset[str] = frozenset()) -> bool:
    """Whether a photo is held out.

    `lfw/PERSON/...` follows the folds. Of folders named by a number (`p07`) the even ones are held out. All other
    photos follow the SHA-256 of the path: those with an odd first byte are held out.

    Args:
        path: normalised path relative to the data folder, with forward slashes; its first part names the source.
        people: `held_out_people` of the LFW pairs.
    """
    parts = path.split("/")
    if parts[0] == "lfw" and len(parts) > 2:
        return parts[1] in people
    if len(parts) > 1 and (number := _NUMBERED.fullmatch(parts[-2])):
        return int(number[1]) % 2 == 0
    return hashlib.sha256(path.encode()).digest()[0] % 2 == 1


def split_of(path: str, people: frozenset[str] = frozenset()) -> Split:
    """The split of a photo; arguments as for `held_out`."""
    return Split.TEST if held_out(path, people) else Split.DEVELOPMENT


def person(path: str) -> str:
    """The person on a photo: the folder `lfw/PERSON` or `p07`, else the path itself for an unknown person.

    Args:
        path: as for `held_out`.
    """
    parent, _, _ = path.rpartition("/")
    named = parent.startswith("lfw/") or _NUMBERED.fullmatch(parent.rpartition("/")[2])
    return parent if named else path
