"""Reads files of existing keys: CSV in, `KeyPair`s out, every problem with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from facematch_server.store.errors import InvalidKeyError, KeyFileError
from facematch_server.store.records import KeyPair, KeySettings, period_named, profile_named

REQUIRED: Final = ("api_key", "api_secret")
COLUMNS: Final = (*REQUIRED, "name", "quota", "period", "profile", "rate_limit", "expires_at")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_PROBLEMS: Final = 50


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A pair and its line number, counted from 1."""

    line: int
    pair: KeyPair


def parse_key_file(data: bytes) -> list[KeyLine]:
    """Read a CSV file with a header line.

    Columns `api_key` and `api_secret`, and any of `name`, `quota`, `period`, `profile`, `rate_limit`, `expires_at`, in
    any order; an empty cell is the default. UTF-8, separated by commas, or by semicolons as spreadsheets do in
    countries with a decimal comma.

    Raises:
        KeyFileError: all problems of the file; no message holds a secret.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise KeyFileError(["the file is not UTF-8 text: save it as CSV UTF-8"]) from None
    header, _, _ = text.partition("\n")
    separator = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[KeyLine] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    try:
        columns = _columns(next(reader, []))
        for cells in reader:
            number = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            try:
                pair = _pair(columns, cells)
            except (InvalidKeyError, ValueError) as error:
                problems.append(f"line {number}: {error}")
                continue
            if pair.api_key in seen:
                problems.append(f"line {number}: api_key {pair.api_key} is on line {seen[pair.api_key]} already")
            seen.setdefault(pair.api_key, number)
            lines.append(KeyLine(number, pair))
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: not CSV ({error})")
    if not lines and not problems:
        problems.append("the file holds no keys")
    if problems:
        more = len(problems) - _MAX_PROBLEMS
        raise KeyFileError(problems[:_MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else []))
    return lines


def parse_expiry(text: str) -> datetime:
    """Parse a date, the last day (UTC) of a key, or a moment with its time zone (ISO 8601).

    Raises:
        ValueError: `text` is neither.
    """
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("an expiry is a date (2027-12-31) or a moment with its time zone (2027-12-31T17:00+07:00)")
    return moment


def _columns(header: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        # Without a header the first line is a pair, so the message must not quote it.
        raise KeyFileError([f"line 1: the header lacks {', '.join(missing)} (columns are {', '.join(COLUMNS)})"])
    # A misspelt "qouta" must not silently mean "no quota".
    unknown = [name for name in columns if name not in COLUMNS]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if unknown or twice:
        wrong = f"has unknown {', '.join(unknown)}" if unknown else f"repeats {', '.join(twice)}"
        raise KeyFileError([f"line 1: the header {wrong} (columns are {', '.join(COLUMNS)})"])
    return columns


def _pair(columns: list[str], cells: list[str]) -> KeyPair:
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} cells where the header has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    secret = row["api_secret"]
    if secret != secret.strip():
        raise ValueError("the api_secret begins or ends with a space")
    values = {name: cell.strip() for name, cell in row.items()}
    expiry = values.get("expires_at", "")
    return KeyPair(
        values["api_key"],
        secret,
        KeySettings(
            name=values.get("name", ""),
            quota=_number(values, "quota"),
            period=period_named(values.get("period", "")),
            profile=profile_named(values.get("profile", "")),
            rate_limit=_number(values, "rate_limit"),
            expires_at=parse_expiry(expiry) if expiry else None,
        ),
    )


def _number(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"{name} is not a whole number, nor empty for no limit")
    return int(text)
