"""Waiting times of queues with several servers: pure functions.

Erlang's formulas as in Gross, Shortle, Thompson and Harris, "Fundamentals of Queueing Theory" (4th ed., 2.3 to 2.5).
M/G/c has no exact formula. This module scales the waiting time of M/M/c by (1 + c_s^2) / 2, where c_s is the
coefficient of variation of the service time (A. M. Lee and P. A. Longton, 1959), and takes its tail as exponential.
The result is exact for exponential service times, and for the mean of one server (Pollaczek and Khinchine).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue in front of equal servers, first come first served.

    Attributes:
        servers: number of servers, at least 1.
        arrivals: requests a second, 0 or more.
        service: seconds of service of typical requests, a sample; its mean and its variation count.
    """

    servers: int
    arrivals: float
    service: Sequence[float]

    @property
    def mean_service(self) -> float:
        """Mean service time in seconds."""
        return float(np.mean(self.service))

    @property
    def offered(self) -> float:
        """Offered load in Erlang: servers that would be busy on average if none were missing."""
        return self.arrivals * self.mean_service

    @property
    def utilisation(self) -> float:
        """Share of the servers' time that the load takes; 1 or more: the queue grows without end."""
        return self.offered / self.servers

    @property
    def variation(self) -> float:
        """Squared coefficient of variation of the service time."""
        return float(np.var(self.service)) / self.mean_service**2


def erlang_b(servers: int, offered: float) -> float:
    """Share of requests that find all servers busy where nobody waits (M/G/c/c).

    Args:
        servers: 0 or more.
        offered: load in Erlang, 0 or more.
    """
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked


def erlang_c(servers: int, offered: float) -> float:
    """Share of requests that wait where all may wait (M/M/c); 1 if the load is not below the number of servers."""
    if offered >= servers:
        return 1.0
    blocked = erlang_b(servers, offered)
    return servers * blocked / (servers - offered * (1.0 - blocked))


def refused_share(servers: int, places: int, offered: float) -> float:
    """Share of requests that find all servers and all waiting places taken (M/M/c/K with K = servers + places)."""
    blocked = erlang_b(servers, offered)
    for _ in range(places):
        blocked = offered * blocked / (servers + offered * blocked)
    return blocked


def mean_wait(queue: Queue) -> float:
    """Mean waiting time in seconds; infinite if the queue is overloaded."""
    if queue.utilisation >= 1.0:
        return math.inf
    return erlang_c(queue.servers, queue.offered) * _mean_of_those_who_wait(queue)


def late_share(queue: Queue, seconds: float) -> float:
    """Share of requests whose waiting and service take longer than `seconds`."""
    if queue.utilisation >= 1.0:
        return 1.0
    left = seconds - np.asarray(queue.service)
    waits = erlang_c(queue.servers, queue.offered)
    tail = waits * np.exp(-np.maximum(left, 0.0) / _mean_of_those_who_wait(queue))
    return float(np.mean(np.where(left < 0.0, 1.0, tail)))


def response_quantile(queue: Queue, share: float = 0.99) -> float:
    """Seconds within which `share` of the requests are answered; infinite if the queue is overloaded."""
    if queue.utilisation >= 1.0:
        return math.inf
    from scipy.optimize import brentq  # takes a quarter of a second

    most = max(queue.service) + 100.0 * _mean_of_those_who_wait(queue)
    return float(brentq(lambda seconds: late_share(queue, seconds) - (1.0 - share), 0.0, most, xtol=1e-6))


def _mean_of_those_who_wait(queue: Queue) -> float:
    rate = (queue.servers - queue.offered) / queue.mean_service
    return (1.0 + queue.variation) / 2.0 / rate
