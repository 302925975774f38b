"""`facematch evaluate verification`: error rates of the comparison and the meaning of its percents."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from facematch_local.cli.evaluate_common import (
    AllPairs,
    HtmlPath,
    JsonPath,
    Pack,
    Replicates,
    Root,
    Sources,
    check_writable,
    open_pack,
    read_dataset,
    run,
    show,
    thumbnails_of,
    today,
    write,
)
from facematch_local.cli.provider_option import Providers


def verification(
    sources: Sources,
    pack: Pack = None,
    providers: Providers = "cpu",
    json_path: JsonPath = None,
    html_path: HtmlPath = None,
    all_pairs: AllPairs = False,
    thumbnails: Annotated[
        bool,
        typer.Option(
            help="Show the faces of the hardest pairs in the HTML report. They are personal data: omit them "
            "in a report for others."
        ),
    ] = True,
    root: Root = None,
    replicates: Replicates = 200,
) -> None:
    """Measure FMR and FNMR at 65 % and 75 % on labelled photos.

    Lines and files that cannot be used are listed and left out. Exit code 2 when no pair can be compared.
    """
    from facematch_local.evaluation.verification.data import as_data
    from facematch_local.evaluation.verification.report import page

    for path in (json_path, html_path):
        check_writable(path)
    loaded = open_pack(pack, providers)
    evaluation = run(loaded, read_dataset(sources, root, all_pairs), replicates)
    data = as_data(evaluation, loaded, today())
    show(data)
    if json_path is not None:
        write(json_path, json.dumps(data, indent=1) + "\n")
    if html_path is not None:
        write(html_path, page(evaluation, data, thumbnails_of(loaded) if thumbnails else None))
