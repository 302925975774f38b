"""What one request costs as one quantity grows: the size of a photo by format, the faces in it, the keys."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.benchmarking.photos import KINDS, Pair, crowd, portrait_of, standard_pair
from scripts.benchmarking.samples import AbsentError
from scripts.benchmarking.web.bodies import Request, contract_requests
from scripts.benchmarking.web.clients import send_for
from scripts.benchmarking.web.services import our_service
from scripts.scaling.measuring.service import Running

PHOTOS, FACES, KEYS = "megapixels", "faces", "keys"
_NOWHERE = ("http://127.0.0.1:9/1.jpg", "http://127.0.0.1:9/2.jpg")


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the quantities grow."""

    megapixels: tuple[float, ...] = (0.3, 1.0, 2.0, 4.0, 12.0, 24.0, 48.0)
    kinds: tuple[str, ...] = KINDS
    faces: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    keys: tuple[int, ...] = (1, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Grown:
    """One point of a curve.

    Attributes:
        quantity: `PHOTOS`, `FACES` or `KEYS`.
        series: the format of the photo, or the kind of request.
        amount: of the quantity.
        ms: median time of a request of one client.
        cpu_ms: median CPU time of a request.
        absent: why there is no time; empty if there is.
    """

    quantity: str
    series: str
    amount: float
    ms: float = 0.0
    cpu_ms: float = 0.0
    absent: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    quantity: str
    series: str
    amount: float
    request: Request


def growth(
    pack: str, extent: Extent, rounds: int, tell: Callable[[str], object] = lambda _: None, seconds: float = 0.0
) -> list[Grown]:
    """Measure every curve with one service of its own.

    Args:
        pack: the model pack.
        extent: how far.
        rounds: of all steps in turn.
        tell: called with a line of progress.
        seconds: length of a step in a round; one request at least.

    Raises:
        AbsentError: the service does not start.
    """
    with our_service(pack) as running:
        steps = _steps(extent, running.auth)
        tell(f"{len(steps)} photos and crowds")
        grown = _measured(running, steps, rounds, seconds)
        for keys in extent.keys:
            add_keys(running.log.parent / "facematch.db", keys)
            grown += _measured(running, _key_steps(keys, running.auth), rounds, max(seconds, 0.3))
            tell(f"{keys} keys")
        return grown


def add_keys(database: Path, most: int) -> None:
    """Fill an SQLite database of keys with copies of its first key under other names, up to `most` keys."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(api_keys)")]
        first = dict(
            zip(columns, connection.execute("SELECT * FROM api_keys ORDER BY id LIMIT 1").fetchone(), strict=True)
        )
        [[present]] = connection.execute("SELECT count(*) FROM api_keys")
        kept = [name for name in columns if name != "id"]
        marks = ", ".join("?" for _ in kept)
        rows = ([*({**first, "api_key": f"copy-{number}"}[name] for name in kept)] for number in range(present, most))
        connection.executemany(f"INSERT INTO api_keys ({', '.join(kept)}) VALUES ({marks})", rows)  # noqa: S608


def _steps(extent: Extent, auth: tuple[str, str]) -> list[_Step]:
    base = standard_pair()

    def step(quantity: str, series: str, amount: float, portrait: bytes) -> _Step:
        pair = replace(base, portrait=portrait)
        return _Step(quantity, series, amount, contract_requests(pair, auth, _NOWHERE)["multipart"])

    photos = [
        step(PHOTOS, kind, amount, portrait_of(amount, kind)) for kind in extent.kinds for amount in extent.megapixels
    ]
    return photos + [step(FACES, "JPEG", amount, crowd(amount)) for amount in extent.faces]


def _key_steps(keys: int, auth: tuple[str, str]) -> list[_Step]:
    requests = contract_requests(Pair(b"", b""), auth, _NOWHERE)
    return [_Step(KEYS, series, keys, requests[series]) for series in ("wrong key", "bad format")]


def _measured(running: Running, steps: Sequence[_Step], rounds: int, seconds: float) -> list[Grown]:
    """Measure steps in turn; a step that the service refuses once is not tried again."""
    times: list[list[tuple[float, float]]] = [[] for _ in steps]
    reasons = [""] * len(steps)
    for turn in range(rounds + 1):
        for number, step in enumerate(steps):
            if reasons[number]:
                continue
            try:
                # The first round is not measured.
                length = seconds if turn else 0.0
                sample = send_for(running.port, running.pid, step.request, length, 1, memory=False)
            except AbsentError as error:
                reasons[number] = str(error)
                continue
            if turn:
                cpu = sample.cpu / len(sample.seconds)
                times[number].append((statistics.median(sample.seconds), cpu))
    return [
        Grown(step.quantity, step.series, step.amount, *_medians(taken), reason)
        for step, taken, reason in zip(steps, times, reasons, strict=True)
    ]


def _medians(taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    if not taken:
        return 0.0, 0.0
    first, second = (statistics.median(column) for column in zip(*taken, strict=True))
    return round(1000.0 * first, 2), round(1000.0 * second, 2)
