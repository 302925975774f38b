"""Runs a scenario."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final

import numpy as np
import simpy

from scripts.scaling.simulation.arrivals import arrival_times
from scripts.scaling.simulation.database import Database, Visit
from scripts.scaling.simulation.fleet import Balancer
from scripts.scaling.simulation.scenario import Loss, Outcome, RollingUpdate, Scenario
from scripts.scaling.simulation.service import Request, ServiceProcess
from scripts.scaling.simulation.stations import Station

# What simpy runs as a process.
_Story = Generator[simpy.Event, None, None]
_PENDING, _ANSWERED, _REFUSED, _FAILED = range(4)
# A refusal or a closed port is answered at once.
_NOTICING: Final = 0.05


def simulate(scenario: Scenario) -> Outcome:
    """Run a scenario once; equal scenarios give equal outcomes."""
    return _Run(scenario).outcome()


class _Run:
    def __init__(self, scenario: Scenario) -> None:
        source = np.random.default_rng(scenario.seed)
        self._scenario = scenario
        self._env = simpy.Environment()
        self._arrivals = arrival_times(scenario.profile, source)
        count = len(self._arrivals)
        self._work = source.choice(np.asarray(scenario.work), count)
        keys = 1 if scenario.database is None else scenario.database.keys
        self._keys = source.integers(0, keys, count)
        self._state = np.zeros(count, np.int8)
        self._response = np.full(count, np.nan)
        services = scenario.machines * scenario.services_a_machine
        self._balancer = Balancer(scenario.balancer, scenario.machines, scenario.services_a_machine, source)
        self._services = [
            ServiceProcess(self._env, scenario.service, self._computed, self._refuse) for _ in range(services)
        ]
        # Counts the restarts of a process, so that what belongs to an earlier life is known as lost; -1: it is dead.
        self._life = [0] * services
        self._database = _database(self._env, scenario, services)
        self._in, self._out = Station(1), Station(1)

    def outcome(self) -> Outcome:
        scenario = self._scenario
        if scenario.loss is not None:
            self._env.process(self._lose(scenario.loss))
        if scenario.update is not None:
            self._env.process(self._update(scenario.update))
        self._schedule_arrival(0)
        # The end of arrivals: utilisation counts up to there.
        busy: dict[str, float] = {}
        self._env.process(self._measure(scenario.profile.seconds, busy))
        self._env.run(scenario.until)
        arrived = self._arrivals[: self._arrived]
        state = self._state[: self._arrived]
        return Outcome(
            arrived=arrived,
            response=self._response[: self._arrived],
            refused=state == _REFUSED,
            failed=state == _FAILED,
            in_system=self._balancer.in_flight,
            utilisation=busy,
        )

    def _schedule_arrival(self, number: int) -> None:
        self._arrived = number
        if number < len(self._arrivals):
            timeout = self._env.timeout(max(self._arrivals[number] - self._env.now, 0.0), number)
            timeout.callbacks.append(self._arrive)

    def _arrive(self, event: Any) -> None:
        number = event.value
        scenario, now = self._scenario, self._env.now
        self._schedule_arrival(number + 1)
        target = self._balancer.choose()
        if target is None:
            self._state[number] = _REFUSED
            return
        life = self._life[target]
        request = Request(number, now, float(self._work[number]), int(self._keys[number]), target, life)
        if life < 0:
            wait = scenario.loss.notice_seconds if scenario.loss else _NOTICING
            self._after(wait, request, self._fail)
            return
        if scenario.link_bits <= 0.0:
            self._ask(request)
        elif self._in.wait(now) > scenario.service.deadline:
            self._after(scenario.service.deadline, request, self._refuse)
        else:
            end = self._in.finish(now, 8.0 * scenario.request_bytes / scenario.link_bits)
            self._after(end - now, request, self._ask)

    def _ask(self, request: Request) -> None:
        """Ask the database to admit the request."""
        chosen = self._scenario.database
        if self._database is None or chosen is None:
            self._admitted(request)
            return
        done, gave_up = partial(self._admitted, request), partial(self._refuse, request)
        self._database.visit(Visit(request.target, chosen.admit_seconds, -1, 0.0, done, gave_up))

    def _admitted(self, request: Request) -> None:
        if self._life[request.target] != request.life:
            self._fail(request)
        elif not self._services[request.target].accept(request, self._scenario.upload_seconds):
            self._refuse(request)

    def _computed(self, request: Request) -> None:
        """Ask the database to count the request."""
        chosen = self._scenario.database
        if self._database is None or chosen is None:
            self._reply(request)
            return
        done, gave_up = partial(self._reply, request), partial(self._refuse, request)
        hold = chosen.hold_seconds
        self._database.visit(Visit(request.target, chosen.commit_seconds, request.key, hold, done, gave_up))

    def _reply(self, request: Request) -> None:
        scenario, now = self._scenario, self._env.now
        end = now
        if scenario.link_bits > 0.0:
            end = self._out.finish(now, 8.0 * scenario.reply_bytes / scenario.link_bits)
        end += scenario.fixed_seconds
        if end > now:
            self._after(end - now, request, self._answer)
        else:
            self._answer(request)

    def _answer(self, request: Request) -> None:
        if self._life[request.target] != request.life:
            self._fail(request)
            return
        self._state[request.number] = _ANSWERED
        self._response[request.number] = self._env.now - request.arrived
        self._balancer.ended(request.target)

    def _refuse(self, request: Request) -> None:
        self._state[request.number] = _REFUSED
        self._balancer.ended(request.target)

    def _fail(self, request: Request) -> None:
        self._state[request.number] = _FAILED
        self._balancer.ended(request.target)

    def _after(self, seconds: float, request: Request, then: Callable[[Request], None]) -> None:
        self._env.timeout(seconds, request).callbacks.append(lambda event: then(event.value))

    def _lose(self, loss: Loss) -> _Story:
        yield self._env.timeout(loss.at)
        for target in self._targets(loss.machine):
            self._life[target] = -1
            for request in self._services[target].fail():
                self._fail(request)
        yield self._env.timeout(loss.notice_seconds)
        self._balancer.remove(loss.machine)

    def _update(self, update: RollingUpdate) -> _Story:
        yield self._env.timeout(update.at)
        for machine in range(self._scenario.machines):
            if any(self._life[target] < 0 for target in self._targets(machine)):
                continue
            self._balancer.remove(machine)
            # The processes finish the requests that they have; see docs/operating.md.
            yield self._env.timeout(update.drain_seconds)
            yield self._env.timeout(update.start_seconds)
            self._balancer.add(machine)

    def _targets(self, machine: int) -> range:
        services = self._scenario.services_a_machine
        return range(machine * services, (machine + 1) * services)

    def _measure(self, seconds: float, busy: dict[str, float]) -> _Story:
        yield self._env.timeout(seconds)
        scenario = self._scenario
        used = sum(service.processor.busy for service in self._services)
        busy["cores"] = used / seconds / scenario.cores / scenario.service.efficiency
        if self._database is not None:
            server = self._database.server
            busy["cores of PostgreSQL"] = server.busy / seconds / server.servers
            busy["counter of a key"] = self._database.fullest_counter(seconds)
        if scenario.link_bits > 0.0:
            busy["balancer's network"] = max(self._in.busy, self._out.busy) / seconds


def _database(env: simpy.Environment, scenario: Scenario, services: int) -> Database | None:
    chosen = scenario.database
    if chosen is None:
        return None
    waits = (chosen.network_seconds, chosen.patience_seconds)
    return Database(env, chosen.cores, chosen.keys, services, chosen.pool, *waits)
