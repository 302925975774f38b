"""The command `facematch compare`: compares two photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console, read_photo
from facematch_local.cli.finding_text import allowed_text, value_text
from facematch_local.cli.provider_option import Providers, provider_settings, show_refusals
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_local.imaging.photo import Photo
    from facematch_local.policy import Finding
    from facematch_local.result import MatchResult, PhotoResult


def compare(
    image1: Annotated[Path, typer.Argument(help="Photo of the ID card (or a portrait, with --type1 portrait).")],
    image2: Annotated[Path, typer.Argument(help="Portrait photo.")],
    type1: Annotated[str, typer.Option(help="Type of image 1: card or portrait.")] = "card",
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file with other limits.", envvar="FACEMATCH_POLICY")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the complete result as JSON.")] = False,
    save_picture: Annotated[
        Path | None, typer.Option(help="Write a picture of both photos, faces and aligned crops (.png, .jpg).")
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 unless the verdict is a match.")] = False,
    providers: Providers = "cpu",
) -> None:
    """Compare the faces in two photos.

    Exit code 0 for any verdict (but see --exit-code); 2 if a photo or the pack cannot be read.
    """
    from facematch_local.calibration import Verdict
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import DEFAULT_PACK, SessionSettings
    from facematch_local.policy import load_policy
    from facematch_local.result import describe

    if type1 not in ("card", "portrait"):
        raise typer.BadParameter(f"{type1!r} is neither card nor portrait", param_hint="--type1")
    photos = _decoded(image1), _decoded(image2)
    sessions = SessionSettings(providers=provider_settings(providers))
    matcher = FaceMatcher.open(pack or DEFAULT_PACK, policy=load_policy(policy) if policy else None, sessions=sessions)
    show_refusals(matcher.pack)
    result = matcher.match(*photos, type1=type1)
    if save_picture:
        _save(result, save_picture)
    if as_json:
        console().print_json(describe(result).model_dump_json())
    else:
        _print(result)
    if exit_code and result.verdict is not Verdict.MATCH:
        raise typer.Exit(1)


def _decoded(path: Path) -> Photo:
    """Decode the photo in a file; an error message names the file."""
    from facematch_local.imaging.decode import decode

    data = read_photo(path)
    try:
        return decode(data)
    except FacematchError as error:
        raise type(error)(f"{path}: {error}") from None


def _save(result: MatchResult, path: Path) -> None:
    from PIL import Image

    from facematch_local.cli.picture import draw

    try:
        Image.fromarray(draw(result)[:, :, ::-1].copy()).save(path)
    except ValueError:  # Pillow does not know a format with this suffix
        raise FacematchError(f"{path}: the picture must be a .png or .jpg file") from None
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or 'cannot be written'}") from None


_COLOURS = {"match": "green", "unsure": "yellow", "no_match": "red"}


def _print(result: MatchResult) -> None:
    from rich.markup import escape

    out = console()
    verdict = result.verdict.name.lower()
    if result.cosine is None:
        missing = " and ".join(str(n) for n, photo in enumerate(result.images, 1) if photo.face is None)
        note = f"nothing to compare: no face in image {missing}"
    else:
        note = f"cosine {result.cosine:.4f}"
    out.print(f"[bold {_COLOURS[verdict]}]{result.percent:.2f} %  {verdict.replace('_', ' ')}[/]  [dim]{note}[/]")
    for code in result.warnings:
        out.print(f"[bold red]{int(code):>2}[/]  {code.message}")
    if not result.warnings:
        out.print("[green] 0[/]  Successful (no warning)")
    out.print()
    for number, photo in enumerate(result.images, 1):
        _print_photo(number, photo, [finding for finding in result.findings if finding.image == number])
    curve = result.calibration + ("" if result.calibrated else " (no curve for this pack)")
    milliseconds = "  ".join(f"{stage} {1000 * seconds:.0f}" for stage, seconds in result.timings.items())
    out.print(f"[dim]pack {escape(result.pack)}, calibration {escape(curve)}, policy {escape(result.policy)}[/]")
    out.print(f"[dim]milliseconds: {milliseconds}[/]")


def _print_photo(number: int, photo: PhotoResult, findings: list[Finding]) -> None:
    from rich.table import Table

    size = f"{photo.photo.width} x {photo.photo.height}"
    faces = f"{len(photo.faces)} face{'' if len(photo.faces) == 1 else 's'}"
    table = Table(
        "measure", "value", "allowed", "outcome", "code", title=f"Image {number}: {photo.role.value}, {size}, {faces}"
    )
    table.title_justify = "left"
    for finding in findings:
        outcome = {"passed": "[green]passed[/]", "warning": "[bold red]warning[/]"}.get(
            finding.outcome.value, f"[yellow]not assessed[/]: {finding.measure.reason}"
        )
        code = str(int(finding.limit.code))
        table.add_row(finding.name.replace("_", " "), value_text(finding), allowed_text(finding), outcome, code)
    console().print(table)
