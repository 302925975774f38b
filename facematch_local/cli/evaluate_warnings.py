"""`facematch evaluate warnings`: hit, miss and false-alarm rates of each warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.cli.evaluate_common import (
    HtmlPath,
    JsonPath,
    Pack,
    check_writable,
    open_pack,
    print_table,
    today,
    write,
)
from facematch_local.cli.provider_option import Providers

Labels = Annotated[
    Path,
    typer.Argument(
        help="CSV with the columns path, code (0 to 12, several separated by /; 0: no code may be raised), "
        "label (positive or negative); optional role (card or portrait), kind (free text), subject (the person)."
    ),
]
Data = Annotated[Path | None, typer.Option(help="Folder that paths start from; default that of the list.")]
Portraits = Annotated[
    list[str] | None,
    typer.Option(
        help="A folder of ordinary portraits in the data folder, on which no code may be raised; photos of one person "
        "lie in a folder of their own."
    ),
]
Limit = Annotated[
    int,
    typer.Option(min=0, help="Photos of each kind, label, code and role, and of each folder, evenly spaced; 0: all."),
]
Synthetic = Annotated[int, typer.Option(min=0, help="Synthetic cases of each kind, drawn from the ordinary portraits.")]
LeaveOut = Annotated[
    list[Path] | None,
    typer.Option(help="CSV of photos with a wrong label: column path, optional column code (default all codes)."),
]


def warnings(
    labels: Labels,
    data: Data = None,
    portraits: Portraits = None,
    limit: Limit = 0,
    synthetic: Synthetic = 0,
    leave_out: LeaveOut = None,
    pack: Pack = None,
    providers: Providers = "cpu",
    json_path: JsonPath = None,
    html_path: HtmlPath = None,
) -> None:
    """Examine labelled photos as a match does and print hits, misses and false alarms of each code.

    Rates have 95 % intervals. The HTML report shows thumbnails of the worst misses and false alarms: personal data.
    """
    from facematch_local.evaluation.warnings.evaluate import Request, evaluate, select
    from facematch_local.evaluation.warnings.report import WarningsReport, pack_used
    from facematch_local.matcher import FaceMatcher

    for path in (json_path, html_path):
        check_writable(path)
    selection = select(
        Request(labels, data or labels.parent, portraits or (), limit, synthetic, leave_out or ()),
    )
    loaded = open_pack(pack, providers)
    matcher = FaceMatcher(loaded)
    report = WarningsReport(evaluate(matcher, selection), pack_used(loaded), matcher.policy.version, today())
    for table in report.tables():
        print_table(table)
    for note in report.notes():
        console().print(note, markup=False)
    if json_path is not None:
        write(json_path, json.dumps(report.as_data(), indent=1) + "\n")
    if html_path is not None:
        write(html_path, report.page())
