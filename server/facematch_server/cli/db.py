"""`facematch db`: the database of keys and quotas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facematch_server.cli.serve import require_known_variables

app = typer.Typer(help="The database of keys and quotas.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Upgrade the database (FACEMATCH_DATABASE_URL) to the schema of this version.

    The first start upgrades an SQLite database; only this command upgrades a PostgreSQL database.
    """
    from facematch_server.store import status as schema_status
    from facematch_server.store import upgrade as upgrade_schema

    url = _database_url()
    before = schema_status(url)
    after = upgrade_schema(url)
    change = "already at" if before.up_to_date else f"upgraded from revision {before.current or 'none'} to"
    typer.echo(f"{after.database}: {change} revision {after.current}")


@app.command()
def status() -> None:
    """Print the schema of the database and the schema that this version needs.

    The exit code is 1 if they differ.
    """
    from facematch_server.store import status as schema_status

    found = schema_status(_database_url())
    current = found.current or "none"
    if found.up_to_date:
        typer.echo(f"{found.database}: revision {current}, up to date")
        return
    remedy = "run `facematch db upgrade`" if found.known else "it belongs to a newer version of facematch-local"
    typer.echo(f"{found.database}: revision {current}, but this version needs {found.head}: {remedy}")
    raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist yet.")],
) -> None:
    """Copy the SQLite database into a file, also while the service runs (PostgreSQL: use pg_dump).

    The copy holds the hashes of the secrets; only its owner can read it.
    """
    from facematch_server.store import backup as backup_database

    backup_database(_database_url(), file)
    typer.echo(f"backed up to {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by `backup`.")],
) -> None:
    """Replace the SQLite database by a backup. Stop the service first.

    Changes since the backup (keys, counts) are lost.
    """
    from facematch_server.store import restore as restore_database

    restore_database(_database_url(), file)
    typer.echo(f"restored from {file}")


def _database_url() -> str:
    from facematch_server.store import default_database_url

    require_known_variables()
    return default_database_url()
