"""`facematch compare`: two photos on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.cli.console import console, read_photo

if TYPE_CHECKING:
    from facematch_local.matcher import MatchResult
    from facematch_local.policy import Finding


def compare(
    image1: Annotated[Path, typer.Argument(help="Photo of the ID card (or a portrait, with --type1 portrait).")],
    image2: Annotated[Path, typer.Argument(help="Portrait photo.")],
    type1: Annotated[str, typer.Option(help="What image 1 is: card or portrait.")] = "card",
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Compare two photos.

    Exit code 0 whatever the verdict is; 2 when a photo or the pack cannot be read.
    """
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import DEFAULT_PACK

    if type1 not in ("card", "portrait"):
        raise typer.BadParameter("card or portrait", param_hint="--type1")
    photos = read_photo(image1), read_photo(image2)
    result = FaceMatcher.open(pack or DEFAULT_PACK).match(*photos, type1=type1)
    if as_json:
        console().print_json(data=as_data(result))
    else:
        _print(result)


def as_data(result: MatchResult) -> dict[str, Any]:
    """A result as plain data, for JSON: no photos and no embeddings."""
    return {
        "percent": result.percent,
        "verdict": result.verdict.name,
        "cosine": result.cosine,
        "warnings": [{"code": int(code), "message": code.message} for code in result.warnings],
        "measures": [_finding(finding) for finding in result.findings],
        "faces": [
            [{"box": face.box.tolist(), "landmarks": face.landmarks.tolist(), "score": face.score} for face in i.faces]
            for i in result.images
        ],
        "pack": result.pack,
        "calibration": result.calibration,
        "policy": result.policy,
        "timings": dict(result.timings),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "image": finding.image,
        "name": finding.name,
        "value": finding.measure.value,
        "unit": finding.measure.unit,
        "reason": finding.measure.reason,
        "minimum": finding.limit.minimum,
        "maximum": finding.limit.maximum,
        "code": int(finding.limit.code),
        "outcome": str(finding.outcome),
    }


def _print(result: MatchResult) -> None:
    from rich.table import Table

    out = console()
    out.print(f"[bold]{result.percent:.2f} %  {result.verdict.name}[/bold]")
    table = Table("image", "measure", "value", "allowed", "outcome")
    for finding in result.findings:
        measure, limit = finding.measure, finding.limit
        value = "-" if measure.value is None else f"{measure.value:.3g} {measure.unit}"
        allowed = " ".join(
            f"{sign} {bound:g}" for sign, bound in ((">=", limit.minimum), ("<=", limit.maximum)) if bound is not None
        )
        table.add_row(str(finding.image), finding.name, value, allowed, measure.reason or str(finding.outcome))
    out.print(table)
