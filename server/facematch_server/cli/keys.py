"""`facematch keys`: API keys and their quotas.

All commands work on the database of the service (`FACEMATCH_DATABASE_URL`, else an SQLite file under
`FACEMATCH_DATA_DIR`), while it runs or not; changes hold from the next request on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from facematch_local.cli.console import console, json_text
from facematch_local.errors import FacematchError
from facematch_server.cli.serve import require_known_variables

if TYPE_CHECKING:
    from facematch_server.store import ApiKey, KeyLine, KeySettings, NewKey, Store, Usage

app = typer.Typer(help="API keys and their quotas.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="API_KEY", help="The key.")]
KeysArgument = Annotated[list[str], typer.Argument(metavar="API_KEY...", help="One key or several.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PeriodOption = Annotated[
    str | None, typer.Option(help="What the quota is counted over: total, day or month (UTC). Default total.")
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
        str | None, typer.Option(help="Wire profile: documented or observed. Default: the server's own.")
    ] = None,
    rate_limit: Annotated[int | None, typer.Option(min=1, help="Requests per minute. Default: no limit.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="Last day (2027-12-31, UTC) or moment (2027-12-31T17:00+07:00) of the key.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print its secret, which is shown this once only."""
    if period is not None and quota is None:
        raise typer.BadParameter("a period needs a quota", param_hint="--period")
    settings = _settings(name, quota, period or "", profile or "", rate_limit, expires)
    with _store(create=True) as store:
        new = store.create_key(settings)
    _print_new(new, as_json)


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List all keys. The service's log names a key by its number here."""
    if _no_database_yet():
        keys = []
    else:
        with _store() as store:
            keys = store.list_keys()
    if as_json:
        _print_json([_key_data(key) for key in keys])
        return
    _table(
        ("no.", "api_key", "name", "state", "quota", "per minute", "profile", "expires"),
        (
            (
                str(key.id),
                key.api_key,
                key.name,
                _state(key),
                _quota(key),
                _or_dash(key.rate_limit),
                _or_dash(key.profile),
                _moment(key.expires_at),
            )
            for key in keys
        ),
        "There are no keys yet: `facematch keys create` makes one.",
    )


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
        str, typer.Option(help="How long the present secret is accepted too: 30m, 24h, 7d. Default: not at all.")
    ] = "0s",
    as_json: JsonOption = False,
) -> None:
    """Give a key a new secret and print it; it is shown this once only."""
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
    """Change a key's quota. What is used in the period already counts."""
    from facematch_server.store import period_named

    number = _checked("N|none", _number_or_none, quota)
    with _store() as store:
        key = store.set_quota(api_key, number, period_named(period or ""))
    typer.echo(f"{api_key}: {_quota(key)}")


@app.command("import")
def import_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="CSV file with a header line; - for standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
) -> None:
    """Accept existing pairs of api_key and api_secret, of clients that move over: all of a file or none.

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
    """Tell how much of each key is used."""
    with _store() as store:
        names = api_keys or [key.api_key for key in store.list_keys()]
        found = [store.usage(name) for name in names]
    if as_json:
        _print_json([_usage_data(one) for one in found])
        return
    _table(
        ("api_key", "name", "today", "this month", "in all", "under way", "quota", "left", "resets"),
        (
            (
                one.key.api_key,
                one.key.name,
                str(one.today),
                str(one.month),
                str(one.total),
                str(one.reserved),
                _quota(one.key),
                _or_dash(one.remaining),
                _moment(one.resets_at),
            )
            for one in found
        ),
        "There are no keys yet.",
    )


@app.command()
def audit(
    api_key: Annotated[str | None, typer.Argument(metavar="[API_KEY]", help="Default: all keys.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most that many, the latest.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Tell who changed which key, and when."""
    with _store() as store:
        entries = store.audit(api_key, limit=limit)
    if as_json:
        _print_json(
            [
                {
                    "at": entry.at.isoformat(),
                    "actor": entry.actor,
                    "action": entry.action,
                    "api_key": entry.api_key,
                    "details": dict(entry.details),
                }
                for entry in entries
            ]
        )
        return
    _table(
        ("at", "who", "what", "api_key", "details"),
        (
            (
                f"{entry.at:%Y-%m-%d %H:%M:%S} UTC",
                entry.actor,
                entry.action,
                entry.api_key,
                ", ".join(f"{name} {value}" for name, value in entry.details.items() if value not in (None, "")),
            )
            for entry in entries
        ),
        "No key was ever changed.",
    )


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
    """The store. Only what makes keys makes a database: an empty one must not take the place of one that was lost."""
    from facematch_server.store import Store, default_database_url

    require_known_variables()
    store = Store.open(default_database_url(), create=create)
    try:
        yield store
    finally:
        store.close()


def _print_new(new: NewKey, as_json: bool) -> None:
    if as_json:
        _print_json({"api_key": new.api_key, "api_secret": new.api_secret})
        return
    typer.echo(f"api_key:    {new.api_key}\napi_secret: {new.api_secret}")
    if until := new.key.previous_secret_until:
        typer.echo(f"The secret before is accepted until {_moment(until)}.", err=True)
    typer.echo("Keep the secret: it is stored hashed and cannot be shown again.", err=True)


def _print_json(data: Any) -> None:
    typer.echo(json_text(data))


def _table(columns: Sequence[str], rows: Iterator[tuple[str, ...]], otherwise: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", min_width=32 if column == "api_key" else None)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        typer.echo(otherwise, err=True)


def _key_data(key: ApiKey) -> dict[str, Any]:
    return {
        "number": key.id,
        "api_key": key.api_key,
        "name": key.name,
        "state": _state(key),
        "quota": key.quota,
        "period": str(key.period),
        "rate_limit": key.rate_limit,
        "profile": key.profile,
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "created_at": key.created_at.isoformat(),
    }


def _usage_data(usage: Usage) -> dict[str, Any]:
    return {
        "api_key": usage.key.api_key,
        "name": usage.key.name,
        "today": usage.today,
        "month": usage.month,
        "total": usage.total,
        "reserved": usage.reserved,
        "quota": usage.key.quota,
        "period": str(usage.key.period),
        "remaining": usage.remaining,
        "resets_at": None if usage.resets_at is None else usage.resets_at.isoformat(),
    }


def _state(key: ApiKey) -> str:
    if key.disabled:
        return "disabled"
    return "expired" if key.expired(datetime.now(UTC)) else "active"


def _quota(key: ApiKey) -> str:
    if key.quota is None:
        return "no limit"
    return f"{key.quota} in all" if key.period == "total" else f"{key.quota} per {key.period}"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


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
        raise ValueError("a duration is a number and s, m, h or d: 30m, 24h, 7d")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


def _number_or_none(text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number, or none")
    return int(text)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise FacematchError(f"{file}: {error.strerror or type(error).__name__}") from None
