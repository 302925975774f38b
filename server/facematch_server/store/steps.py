"""One transaction of prepared statements; none of them needs the result of another in Python.

On PostgreSQL all of them, and the limit on their time, travel in one round trip (libpq's pipeline mode). The server
runs them as one transaction: either all of them hold, or none.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, Executable, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

# In effect from the next statement to the end of the transaction.
SET_LIMITS: Final = (
    "SELECT set_config('statement_timeout', %(limit)s, true), set_config('lock_timeout', %(limit)s, true)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement and the values of its parameters."""

    statement: Executable
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Outcome(NamedTuple):
    """What a step did.

    Attributes:
        rows: the rows that it returned, with the columns as attributes; moments in UTC.
        changed: number of rows that it inserted, changed or removed.
    """

    rows: Sequence[Any]
    changed: int


def milliseconds(seconds: float) -> str:
    """A time limit in PostgreSQL's notation; at least 1 ms, because 0 means no limit."""
    return f"{max(int(seconds * 1000), 1)}ms"


def run_in_session(session: Session, steps: Sequence[Step]) -> list[Outcome]:
    """Run the steps one after the other in the transaction of a session."""
    outcomes = []
    for step in steps:
        result: Any = session.execute(step.statement, dict(step.values))
        outcomes.append(Outcome(result.all() if result.returns_rows else (), result.rowcount))
    return outcomes


class Pipeline:
    """Runs steps on PostgreSQL, each time in one round trip. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._compiled: dict[int, tuple[Executable, Any]] = {}
        self._lock = threading.Lock()

    def run(self, steps: Sequence[Step], seconds: float) -> list[Outcome]:
        """Run the steps in one transaction.

        Args:
            steps: the statements in their order.
            seconds: how long each statement may take or wait for a lock.

        Raises:
            psycopg.Error: as the driver raises it; nothing holds then, unless the connection broke on the way back.
        """
        from psycopg.rows import namedtuple_row

        with self._connection() as connection:
            # Without autocommit the driver would need a round trip for COMMIT. With it, the server opens a transaction
            # for the pipeline and commits it at its end.
            connection.autocommit = True
            try:
                with connection.pipeline():
                    connection.execute(SET_LIMITS, {"limit": milliseconds(seconds)})
                    cursors = []
                    for step in steps:
                        compiled = self._compile(step.statement)
                        cursor = connection.cursor(row_factory=namedtuple_row)
                        cursors.append(cursor.execute(compiled.string, compiled.construct_params(step.values)))
            finally:
                if not connection.closed:
                    connection.autocommit = False
            return [_outcome(cursor) for cursor in cursors]

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.dbapi_connection
        try:
            yield connection
        finally:
            if connection.closed:
                pooled.invalidate()
            pooled.close()

    def _compile(self, statement: Executable) -> Any:
        # The dictionary keeps the statement, so its number cannot pass to another one.
        with self._lock:
            known = self._compiled.get(id(statement))
            if known is None:
                compiled: Any = statement.compile(dialect=self._engine.dialect)  # type: ignore[attr-defined]
                known = self._compiled[id(statement)] = statement, compiled
            return known[1]


def can_pipeline() -> bool:
    """Whether the driver's library can send several statements in one round trip."""
    from psycopg import capabilities

    return capabilities.has_pipeline()


def discard_dead_connections(engine: Engine) -> None:
    """Replace the pooled connections of a server that was restarted, without a round trip for each use of one.

    A server that ends a connection says so, and a server never speaks unasked otherwise: a connection that can be
    read before it is used is not used.
    """

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, _record: object, _proxy: object) -> None:
        if connection.closed or _readable(connection.fileno()):
            raise InvalidatePoolError("the server has ended the connection")


def _outcome(cursor: Any) -> Outcome:
    rows = [row._make(map(_in_utc, row)) for row in cursor.fetchall()] if cursor.description else []
    return Outcome(rows, cursor.rowcount)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _readable(handle: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([handle], [], [], 0)[0])
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))
