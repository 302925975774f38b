"""`facematch evaluate card-to-selfie`: what does a printed card cost?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.cli.evaluate_verification import (
    Pack,
    Replicates,
    Root,
    Sources,
    check_writable,
    open_pack,
    run,
    show,
    thumbnails_of,
    today,
    write,
)
from facematch_local.errors import FacematchError


def card_to_selfie(
    sources: Sources,
    pack: Pack = None,
    people: Annotated[int, typer.Option(min=2, help="How many people at most; a card is made for each.")] = 500,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    html_path: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without network.")] = None,
    samples: Annotated[Path | None, typer.Option(help="Write the first 20 made cards to this folder.")] = None,
    thumbnails: Annotated[bool, typer.Option(help="Show faces in the HTML report (personal data).")] = True,
    root: Root = None,
    replicates: Replicates = 200,
) -> None:
    """Make cards of portraits and compare both with other portraits of the same people.

    The cards are made by a program (print, screen, security lines, glare, perspective, camera, JPEG): the figures say
    how much such a card costs, not how good or bad real cards of an issuer are.
    """
    from facematch_local.evaluation.verification import report
    from facematch_local.evaluation.verification.card_to_selfie import made_cards, plan, shift
    from facematch_local.evaluation.verification.dataset import read

    for path in (json_path, html_path):
        check_writable(path)
    loaded = open_pack(pack)
    made = plan(read(sources, root), people)
    if samples is not None:
        _write_samples(samples, made_cards(made, 20))
    evaluation = run(loaded, made.dataset, replicates, made.read)
    change = shift(evaluation.dataset, evaluation.embeddings)
    data = report.as_data(evaluation, loaded, today())
    data["card_shift"] = {
        "mated_mean": change.mated,
        "mated_interval": [change.interval.low, change.interval.high],
        "non_mated_mean": change.non_mated,
        "mated_pairs": change.pairs,
    }
    show(data)
    console().print(
        f"From portrait to card the cosine of mated pairs changes by {change.mated:+.4f} on average "
        f"(95 % {change.interval.low:+.4f} .. {change.interval.high:+.4f}), of non-mated pairs by "
        f"{change.non_mated:+.4f}.",
        markup=False,
    )
    if json_path is not None:
        write(json_path, json.dumps(data, indent=1) + "\n")
    if html_path is not None:
        cut = thumbnails_of(loaded, made.read) if thumbnails else None
        write(html_path, report.page(evaluation, data, cut))


def _write_samples(folder: Path, cards: list[tuple[str, bytes]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in cards:
            (folder / name).write_bytes(data)
    except OSError as error:
        raise FacematchError(f"{folder}: {error.strerror or type(error).__name__}") from None
