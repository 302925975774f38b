"""A report on warnings: tables, notes, JSON and a page that opens without a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from facematch_local.codes import WarningCode
from facematch_local.errors import FacematchError
from facematch_local.evaluation.reporting.html import Figure, TableView, render
from facematch_local.evaluation.reporting.thumbnails import thumbnail
from facematch_local.evaluation.warnings.cases import Case, listed
from facematch_local.evaluation.warnings.evaluate import Results
from facematch_local.evaluation.warnings.figures import CaseResult, CodeFigures, figures
from facematch_local.imaging.decode import decode
from facematch_local.networks import Networks
from facematch_local.packs import LoadedPack

TITLE = "Warnings on labelled photos"
SHOWN = 12
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 224, 80


@dataclass(frozen=True, slots=True)
class PackUsed:
    """The pack that a report is about.

    Attributes:
        name: name of the pack.
        version: its version.
        networks: tasks of its networks for warnings, fallback ones included.
        fallback: tasks for which the shipped pack stood in.
    """

    name: str
    version: str
    networks: tuple[str, ...]
    fallback: tuple[str, ...]


def pack_used(loaded: LoadedPack) -> PackUsed:
    """Name, version and networks of a loaded pack."""
    tasks = tuple(field.name for field in fields(Networks) if getattr(loaded.networks, field.name) is not None)
    return PackUsed(loaded.pack.name, loaded.pack.version, tasks, loaded.fallback)


@dataclass(frozen=True, slots=True)
class Group:
    """The worst misses, or false alarms, of one code."""

    title: str
    worst: Sequence[CaseResult]


@dataclass(frozen=True, slots=True)
class WarningsReport:
    """The results of a run and how they came about.

    Attributes:
        results: of all cases.
        pack: the pack that was used.
        policy: version of the policy.
        date: ISO 8601.
    """

    results: Results
    pack: PackUsed
    policy: str
    date: str

    def tables(self) -> list[TableView]:
        """The figures by code and, where kinds are named, by kind of case."""
        tables = [table("By code", figures(self.results.cases))]
        if self.results.selection.by_kind:
            tables.append(table("By kind of case", figures(self.results.cases, by_kind=True)))
        return tables

    def notes(self) -> list[str]:
        """The facts that a reader needs to read the figures."""
        pack, undecoded, left_out = self.pack, self.results.undecoded, self.results.selection.left_out
        notes = [
            f"Pack {pack.name} {pack.version}, policy {self.policy}, {self.date}.",
            "found: positive cases in which the code was raised. false alarms: negative cases in which it was raised. "
            "Intervals are Wilson's, 95 %. Synthetic cases are drawn by a program and do not replace real ones.",
        ]
        fallback = f"; from the shipped pack: {', '.join(pack.fallback)}" if pack.fallback else ""
        notes.append(
            f"Networks for warnings: {', '.join(pack.networks)}{fallback}."
            if pack.networks
            else "The pack has no network for warnings."
        )
        if left_out:
            notes.append(f"{left_out} photos are on the lists of photos to leave out.")
        if undecoded:
            notes.append(f"{len(undecoded)} photos could not be decoded and do not count: {listed(undecoded)}")
        return notes

    def as_data(self) -> dict[str, object]:
        """All figures as plain data: by code, by kind, and the name of every wrong case."""
        cases = self.results.cases
        return {
            "pack": self.pack.name,
            "networks": list(self.pack.networks),
            "fallback_networks": list(self.pack.fallback),
            "undecoded": list(self.results.undecoded),
            "policy": self.policy,
            "date": self.date,
            "by_code": [_plain(entry) for entry in figures(cases)],
            "by_kind": [_plain(entry) for entry in figures(cases, by_kind=True)],
            "wrong": [
                {
                    "name": result.case.name,
                    "code": int(result.case.code),
                    "positive": result.case.positive,
                    "measures": result.measures,
                }
                for result in cases
                if not result.right
            ],
        }

    def page(self) -> str:
        """The report as one HTML file with thumbnails of the worst misses and false alarms (personal data)."""
        cases = self.results.cases
        tables = [table("By code", figures(cases)), table("By kind of case", figures(cases, by_kind=True))]
        galleries = [(group.title, [_figure(result) for result in group.worst]) for group in wrong_groups(cases)]
        return render("warnings.html", title=TITLE, notes=self.notes(), tables=tables, galleries=galleries)


def table(title: str, entries: Iterable[CodeFigures]) -> TableView:
    """Figures as a table of texts."""
    header = ["code", "cases", "kind", "found", "missed", "false alarms", "not assessed"]
    rows = [
        [
            str(int(entry.code)),
            "synthetic" if entry.synthetic else "real",
            entry.kind,
            str(entry.found),
            str(entry.found.total - entry.found.count),
            str(entry.alarms),
            str(entry.not_assessed),
        ]
        for entry in entries
    ]
    return TableView(header, rows, title)


def wrong_groups(results: Sequence[CaseResult], shown: int = SHOWN) -> list[Group]:
    """By code the misses and the false alarms, the worst first.

    A miss is the worse the further its measures stay within the limit, a false alarm the further they exceed it.
    """
    groups = []
    for code in sorted({result.case.code for result in results}):
        for positive, name in ((True, "Misses"), (False, "False alarms")):
            wrong = [
                result
                for result in results
                if result.case.code == code and result.case.positive is positive and not result.right
            ]
            if wrong:
                wrong.sort(key=lambda result: result.excess, reverse=not positive)
                title = f"{name} of code {int(code)} ({len(wrong)}): {WarningCode(code).message}"
                groups.append(Group(title, wrong[:shown]))
    return groups


def _plain(entry: CodeFigures) -> dict[str, object]:
    return {
        "code": int(entry.code),
        "kind": entry.kind,
        "synthetic": entry.synthetic,
        "positive": entry.found.total,
        "found": entry.found.count,
        "found_interval": entry.found.interval,
        "negative": entry.alarms.total,
        "false_alarms": entry.alarms.count,
        "false_alarm_interval": entry.alarms.interval,
        "not_assessed": entry.not_assessed,
    }


def _figure(result: CaseResult) -> Figure:
    case = result.case
    return Figure(((_thumbnail(case), case.name),), f"{case.name} ({case.kind}): {result.measures}")


def _thumbnail(case: Case) -> bytes | None:
    try:
        content = case.read()
        pixels = decode(content).pixels if isinstance(content, bytes) else content
    except (FacematchError, OSError):
        return None
    return thumbnail(pixels, THUMBNAIL_SIDE, THUMBNAIL_QUALITY)
