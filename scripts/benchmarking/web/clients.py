"""Clients in a closed loop: each sends its next request after the reply, on one kept connection."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable

from scripts.benchmarking.samples import AbsentError, Sample
from scripts.benchmarking.web.bodies import Request
from scripts.scaling.measuring.conditions import tree_cpu_seconds
from scripts.sieging.service import MemoryWatch

# A client that is refused waits a moment, as `Retry-After` asks; otherwise refusals would fill the table.
_REFUSED_SECONDS = 0.1


def send_for(port: int, pid: int, request: Request, seconds: float, clients: int, *, memory: bool = True) -> Sample:
    """Send a request again and again.

    Args:
        port: of the service, on 127.0.0.1.
        pid: of its first process.
        request: what to send.
        seconds: length; each client ends with its reply after it.
        clients: number of clients.
        memory: watch the memory of the service, twice a second.

    Raises:
        AbsentError: a request failed.
    """
    times: list[float] = []
    refusals: list[None] = []
    faults: list[str] = []
    watch = MemoryWatch(pid)
    cpu, begun = tree_cpu_seconds(pid), time.perf_counter()

    def loop() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            while not faults:
                started = time.perf_counter()
                status, content = _sent(connection, request)
                ended = time.perf_counter()
                if status == 503:
                    refusals.append(None)
                    time.sleep(_REFUSED_SECONDS)
                elif request.expected in content:
                    times.append(ended - started)
                else:
                    faults.append(f"the service replied {status} {content[:200]!r}")
                if ended >= begun + seconds:
                    return
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    _in_threads(loop, clients, watch if memory else None)
    wall, spent = time.perf_counter() - begun, tree_cpu_seconds(pid) - cpu
    if faults:
        raise AbsentError(faults[0])
    return Sample(tuple(times), wall, spent, len(refusals), max(watch.peak, watch.now()) if memory else 0.0)


def _sent(connection: http.client.HTTPConnection, request: Request) -> tuple[int, bytes]:
    connection.request(request.method, request.target, request.body, request.headers)
    reply = connection.getresponse()
    return reply.status, reply.read()


def _in_threads(loop: Callable[[], None], clients: int, watch: MemoryWatch | None) -> None:
    threads = [threading.Thread(target=loop) for _ in range(clients)]
    for thread in threads:
        thread.start()
    if watch is None:
        for thread in threads:
            thread.join()
        return
    with watch:
        for thread in threads:
            thread.join()
