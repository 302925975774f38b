"""`facematch doctor`: a report on this installation and its problems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import typer

from facematch_local.cli.console import console
from facematch_local.cli.doctor import PARTS, Line, examine
from facematch_local.errors import FacematchError
from facematch_server.cli.serve import read_settings


def doctor() -> None:
    """Report on this installation and its problems.

    Checks CPUs, execution providers, model packs and their checksums, photo formats, settings, the database and
    writable folders. A line marked "note" is not a problem. The exit code is 1 if a problem was found.
    """
    out = console()
    wrong = 0
    for line in examine((*PARTS, _decoders, _service)):
        mark = "[bold red]wrong[/]" if line.wrong else "[yellow] note[/]" if line.note else "[green]   ok[/]"
        out.print(f"{mark}  [bold]{line.about}[/]: ", end="")
        out.print(line.found, markup=False, soft_wrap=True)  # one line each, for grep
        wrong += line.wrong
    if wrong:
        out.print(f"\n{wrong} problem{'' if wrong == 1 else 's'} found.")
        raise typer.Exit(1)
    out.print("\nNo problems found.")


def _decoders() -> Iterator[Line]:
    from facematch_server.decoding import opening

    yield Line("decoders", *opening.examine(os.environ.get("FACEMATCH_DECODE_PROCESSES", "")))


def _service() -> Iterator[Line]:
    try:
        settings = read_settings()
    except FacematchError as error:
        yield Line("settings", str(error), wrong=True)
        return
    named = sorted(name for name in os.environ if name.startswith("FACEMATCH_"))
    yield Line("settings", f"valid; set: {', '.join(named)}" if named else "all at their defaults")
    yield _database(settings.store_url)


def _database(url: str) -> Line:
    from facematch_server import store

    name = store.describe(url)
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        folder = next(parent for parent in file.absolute().parents if parent.exists())
        if os.access(folder, os.W_OK | os.X_OK):
            return Line("database", f"{name}: the first start will create it")
        return Line("database", f"{name} cannot be created: {folder} is not writable", wrong=True)
    if file is not None and not os.access(file, os.W_OK):
        return Line("database", f"{name} cannot be written by this user", wrong=True)
    try:
        status = store.status(url)
    except FacematchError as error:
        return Line("database", str(error), wrong=True)
    if status.up_to_date:
        return Line("database", f"{name}, revision {status.current}")
    if not status.known and status.current is not None:
        return Line("database", f"{name} belongs to a newer version (revision {status.current})", wrong=True)
    return Line("database", f"{name} needs `facematch db upgrade`", wrong=file is None)


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
