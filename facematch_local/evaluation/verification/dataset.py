"""The photos to compare: a list of pairs, a list of photos with their people, or folders by person.

This module opens no photo. A line that cannot be used becomes a `Problem`, and the run continues without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facematch_local.evaluation.table_file import InputError, TableRow, read_table

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


@dataclass(frozen=True, slots=True)
class Problem:
    """A line or photo that was left out: its place (file, or file:line) and the reason."""

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
    """Photos, the people on them, and the pairs to compare.

    Attributes:
        name: name for reports.
        photos: files, each once.
        subjects: (P,) int32, the person on each photo. In a list of pairs without names, photos joined by mated pairs
            are one subject, and every other photo is a subject of its own.
        groups: group of each photo, "" for none.
        pairs: the listed pairs; None to compare all pairs.
        problems: lines that were left out.
    """

    name: str
    photos: Sequence[Path]
    subjects: NDArray[np.int32]
    groups: Sequence[str]
    pairs: Pairs | None = None
    problems: Sequence[Problem] = field(default_factory=tuple)

    def with_all_pairs(self) -> Dataset:
        """The same photos, with every photo compared with every other one."""
        return Dataset(self.name, self.photos, self.subjects, self.groups, None, self.problems)


def read(sources: Sequence[Path], root: Path | None = None) -> Dataset:
    """Read one list (CSV) or one or more folders.

    Args:
        sources: a CSV with columns path1, path2, same (optional: group, fold, subject1, subject2), a CSV with columns
            path, subject (optional: group), or folders with a folder per person. The folder above that of a person is
            the group; each of several folders is a group (or the first part of its name).
        root: folder that relative paths in a CSV start from; default the folder of the list, and the working folder for
            files that are not found there.

    Raises:
        InputError: a source is missing, is not such a list, or has nothing to compare.
    """
    is_list = len(sources) == 1 and not sources[0].is_dir()
    dataset = _read_list(sources[0], root) if is_list else _read_folders(sources)
    if not dataset.photos:
        raise InputError(f"{dataset.name}: nothing to compare ({len(dataset.problems)} lines left out)")
    return dataset


def _read_list(path: Path, root: Path | None) -> Dataset:
    table = read_table(path)
    base = [path.parent, Path()] if root is None else [root]
    if {"path1", "path2", "same"} <= set(table.columns):
        return _pairs(path.name, table.rows, base)
    if {"path", "subject"} <= set(table.columns):
        return _photos(path.name, table.rows, base)
    raise InputError(
        f"{path}: needs the columns path1, path2, same (pairs) or path, subject (photos); "
        f"it has {', '.join(table.columns) or 'none'}"
    )


class _Photos:
    """Numbers files in the order of their first use."""

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


def _pairs(name: str, rows: Iterable[TableRow], bases: Sequence[Path]) -> Dataset:
    photos = _Photos(bases)
    problems: list[Problem] = []
    kept: list[tuple[str, int, int, bool, str, str]] = []
    named: dict[int, str] = {}
    for entry in rows:
        row, where = entry.fields, f"{name}:{entry.line}"
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
            problems.append(Problem(where, "same=0, but by other lines both photos show one person"))
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
        return "the photo is paired with itself"
    return ""


def _photos(name: str, rows: Iterable[TableRow], bases: Sequence[Path]) -> Dataset:
    photos = _Photos(bases)
    problems: list[Problem] = []
    subjects: list[str] = []
    groups: list[str] = []
    for entry in rows:
        row, where = entry.fields, f"{name}:{entry.line}"
        if not row["path"] or not row["subject"]:
            problems.append(Problem(where, "path or subject is empty"))
        elif photos.number(row["path"]) < len(subjects):
            problems.append(Problem(where, "the photo is already listed"))
        else:
            subjects.append(row["subject"])
            groups.append(row.get("group", ""))
    _, numbers = np.unique(np.array(subjects, dtype=object), return_inverse=True)
    return Dataset(name, photos.files, numbers.astype(np.int32), groups, None, problems)


def _subjects(count: int, same: Iterable[tuple[int, int]], named: Mapping[int, str]) -> NDArray[np.int32]:
    """(count,) int32: the subject of each photo.

    Subjects are the connected components of mated pairs; photos with equal names are connected too.
    """
    from scipy.sparse import coo_array  # both take an eighth of a second
    from scipy.sparse.csgraph import connected_components

    first_with: dict[str, int] = {}
    links = [*same, *((photo, first_with.setdefault(subject, photo)) for photo, subject in named.items())]
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    _, numbers = connected_components(graph, directed=False)
    return np.asarray(numbers, np.int32)


def _read_folders(sources: Sequence[Path]) -> Dataset:
    files: list[Path] = []
    people: list[str] = []
    groups: list[str] = []
    problems: list[Problem] = []
    for source in sources:
        if not source.is_dir():
            raise InputError(f"{source}: is not a folder (several sources must all be folders of people)")
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            person = path.parent.relative_to(source)
            if person == Path():
                problems.append(Problem(str(path), "the photo is not in the folder of a person"))
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
