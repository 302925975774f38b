"""`facematch serve`: run the HTTP service."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from facematch_local.errors import FacematchError


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FACEMATCH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (FACEMATCH_PORT).")] = None,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder (FACEMATCH_PACK).")] = None,
) -> None:
    """Run the HTTP service. All other options are FACEMATCH_* variables: see docs/settings.md."""
    import importlib

    from pydantic import ValidationError

    # By name: the library is typed and tested without the server.
    server = importlib.import_module("facematch_server")
    settings_class = importlib.import_module("facematch_server.settings").Settings
    given: dict[str, Any] = {"host": host, "port": port, "pack": pack}
    try:
        settings = settings_class(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # One line each; the values themselves stay out, a database URL holds a password.
        problems = "; ".join(
            f"FACEMATCH_{'_'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()
        )
        raise FacematchError(f"wrong settings: {problems}") from None
    server.run(settings)
