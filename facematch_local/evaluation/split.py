"""Which photos are tuned on and which are held out for the figures.

By person where people are named, else by file, and by a rule rather than a list, so that training scripts,
tuning and reports that use it agree for photos added later too.
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path
from typing import Final

# The official LFW folds share no person; those of the last two are never trained on.
HELD_OUT_FOLDS: Final = frozenset({"7", "8"})


def held_out_people(pairs: Path) -> frozenset[str]:
    """People named in the held-out folds of `lfw_pairs.csv` (columns fold, path1, path2); none without it."""
    if not pairs.is_file():
        return frozenset()
    with pairs.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["fold"] in HELD_OUT_FOLDS]
    return frozenset(Path(row[column]).parent.name for row in rows for column in ("path1", "path2"))


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
    if len(parts) > 2 and (number := re.fullmatch(r"p(\d+)", parts[-2])):
        return int(number[1]) % 2 == 0
    return hashlib.sha256(path.encode()).digest()[0] % 2 == 1
