"""`facematch keys`: API keys and their quotas.

All commands use the database of the service (`FACEMATCH_DATABASE_URL`, else an SQLite file under `FACEMATCH_DATA_DIR`),
also while the service runs. Changes apply from the next request on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from facematch_local.errors import FacematchError
from facematch_server.cli.key_tables import (
    audit_data,
    key_data,
    moment_text,
    print_audit,
    print_json,
    print_keys,
    print_usage,
    quota_text,
    usage_data,
)
from facematch_server.cli.serve import require_known_variables
from facematch_server.wire.profile import Profile

if TYPE_CHECKING:
    from facematch_server.store import KeyLine, KeySettings, NewKey, Store

app = typer.Typer(help="API keys and their quotas.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="API_KEY", help="The key.")]
KeysArgument = Annotated[list[str], typer.Argument(metavar="API_KEY...", help="One key or several.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PeriodOption = Annotated[
    str | None, typer.Option(help="Period of the quota: total, day or month (UTC). Default total.")
]

T = TypeVar("T")

_DURATION = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command()
def create(
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
    quota: Annotated[int | None, typer.Option(min=0, help="Successful requests per period. Default: no limit.")] = None,
    period: PeriodOption = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="invalidCode in the replies to this key: documented, a text as on the vendor's page; observed, a "
            "number as from the live cloud. Default: the server's own."
        ),
    ] = None,
    rate_limit: Annotated[int | None, typer.Option(min=1, help="Requests per minute. Default: no limit.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="Last day (2027-12-31, UTC) or moment (2027-12-31T17:00+07:00) of the key.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print its secret, which is shown only once."""
    if period is not None and quota is None:
        raise typer.BadParameter("a period needs a quota: add --quota", param_hint="--period")
    settings = _settings(name, quota, period or "", profile or "", rate_limit, expires)
    with _store(create=True) as store:
        new = store.create_key(settings)
    _print_new(new, as_json)


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List all keys. The log of the service shows these numbers, never keys."""
    if _no_database_yet():
        keys = []
    else:
        with _store() as store:
            keys = store.list_keys()
    if as_json:
        print_json([key_data(key) for key in keys])
        return
    print_keys(keys)


@app.command()
def disable(api_keys: KeysArgument) -> None:
    """Refuse keys from the next request on."""
    with _store() as store:
        for api_key in api_keys:
            store.disable_key(api_key)
            typer.echo(f"{api_key} is disabled")


@app.command()
def enable(api_keys: KeysArgument) -> None:
    """Accept disabled keys again."""
    with _store() as store:
        for api_key in api_keys:
            store.enable_key(api_key)
            typer.echo(f"{api_key} is enabled")


@app.command()
def rotate(
    api_key: KeyArgument,
    grace: Annotated[
        str, typer.Option(help="How long the old secret stays valid: 30m, 24h, 7d. Default: not at all.")
    ] = "0s",
    as_json: JsonOption = False,
) -> None:
    """Give a key a new secret and print it; it is shown only once."""
    duration = _checked("--grace", _duration, grace)
    with _store() as store:
        new = store.rotate_key(api_key, grace=duration)
    _print_new(new, as_json)


@app.command("quota")
def set_quota(
    api_key: KeyArgument,
    quota: Annotated[str, typer.Argument(metavar="N|none", help="Successful requests per period, or none.")],
    period: PeriodOption = None,
) -> None:
    """Change a key's quota. Earlier requests of the period count."""
    from facematch_server.store import period_named

    number = _checked("N|none", _number_or_none, quota)
    with _store() as store:
        key = store.set_quota(api_key, number, period_named(period or ""))
    typer.echo(f"{api_key}: {quota_text(key)}")


@app.command("import")
def import_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="CSV file with a header line; - for standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
) -> None:
    """Import pairs of api_key and api_secret that clients use elsewhere: all of a file or none.

    Columns: api_key, api_secret; optional: name, quota, period, profile, rate_limit, expires_at. The secrets are
    stored hashed; delete the file afterwards.
    """
    from facematch_server.store import KeyFileError, parse_key_file

    try:
        lines = parse_key_file(_read(file))
        if not (check and _no_database_yet()):
            _import(lines, check)
    except KeyFileError as error:
        for problem in error.problems:
            typer.echo(f"{file}: {problem}", err=True)
        raise FacematchError("nothing was imported") from None
    typer.echo(f"{len(lines)} keys {'can be imported' if check else 'imported'}")


@app.command()
def usage(
    api_keys: Annotated[list[str] | None, typer.Argument(metavar="[API_KEY]...", help="Default: all keys.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the used requests of each key."""
    with _store() as store:
        names = api_keys or [key.api_key for key in store.list_keys()]
        found = [store.usage(name) for name in names]
    if as_json:
        print_json([usage_data(one) for one in found])
        return
    print_usage(found)


@app.command()
def audit(
    api_key: Annotated[str | None, typer.Argument(metavar="[API_KEY]", help="Default: all keys.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of changes, the latest ones.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Print who changed which key, and when."""
    with _store() as store:
        entries = store.audit(api_key, limit=limit)
    if as_json:
        print_json([audit_data(entry) for entry in entries])
        return
    print_audit(entries)


def _settings(
    name: str, quota: int | None, period: str, profile: str, rate_limit: int | None, expires: str | None
) -> KeySettings:
    from facematch_server.store import KeySettings, period_named, profile_named

    expires_at = None if expires is None else _checked("--expires", _expiry, expires)
    return KeySettings(name, quota, period_named(period), profile_named(profile), rate_limit, expires_at)


def _import(lines: Sequence[KeyLine], check: bool) -> None:
    from facematch_server.store import KeyFileError

    with _store(create=not check) as store:
        taken = store.taken([line.pair.api_key for line in lines])
        problems = [f"line {x.line}: a key with this api_key exists: {x.pair.api_key}" for x in lines]
        if taken:
            raise KeyFileError([p for p, x in zip(problems, lines, strict=True) if x.pair.api_key in taken])
        if not check:
            store.import_keys([line.pair for line in lines])


def _no_database_yet() -> bool:
    from facematch_server.store import default_database_url, is_new

    require_known_variables()
    return is_new(default_database_url())


@contextmanager
def _store(*, create: bool = False) -> Iterator[Store]:
    """Open the store. Only commands that create keys create a database: an empty one must not replace a lost one."""
    from facematch_server.store import Store, default_database_url

    require_known_variables()
    store = Store.open(default_database_url(), create=create)
    try:
        yield store
    finally:
        store.close()


def _print_new(new: NewKey, as_json: bool) -> None:
    if as_json:
        print_json({"api_key": new.api_key, "api_secret": new.api_secret})
        return
    typer.echo(f"api_key:    {new.api_key}\napi_secret: {new.api_secret}")
    if until := new.key.previous_secret_until:
        typer.echo(f"The old secret is accepted until {moment_text(until)}.", err=True)
    typer.echo("Keep the secret: it is stored hashed and cannot be shown again.", err=True)


def _checked(hint: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None


def _expiry(text: str) -> datetime:
    from facematch_server.store import parse_expiry

    return parse_expiry(text)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration, such as 30m, 24h or 7d")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


def _number_or_none(text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is neither a whole number nor none")
    return int(text)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise FacematchError(f"{file}: {error.strerror or type(error).__name__}") from None
