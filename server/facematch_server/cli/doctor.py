"""`facematch doctor`: a report on this installation and its problems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from facematch_local.cli.console import console
from facematch_local.cli.doctor import GROUPS
from facematch_local.cli.doctor_report import Group, Line, examine
from facematch_local.errors import FacematchError
from facematch_server.cli.serve import read_settings

if TYPE_CHECKING:
    from facematch_server.settings import Settings


def doctor() -> None:
    """Report on this installation and its problems, with the next step for each.

    Checks CPUs, execution providers, model packs and their checksums, photo formats, settings, the database, the port
    and writable folders. A line marked "note" is not a problem. The exit code is 1 if a problem was found.
    """
    out = console()
    wrong = notes = 0
    for group in (*GROUPS, Group("Service", (_decoders, _service))):
        out.print(f"[bold]{group.title}[/]")
        for line in examine(group):
            mark = "[bold red]wrong[/]" if line.wrong else "[yellow] note[/]" if line.note else "[green]   ok[/]"
            out.print(f"{mark}  [bold]{line.about}[/]: ", end="")
            out.print(line.found, markup=False, soft_wrap=True)  # one line each, for grep
            if line.next_step:
                out.print(f"       next: {line.next_step}", markup=False, soft_wrap=True)
            wrong += line.wrong
            notes += line.note
        out.print()
    noted = f" {notes} note{'' if notes == 1 else 's'}." if notes else ""
    if wrong:
        out.print(f"{wrong} problem{'' if wrong == 1 else 's'} found.{noted} Begin with the first one above.")
        raise typer.Exit(1)
    out.print(f"No problems found.{noted}")


def _decoders() -> Iterator[Line]:
    from facematch_server.decoding import opening

    about, found, wrong = "decoders", *opening.examine(os.environ.get("FACEMATCH_DECODE_PROCESSES", ""))
    step = "set FACEMATCH_DECODE_PROCESSES=0 if this system cannot start them (docs/security.md)" if wrong else ""
    yield Line(about, found, wrong, next_step=step)


def _service() -> Iterator[Line]:
    try:
        settings = read_settings()
    except FacematchError as error:
        step = "correct or unset the variable; docs/settings.md lists all of them"
        yield Line("settings", str(error), wrong=True, next_step=step)
        return
    named = sorted(name for name in os.environ if name.startswith("FACEMATCH_"))
    yield Line("settings", f"valid; set: {', '.join(named)}" if named else "all at their defaults")
    yield Line("replies", f"profile {settings.wire_profile}, a photo without a face as {settings.no_face_as}")
    yield from _workers(settings)
    yield _port(settings)
    yield _database(settings.store_url)


def _workers(settings: Settings) -> Iterator[Line]:
    from facematch_server.running.division import with_inheritable_providers
    from facematch_server.running.listening import StartError

    if settings.workers == 1:
        return
    try:
        with_inheritable_providers(settings)
    except StartError as error:
        step = "set FACEMATCH_WORKERS=1, or FACEMATCH_PROVIDERS=cpu"
        yield Line("workers", str(error), wrong=True, next_step=step)
    else:
        yield Line("workers", str(settings.workers))


def _port(settings: Settings) -> Line:
    from contextlib import closing

    from facematch_server.running.listening import StartError, bind, printed

    where = f"{printed(settings.host)}:{settings.port}"
    try:
        for sock in bind(settings.host, settings.port, "FACEMATCH_PORT"):
            with closing(sock):
                pass
    except StartError as error:
        found, _, step = str(error).partition("; ")
        # The running service itself takes its port.
        taken = "another program" in found
        other = "set FACEMATCH_HOST to an address of this machine, FACEMATCH_PORT to a port that this user may open"
        step = f"if that is not this service: {step}" if taken else other
        return Line("port", found, wrong=not taken, note=taken, next_step=step)
    return Line("port", f"{where} is free" if settings.port else f"{where}, any free one")


def _database(url: str) -> Line:
    from facematch_server import store

    name = store.describe(url)
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        folder = next(parent for parent in file.absolute().parents if parent.exists())
        if os.access(folder, os.W_OK | os.X_OK):
            return Line("database", f"{name}: the first start will create it")
        found = f"{name} cannot be created: {folder} is not writable"
        return _bad_database(found, "set FACEMATCH_DATA_DIR to a folder that this user can write")
    if file is not None and not os.access(file, os.W_OK):
        return _bad_database(
            f"{name} cannot be written by this user", f"run as the owner of {file}, or change its rights"
        )
    try:
        status = store.status(url)
    except FacematchError as error:
        step = "check FACEMATCH_DATABASE_URL, and that the database server runs and accepts this user"
        return _bad_database(str(error), "restore a backup: `facematch db restore`" if file is not None else step)
    if status.up_to_date:
        return Line("database", f"{name}, revision {status.current}")
    if not status.known and status.current is not None:
        found = f"{name} belongs to a newer version (revision {status.current})"
        return _bad_database(found, "install that version, or restore a backup: `facematch db restore`")
    found = f"{name} is at revision {status.current or 'none'}, this version needs {status.head}"
    if file is not None:
        return Line("database", found, note=True, next_step="nothing: the next start upgrades it")
    return _bad_database(found, "run `facematch db upgrade`")


def _bad_database(found: str, next_step: str) -> Line:
    return Line("database", found, wrong=True, next_step=next_step)


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
