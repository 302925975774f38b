"""Cases for the rates of warnings: a photo, a code, and whether the photo should raise it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from facematch_local.checks.check import Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.table_file import InputError, TableRow, read_rows, relative_name
from facematch_local.policy import load_policy

if TYPE_CHECKING:
    from facematch_local.imaging.photo import Pixels

T = TypeVar("T")
Source = Callable[[], "bytes | Pixels"]

PORTRAIT_CODES: Final = (5, 6, 7, 8, 9, 10, 11, 12)
"""Codes that an ordinary portrait must not raise as image 2."""

CARD_SHARE: Final = 10
"""Every n-th ordinary portrait is also examined as image 1, where it must raise code 1; more would only take time."""

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Case:
    """A photo and the expected answer of one code.

    Attributes:
        name: path relative to the data folder, or the name of a synthetic case.
        code: the code; `SUCCESSFUL` expects that no code is raised.
        positive: whether the code should be raised (never for `SUCCESSFUL`).
        role: the role in which the photo is examined.
        kind: a description for the figures by kind.
        synthetic: whether a program drew the photo.
        read: returns the bytes of the photo, or its pixels (HxWx3 uint8 BGR).
        subject: the person shown; the name of the photo if the person is unknown, "" for synthetic cases.
    """

    name: str
    code: WarningCode
    positive: bool
    role: Role
    kind: str
    synthetic: bool
    read: Source
    subject: str = ""


def read_cases(labels: Path, data: Path, *, limit: int = 0) -> list[Case]:
    """Cases of a label list.

    The list is a CSV file with the columns

    - `path`: the photo, relative to the data folder;
    - `code`: one code from 0 to 12, or several separated by `/`; code 0 expects that no code is raised;
    - `label`: `positive` if the photo should raise the code, `negative` if not;
    - `role` (optional): `card` or `portrait`; default card for the codes 1 to 4, else portrait;
    - `kind` (optional): a description for the figures by kind; default the label;
    - `subject` (optional): the person shown, for synthetic cases; default unknown.

    A repeated photo, code and role makes one case.

    Args:
        labels: the list.
        data: folder that the paths are relative to.
        limit: number of photos of each kind, label, code and role, evenly spaced; 0 for all.

    Raises:
        InputError: the list cannot be read, a row does not have this form, its path leads out of the folder, its code
            is never raised in its role, or two rows contradict each other.
    """
    by_group: dict[tuple[str, ...], list[list[Case]]] = {}
    every: list[Case] = []
    for row in read_rows(labels, ("path", "code", "label")):
        fields = row.fields
        if not fields["path"]:
            continue
        cases = list(_row_cases(row, data, f"{labels}, line {row.line}"))
        every += cases
        group = (fields.get("kind", ""), fields["label"].lower(), fields["code"], fields.get("role", "").lower())
        by_group.setdefault(group, []).append(cases)
    # A contradiction is an error even if the limit leaves out one of its rows.
    try:
        deduplicated(every)
    except InputError as error:
        raise InputError(f"{labels}: {error}") from None
    chosen = [photo for photos in by_group.values() for photo in evenly_spaced(photos, limit)]
    return deduplicated(case for cases in chosen for case in cases)


def deduplicated(cases: Iterable[Case]) -> list[Case]:
    """The cases without repeated (photo, code, role); the first one is kept.

    Raises:
        InputError: two cases contradict each other.
    """
    kept: dict[tuple[str, WarningCode, Role], Case] = {}
    for case in cases:
        first = kept.setdefault((case.name, case.code, case.role), case)
        if first.positive is not case.positive:
            raise InputError(f"{case.name}: code {int(case.code)} is both positive and negative as {case.role}")
    return list(kept.values())


def ordinary_portraits(data: Path, folder: str, *, limit: int = 0, skip: frozenset[str] = frozenset()) -> list[Case]:
    """Cases of the photos below a folder as ordinary portraits.

    As image 2 they must not raise any code; every tenth is also examined as image 1 and must raise code 1. A folder in
    the folder holds the photos of one person; a photo directly in the folder shows an unknown person.

    Args:
        data: the data folder.
        folder: the folder in it.
        limit: number of photos, evenly spaced over the sorted list; 0 for all.
        skip: paths to leave out, since they have labels of their own.

    Raises:
        InputError: the folder is missing, not in the data folder, or has no photo.
    """
    folder = relative_name(folder, "portraits")
    if not os.path.isdir(data / folder):
        raise InputError(f"{data / folder}: no such folder of portraits")
    paths = sorted(path for path in (data / folder).rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise InputError(f"{data / folder}: no photo in this folder of portraits")
    names = [path.relative_to(data).as_posix() for path in paths]
    names = evenly_spaced([name for name in names if name not in skip], limit)
    return portrait_cases(data, names, f"portraits of {folder}", [subject_in(name, folder) for name in names])


def portrait_cases(data: Path, names: Sequence[str], kind: str, subjects: Sequence[str]) -> list[Case]:
    """Cases of ordinary portraits (see `ordinary_portraits`).

    Args:
        data: the data folder.
        names: paths relative to it.
        kind: description of the photos.
        subjects: the person on each photo.
    """
    codes = (WarningCode.SUCCESSFUL, *map(WarningCode, PORTRAIT_CODES))
    cases = [
        Case(name, code, False, Role.PORTRAIT, kind, False, (data / name).read_bytes, subject)
        for name, subject in zip(names, subjects, strict=True)
        for code in codes
    ]
    for name in names[::CARD_SHARE]:
        cases.append(Case(name, WarningCode.NO_CARD, True, Role.CARD, kind, False, (data / name).read_bytes))
    return cases


def subject_in(name: str, folder: str) -> str:
    """The person on a photo by its folder: the part below `folder`, else the photo itself.

    Args:
        name: path of the photo relative to the data folder, below `folder`.
        folder: normalised path of the folder of portraits, `.` for the data folder.
    """
    parent = posixpath.dirname(name) or "."
    if parent == folder:
        return name
    return posixpath.normpath(posixpath.join(folder, posixpath.relpath(parent, folder).split("/")[0]))


def require_files(cases: Iterable[Case], data: Path) -> None:
    """Check before the run that the photos of all real cases exist and can be read.

    Raises:
        InputError: photos are missing; the message names the first few.
    """
    names = dict.fromkeys(case.name for case in cases if not case.synthetic)
    # Unlike the methods of `Path`, these functions return False for a name that is too long.
    missing = [name for name in names if not (os.path.isfile(data / name) and os.access(data / name, os.R_OK))]
    if missing:
        raise InputError(f"{data}: {len(missing)} of {len(names)} photos cannot be opened: {listed(missing)}")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Photos with a label that a review found wrong.

    Attributes:
        codes: by path the codes with a wrong label; an empty set stands for all codes.
    """

    codes: Mapping[str, frozenset[int]]

    def __contains__(self, case: Case) -> bool:
        codes = self.codes.get(case.name)
        return codes is not None and (not codes or int(case.code) in codes)

    def __len__(self) -> int:
        return len(self.codes)


