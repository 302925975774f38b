"""`facematch models`: the model packs of this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from facematch_local.cli.console import console

app = typer.Typer(help="Model packs of this installation.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the packs that can be used, and where they lie."""
    from rich.table import Table

    from facematch_local.packs import list_packs, search_folders

    table = Table("pack", "version", "licence", "commercial use", "roles", "folder")
    for pack in list_packs():
        allowed = {None: "not stated", True: "yes", False: "no"}[pack.commercial_use]
        licence = pack.licence or "not stated"
        table.add_row(pack.name, pack.version, licence, allowed, ", ".join(pack.files), str(pack.folder))
    if table.row_count:
        console().print(table)
        return
    console(stderr=True).print(
        "No packs found. Looked in: " + ", ".join(str(folder) for folder in search_folders()), markup=False
    )
    raise typer.Exit(1)


@app.command()
def verify(
    pack: Annotated[str, typer.Argument(help="Name or folder of the pack.")] = "compact",
) -> None:
    """Compare a pack's files with its checksums and open every model once."""
    from facematch_local.packs import find_pack, load_pack

    found = find_pack(pack)
    loaded = load_pack(found)
    checked = sum(1 for file in found.files.values() if file.sha256)
    console().print(
        f"{found.name} {found.version}".rstrip()
        + f": {len(found.files)} models open, {checked} checksums agree, calibration {loaded.calibration.id}",
        markup=False,
    )
