"""`facematch evaluate card-to-selfie`: the loss that a printed card causes."""

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
from facematch_local.errors import FacematchError


def card_to_selfie(
    sources: Sources,
    pack: Pack = None,
    providers: Providers = "cpu",
    people: Annotated[int, typer.Option(min=2, help="Largest number of people; a card is drawn for each.")] = 500,
    json_path: JsonPath = None,
    html_path: HtmlPath = None,
    samples: Annotated[Path | None, typer.Option(help="Write the first 20 synthetic cards to this folder.")] = None,
    thumbnails: Annotated[bool, typer.Option(help="Show faces in the HTML report (personal data).")] = True,
    root: Root = None,
    replicates: Replicates = 200,
) -> None:
    """Draw cards from portraits and compare both with other portraits of the same people.

    A program draws the cards (print, screen, security lines, glare, perspective, camera, JPEG). The figures state the
    loss that such a card causes, not the quality of the cards of an issuer.
    """
    from facematch_local.evaluation.verification.card_to_selfie import first_cards, plan, shift
    from facematch_local.evaluation.verification.data import as_data
    from facematch_local.evaluation.verification.report import page

    for path in (json_path, html_path):
        check_writable(path)
    loaded = open_pack(pack, providers)
    planned = plan(read_dataset(sources, root), people)
    if samples is not None:
        _write_samples(samples, first_cards(planned, 20))
    evaluation = run(loaded, planned.dataset, replicates, planned.read)
    change = shift(evaluation.dataset, evaluation.embeddings)
    data = as_data(evaluation, loaded, today())
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
        cut = thumbnails_of(loaded, planned.read) if thumbnails else None
        write(html_path, page(evaluation, data, cut))


def _write_samples(folder: Path, cards: list[tuple[str, bytes]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in cards:
            (folder / name).write_bytes(data)
    except OSError as error:
        raise FacematchError(f"{folder}: {error.strerror or type(error).__name__}") from None
