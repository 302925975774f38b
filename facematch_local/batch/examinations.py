"""Each photo examined once: examinations by path and by content, the most recent ones kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from concurrent.futures import Executor
from typing import Any, Generic, TypeVar

from facematch_local.batch.examining import Examined
from facematch_local.batch.fetching import FetchError
from facematch_local.batch.rows import Fault
from facematch_local.checks import Role

_T = TypeVar("_T")

Examination = Callable[[bytes, Role], Awaitable[Examined | Fault]]
"""Examines an encoded photo, for instance `Workers.examine`."""


class Examinations:
    """Gives the examined photo of a path in a role.

    A path is fetched once as long as it is among the `kept` most recently asked for, and its bytes are taken to stay
    the same for the run. Photos with equal bytes are examined once for each role, as long as they are among the most
    recent ones. To be used from one event loop.
    """

    def __init__(
        self, fetch: Callable[[str], bytes], examine: Examination, threads: Executor, *, slots: int, kept: int
    ) -> None:
        """Take what an examination needs.

        Args:
            fetch: gives the bytes of a path or URL, or raises `FetchError`; runs in `threads`.
            examine: examines them.
            threads: runs `fetch`.
            slots: photos whose bytes are held at a time.
            kept: examined photos to keep, by path and role and by content and role.
        """
        self._fetch, self._examine, self._threads = fetch, examine, threads
        self._slots = asyncio.Semaphore(slots)
        self._by_path: _Recent[asyncio.Task[Examined | Fault]] = _Recent(kept)
        self._by_content: _Recent[asyncio.Task[Examined | Fault]] = _Recent(kept)

    def of(self, path: str, role: Role) -> asyncio.Task[Examined | Fault]:
        """The examination of a path in a role, which may be in work or done."""
        return self._by_path.get((path, role), lambda: _task(self._examined(path, role)))

    async def _examined(self, path: str, role: Role) -> Examined | Fault:
        async with self._slots:
            loop = asyncio.get_running_loop()
            try:
                data, digest = await loop.run_in_executor(self._threads, _fetched, self._fetch, path)
            except FetchError as error:
                return error.fault
            return await self._by_content.get((digest, role), lambda: _task(self._run(data, role)))

    async def _run(self, data: bytes, role: Role) -> Examined | Fault:
        return await self._examine(data, role)


class _Recent(Generic[_T]):
    """Values by key; the most recently used ones are kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, _T] = OrderedDict()

    def get(self, key: Hashable, new: Callable[[], _T]) -> _T:
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = new()
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return value


def _fetched(fetch: Callable[[str], bytes], path: str) -> tuple[bytes, bytes]:
    data = fetch(path)
    return data, hashlib.sha256(data).digest()


def _task(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    return asyncio.get_running_loop().create_task(work)
