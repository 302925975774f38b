"""What is to be compared: a list of pairs, a list of photos with their people, or folders by person.

Nothing here opens a photo. Lines that cannot be used become `Problem`s and the run goes on without them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facematch_local.errors import FacematchError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".mpo"}
)
_SAME = {
    "1": True,
    "true": True,
    "yes": True,
    "same": True,
    "0": False,
    "false": False,
    "no": False,
    "different": False,
}


class DatasetError(FacematchError):
    """The list or folder as a whole cannot be used."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was left out: where (file, or file:line) and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a list; photos by their index in the dataset.

    Attributes:
        first, second: (N,) int32.
        same: (N,) bool.
        group: the group of each pair, "" for none.
        fold: the fold of each pair, "" for none.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    same: NDArray[np.bool_]
    group: Sequence[str]
    fold: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Photos, whom they show, and the pairs to compare.

    Attributes:
        name: what the user named it, for reports.
        photos: files, each once.
        subjects: (P,) int32, whom each photo shows. From a list of pairs without names, photos joined by pairs
            of one person are one subject and every other photo is a subject of its own.
        groups: group of each photo, "" for none.
        pairs: the listed pairs; None when all pairs are to be formed.
        problems: lines that were left out.
    """

    name: str
    photos: Sequence[Path]
    subjects: NDArray[np.int32]
    groups: Sequence[str]
    pairs: Pairs | None = None
    problems: Sequence[Problem] = field(default_factory=tuple)

    def with_all_pairs(self) -> Dataset:
        """The same photos, each compared with every other one."""
        return Dataset(self.name, self.photos, self.subjects, self.groups, None, self.problems)


def read(sources: Sequence[Path], root: Path | None = None) -> Dataset:
    """Read one list (CSV) or one or more folders.

    Args:
        sources: a CSV with columns path1, path2, same (optional: group, fold, subject1, subject2), a CSV with columns
            path, subject (optional: group), or folders with a folder per person. A folder above the person's is the
            group; of several folders each is a group (or the beginning of its name).
        root: what relative paths in a CSV are relative to; default its folder, and for files that are not there
            the working folder.

    Raises:
        DatasetError: a source is missing, is no such list, or holds nothing to compare.
    """
    is_list = len(sources) == 1 and not sources[0].is_dir()
    dataset = _read_list(sources[0], root) if is_list else _read_folders(sources)
    if not dataset.photos:
        raise DatasetError(f"{dataset.name}: nothing to compare ({len(dataset.problems)} lines left out)")
    return dataset


def _read_list(path: Path, root: Path | None) -> Dataset:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
            rows = [
                (
                    f"{path.name}:{reader.line_num}",
                    {key: (row.get(name) or "").strip() for key, name in columns.items()},
                )
                for row in reader
            ]
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or type(error).__name__}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    base = [path.parent, Path()] if root is None else [root]
    if {"path1", "path2", "same"} <= set(columns):
        return _pairs(path.name, rows, base)
    if {"path", "subject"} <= set(columns):
        return _photos(path.name, rows, base)
    raise DatasetError(
        f"{path}: needs the columns path1, path2, same (pairs) or path, subject (photos); "
        f"it has {', '.join(columns) or 'none'}"
    )


class _Photos:
    """Numbers files as they come."""

    def __init__(self, bases: Sequence[Path]) -> None:
        self._bases = bases
        self.files: list[Path] = []
        self._index: dict[Path, int] = {}

    def number(self, text: str) -> int:
        candidates = [base / text for base in self._bases]
        path = next((candidate for candidate in candidates if candidate.is_file()), candidates[0])
        if path not in self._index:
            self._index[path] = len(self.files)
            self.files.append(path)
        return self._index[path]


def _pairs(name: str, rows: Iterable[tuple[str, Mapping[str, str]]], bases: Sequence[Path]) -> Dataset:
    photos = _Photos(bases)
    problems: list[Problem] = []
    kept: list[tuple[str, int, int, bool, str, str]] = []
    named: dict[int, str] = {}
    for where, row in rows:
        reason = _unusable(row)
        if reason:
            problems.append(Problem(where, reason))
            continue
        first, second = photos.number(row["path1"]), photos.number(row["path2"])
        kept.append((where, first, second, _SAME[row["same"].lower()], row.get("group", ""), row.get("fold", "")))
        for photo, column in ((first, "subject1"), (second, "subject2")):
            if row.get(column):
                named[photo] = row[column]
    subjects = _subjects(len(photos.files), [(a, b) for _, a, b, same, *_ in kept if same], named)
    consistent = []
    for where, first, second, same, group, fold in kept:
        if not same and subjects[first] == subjects[second]:
            problems.append(Problem(where, "same=0, but other lines make these two photos one person"))
        else:
            consistent.append((first, second, same, group, fold))
    columns = list(zip(*consistent, strict=True)) or [(), (), (), (), ()]
    pairs = Pairs(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int32),
        np.array(columns[2], bool),
        columns[3],
        columns[4],
    )
    groups = [""] * len(photos.files)
    for first, second, same, group, _ in consistent:
        if same:
            groups[first] = groups[second] = group
    return Dataset(name, photos.files if consistent else (), subjects, groups, pairs, problems)


def _unusable(row: Mapping[str, str]) -> str:
    if not row["path1"] or not row["path2"]:
        return "path1 or path2 is empty"
    if row["same"].lower() not in _SAME:
        return f"same must be 1 or 0, not {row['same'][:20]!r}"
    if row["path1"] == row["path2"]:
        return "a photo is compared with itself"
    return ""


def _photos(name: str, rows: Iterable[tuple[str, Mapping[str, str]]], bases: Sequence[Path]) -> Dataset:
    photos = _Photos(bases)
    problems: list[Problem] = []
    subjects: list[str] = []
    groups: list[str] = []
    for where, row in rows:
        if not row["path"] or not row["subject"]:
            problems.append(Problem(where, "path or subject is empty"))
        elif photos.number(row["path"]) < len(subjects):
            problems.append(Problem(where, "the photo is listed before"))
        else:
            subjects.append(row["subject"])
            groups.append(row.get("group", ""))
    _, numbers = np.unique(np.array(subjects, dtype=object), return_inverse=True)
    return Dataset(name, photos.files, numbers.astype(np.int32), groups, None, problems)


def _subjects(count: int, same: Iterable[tuple[int, int]], named: Mapping[int, str]) -> NDArray[np.int32]:
    """Connected components of "same person" (union-find with path halving); equal names join as well."""
    parent = list(range(count))

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    first_with: dict[str, int] = {}
    links = [*same, *((photo, first_with.setdefault(subject, photo)) for photo, subject in named.items())]
    for first, second in links:
        parent[find(first)] = find(second)
    _, numbers = np.unique(np.array([find(node) for node in range(count)], np.int64), return_inverse=True)
    return numbers.astype(np.int32)


def _read_folders(sources: Sequence[Path]) -> Dataset:
    files: list[Path] = []
    people: list[str] = []
    groups: list[str] = []
    problems: list[Problem] = []
    for source in sources:
        if not source.is_dir():
            raise DatasetError(f"{source}: not a folder (several sources must all be folders of people)")
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            person = path.parent.relative_to(source)
            if person == Path():
                problems.append(Problem(str(path), "not in the folder of a person"))
                continue
            above = person.parent.as_posix()
            group = "" if above == "." else above
            if len(sources) > 1:
                group = f"{source.name}/{group}" if group else source.name
            files.append(path)
            people.append(f"{source}/{person}")
            groups.append(group)
    _, numbers = np.unique(np.array(people, dtype=object), return_inverse=True)
    name = ", ".join(source.name or str(source) for source in sources)
    return Dataset(name, files, numbers.astype(np.int32), groups, None, problems)
