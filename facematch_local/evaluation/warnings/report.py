"""How often does each warning hit, miss and cry wolf on labelled photos?

Each photo goes through the same analysis as in a match. A *case* is a photo and what one code should do on it;
the half of the photos that is tuned on is left out unless asked for (`evaluation.split`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from facematch_local.checks.check import Role
from facematch_local.codes import WarningCode
from facematch_local.errors import FacematchError, ImageFormatError, NoContentError
from facematch_local.evaluation.split import LabelError, held_out, held_out_people, person, read_rows, relative_name
from facematch_local.policy import Finding, Outcome, load_policy

if TYPE_CHECKING:
    from facematch_local.imaging.photo import Pixels
    from facematch_local.matcher import FaceMatcher

T = TypeVar("T")
Source = Callable[[], "bytes | Pixels"]

# What the labels of the development data say: (label) -> code, should it be raised, role, kind. One label may
# speak of several codes.
_SPOKEN: Final[Mapping[str, tuple[tuple[int, bool, Role, str], ...]]] = {
    "mask": ((9, True, Role.PORTRAIT, "mask"),),
    "no_mask": ((9, False, Role.PORTRAIT, "bare face"), (7, False, Role.PORTRAIT, "bare face")),
    "sunglasses": ((7, True, Role.PORTRAIT, "sunglasses"), (9, False, Role.PORTRAIT, "sunglasses")),
    "eyewear_pseudo_mostly_eyeglasses": (
        (7, False, Role.PORTRAIT, "clear glasses"),
        (9, False, Role.PORTRAIT, "clear glasses"),
    ),
    "hat_pseudo": ((8, True, Role.PORTRAIT, "hat"), (9, False, Role.PORTRAIT, "hat")),
    "grey_photocopy": ((1, False, Role.CARD, "grey copy"), (2, True, Role.CARD, "grey copy")),
    "no_card_mostly_no_face": ((1, True, Role.CARD, "no document"), (5, True, Role.PORTRAIT, "no person")),
    "card_or_passport_specimen_check_face": (
        (1, False, Role.CARD, "specimen"),
        (2, False, Role.CARD, "specimen"),
        (3, False, Role.CARD, "specimen"),
    ),
    "groups_see_xml": ((6, True, Role.PORTRAIT, "group"),),
    "fake": ((10, True, Role.PORTRAIT, "recapture"),),
    "real": ((10, False, Role.PORTRAIT, "live"),),
    "mixed_view": (),
    "view": (),
}
# What an ordinary portrait must not raise as image 2, and what it must as image 1.
_PORTRAIT_CODES: Final = (5, 6, 7, 8, 9, 10, 11, 12)


@dataclass(frozen=True, slots=True)
class Case:
    """A photo and what one code should do on it.

    Attributes:
        name: path relative to the data folder, or what a made case is called.
        code: the code it speaks of; `SUCCESSFUL` asks that no code at all is raised.
        positive: whether the code should be raised (never for `SUCCESSFUL`).
        role: as what the photo is sent.
        kind: what it shows, for the figures by kind.
        made: whether a program made it.
        read: gives its bytes, or its pixels (HxWx3 uint8 BGR).
        person: whom it shows, as `evaluation.split.person` tells; "" where nothing is made of the photo.
    """

    name: str
    code: WarningCode
    positive: bool
    role: Role
    kind: str
    made: bool
    read: Source
    person: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A case and what came of it.

    Attributes:
        case: the case.
        raised: whether the code was raised.
        assessed: whether any measure of the code could be taken.
        excess: how far the worst measure lies beyond its limit, as a share of it; negative within.
        measures: the code's measures, for the report.
        others: all codes that the photo raised.
    """

    case: Case
    raised: bool
    assessed: bool
    excess: float
    measures: str
    others: tuple[WarningCode, ...]

    @property
    def right(self) -> bool:
        """Whether the code did what it should."""
        return self.raised == self.case.positive


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson 1927)."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """0 to 1; NaN without cases."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0 to 1."""
        if not self.total:
            return (0.0, 1.0)
        z, n, p = 1.959964, self.total, self.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
        return (max(centre - half, 0.0), min(centre + half, 1.0))

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval
        return f"{self.count}/{self.total} = {100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one code (or of one kind of case of it).

    Attributes:
        found: positive cases in which it was raised.
        alarms: negative cases in which it was raised.
        not_assessed: cases in which no measure of it could be taken.
    """

    code: WarningCode
    kind: str
    made: bool
    found: Rate
    alarms: Rate
    not_assessed: int


def read_cases(labels: Path, data: Path, *, unseen: bool | None = True, limit: int = 0) -> list[Case]:
    """Cases of a label list.

    Two forms, both CSV with a heading: `path,code,label` with the labels of the development data (those that do not
    speak of a code are left out), and the same columns with `positive` or `negative` as label, where code 1 to 12
    is one number and 0 a photo on which nothing may be raised; an optional column `role` says `card` or
    `portrait` (default: card for 1 to 4, else portrait). What is said twice of a photo makes one case.

    Args:
        labels: the list.
        data: folder that the paths are relative to.
        unseen: True for the half that is held out, False for the other, None for all.
        limit: so many photos of each label, evenly spaced; 0 for all.

    Raises:
        LabelError: the list cannot be read, a row has neither form or a path outside the folder, or two rows
            contradict each other.
    """
    people = held_out_people(data / "lfw_pairs.csv")
    by_label: dict[tuple[str, str], list[list[Case]]] = {}
    every: list[Case] = []
    for line, row in read_rows(labels, ("path", "code", "label")):
        if not row["path"]:
            continue
        where = f"{labels}, line {line}"
        path, label = relative_name(row["path"], where), row["label"].lower()
        cases = list(_row_cases(path, label, row["code"], row.get("role", ""), data / path, where))
        every += cases
        if unseen is None or held_out(path, people) is unseen:
            by_label.setdefault((label, row["code"]), []).append(cases)
    # A contradiction is told whether or not both of its rows are among those chosen.
    try:
        once(every)
    except LabelError as error:
        raise LabelError(f"{labels}: {error}") from None
    chosen = [photo for photos in by_label.values() for photo in _spread(photos, limit)]
    return once(case for cases in chosen for case in cases)


def once(cases: Iterable[Case]) -> list[Case]:
    """The cases, those of the same photo, code and role once: the first one.

    Raises:
        LabelError: two of them contradict each other.
    """
    kept: dict[tuple[str, WarningCode, Role], Case] = {}
    for case in cases:
        first = kept.setdefault((case.name, case.code, case.role), case)
        if first.positive is not case.positive:
            raise LabelError(f"{case.name}: code {int(case.code)} is both positive and negative as {case.role}")
    return list(kept.values())


def require_files(cases: Iterable[Case], data: Path) -> None:
    """Look whether all photos of real cases are there and may be read: told before the run, not in its middle.

    Raises:
        LabelError: some are not; the message names the first few.
    """
    names = dict.fromkeys(case.name for case in cases if not case.made)
    # Unlike those of `Path`, these say no to a name that no file can have.
    missing = [n for n in names if not (os.path.isfile(data / n) and os.access(data / n, os.R_OK))]
    if missing:
        raise LabelError(f"{data}: {len(missing)} of {len(names)} photos cannot be opened: {listed(missing)}")


def listed(names: Sequence[str], count: int = 3) -> str:
    """The first few names."""
    return ", ".join(names[:count]) + (" ..." if len(names) > count else "")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Photos whose label a person found wrong.

    Attributes:
        codes: by path the codes of which the label is wrong; none means all of them.
    """

    codes: Mapping[str, frozenset[int]]

    def __contains__(self, case: Case) -> bool:
        codes = self.codes.get(case.name)
        return codes is not None and (not codes or int(case.code) in codes)

    def __len__(self) -> int:
        return len(self.codes)


