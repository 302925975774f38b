"""Steps of the tests of the pool."""

from __future__ import annotations

import asyncio
import time


def later(seconds: float = 30) -> float:
    return time.monotonic() + seconds


async def until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        await asyncio.sleep(0.005)
