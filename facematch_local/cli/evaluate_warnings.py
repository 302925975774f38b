"""`facematch evaluate warnings`: how often does each warning hit, miss and cry wolf?"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.cli.evaluate_verification import Pack, check_writable, open_pack, today, write


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
    classical: Annotated[bool, typer.Option(help="Lend the pack no head: show what classical measures do.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    html_path: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without network.")] = None,
) -> None:
    """Look at labelled photos as a match does and print, by code, hits, misses and false alarms with 95 % intervals.

    The HTML report shows the worst misses and false alarms: thumbnails, personal data where the photos are.
    """
    from facematch_local.evaluation import warnings as evaluation
    from facematch_local.evaluation.warnings_made import made_cases
    from facematch_local.matcher import FaceMatcher

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
    if made:
        ordinary = [folder / case.name for case in cases if case.code == 0]
        # A ground on the list shows a person, say, whatever code it was put there for.
        doubtful = left_out.codes
        grounds = [folder / c.name for c in cases if c.kind == "no document" and c.name not in doubtful]
        cases += made_cases(ordinary, grounds, made)
    if not cases:
        raise evaluation.LabelError(f"{labels}: no case in the half asked for ({half})")
    loaded = open_pack(pack, lend_heads=not classical)
    matcher = FaceMatcher(loaded)
    outcomes = evaluation.examine(matcher, cases)
    out = console()
    out.print(*_table("By code", *evaluation.table(evaluation.rows(outcomes))))
    if made or portraits:
        out.print(*_table("By kind of case", *evaluation.table(evaluation.rows(outcomes, by_kind=True))))
    notes = [
        f"Pack {loaded.pack.name} {loaded.pack.version}, policy {matcher.policy.version}, {half} half, {today()}.",
        "found: cases that should raise the code and did. false alarms: cases that should not and did. "
        "Intervals are Wilson's, 95 %. Made cases come from a program and are no substitute for real ones.",
    ]
    lent = f"Lent by the shipped pack: {', '.join(loaded.lent)} head." if loaded.lent else "No head was lent."
    notes.append(lent)
    if left_out:
        notes.append(f"{len(left_out)} photos are on a list of those left out after review.")
    for note in notes:
        out.print(note)
    if json_path is not None:
        content = {
            "pack": loaded.pack.name,
            "lent": list(loaded.lent),
            "policy": matcher.policy.version,
            "half": str(half),
            "date": today(),
        }
        write(json_path, json.dumps({**content, **evaluation.as_data(outcomes)}, indent=1))
    if html_path is not None:
        write(html_path, evaluation.page(outcomes, "Warnings on labelled photos", notes))


def _table(title: str, header: list[str], body: list[list[str]]) -> tuple[object, ...]:
    from rich.table import Table

    table = Table(*header, title=title, title_justify="left")
    for row in body:
        table.add_row(*row)
    return (table,)