def read_left_out(files: Iterable[Path]) -> LeftOut:
    """CSV files with a column `path` and perhaps a column `code`: empty for every code, or several with `/` between.

    Raises:
        LabelError: one of them cannot be read, has no such column or a code that is no number.
    """
    codes: dict[str, frozenset[int]] = {}
    for file in files:
        for line, row in read_rows(file, ("path",)):
            if not row["path"]:
                continue
            path = relative_name(row["path"], f"{file}, line {line}")
            try:
                own = frozenset(int(WarningCode(int(code))) for code in row.get("code", "").split("/") if code)
            except ValueError:
                raise LabelError(f"{file}, line {line}: a code is a number from 0 to 12") from None
            known = codes.get(path, own)
            # None named, here or before, means all of them.
            codes[path] = known | own if known and own else frozenset()
    return LeftOut(codes)


def ordinary_portraits(
    data: Path, folder: str, *, unseen: bool | None = True, limit: int = 0, skip: frozenset[str] = frozenset()
) -> list[Case]:
    """Photos of a folder as ordinary portraits: nothing may be raised, and as image 1 they are no document.

    Args:
        data: the data folder.
        folder: the folder in it.
        unseen: as in `read_cases`.
        limit: so many photos, evenly spaced over the sorted list; 0 for all.
        skip: paths that are labelled otherwise.

    Raises:
        LabelError: there is no such folder in the data folder, or no photo in it.
    """
    folder = relative_name(folder, "portraits")
    if not os.path.isdir(data / folder):
        raise LabelError(f"{data / folder}: no such folder of portraits")
    people = held_out_people(data / "lfw_pairs.csv")
    paths = sorted(p for p in (data / folder).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    if not paths:
        raise LabelError(f"{data / folder}: no photo in this folder of portraits")
    names = [path.relative_to(data).as_posix() for path in paths]
    names = [n for n in names if n not in skip and (unseen is None or held_out(n, people) is unseen)]
    names = _spread(names, limit)
    cases = []
    for name in names:
        read = (data / name).read_bytes
        kind = f"portraits of {folder}"
        codes = (WarningCode.SUCCESSFUL, *map(WarningCode, _PORTRAIT_CODES))
        shown = person(name, folder)
        cases += [Case(name, code, False, Role.PORTRAIT, kind, False, read, shown) for code in codes]
    # A portrait as image 1 is examined anew; a tenth of them is enough for that figure.
    for name in names[::10]:
        cases.append(Case(name, WarningCode.NO_CARD, True, Role.CARD, kind, False, (data / name).read_bytes))
    return cases


def examine(
    matcher: FaceMatcher, cases: Iterable[Case], tick: Callable[[], None] = lambda: None
) -> tuple[list[Outcomes], list[str]]:
    """Look at every photo once per role and judge its cases; also names the photos that cannot be decoded.

    Raises:
        LabelError: a file cannot be read.
    """
    groups: dict[tuple[str, Role], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.name, case.role), []).append(case)
    outcomes: list[Outcomes] = []
    undecoded: dict[str, None] = {}
    for group in groups.values():
        try:
            _, findings = matcher.examine(group[0].read(), group[0].role)
        except (ImageFormatError, NoContentError):
            undecoded[group[0].name] = None
            continue
        except OSError as error:
            raise LabelError(f"{group[0].name}: {error.strerror or type(error).__name__}") from None
        finally:
            tick()
        outcomes.extend(_outcome(case, findings) for case in group)
    return outcomes, list(undecoded)


