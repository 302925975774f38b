"""`facematch top`: what running services do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console, json_text
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    import httpx

    from facematch_server.top.watch import Watched

_SECONDS = 3.0


def top(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(metavar="ADDRESS", help="host:port or URL of each service. Default 127.0.0.1:8000."),
    ] = None,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    window: Annotated[float, typer.Option(min=1.0, help="Seconds that rate and times are about.")] = 10.0,
    once: Annotated[
        bool, typer.Option("--once", help="Look once: the figures since the start of the service.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: print JSON.")] = False,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) to trust, such as the site's own CA.")
    ] = None,
) -> None:
    """Show what running services do: rate, times, errors, warnings and queue, from their /metrics.

    Ends with Ctrl-C. With --once the exit code is 1 if a service gives no metrics.
    """
    from facematch_server.top.tables import plain, screen
    from facematch_server.top.watch import Watched, look, metrics_url

    if as_json and not once:
        raise typer.BadParameter("needs --once", param_hint="--json")
    try:
        services = [Watched(address, metrics_url(address)) for address in addresses or ["127.0.0.1:8000"]]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="ADDRESS") from None
    with _client(ca_file) as client:
        if not once:
            _show_live(services, client, interval, window)
            return
        seen = look(services, client, window)
    if as_json:
        typer.echo(json_text(plain(seen)))
    else:
        out = console()
        out.print(screen(seen, window, out.width))
    raise typer.Exit(1 if any(each.problem for each in seen) else 0)


def _client(ca_file: Path | None) -> httpx.Client:
    import ssl

    import httpx

    try:
        trusted = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
    except (OSError, ssl.SSLError):
        raise FacematchError(f"{ca_file}: cannot be read as certificates") from None
    # Services of this machine or site: a proxy of the environment is not for them.
    return httpx.Client(timeout=_SECONDS, verify=trusted, trust_env=False)


def _show_live(services: list[Watched], client: httpx.Client, interval: float, window: float) -> None:
    import time

    from rich.live import Live

    from facematch_server.top.tables import screen
    from facematch_server.top.watch import look

    out = console()
    try:
        if not out.is_terminal or out.is_dumb_terminal:
            while True:
                out.print(screen(look(services, client, window), window, out.width))
                time.sleep(interval)
        with Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                live.update(screen(look(services, client, window), window, out.width), refresh=True)
                time.sleep(interval)
    except KeyboardInterrupt:
        return
