"""`facematch evaluate warnings`: how often does each warning hit, miss and cry wolf?"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.cli.evaluate_verification import Pack, check_writable, open_pack, today, write

if TYPE_CHECKING:
    from rich.table import Table


class Half(StrEnum):
    """Which photos are asked."""

    UNSEEN = "unseen"
    TUNED = "tuned"
    ALL = "all"


def warnings(
    labels: Annotated[Path, typer.Argument(help="CSV with the columns path, code, label (positive or negative).")],
    data: Annotated[Path | None, typer.Option(help="What paths are relative to; default the list's folder.")] = None,
    portraits: Annotated[
        list[str] | None,
        typer.Option(help="A folder of ordinary portraits in the data folder, on which nothing may be raised."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="So many photos of each label and folder, evenly spaced; 0 for all.")
    ] = 0,
    made: Annotated[int, typer.Option(min=0, help="So many made cases of each kind, from the portraits.")] = 0,
    leave_out: Annotated[
        list[Path] | None,
        typer.Option(
            help="CSV with a column path, perhaps code: photos whose label, of that code or all, a person found wrong."
        ),
    ] = None,
    half: Annotated[Half, typer.Option(help="Held out from training and tuning, tuned on, or all.")] = Half.UNSEEN,
    pack: Pack = None,
    classical: Annotated[
        bool, typer.Option(help="Ask no head for warnings, lent or the pack's own: what classical measures do.")
    ] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    html_path: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without network.")] = None,
) -> None:
    """Look at labelled photos as a match does and print, by code, hits, misses and false alarms with 95 % intervals.

    The HTML report shows the worst misses and false alarms: thumbnails, personal data where the photos are.
    """
    from facematch_local.evaluation.split import LabelError
    from facematch_local.evaluation.warnings import report as evaluation
    from facematch_local.evaluation.warnings.synthetic_cases import made_cases, sources
    from facematch_local.matcher import FaceMatcher
    from facematch_local.networks import Networks

    for path in (json_path, html_path):
        check_writable(path)
    folder = data or labels.parent
    unseen = None if half is Half.ALL else half is Half.UNSEEN
    cases = evaluation.read_cases(labels, folder, unseen=unseen, limit=limit)
    left_out = evaluation.read_left_out(leave_out or [])
    cases = [case for case in cases if case not in left_out]
    # With a limit, some labelled photos make no case; that they show a hat or a mask is known all the same.
    labelled = frozenset(case.name for case in evaluation.read_cases(labels, folder, unseen=None))
    for name in portraits or []:
        chosen = evaluation.ordinary_portraits(folder, name, unseen=unseen, limit=limit, skip=labelled)
        cases += [case for case in chosen if case not in left_out]
    cases = evaluation.once(cases)
    if not cases:
        raise LabelError(f"{labels}: no case in the half asked for ({half})")
    evaluation.require_files(cases, folder)
    if made:
        ordinary, grounds = sources(cases)
        # A ground on the list shows a person, say, whatever code it was put there for.
        grounds = [name for name in grounds if name not in left_out.codes]
        cases += made_cases([folder / name for name in ordinary], [folder / name for name in grounds], made)
    loaded = open_pack(pack, fallback=not classical)
    if classical:
        loaded = replace(loaded, networks=Networks())
    matcher = FaceMatcher(loaded)
    outcomes, undecoded = evaluation.examine(matcher, cases)
    if not outcomes:
        raise LabelError(f"{labels}: no photo could be decoded: {evaluation.listed(undecoded)}")
    out = console()
    # Kinds name folders: no markup.
    out.print(_table("By code", *evaluation.table(evaluation.rows(outcomes))), markup=False)
    if made or portraits:
        table = _table("By kind of case", *evaluation.table(evaluation.rows(outcomes, by_kind=True)))
        out.print(table, markup=False)
    notes = [
        f"Pack {loaded.pack.name} {loaded.pack.version}, policy {matcher.policy.version}, {half} half, {today()}.",
        "found: cases that should raise the code and did. false alarms: cases that should not and did. "
        "Intervals are Wilson's, 95 %. Made cases come from a program and are no substitute for real ones.",
    ]
    heads = [field.name for field in fields(Networks) if getattr(loaded.networks, field.name) is not None]
    lent = f"; lent by the shipped pack: {', '.join(loaded.fallback)}" if loaded.fallback else "; none was lent"
    notes.append(
        f"Networks asked: {', '.join(heads)}{lent}."
        if heads
        else "No head was asked for warnings, lent or the pack's own."
    )
    if left_out:
        notes.append(f"{len(left_out)} photos are on a list of those left out after review.")
    if undecoded:
        notes.append(f"{len(undecoded)} photos could not be decoded and do not count: {evaluation.listed(undecoded)}")
    for note in notes:
        out.print(note, markup=False)
    if json_path is not None:
        content = {
            "pack": loaded.pack.name,
            "heads": heads,
            "lent": list(loaded.fallback),
            "undecoded": undecoded,
            "policy": matcher.policy.version,
            "half": str(half),
            "date": today(),
        }
        write(json_path, json.dumps({**content, **evaluation.as_data(outcomes)}, indent=1))
    if html_path is not None:
        write(html_path, evaluation.page(outcomes, "Warnings on labelled photos", notes))


def _table(title: str, header: list[str], body: list[list[str]]) -> Table:
    from rich.table import Table

    table = Table(*header, title=title, title_justify="left")
    for row in body:
        table.add_row(*row)
    return table
