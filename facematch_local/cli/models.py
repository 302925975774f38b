"""`facematch models`: the model packs of this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.errors import FacematchError

app = typer.Typer(help="Model packs of this installation.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the packs that can be used, and where they lie."""
    from rich.table import Table

    from facematch_local.packs import ModelPack, scan_packs, search_folders

    folders = search_folders()
    found = list(scan_packs(folders))
    out = console()
    table = Table("pack", "version", "licence", "commercial use", "roles", "folder")
    for pack in (entry for entry in found if isinstance(entry, ModelPack)):
        allowed = {None: "not stated", True: "yes", False: "no"}[pack.commercial_use]
        licence = pack.licence or "not stated"
        table.add_row(pack.name, pack.version, licence, allowed, ", ".join(pack.files), str(pack.folder))
    if table.row_count:
        out.print(table)
    for error in (entry for entry in found if not isinstance(entry, ModelPack)):
        out.print(f"cannot be used: {error}", markup=False, style="red")
    if not table.row_count:
        looked = ", ".join(str(folder) for folder in folders)
        raise FacematchError(f"no model pack found; looked in {looked}")


@app.command()
def verify(
    pack: Annotated[str, typer.Argument(help="Name or folder of the pack.")] = "compact",
) -> None:
    """Compare a pack's files with its checksums, open every model and run detector and recogniser once."""
    from facematch_local.packs import find_pack, load_pack

    found = find_pack(pack)
    loaded = load_pack(found, lend_heads=False)
    checked = sum(1 for file in found.files.values() if file.sha256)
    console().print(
        f"{found.name} {found.version}".rstrip()
        + f": {len(found.files)} models open, {checked} checksums agree, calibration {loaded.calibration.id}",
        markup=False,
    )
