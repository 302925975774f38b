"""The simulation against formulas with exact results, and against what must hold in every run."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import simpy

from scripts.scaling.queueing import Queue, mean_wait, refused_share
from scripts.scaling.simulation.arrivals import RateProfile, arrival_times, constant, day
from scripts.scaling.simulation.fleet import Balancer
from scripts.scaling.simulation.processor import Processor
from scripts.scaling.simulation.run import simulate
from scripts.scaling.simulation.scenario import DatabaseSettings, Loss, Outcome, RollingUpdate, Scenario
from scripts.scaling.simulation.service import ServiceSettings

EXPONENTIAL = tuple(-np.log(1.0 - (np.arange(5000) + 0.5) / 5000) * 0.1)  # mean 0.1 s
PATIENT = ServiceSettings(queue_size=10**9, deadline=math.inf)


def mean_with_interval(values: np.ndarray, batches: int = 20) -> tuple[float, float]:
    """Mean, and half the width of its 99 % interval by batch means (successive responses depend on each other)."""
    means = [float(part.mean()) for part in np.array_split(values, batches)]
    return float(np.mean(means)), 2.861 * float(np.std(means, ddof=1)) / math.sqrt(batches)  # t with 19 degrees


@pytest.mark.parametrize(
    ("cores", "rate"), [(1, 6.0), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, 15.0), (8, 60.0)))]
)
def test_one_process_is_an_m_m_c_queue(cores: int, rate: float) -> None:
    service = dataclasses.replace(PATIENT, cores=cores)
    outcome = simulate(Scenario(constant(rate, 30_000 / rate), EXPONENTIAL, service=service, seed=7))
    mean, half = mean_with_interval(outcome.response[len(outcome.response) // 10 :])
    queue = Queue(cores, rate, EXPONENTIAL)
    assert half < 0.12 * mean
    assert abs(mean - mean_wait(queue) - queue.mean_service) < half
    assert outcome.utilisation["cores"] == pytest.approx(queue.utilisation, rel=0.02)


def test_a_full_process_refuses_as_m_m_c_k() -> None:
    service = ServiceSettings(cores=2, queue_size=4, deadline=math.inf)
    outcome = simulate(Scenario(constant(18.0, 1500.0), EXPONENTIAL, service=service, seed=3))
    assert outcome.refused_share() == pytest.approx(refused_share(2, 4, 1.8), rel=0.05)


def test_constant_service_of_one_server_follows_pollaczek_and_khinchine() -> None:
    service = dataclasses.replace(PATIENT, cores=1)
    outcome = simulate(Scenario(constant(7.0, 3000.0), (0.1,), service=service, seed=5))
    assert float(np.mean(outcome.response)) == pytest.approx(0.1 + mean_wait(Queue(1, 7.0, (0.1,))), rel=0.05)


def busy_scenario() -> Scenario:
    """A loss, an update, overload, a database, a network and slow uploads, all at once."""
    return Scenario(
        profile=RateProfile((0.0, 5.0, 10.0, 20.0), (50.0, 300.0, 300.0, 20.0)),
        work=EXPONENTIAL,
        machines=3,
        services_a_machine=2,
        service=ServiceSettings(cores=4, queue_size=8, deadline=0.5, parallel=0.8, efficiency=0.9, slowdown=1.1),
        balancer="random",
        database=DatabaseSettings(2, 3, 4, 0.001, 0.001, 0.001, 0.002),
        fixed_seconds=0.003,
        link_bits=1e9,
        request_bytes=7e5,
        reply_bytes=6e4,
        upload_seconds=0.05,
        loss=Loss(6.0, 1, 1.0),
        update=RollingUpdate(12.0, 1.0, 1.0),
    )


def fates(outcome: Outcome) -> list[int]:
    answered = ~np.isnan(outcome.response)
    assert not (answered & (outcome.refused | outcome.failed)).any()
    assert not (outcome.refused & outcome.failed).any()
    return [outcome.answered, int(outcome.refused.sum()), int(outcome.failed.sum()), outcome.in_system]


@pytest.mark.parametrize(
    ("balancer", "until"),
    [
        *(("random", until) for until in (None, 6.01, 13.3)),
        *(pytest.param("random", until, marks=pytest.mark.slow) for until in (0.0, 5.9, 7.5)),
        ("least", None),
        ("machine", 6.01),
    ],
)
def test_no_request_is_lost_or_doubled(balancer: str, until: float | None) -> None:
    outcome = simulate(dataclasses.replace(busy_scenario(), balancer=balancer, until=until or None))
    counts = fates(outcome)
    assert sum(counts) == len(outcome.arrived)
    if until is None:
        assert counts[3] == 0
        assert min(counts[:3]) > 0
    elif until > 0:
        assert counts[3] > 0


def test_equal_seeds_give_equal_runs() -> None:
    first, second = simulate(busy_scenario()), simulate(busy_scenario())
    other = simulate(dataclasses.replace(busy_scenario(), seed=2))
    assert np.array_equal(first.response, second.response, equal_nan=True)
    assert fates(first) != fates(other)


def test_a_lone_request_uses_an_idle_core_for_its_second_photo() -> None:
    lone = ServiceSettings(cores=2, parallel=0.8)
    outcome = simulate(Scenario(constant(0.01, 10_000.0), (0.1,), service=lone, fixed_seconds=0.01))
    assert outcome.quantile_ms(0.5) == pytest.approx(10.0 + 100.0 * (1.0 - 0.8 / 2.0))


def test_a_busy_process_uses_no_helper() -> None:
    # Two requests at once on two cores: the first one takes the second core for half of its work, then both share.
    env, ends = simpy.Environment(), []
    processor = Processor(env, 2.0)
    for work in (0.04, 0.06, 0.1):
        processor.run(work, lambda: ends.append(env.now))
    env.run()
    # Three threads on two cores run at 2/3: 0.04 ends at 0.06; then two have a core each.
    assert ends == pytest.approx([0.06, 0.08, 0.12])
    assert processor.busy == pytest.approx(0.2)


@pytest.mark.slow
def test_least_connections_wait_less_than_a_random_choice() -> None:
    def p99(balancer: str) -> float:
        scenario = Scenario(constant(128.0, 60.0), (0.1,), machines=8, services_a_machine=1, balancer=balancer)  # type: ignore[arg-type]
        return simulate(scenario).quantile_ms(0.99)

    assert p99("least") < 0.75 * p99("random")


def test_the_counter_of_one_key_bounds_the_rate() -> None:
    one = DatabaseSettings(cores=8, keys=1, hold_seconds=0.01)  # at most 100 a second
    scenario = Scenario(constant(200.0, 20.0), (0.01,), machines=4, database=one)
    outcome = simulate(scenario)
    many = simulate(dataclasses.replace(scenario, database=dataclasses.replace(one, keys=50)))
    assert outcome.bottleneck == "counter of a key"
    assert outcome.quantile_ms(0.5) > 20 * many.quantile_ms(0.5)
    assert many.bottleneck == "cores"


def test_a_lost_machine_fails_its_requests_and_the_others_go_on() -> None:
    scenario = Scenario(constant(100.0, 30.0), (0.1,), machines=4, services_a_machine=2, loss=Loss(10.0, 2, 2.0))
    outcome = simulate(dataclasses.replace(scenario, balancer="random"))
    failed = outcome.arrived[outcome.failed]
    # A quarter of 100 a second for two seconds, and what was in flight.
    assert 35 < len(failed) < 75
    assert failed.min() > 9.0
    assert failed.max() < 12.0
    assert outcome.quantile_ms(0.99, since=13.0) > outcome.quantile_ms(0.99, before=9.0)


def test_a_rolling_update_loses_no_request() -> None:
    update = RollingUpdate(2.0, 2.0, 3.0)
    scenario = Scenario(constant(60.0, 30.0), (0.1,), machines=4, services_a_machine=2, update=update)
    outcome = simulate(scenario)
    assert fates(outcome)[1:] == [0, 0, 0]
    # With all machines down at once nobody would answer.
    alone = simulate(dataclasses.replace(scenario, machines=1, profile=constant(5.0, 10.0)))
    assert alone.refused_share(2.0, 7.0) == 1.0


def test_arrivals_follow_the_profile() -> None:
    profile = RateProfile((0.0, 10.0, 20.0, 30.0), (0.0, 1000.0, 1000.0, 0.0))
    times = arrival_times(profile, np.random.default_rng(1))
    assert profile.expected == 20_000
    assert len(times) == pytest.approx(20_000, abs=4 * 20_000**0.5)
    assert (np.diff(times) >= 0).all()
    counts = np.histogram(times, bins=[0, 5, 10, 20, 25, 30])[0]
    expected = np.array([1250.0, 3750.0, 10_000.0, 3750.0, 1250.0])
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()


def test_gaps_of_a_constant_rate_are_exponential() -> None:
    gaps = np.diff(arrival_times(constant(100.0, 500.0), np.random.default_rng(2)))
    assert gaps.mean() == pytest.approx(0.01, rel=0.02)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, rel=0.03)


def test_a_pressed_day_keeps_its_mean() -> None:
    profile = day([1.0, 3.0, 1.0, 1.0], 10.0, 100.0)
    assert profile.expected == pytest.approx(10.0 * 6.0 / 4.0 * 100.0)
    assert (profile.rate(0.0), profile.rate(30.0), profile.rate(47.4), profile.rate(100.0)) == (10.0, 30.0, 30.0, 10.0)
    assert profile.rate(25.0) == pytest.approx(20.0)
    hours = np.histogram(arrival_times(profile, np.random.default_rng(1)), bins=4, range=(0.0, 100.0))[0]
    assert (np.abs(hours - np.array([262.5, 725.0, 262.5, 250.0])) < 90.0).all()


@pytest.mark.parametrize("balancer", ["least", "machine"])
def test_the_balancer_counts_what_is_in_flight(balancer: str) -> None:
    chosen = Balancer(balancer, 3, 2, np.random.default_rng(1))  # type: ignore[arg-type]
    targets = [chosen.choose() for _ in range(6)]
    # Two requests on each machine; the next one goes to the machine that has answered.
    assert sorted(target // 2 for target in targets if target is not None) == [0, 0, 1, 1, 2, 2]
    ended = next(target for target in targets if target is not None and target // 2 == 1)
    chosen.ended(ended)
    again = chosen.choose()
    assert again is not None
    assert again // 2 == 1
    assert chosen.in_flight == 6
    for machine in (0, 1):
        chosen.remove(machine)
    assert {(chosen.choose() or 0) // 2 for _ in range(5)} == {2}
    assert (chosen.in_flight, chosen.machines_up) == (11, 1)


def test_a_request_that_is_being_counted_is_lost_with_its_machine() -> None:
    slow = DatabaseSettings(keys=1, network_seconds=1.0, pool=1000)
    loss = Loss(10.0, 0, 1.0)
    scenario = Scenario(constant(20.0, 9.9), (0.001,), machines=2, database=slow, balancer="random", loss=loss)
    outcome = simulate(scenario)
    # To admit and to count takes a second each: what came in the last two seconds is lost, of one machine of two.
    last = outcome.arrived > 8.0
    assert not outcome.failed[outcome.arrived < 7.9].any()
    assert 0.3 < outcome.failed[last].mean() < 0.7


def test_a_full_database_refuses_after_its_time_and_the_others_wait_no_longer() -> None:
    # 20 commits a second for 40 requests a second: half of them get 503 after two seconds.
    slow = DatabaseSettings(cores=8, keys=1, hold_seconds=0.05, network_seconds=0.0, patience_seconds=2.0)
    outcome = simulate(Scenario(constant(40.0, 60.0), (0.01,), machines=2, database=slow))
    assert outcome.refused_share(since=10.0) == pytest.approx(0.5, abs=0.05)
    # Two seconds for admission, since the commits that wait hold the connections, and two more for its own commit.
    assert outcome.quantile_ms(1.0) < 4200.0
    assert outcome.utilisation["counter of a key"] == pytest.approx(1.0, abs=0.05)


def test_a_full_network_refuses_after_the_deadline() -> None:
    # The link carries 10 requests a second of 20.
    service = ServiceSettings(deadline=3.0)
    outcome = simulate(Scenario(constant(20.0, 40.0), (0.01,), service=service, link_bits=8e6, request_bytes=1e5))
    assert outcome.bottleneck == "balancer's network"
    assert outcome.refused_share(since=10.0) == pytest.approx(0.5, abs=0.05)
    assert outcome.quantile_ms(1.0) < 3300.0
