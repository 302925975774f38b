"""What is simulated, and what comes out: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scripts.scaling.simulation.arrivals import RateProfile
from scripts.scaling.simulation.service import ServiceSettings

Balancing = Literal["random", "least", "machine"]


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The database of all services.

    Attributes:
        cores: of its server.
        keys: API keys with traffic, all alike.
        pool: connections of each service.
        network_seconds: of a transaction between service and server.
        admit_seconds, commit_seconds: time of a server's core, a request.
        hold_seconds: how long a commit holds the counter of its key.
        patience_seconds: how long a request waits for the database to admit it, and again to count it; then 503.
    """

    cores: int = 4
    keys: int = 100
    pool: int = 9
    network_seconds: float = 0.0005
    admit_seconds: float = 0.0
    commit_seconds: float = 0.0
    hold_seconds: float = 0.0
    patience_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine fails, and never comes back.

    Attributes:
        at: when.
        machine: its number.
        notice_seconds: until the balancer sends nothing more to it; each such request fails after that time.
    """

    at: float
    machine: int
    notice_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class RollingUpdate:
    """The machines restart one after the other.

    Attributes:
        at: when the first one leaves the balancer.
        drain_seconds: until its processes stop; they finish what they have accepted first.
        start_seconds: until they answer again.
    """

    at: float
    drain_seconds: float
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run.

    Attributes:
        profile: arrivals.
        work: CPU seconds of a request on one core, a sample to draw from.
        machines, services_a_machine: processes, all alike.
        service: of each process.
        balancer: `random`: any process; `least`: the process with the fewest requests in flight; `machine`: the
            machine with the fewest, and there any process, as the kernel chooses it.
        database: None: takes no time.
        fixed_seconds: of a request outside all resources.
        link_bits: of the balancer a second, each way; 0: without limit.
        request_bytes, reply_bytes: on this link.
        upload_seconds: during which a request holds its slot and sends its body.
        loss, update: events; None: nothing happens.
        until: stop then; None: when the last request has ended.
        seed: of all random choices.
    """

    profile: RateProfile
    work: Sequence[float]
    machines: int = 1
    services_a_machine: int = 1
    service: ServiceSettings = field(default_factory=ServiceSettings)
    balancer: Balancing = "least"
    database: DatabaseSettings | None = None
    fixed_seconds: float = 0.0
    link_bits: float = 0.0
    request_bytes: float = 0.0
    reply_bytes: float = 0.0
    upload_seconds: float = 0.0
    loss: Loss | None = None
    update: RollingUpdate | None = None
    until: float | None = None
    seed: int = 1

    @property
    def cores(self) -> int:
        """Of all services."""
        return self.machines * self.services_a_machine * self.service.cores


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Attributes:
        arrived: time of each request.
        response: seconds of each answered request; NaN for the others.
        refused: whether each request got 503.
        failed: whether each request was lost with a machine.
        in_system: requests that the balancer still waited for at the end.
        utilisation: of each resource, while requests arrived.
    """

    arrived: NDArray[np.float64]
    response: NDArray[np.float64]
    refused: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    in_system: int
    utilisation: dict[str, float]

    @property
    def answered(self) -> int:
        """Number of answered requests."""
        return int(np.count_nonzero(~np.isnan(self.response)))

    @property
    def bottleneck(self) -> str:
        """The resource with the highest utilisation."""
        return max(self.utilisation, key=lambda name: self.utilisation[name])

    def quantile_ms(self, share: float, since: float = 0.0, before: float = np.inf) -> float:
        """Response time of `share` of the answered requests that arrived in a time, ms; NaN without any."""
        inside = (self.arrived >= since) & (self.arrived < before) & ~np.isnan(self.response)
        return 1000.0 * float(np.quantile(self.response[inside], share)) if inside.any() else float("nan")

    def refused_share(self, since: float = 0.0, before: float = np.inf) -> float:
        """Part of the requests of a time that got 503 or were lost."""
        inside = (self.arrived >= since) & (self.arrived < before)
        return float(np.mean((self.refused | self.failed)[inside])) if inside.any() else 0.0
