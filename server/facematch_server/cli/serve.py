"""`facematch serve`: run the HTTP service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_server.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FACEMATCH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (FACEMATCH_PORT).")] = None,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder (FACEMATCH_PACK).")] = None,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="Keys like scenario-error-4 get made-up replies (FACEMATCH_SCENARIOS).")
    ] = False,
    scenarios_anyway: Annotated[
        bool, typer.Option("--scenarios-anyway", help="Also where others can reach it (FACEMATCH_SCENARIOS_ANYWAY).")
    ] = False,
) -> None:
    """Run the HTTP service until it is told to stop. All other options are FACEMATCH_* variables.

    Exit code 0 after an orderly end, 2 when it could not start.
    """
    given: dict[str, Any] = {"host": host, "port": port, "pack": pack}
    given |= {"scenarios": scenarios or None, "scenarios_anyway": scenarios_anyway or None}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    from facematch_server import run

    raise typer.Exit(run(settings))


def read_settings(**given: Any) -> Settings:
    """The service's settings from the environment, and from what was given on the command line.

    Raises:
        FacematchError: a setting is wrong; one line that names it.
    """
    from pydantic import ValidationError

    from facematch_server.settings import Settings, problems

    try:
        return Settings(**given)
    except ValidationError as error:
        raise FacematchError(f"wrong settings: {'; '.join(problems(error))}") from None


def require_known_variables() -> None:
    """Refuse to work on a database other than the one meant: a misspelt variable would be passed over.

    Raises:
        FacematchError: a variable `FACEMATCH_...` is set that nothing reads; one line that names the nearest one.
    """
    from facematch_server.settings import tell_unknown, unknown_variables

    if unknown := unknown_variables(os.environ):
        raise FacematchError(f"wrong settings: {'; '.join(map(tell_unknown, unknown))}")
