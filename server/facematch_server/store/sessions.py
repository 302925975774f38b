"""Transactions with a bound on the time they wait for the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from facematch_server.store.engine import (
    BEGIN_OPTION,
    PATIENCE_SECONDS,
    WAIT_OPTION,
    describe,
    is_sqlite,
    remember_database,
    unavailable,
)
from facematch_server.store.errors import UnavailableError, Why
from facematch_server.store.outage import Outage
from facematch_server.store.steps import Outcome, Pipeline, Step, run_in_session


class Sessions:
    """Opens sessions over one engine. Thread-safe.

    Every session takes `until`, on the clock of `time.monotonic`: the session stops waiting for a lock, another thread
    or the server then. Default: `PATIENCE_SECONDS` from now.

    Attributes:
        is_sqlite: whether the database is SQLite, else PostgreSQL.
        reading: whether reading fails now.
        writing: whether writing fails now.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_sqlite = is_sqlite(engine)
        # SQLite has one writer at a time, and waiting writers poll. Threads of one process queue here instead.
        self._write_lock = threading.Lock()
        # On PostgreSQL they queue for a connection: the pool's own queue knows no `until`.
        pool = engine.pool
        self._connections = threading.Semaphore(pool.size() if isinstance(pool, QueuePool) else 1)
        self._pipeline = Pipeline(engine)
        driver: Any = engine.dialect.dbapi
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, driver.Error)
        self.reading = Outage()
        self.writing = Outage()

    @contextmanager
    def read(self, until: float | None = None) -> Iterator[Session]:
        """A session that reads."""
        until = _moment(until)
        gate = None if self.is_sqlite else self._connections
        with self._noting(self.reading), self._turn(gate, until), self._session("DEFERRED", until) as session:
            yield session

    @contextmanager
    def write(self, until: float | None = None, *, durable: bool = False) -> Iterator[Session]:
        """A session that writes and commits at its end.

        Args:
            until: see above.
            durable: write to the disk before the end, so that a power cut cannot undo the change (SQLite; PostgreSQL
                always does).
        """
        until = _moment(until)
        with self._noting(self.writing), self._turn(self._gate, until):
            with self._session("IMMEDIATE", until) as session:
                yield session
            if durable and self.is_sqlite:
                self._sync()

    def run(self, steps: Sequence[Step], until: float | None = None, *, writes: bool = True) -> list[Outcome]:
        """Run one transaction of steps; on PostgreSQL in one round trip.

        Args:
            steps: the statements.
            until: see above.
            writes: whether they write.
        """
        if self.is_sqlite:
            with self.write(until) if writes else self.read(until) as session:
                return run_in_session(session, steps)
        until = _moment(until)
        with self._noting(self.writing if writes else self.reading), self._turn(self._connections, until):
            return self._pipeline.run(steps, until - time.monotonic())

    @property
    def _gate(self) -> threading.Lock | threading.Semaphore:
        return self._write_lock if self.is_sqlite else self._connections

    @contextmanager
    def _session(self, begin: str, until: float | None) -> Iterator[Session]:
        options = {BEGIN_OPTION: begin, WAIT_OPTION: _moment(until) - time.monotonic()}
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options=options)
            yield session

    @contextmanager
    def _turn(self, gate: threading.Lock | threading.Semaphore | None, until: float) -> Iterator[None]:
        if gate is None:
            yield
            return
        if not gate.acquire(timeout=max(until - time.monotonic(), 0.0)):
            why = Why.LOCKED if self.is_sqlite else Why.SLOW
            raise UnavailableError(f"{describe(self._engine.url)} failed: {why}", why)
        try:
            yield
        finally:
            gate.release()

    def _sync(self) -> None:
        # A checkpoint ends in an fsync, so a changed key survives a power cut.
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
        with suppress(UnavailableError):  # the keys are changed; a later change tries again
            remember_database(self._engine)

    @contextmanager
    def _noting(self, outage: Outage) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            failure = unavailable(self._engine, error)
            # A deadlock concerns one transaction only and says nothing about the next one.
            if failure.why is not Why.FAILED:
                outage.begins(failure)
            raise failure from None
        except UnavailableError as error:
            outage.begins(error)
            raise
        outage.ends()


def _moment(until: float | None) -> float:
    return time.monotonic() + PATIENCE_SECONDS if until is None else until
