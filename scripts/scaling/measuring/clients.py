"""Clients over HTTP: a closed loop, and Poisson arrivals."""

from __future__ import annotations

import base64
import http.client
import itertools
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scripts.scaling.figures import LoadPoint
from scripts.scaling.measuring.conditions import machine_busy_seconds, tree_cpu_seconds
from scripts.scaling.measuring.service import MeasureError, Running
from scripts.scaling.simulation.arrivals import arrival_times, constant

PATH = "/api/v2/ekyc/face_matching?type1=card&format_type=base64"
# More than the slots of a service with two threads, so that it can be full.
_CONNECTIONS = 48


@dataclass(slots=True)
class Sent:
    """Requests of one or more rounds under one load.

    Attributes:
        seconds: response times of answered requests.
        refused: 503.
        rates: answered requests a second, of each round.
        reply_bytes: of the last reply, without its head.
        server_cpu, client_cpu, others_cpu, wall: seconds in all.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    rates: list[float] = field(default_factory=list)
    reply_bytes: int = 0
    server_cpu: float = 0.0
    client_cpu: float = 0.0
    others_cpu: float = 0.0
    wall: float = 0.0

    def point(self, cores: int, clients: int, rate: float) -> LoadPoint:
        """The figures."""
        answered = len(self.seconds)
        quantiles = [round(1000.0 * float(value), 1) for value in np.quantile(self.seconds, (0.5, 0.95, 0.99))]
        return LoadPoint(
            cores=cores,
            arrivals="closed" if clients else "open",
            clients=clients,
            rate=round(rate, 2),
            requests=answered + self.refused,
            throughput=round(float(np.median(self.rates)), 2),
            p50_ms=quantiles[0],
            p95_ms=quantiles[1],
            p99_ms=quantiles[2],
            refused=self.refused,
            server_cpu_ms=round(1000.0 * self.server_cpu / answered, 1),
            client_cpu_ms=round(1000.0 * self.client_cpu / (answered + self.refused), 2),
            others=round(self.others_cpu / self.wall, 2),
        )


class Client:
    """Sends the same bodies again and again."""

    def __init__(self, running: Running, bodies: Sequence[bytes]) -> None:
        """Nothing is sent yet.

        Args:
            running: the service.
            bodies: of requests in base64, sent in turn.
        """
        self._running = running
        self._bodies = bodies
        token = base64.b64encode(":".join(running.auth).encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._next = itertools.count()
        self._lock = threading.Lock()

    def closed(self, sent: Sent, clients: int, requests: int) -> None:
        """Send `requests` in all, each client the next one after its reply."""
        tickets: queue.SimpleQueue[float] = queue.SimpleQueue()
        for _ in range(requests):
            tickets.put(0.0)
        with _Spending(self._running.pid, sent):
            self._run(sent, tickets, clients)

    def open(self, sent: Sent, rate: float, seconds: float, seed: int) -> None:
        """Send Poisson arrivals; the time of a request counts from its arrival, not from a free connection."""
        tickets: queue.SimpleQueue[float] = queue.SimpleQueue()
        arrivals = arrival_times(constant(rate, seconds), np.random.default_rng(seed))

        def dispatch() -> None:
            begun = time.monotonic()
            for arrival in arrivals:
                time.sleep(max(begun + float(arrival) - time.monotonic(), 0.0))
                tickets.put(begun + float(arrival))
            for _ in range(_CONNECTIONS):
                tickets.put(-1.0)

        with _Spending(self._running.pid, sent):
            dispatcher = threading.Thread(target=dispatch)
            dispatcher.start()
            self._run(sent, tickets, _CONNECTIONS, wait=True)
            dispatcher.join()

    def _run(self, sent: Sent, tickets: queue.SimpleQueue[float], clients: int, wait: bool = False) -> None:
        failures: list[str] = []

        def work() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self._running.port, timeout=120)
            try:
                while not failures:
                    try:
                        arrived = tickets.get(block=wait)
                    except queue.Empty:
                        return
                    if arrived < 0.0:
                        return
                    self._send(connection, arrived or time.monotonic(), sent)
            except (OSError, http.client.HTTPException, MeasureError) as error:
                failures.append(str(error) or type(error).__name__)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise MeasureError(f"a request failed: {failures[0]}")

    def _send(self, connection: http.client.HTTPConnection, arrived: float, sent: Sent) -> None:
        body = self._bodies[next(self._next) % len(self._bodies)]
        connection.request("POST", PATH, body, self._headers)
        reply = connection.getresponse()
        content = reply.read()
        seconds = time.monotonic() - arrived
        with self._lock:
            if reply.status == 503:
                sent.refused += 1
            elif reply.status == 200 and b'"errorCode":"0"' in content:
                sent.seconds.append(seconds)
                sent.reply_bytes = len(content)
            else:
                raise MeasureError(f"the service replied {reply.status} {content[:200]!r}")


class _Spending:
    """Adds the CPU time of a round, and its rate."""

    def __init__(self, pid: int, sent: Sent) -> None:
        self._pid = pid
        self._sent = sent
        self._before = (0.0, 0.0, 0.0, 0.0)
        self._answered = 0

    def __enter__(self) -> None:
        self._answered = len(self._sent.seconds)
        self._before = self._now()

    def __exit__(self, *_: object) -> None:
        server, client, busy, wall = (after - before for after, before in zip(self._now(), self._before, strict=True))
        sent = self._sent
        sent.server_cpu += server
        sent.client_cpu += client
        sent.others_cpu += max(busy - server - client, 0.0)
        sent.wall += wall
        sent.rates.append((len(sent.seconds) - self._answered) / wall)

    def _now(self) -> tuple[float, float, float, float]:
        return tree_cpu_seconds(self._pid), time.process_time(), machine_busy_seconds(), time.monotonic()
