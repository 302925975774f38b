"""Write the labels of the development data as plain lists for `facematch evaluate warnings`, one for each split.

    python -m scripts.development.labels ../shared/data/labels.csv --portraits lfw --limit 250 -o lists
    facematch evaluate warnings lists/test.csv --data ../shared/data

The labels are a CSV file with the columns path, code, label and the vocabulary of `MEANINGS`. `--portraits` adds the
photos of a folder, without those that have a label, as ordinary portraits.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from facematch_local.errors import FacematchError
from facematch_local.evaluation.table_file import InputError, read_rows, relative_name
from facematch_local.evaluation.warnings.cases import Case, evenly_spaced, ordinary_portraits
from scripts.development.split import Split, held_out_people, person, split_of


@dataclass(frozen=True, slots=True)
class Meaning:
    """One statement of a label.

    Attributes:
        codes: the codes it speaks of, separated by `/`.
        positive: whether they should be raised.
        role: `card` or `portrait`.
        kind: description for the figures by kind.
    """

    codes: str
    positive: bool
    role: str
    kind: str


MEANINGS: Final[Mapping[str, tuple[Meaning, ...]]] = {
    "mask": (Meaning("9", True, "portrait", "mask"),),
    "no_mask": (Meaning("9/7", False, "portrait", "bare face"),),
    "sunglasses": (Meaning("7", True, "portrait", "sunglasses"), Meaning("9", False, "portrait", "sunglasses")),
    "eyewear_pseudo_mostly_eyeglasses": (Meaning("7/9", False, "portrait", "clear glasses"),),
    "hat_pseudo": (Meaning("8", True, "portrait", "hat"), Meaning("9", False, "portrait", "hat")),
    "grey_photocopy": (Meaning("1", False, "card", "grey copy"), Meaning("2", True, "card", "grey copy")),
    "no_card_mostly_no_face": (
        Meaning("1", True, "card", "no document"),
        Meaning("5", True, "portrait", "no person"),
    ),
    "card_or_passport_specimen_check_face": (Meaning("1/2/3", False, "card", "specimen"),),
    "groups_see_xml": (Meaning("6", True, "portrait", "group"),),
    "fake": (Meaning("10", True, "portrait", "recapture"),),
    "real": (Meaning("10", False, "portrait", "live"),),
    "mixed_view": (),
    "view": (),
}


@dataclass(frozen=True, slots=True)
class PlainRow:
    """One row of a list for `facematch evaluate warnings`; its fields are the columns."""

    path: str
    code: str
    label: str
    role: str
    kind: str
    subject: str


COLUMNS: Final = ("path", "code", "label", "role", "kind", "subject")


def labelled_rows(labels: Path, data: Path, split: Split | None, limit: int = 0) -> list[PlainRow]:
    """The labels as plain rows.

    Args:
        labels: the list.
        data: the data folder, with `lfw_pairs.csv`.
        split: the split to list; None for both.
        limit: number of photos of each code and label, evenly spaced; 0 for all.

    Raises:
        InputError: the list cannot be read or has an unknown label or a path outside the folder.
    """
    people = held_out_people(data / "lfw_pairs.csv")
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in read_rows(labels, ("path", "code", "label")):
        if not row.fields["path"]:
            continue
        where, label = f"{labels}, line {row.line}", row.fields["label"].lower()
        if label not in MEANINGS:
            raise InputError(f"{where}: unknown label {label[:40]!r}")
        path = relative_name(row.fields["path"], where)
        if split is None or split_of(path, people) is split:
            groups.setdefault((label, row.fields["code"]), []).append((path, label))
    return [
        PlainRow(path, meaning.codes, _label(meaning.positive), meaning.role, meaning.kind, person(path))
        for photos in groups.values()
        for path, label in evenly_spaced(photos, limit)
        for meaning in MEANINGS[label]
    ]


def portrait_cases(
    data: Path, folder: str, split: Split, *, limit: int = 0, skip: frozenset[str] = frozenset()
) -> list[Case]:
    """Cases of the photos of a folder in one split as ordinary portraits.

    Args:
        data: the data folder, with `lfw_pairs.csv`.
        folder: the folder in it.
        split: the split.
        limit: number of photos, evenly spaced; 0 for all.
        skip: paths to leave out.

    Raises:
        InputError: the folder is missing or has no photo.
    """
    people = held_out_people(data / "lfw_pairs.csv")
    every = {case.name for case in ordinary_portraits(data, folder)}
    others = frozenset(name for name in every if split_of(name, people) is not split)
    return ordinary_portraits(data, folder, limit=limit, skip=skip | others)


def portrait_rows(cases: Sequence[Case]) -> Iterator[PlainRow]:
    """The cases of ordinary portraits as plain rows, one for each photo and role."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.name, case.role.value), []).append(case)
    for (name, role), own in groups.items():
        codes = "/".join(str(int(case.code)) for case in own)
        yield PlainRow(name, codes, _label(own[0].positive), role, own[0].kind, own[0].subject or name)


def write(file: Path, rows: Sequence[PlainRow]) -> None:
    """Write a list as CSV; the folder must exist."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(astuple, rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 2 if the labels or a folder cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="labels.csv of the development data")
    parser.add_argument("--data", type=Path, help="folder that paths start from; default that of the labels")
    parser.add_argument("--portraits", action="append", default=[], help="a folder of ordinary portraits in the data")
    parser.add_argument("--limit", type=int, default=0, help="photos of each label and folder, evenly spaced; 0: all")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for the lists, created if needed")
    options = parser.parse_args(arguments)
    data = options.data or options.labels.parent
    try:
        skip = frozenset(row.path for row in labelled_rows(options.labels, data, None))
        options.out.mkdir(parents=True, exist_ok=True)
        for split in Split:
            rows = labelled_rows(options.labels, data, split, options.limit)
            for folder in options.portraits:
                rows += portrait_rows(portrait_cases(data, folder, split, limit=options.limit, skip=skip))
            write(options.out / f"{split}.csv", rows)
            print(f"{options.out / f'{split}.csv'}: {len(rows)} rows")
    except (FacematchError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _label(positive: bool) -> str:
    return "positive" if positive else "negative"


if __name__ == "__main__":
    raise SystemExit(main())