def read_left_out(files: Iterable[Path]) -> LeftOut:
    """Read lists of photos to leave out.

    Args:
        files: CSV files with a column `path` and optionally a column `code`: empty for every code, or one or more
            codes separated by `/`.

    Raises:
        InputError: a list cannot be read, has no column `path`, or has a code that is not a number from 0 to 12.
    """
    codes: dict[str, frozenset[int]] = {}
    for file in files:
        for row in read_rows(file, ("path",)):
            if not row.fields["path"]:
                continue
            where = f"{file}, line {row.line}"
            path = relative_name(row.fields["path"], where)
            try:
                own = frozenset(map(int, _codes(row.fields.get("code", ""))))
            except ValueError:
                raise InputError(f"{where}: a code is a number from 0 to 12") from None
            known = codes.get(path, own)
            # A row without a code stands for all codes, whichever row comes first.
            codes[path] = known | own if known and own else frozenset()
    return LeftOut(codes)


def evenly_spaced(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items (0: all), evenly spaced."""
    if not limit or len(items) <= limit:
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def listed(names: Sequence[str], count: int = 3) -> str:
    """The first few names, for a message."""
    return ", ".join(names[:count]) + (" ..." if len(names) > count else "")


def _row_cases(row: TableRow, data: Path, where: str) -> Iterator[Case]:
    fields = row.fields
    path, label = relative_name(fields["path"], where), fields["label"].lower()
    if label not in ("positive", "negative"):
        raise InputError(f"{where}: the label is positive or negative, not {label[:40]!r}")
    try:
        codes = _codes(fields["code"])
        named = Role(fields["role"].lower()) if fields.get("role") else None
        if not codes:
            raise ValueError
    except ValueError:
        raise InputError(
            f"{where}: the code is a number from 0 to 12 (or several separated by /), the role card or portrait"
        ) from None
    positive = label == "positive"
    for code in codes:
        role = named or (Role.CARD if 1 <= code <= 4 else Role.PORTRAIT)
        if positive and code is WarningCode.SUCCESSFUL:
            raise InputError(f"{where}: code 0 expects that no code is raised; its label is negative")
        if code is not WarningCode.SUCCESSFUL and code not in _raised_on(role):
            raise InputError(f"{where}: code {int(code)} is never raised on a {role}")
        kind, subject = fields.get("kind") or label, fields.get("subject") or path
        yield Case(path, code, positive, role, kind, False, (data / path).read_bytes, subject)


def _codes(text: str) -> list[WarningCode]:
    """Codes separated by `/`; ValueError if one is not a number from 0 to 12."""
    return [WarningCode(int(code)) for code in text.split("/")] if text else []


@cache
def _raised_on(role: Role) -> frozenset[WarningCode]:
    """The codes that the shipped policy can raise on a photo of that role."""
    return frozenset(limit.code for limit in load_policy().limits[role].values())
