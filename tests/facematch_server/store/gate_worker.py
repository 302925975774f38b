"""A separate process that sends requests through a gatekeeper, as the service does; test_quota_siege.py starts several.

Arguments: database URL, number of requests, requests at the same time, seconds until a reservation expires. The
credentials come as the first line of standard input. A request that finds no database is repeated until it has an
answer. Prints a word for each answer: `committed`, `refused`, `expired`, or `unsure` for a commit whose answer did not
arrive (the request is not repeated then: it may have been counted).
"""

from __future__ import annotations

import asyncio
import base64
import sys
from contextlib import closing

from facematch_local.codes import ErrorCode
from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.errors import ContractError, ServiceError
from facematch_server.store import Store, UnavailableError


async def answer(gatekeeper: Gatekeeper, header: str) -> str:
    """The answer of one request."""
    while True:
        committing = False
        try:
            async with gatekeeper.admit(header) as admission:
                await asyncio.sleep(0)
                committing = True
                await admission.commit()
            return "committed"
        except ContractError as error:
            if error.code is not ErrorCode.OUT_OF_REQUESTS:
                raise
            return "expired" if committing else "refused"
        except (UnavailableError, ServiceError):
            if committing:
                return "unsure"
            await asyncio.sleep(0.1)


async def main(url: str, requests: int, at_once: int, ttl: float) -> None:
    """Send the requests."""
    with closing(Store.open(url)) as store:
        gatekeeper = Gatekeeper(store, ttl, database_seconds=1.0)
        print("ready", flush=True)  # noqa: T201
        header = "Basic " + base64.b64encode(sys.stdin.readline().strip().encode()).decode()
        left = requests

        async def client() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                print(await answer(gatekeeper, header), flush=True)  # noqa: T201

        await asyncio.gather(*(client() for _ in range(at_once)))
        gatekeeper.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