def rows(outcomes: Sequence[Outcomes], *, by_kind: bool = False) -> list[Row]:
    """Figures by code, real photos before made ones; by kind of case on demand."""
    keys = sorted({(o.case.code, o.case.made, o.case.kind if by_kind else "") for o in outcomes})
    result = []
    for code, made, kind in keys:
        chosen = [o for o in outcomes if (o.case.code, o.case.made) == (code, made) and kind in ("", o.case.kind)]
        positive, negative = [o for o in chosen if o.case.positive], [o for o in chosen if not o.case.positive]
        result.append(
            Row(
                code,
                kind,
                made,
                Rate(sum(o.raised for o in positive), len(positive)),
                Rate(sum(o.raised for o in negative), len(negative)),
                sum(not o.assessed for o in chosen),
            )
        )
    return result


def table(figures: Iterable[Row]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows as texts."""
    header = ["code", "cases", "kind", "found", "missed", "false alarms", "not assessed"]
    return header, [
        [
            str(int(row.code)),
            "made" if row.made else "real",
            row.kind,
            str(row.found),
            str(row.found.total - row.found.count),
            str(row.alarms),
            str(row.not_assessed),
        ]
        for row in figures
    ]


def page(outcomes: Sequence[Outcomes], title: str, notes: Sequence[str], worst: int = 12) -> str:
    """A report that stands alone: the figures, and per code the worst misses and false alarms as thumbnails."""
    from facematch_local.evaluation.reporting import html

    header, body = table(rows(outcomes))
    parts = [html.paragraph(note) for note in notes]
    parts.append(html.section("By code", html.table(header, body)))
    header, body = table(rows(outcomes, by_kind=True))
    parts.append(html.section("By kind of case", html.table(header, body)))
    for code in sorted({o.case.code for o in outcomes}):
        for positive, name in ((True, "Misses"), (False, "False alarms")):
            wrong = [o for o in outcomes if o.case.code == code and o.case.positive is positive and not o.right]
            if wrong:
                wrong.sort(key=lambda o: o.excess, reverse=not positive)
                figures = [_figure(o) for o in wrong[:worst]]
                text = f"{name} of code {int(code)} ({len(wrong)}): {code.message}"
                parts.append(html.section(text, html.gallery(figures)))
    return html.page(title, *parts)


def as_data(outcomes: Sequence[Outcomes]) -> dict[str, object]:
    """All figures for a program: by code, by kind, and every wrong case by name."""

    def plain(row: Row) -> dict[str, object]:
        return {
            "code": int(row.code),
            "kind": row.kind,
            "made": row.made,
            "positive": row.found.total,
            "found": row.found.count,
            "found_interval": row.found.interval,
            "negative": row.alarms.total,
            "false_alarms": row.alarms.count,
            "false_alarm_interval": row.alarms.interval,
            "not_assessed": row.not_assessed,
        }

    wrong = [
        {"name": o.case.name, "code": int(o.case.code), "positive": o.case.positive, "measures": o.measures}
        for o in outcomes
        if not o.right
    ]
    return {
        "by_code": [plain(row) for row in rows(outcomes)],
        "by_kind": [plain(row) for row in rows(outcomes, by_kind=True)],
        "wrong": wrong,
    }


def _spread(items: list[T], limit: int) -> list[T]:
    """At most `limit` items (0: all), evenly spaced."""
    if not limit or len(items) <= limit:
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def _row_cases(path: str, label: str, code: str, role: str, file: Path, where: str) -> Iterator[Case]:
    if label in ("positive", "negative"):
        yield _plain_case(path, label, code, role, file, where)
    elif label not in _SPOKEN:
        raise LabelError(f"{where}: the label is positive or negative, not {label[:40]!r}")
    for number, positive, spoken, kind in _SPOKEN.get(label, ()):
        yield Case(path, WarningCode(number), positive, spoken, kind, False, file.read_bytes, person(path))


def _plain_case(path: str, label: str, number: str, named: str, file: Path, where: str) -> Case:
    try:
        code = WarningCode(int(number))
        role = Role(named.lower()) if named else Role.CARD if 1 <= code <= 4 else Role.PORTRAIT
    except ValueError:
        raise LabelError(f"{where}: the code is a number from 0 to 12, the role card or portrait") from None
    positive = label == "positive"
    if positive and code is WarningCode.SUCCESSFUL:
        raise LabelError(f"{where}: code 0 asks that nothing is raised; its label is negative")
    if code is not WarningCode.SUCCESSFUL and code not in _codes(role):
        raise LabelError(f"{where}: code {int(code)} is never raised on a {role}")
    return Case(path, code, positive, role, label, False, file.read_bytes, person(path))


@cache
def _codes(role: Role) -> frozenset[WarningCode]:
    """What can be raised on a photo of that role."""
    return frozenset(limit.code for limit in load_policy().limits[role].values())


def _outcome(case: Case, findings: Sequence[Finding]) -> Outcomes:
    raised = tuple(sorted({f.limit.code for f in findings if f.outcome is Outcome.WARNING}))
    every = case.code is WarningCode.SUCCESSFUL
    asked = [f for f in findings if every or f.limit.code == case.code]
    shown = [f for f in asked if not every or f.outcome is Outcome.WARNING]
    texts = (f"{f.name} {f.measure.value:.3g}" if f.measure.value is not None else f"{f.name} ?" for f in shown)
    return Outcomes(
        case,
        bool(raised) if every else case.code in raised,
        any(f.outcome is not Outcome.NOT_ASSESSED for f in asked),
        max((_excess(f) for f in asked), default=-1.0),
        ", ".join(texts),
        raised,
    )


def _excess(finding: Finding) -> float:
    value, limit = finding.measure.value, finding.limit
    if value is None:
        return -1.0
    beyond = [-float("inf")]
    if limit.minimum is not None:
        beyond.append((limit.minimum - value) / max(abs(limit.minimum), 1e-6))
    if limit.maximum is not None:
        beyond.append((value - limit.maximum) / max(abs(limit.maximum), 1e-6))
    return max(beyond)


def _figure(outcome: Outcomes) -> str:
    from facematch_local.evaluation.reporting import html

    caption = f"{outcome.case.name} ({outcome.case.kind}): {outcome.measures}"
    return html.figure(html.image(_thumbnail(outcome.case), outcome.case.name), caption)


def _thumbnail(case: Case, side: int = 224) -> bytes | None:
    import cv2
    import numpy as np

    from facematch_local.imaging.decode import decode, encode_jpeg

    try:
        content = case.read()
        pixels = decode(content).pixels if isinstance(content, bytes) else content
    except (FacematchError, OSError):
        return None
    scale = side / max(pixels.shape[:2])
    size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
    return encode_jpeg(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), 80)
