"""The command `facematch samples`: writes synthetic photos for each outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console


def samples(
    folder: Annotated[Path, typer.Argument(help="Folder for the photos; created if missing.")],
    check: Annotated[bool, typer.Option("--check", help="Also match each pair and compare the outcome.")] = False,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file with other limits.", envvar="FACEMATCH_POLICY")
    ] = None,
) -> None:
    """Write small synthetic photos that cause each code, with an index of the pairs and their codes.

    Exit code 0; 1 if --check finds a pair with another code than expected; 2 if the folder cannot be written or the
    policy cannot be read.
    """
    from facematch_local.synthetic.samples import SAMPLES, write

    write(folder)
    console().print(f"{len(SAMPLES)} pairs are in {folder}; index.json lists the codes of each", markup=False)
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
    as_expected = True
    for sample in SAMPLES:
        files = {name: read_photo(folder / name) for name in (sample.image1, sample.image2)}
        error, warning, words = outcome(sample, matcher, files)
        right = (error, warning) == (sample.error, sample.warning)
        as_expected = as_expected and right
        code = "" if warning is None else str(int(warning))
        result = words if right else f"[bold red]{words}[/] (expected {_text(sample.error)}/{_text(sample.warning)})"
        table.add_row(sample.name, sample.image1, sample.image2, sample.type1, _text(error), code, result)
    console().print(table)
    return as_expected


def _text(code: int | None) -> str:
    return "-" if code is None else str(int(code))
