"""`facematch bundle`: one archive for a machine without network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_CHECKOUT = Path(__file__).resolve().parents[2]


def bundle(
    out: Annotated[Path, typer.Option(help="Folder for the archive.")] = Path("dist"),
    pack: Annotated[list[Path] | None, typer.Option(help="Folder of a pack to add; can be repeated.")] = None,
    extra: Annotated[list[str] | None, typer.Option(help="Extra to include, such as postgres.")] = None,
    source: Annotated[Path, typer.Option(help="Checkout of facematch-local.")] = _CHECKOUT,
) -> None:
    """Make one archive that installs the service, for this platform and Python, on a machine without network."""
    from facematch_server.bundling import build

    made = build(source, out, packs=pack or (), extras=extra or ())
    typer.echo(f"{made.archive}\nsha256 {made.sha256}\npacks  {', '.join(made.packs)}")
    if "standard" not in made.packs:
        typer.echo(
            "the pack 'standard' is not in it: the build could not fetch its weights (facematch models list says why)"
        )
    if made.without_text:
        typer.echo(f"these wheels carry no licence text: {', '.join(made.without_text)}")
