"""`facematch samples`: synthetic photos that raise each error and warning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console


def samples(
    folder: Annotated[Path, typer.Argument(help="Folder for the photos; created if it does not exist.")],
    check: Annotated[bool, typer.Option("--check", help="Also run the models on each pair.")] = False,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file with other limits.", envvar="FACEMATCH_POLICY")
    ] = None,
) -> None:
    """Write small synthetic photos that raise each code, with an index of the pairs and their codes.

    Exit code 0; 1 when --check finds a pair with another code; 2 when the folder cannot be written or the policy cannot
    be read.
    """
    from facematch_local.synthetic.samples import SAMPLES, write

    write(folder)
    console().print(f"wrote {len(SAMPLES)} pairs to {folder}; index.json lists the code of each", markup=False)
    console().print(f"try: facematch compare {folder / 'card.jpg'} {folder / 'portrait.jpg'}", markup=False)
    if check and not _check(folder, pack, policy):
        raise typer.Exit(1)


def _check(folder: Path, pack: str | None, policy: Path | None) -> bool:
    from rich.table import Table

    from facematch_local.cli.console import read_photo
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import DEFAULT_PACK
    from facematch_local.policy import load_policy
    from facematch_local.synthetic.samples import SAMPLES, outcome

    matcher = FaceMatcher.open(pack or DEFAULT_PACK, policy=load_policy(policy) if policy else None)
    table = Table("pair", "image 1", "image 2", "type1", "errorCode", "invalidCode", "outcome")
    all_right = True
    for sample in SAMPLES:
        files = {name: read_photo(folder / name) for name in (sample.image1, sample.image2)}
        error, warning, words = outcome(sample, matcher, files)
        right = (error, warning) == (sample.error, sample.warning)
        all_right = all_right and right
        code = "" if warning is None else str(int(warning))
        shown = words if right else f"[bold red]{words}[/] (expected {_text(sample.error)}/{_text(sample.warning)})"
        table.add_row(sample.name, sample.image1, sample.image2, sample.type1, _text(error), code, shown)
    console().print(table)
    return all_right


def _text(code: int | None) -> str:
    return "-" if code is None else str(int(code))
