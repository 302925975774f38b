"""`facematch serve`: run the HTTP service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.cli.console import EngineName
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_server.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FACEMATCH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (FACEMATCH_PORT).")] = None,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder (FACEMATCH_PACK).")] = None,
    scenarios: Annotated[
        bool,
        typer.Option("--scenarios", help="Give keys such as scenario-error-4 synthetic replies (FACEMATCH_SCENARIOS)."),
    ] = False,
    scenarios_anyway: Annotated[
        bool,
        typer.Option(
            "--scenarios-anyway",
            help="Allow scenarios although other machines can reach the service (FACEMATCH_SCENARIOS_ANYWAY).",
        ),
    ] = False,
    engine: Annotated[
        EngineName, typer.Option(help="A process of this machine, or replicas on a Ray cluster.")
    ] = EngineName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="With --engine ray: HOST:PORT of the cluster's head, or auto; default this machine alone.",
            envvar="RAY_ADDRESS",
        ),
    ] = None,
    replicas: Annotated[
        str | None, typer.Option(help="With --engine ray: their number, or MIN:MAX.", metavar="N|MIN:MAX")
    ] = None,
) -> None:
    """Run the HTTP service until SIGINT or SIGTERM. All other settings are FACEMATCH_* variables.

    With --engine ray and --address the command ends when the service runs on the cluster.

    The exit code is 0 after an orderly end, 2 if the service cannot start.
    """
    if replicas and engine is EngineName.LOCAL:
        raise typer.BadParameter("needs --engine ray", param_hint="--replicas")
    given: dict[str, Any] = {"host": host, "port": port, "pack": pack}
    given |= {"scenarios": scenarios or None, "scenarios_anyway": scenarios_anyway or None}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    if engine is EngineName.RAY:
        from facematch_server.cluster.replicas import Replicas
        from facematch_server.cluster.serving import serve_on_ray

        raise typer.Exit(serve_on_ray(settings, address, Replicas.parse(replicas) if replicas else None))
    from facematch_server import run

    raise typer.Exit(run(settings))


def read_settings(**given: Any) -> Settings:
    """The settings of the service, from the command line and the environment.

    Raises:
        FacematchError: a setting is wrong; the message names it in one line.
    """
    from pydantic import ValidationError

    from facematch_server.settings import Settings, problems

    try:
        return Settings(**given)
    except ValidationError as error:
        raise FacematchError(f"wrong settings: {'; '.join(problems(error))}") from None


def require_known_variables() -> None:
    """Refuse unknown variables: a misspelt one could lead to the wrong database.

    Raises:
        FacematchError: a variable `FACEMATCH_...` is unknown; the message names the nearest known one.
    """
    from facematch_server.settings import describe_unknown, unknown_variables

    if unknown := unknown_variables(os.environ):
        raise FacematchError(f"wrong settings: {'; '.join(map(describe_unknown, unknown))}")
