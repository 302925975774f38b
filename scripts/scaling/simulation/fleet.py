"""The balancer and its processes: whom it sends a request to, and who is up."""

from __future__ import annotations

import numpy as np

from scripts.scaling.simulation.scenario import Balancing

# Added to the requests in flight of what is not to be chosen.
_DOWN = 1 << 40


class Balancer:
    """Chooses a process for each request, by the requests in flight that it knows of."""

    def __init__(self, way: Balancing, machines: int, services: int, source: np.random.Generator) -> None:
        """Everything is up and idle.

        Args:
            way: see `Scenario.balancer`.
            machines: number of machines.
            services: processes of each; process `n` lies on machine `n // services`.
            source: of random choices.
        """
        self._way = way
        self._services = services
        self._source = source
        self._in_flight = np.zeros(machines * services, np.int64)
        self._of_machine = np.zeros(machines, np.int64)
        self._up = np.arange(machines)
        self._drawn = source.random(0)
        self._next = 0

    @property
    def in_flight(self) -> int:
        """Requests that the balancer waits for."""
        return int((self._in_flight % _DOWN).sum())

    @property
    def machines_up(self) -> int:
        """Machines that get requests."""
        return len(self._up)

    def choose(self) -> int | None:
        """The process for a request, which is in flight then; None if no machine is up."""
        if not len(self._up):
            return None
        if self._way == "least":
            target = int(self._in_flight.argmin())
        elif self._way == "machine":
            target = int(self._of_machine.argmin()) * self._services + int(self._random() * self._services)
        else:
            machine = int(self._up[int(self._random() * len(self._up))])
            target = machine * self._services + int(self._random() * self._services)
        self._in_flight[target] += 1
        self._of_machine[target // self._services] += 1
        return target

    def ended(self, target: int) -> None:
        """A request of this process is no longer in flight."""
        self._in_flight[target] -= 1
        self._of_machine[target // self._services] -= 1

    def remove(self, machine: int) -> None:
        """Send nothing more to this machine."""
        if machine in self._up:
            self._up = self._up[self._up != machine]
            self._shift(machine, _DOWN)

    def add(self, machine: int) -> None:
        """Send requests to this machine again."""
        if machine not in self._up:
            self._up = np.append(self._up, machine)
            self._shift(machine, -_DOWN)

    def _shift(self, machine: int, by: int) -> None:
        self._of_machine[machine] += by
        self._in_flight[machine * self._services : (machine + 1) * self._services] += by

    def _random(self) -> float:
        # Drawn in blocks: a call for each number would take longer than the rest of a choice.
        if self._next >= len(self._drawn):
            self._drawn, self._next = self._source.random(4096), 0
        self._next += 1
        return float(self._drawn[self._next - 1])
