"""The service under several loads, on one and on two cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scripts.scaling.figures import LoadPoint
from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.service import on_cores, service

# Clients of the closed loops, and requests of each in a round. The first is the lone client, the second saturates.
_LONE, _FULL = 1, 8
_CLOSED = ((_LONE, 20), (2, 20), (_FULL, 40))
# Open loops: arrivals as a share of the throughput at saturation. The last one is overload.
_OPEN = (0.5, 0.8, 1.3)


@dataclass(slots=True)
class Throughput:
    """What the rounds gave for one number of cores."""

    closed: dict[int, Sent] = field(default_factory=lambda: {clients: Sent() for clients, _ in _CLOSED})
    open: dict[float, Sent] = field(default_factory=lambda: {share: Sent() for share in _OPEN})
    rates: dict[float, float] = field(default_factory=dict)

    def points(self, cores: int) -> list[LoadPoint]:
        """The figures."""
        closed = [sent.point(cores, clients, 0.0) for clients, sent in self.closed.items()]
        return closed + [sent.point(cores, 0, self.rates[share]) for share, sent in self.open.items() if sent.rates]

    @property
    def lone_ms(self) -> tuple[float, ...]:
        """Response times of the lone client."""
        return tuple(round(1000.0 * seconds, 1) for seconds in self.closed[_LONE].seconds)

    @property
    def spent(self) -> tuple[float, float]:
        """CPU seconds of other programs, and seconds on the clock."""
        every = (*self.closed.values(), *self.open.values())
        return sum(sent.others_cpu for sent in every), sum(sent.wall for sent in every)


def throughput(
    pack: str, bodies: Sequence[bytes], cores: set[int], client: set[int], rounds: int, open_seconds: float
) -> Throughput:
    """Measure a service on `cores`, the clients on the cores `client`.

    Args:
        pack: its model pack.
        bodies: of requests in base64, sent in turn.
        cores, client: numbers of cores.
        rounds: of all loads, one after the other, so that changes of the machine meet all alike.
        open_seconds: length of an open loop in each round.
    """
    measured = Throughput()
    with service(pack, cores) as running, on_cores(client):
        sender = Client(running, bodies)
        sender.closed(Sent(), _LONE, 5)
        sender.closed(Sent(), _FULL, 16)
        for turn in range(rounds):
            for clients, requests in _CLOSED:
                sender.closed(measured.closed[clients], clients, requests)
            if turn == 0:
                full = measured.closed[_FULL].rates[0]
                measured.rates = {share: share * full for share in _OPEN}
            for share in _OPEN:
                sender.open(
                    measured.open[share], measured.rates[share], open_seconds, seed=100 * turn + int(10 * share)
                )
    return measured
