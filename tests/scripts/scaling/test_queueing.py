"""The formulas against published values, special cases with exact solutions, and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scripts.scaling.queueing import (
    Queue,
    erlang_b,
    erlang_c,
    late_share,
    mean_wait,
    refused_share,
    response_quantile,
)

EXPONENTIAL = -np.log(1.0 - (np.arange(20_000) + 0.5) / 20_000) * 0.1  # mean 0.1 s


@pytest.mark.parametrize(
    ("servers", "offered", "blocked"),
    [
        (1, 1.0, 1 / 2),
        (2, 1.0, 1 / 5),
        (3, 2.0, 4 / 19),
        # Published tables of Erlang B: load that so many trunks carry at 1 % and at 5 %.
        (10, 4.461, 0.01),
        (100, 84.064, 0.01),
        (20, 15.249, 0.05),
    ],
)
def test_erlang_b_equals_the_published_tables(servers: int, offered: float, blocked: float) -> None:
    assert erlang_b(servers, offered) == pytest.approx(blocked, rel=2e-3)


@pytest.mark.parametrize(
    ("servers", "offered", "waits"),
    [
        (1, 0.7, 0.7),  # M/M/1: the share that waits is the utilisation
        (2, 1.0, 1 / 3),
        (5, 4.0, 0.5541),
        (10, 8.0, 0.4092),
        (3, 3.0, 1.0),
        (4, 9.0, 1.0),
        (4, 0.0, 0.0),
    ],
)
def test_erlang_c_equals_known_values(servers: int, offered: float, waits: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)


def test_erlang_c_is_the_textbook_sum() -> None:
    offered, servers = 13.5, 16
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    total = sum(offered**k / math.factorial(k) for k in range(servers)) + last
    assert erlang_c(servers, offered) == pytest.approx(last / total, rel=1e-12)


@pytest.mark.parametrize("places", [0, 1, 5])
def test_refused_share_of_one_server_is_that_of_m_m_1_k(places: int) -> None:
    load, size = 0.8, 1 + places
    assert refused_share(1, places, load) == pytest.approx((1 - load) * load**size / (1 - load ** (size + 1)))


def test_refused_share_with_equal_load_and_servers_without_queue_is_erlang_b() -> None:
    assert refused_share(10, 0, 8.0) == erlang_b(10, 8.0)
    assert refused_share(10, 200, 8.0) < 1e-12


def test_response_times_of_m_m_1_are_exponential() -> None:
    # M/M/1: the response time is exponential with rate mu - lambda.
    queue = Queue(1, 6.0, EXPONENTIAL)
    assert mean_wait(queue) == pytest.approx(0.6 / (10 - 6), rel=1e-3)
    assert response_quantile(queue) == pytest.approx(math.log(100) / (10 - 6), rel=1e-2)
    assert late_share(queue, 0.5) == pytest.approx(math.exp(-4 * 0.5), rel=1e-2)


def test_mean_wait_with_constant_service_is_half_of_m_m_1() -> None:
    # Pollaczek and Khinchine.
    assert mean_wait(Queue(1, 6.0, (0.1,))) == pytest.approx(0.6 / (10 - 6) / 2)


def test_without_load_a_request_takes_its_service_time() -> None:
    assert response_quantile(Queue(2, 0.0, (0.1, 0.2)), 0.99) == pytest.approx(0.2, abs=1e-4)


def test_an_overloaded_queue_never_answers() -> None:
    queue = Queue(2, 20.0, (0.1,))
    assert (mean_wait(queue), response_quantile(queue), late_share(queue, 1e9)) == (math.inf, math.inf, 1.0)


def test_quantiles_rise_with_the_load_and_fall_with_servers() -> None:
    service = (0.08, 0.1, 0.12)
    by_load = [response_quantile(Queue(4, rate, service)) for rate in (0, 10, 20, 30, 38, 39.9)]
    by_servers = [response_quantile(Queue(servers, 30.0, service)) for servers in (4, 5, 8, 16)]
    assert by_load == sorted(by_load)
    assert by_servers == sorted(by_servers, reverse=True)
    assert by_load[-1] > 2 * by_load[0]
