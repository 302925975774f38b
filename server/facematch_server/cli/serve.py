"""`facematch serve`: run the HTTP service."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.cli.console import EngineName
from facematch_local.errors import FacematchError
from facematch_server.wire.profile import NoFaceAs, Profile

if TYPE_CHECKING:
    from facematch_server.settings import Settings


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on (FACEMATCH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (FACEMATCH_PORT).")] = None,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder (FACEMATCH_PACK).")] = None,
    providers: Annotated[
        str | None,
        typer.Option(
            help="Execution providers for detector and recogniser, in order of preference: auto, cpu, openvino, cuda, "
            "tensorrt, coreml, directml (FACEMATCH_PROVIDERS).",
            metavar="NAME,...",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes that share the port and the models (FACEMATCH_WORKERS; Linux)."),
    ] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="invalidCode in the replies: documented, a text as on the vendor's page; observed, a number as from "
            "the live cloud (FACEMATCH_WIRE_PROFILE)."
        ),
    ] = None,
    no_face_as: Annotated[
        NoFaceAs | None,
        typer.Option(
            help="Reply to a photo without a face: warning (invalidCode 4 or 5, the English page) or error3 "
            "(errorCode 3, the Vietnamese page) (FACEMATCH_NO_FACE_AS)."
        ),
    ] = None,
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
    # In the environment the address is that of Ray's own tools; given here, it means a cluster.
    source = context.get_parameter_source("address")
    if address and engine is EngineName.LOCAL and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter("needs --engine ray", param_hint="--address")
    given: dict[str, Any] = {"host": host, "port": port, "pack": pack, "providers": providers}
    given |= {"workers": workers}
    given |= {"wire_profile": profile, "no_face_as": no_face_as}
    given |= {"scenarios": scenarios or None, "scenarios_anyway": scenarios_anyway or None}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    if engine is EngineName.RAY:
        from facematch_server.cluster.replicas import Replicas
        from facematch_server.cluster.serving import serve_on_ray

        raise typer.Exit(serve_on_ray(settings, address, Replicas.parse(replicas) if replicas else None))
    if sys.stdout.isatty():
        typer.echo("Loading the models ...")
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
