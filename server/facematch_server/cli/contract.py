"""`facematch contract` and `facematch compat-check`: tests of a server from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_server.conformance.call import Target
    from facematch_server.conformance.client_file import ClientNeeds
    from facematch_server.conformance.compat import Observation

BASE_URL = typer.Option(help="Scheme, host and port of the server.")
KEY = typer.Option(help="api_key.", envvar="FACEMATCH_KEY")
SECRET = typer.Option(help="api_secret; safer in the environment than on the command line.", envvar="FACEMATCH_SECRET")
CLIENT_FILE = typer.Option(help="Recorded traffic (HAR, replies as JSON), types (JSON) or source of a client.")
CARD = typer.Option(help="A photo of a card, instead of the synthetic one.")
PORTRAIT = typer.Option(help="A portrait of the same person.")
CA_FILE = typer.Option(help="Certificates (PEM) to trust, such as the site's own CA.")
HOST_NAME = typer.Option(help="Host name that clients will use, if it is not that of the address.")
SECONDS = typer.Option(min=1.0, help="Time for one request.")


def contract(
    base_url: Annotated[str, BASE_URL],
    key: Annotated[str, KEY],
    secret: Annotated[str, SECRET],
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML.")] = None,
    type1: Annotated[str, typer.Option("--type", help="The type1 of the card photo: card or portrait.")] = "card",
    full: Annotated[bool, typer.Option("--full", help="Run all cases: about twice the requests.")] = False,
    image_urls: Annotated[
        tuple[str, str] | None, typer.Option(help="URLs of card and portrait of one person, for the server to fetch.")
    ] = None,
    exhausted_key: Annotated[str | None, typer.Option(help="KEY:SECRET of a key whose quota is used up.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Require this wire profile: documented or observed. Default: either.")
    ] = None,
    card: Annotated[Path | None, CARD] = None,
    portrait: Annotated[Path | None, PORTRAIT] = None,
    ca_file: Annotated[Path | None, CA_FILE] = None,
    host_name: Annotated[str, HOST_NAME] = "",
    seconds: Annotated[float, SECONDS] = 60.0,
) -> None:
    """Test a server against the contract from outside: this service or another one.

    The exit code is 0 if all cases passed, 1 if a case failed, 2 if the suite could not run.
    """
    from facematch_server.conformance import photos, report, suite
    from facematch_server.conformance.cases import Options, cases
    from facematch_server.wire.profile import Profile

    if type1 not in ("card", "portrait"):
        raise typer.BadParameter("card or portrait", param_hint="--type")
    if profile not in (None, "documented", "observed"):
        raise typer.BadParameter("documented or observed", param_hint="--profile")
    exhausted = _pair(exhausted_key)
    target = _target(base_url, host_name, ca_file, seconds)
    options = Options(type1=type1, image_urls=image_urls, exhausted=exhausted, full=full)
    asked_cases = cases(photos.photos(card, portrait), (key, secret), options)
    out = console()
    asked, counting = sum(case.call is not None for case in asked_cases), sum(case.counts for case in asked_cases)
    out.print(f"{asked} requests to {base_url}, of which {counting} count against the quota", markup=False)
    wanted = Profile(profile) if profile else None
    with out.status("asking ..."):
        results = suite.run(target, asked_cases, wanted)
    out.print(report.table(results))
    if junit:
        _write(junit, report.junit(results, base_url))
    found = {str(outcome): number for outcome, number in report.counts(results).items()}
    out.print(f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped; ", end="")
    out.print(f"profile: {suite.detected_profile(results) or 'not seen'}")
    raise typer.Exit(1 if found["failed"] else 0)


def compat_check(
    base_url: Annotated[str | None, BASE_URL] = None,
    key: Annotated[str | None, KEY] = None,
    secret: Annotated[str | None, SECRET] = None,
    client_file: Annotated[Path | None, CLIENT_FILE] = None,
    host_name: Annotated[str, HOST_NAME] = "",
    ca_file: Annotated[Path | None, CA_FILE] = None,
    card: Annotated[Path | None, CARD] = None,
    portrait: Annotated[Path | None, PORTRAIT] = None,
    seconds: Annotated[float, SECONDS] = 60.0,
) -> None:
    """Before a client of the cloud moves to a server: find its profile, replay the calls, report differences.

    --client-file reads recorded traffic (HAR, dumped replies), the types of the
    client's model (JSON Schema, type names) or its source: which settings fit?

    --base-url checks the host name, TLS, the replies and their options; with
    --client-file too, also whether the server fits the client.

    The exit code is 0 if no problem was found, 1 if a problem was found, 2 if
    the check could not run.
    """
    from facematch_server.conformance import client_advice, compat, photos
    from facematch_server.conformance import client_file as files

    if base_url is None and client_file is None:
        raise typer.BadParameter("name a server (--base-url), a file of the client (--client-file), or both")
    needs: ClientNeeds | None = None
    findings: list[Observation] = []
    if client_file is not None:
        needs = files.read_client_file(client_file)
        findings += client_advice.advice(needs)
        _print_findings(findings, "this client")
    if base_url is not None:
        if not key or not secret:
            raise typer.BadParameter("--base-url needs --key and --secret")
        target = _target(base_url, host_name, ca_file, seconds)
        found = compat.compare_with_cloud(target, (key, secret), photos.photos(card, portrait), needs)
        _print_findings(found, "compared with the cloud")
        findings += found
    raise typer.Exit(1 if any(finding.level == "problem" for finding in findings) else 0)


def _print_findings(findings: Sequence[Observation], compared: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    colours = {"same": "green", "differs": "yellow", "problem": "bold red"}
    words = {"same": "nothing to set", "differs": "set an option"} if compared == "this client" else {}
    table = Table("about", compared, "found", "what to do", show_lines=True)
    for finding in findings:
        level = f"[{colours[finding.level]}]{words.get(finding.level, finding.level)}[/]"
        table.add_row(finding.about, level, escape(finding.found), escape(finding.advice))
    console().print(table)


def _target(base_url: str, host_name: str, ca_file: Path | None, seconds: float) -> Target:
    from urllib.parse import urlsplit

    from facematch_server.conformance.call import Target

    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter("begins with http:// or https:// and names a host", param_hint="--base-url")
    if ca_file is not None and not ca_file.is_file():
        raise FacematchError(f"{ca_file}: no such file")
    return Target(base_url, host_name, str(ca_file or ""), seconds)


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, colon, secret = text.partition(":")
    if not colon or not key or not secret:
        raise typer.BadParameter("KEY:SECRET", param_hint="--exhausted-key")
    return key, secret


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or 'cannot be written'}") from None
