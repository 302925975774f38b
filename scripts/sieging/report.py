"""Results of a siege, their bounds, and the report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sieging.attackers import Attacks

MOST_TIMES_SLOWER = 3.0


@dataclass(frozen=True)
class Measured:
    """Measurements of a client in one phase.

    Attributes:
        requests: number of requests.
        busy: number of replies with status 503.
        errors: number of other wrong outcomes, by kind.
        p50, p95, p99, longest: response times in seconds.
        loop_p99, loop_longest: response times of `/healthz` in seconds, which depends only on the event loop.
    """

    requests: int
    busy: int
    errors: dict[str, int]
    p50: float
    p95: float
    p99: float
    longest: float
    loop_p99: float
    loop_longest: float


@dataclass(frozen=True)
class Siege:
    """Results of a siege.

    Attributes:
        alone, besieged: the two phases of the honest client.
        attacks: results of the attacks.
        bound_seconds: time limit in seconds for a reply to, or the end of, a hostile request.
        base_mib, peak_mib, decoders_mib, formula_mib: memory in MiB when ready, at the peak, at the decoders' peak, and
            the maximum by docs/operating.md.
        processes: largest number of processes.
        end_seconds: seconds from SIGTERM to the end of the service; None if it did not end.
        end_bound: limit for `end_seconds`.
        faults: number of lines in the service's log that report a fault.
        logged_seconds: longest request in the service's own log, from its acceptance, in seconds.
    """

    alone: Measured
    besieged: Measured
    attacks: Attacks
    bound_seconds: float
    base_mib: float
    peak_mib: float
    decoders_mib: float
    formula_mib: float
    processes: int
    end_seconds: float | None
    end_bound: float
    faults: int
    logged_seconds: float

    @property
    def ratio(self) -> float:
        """The honest client's p99 under siege divided by its p99 alone."""
        return self.besieged.p99 / self.alone.p99 if self.alone.p99 else float("inf")

    @property
    def longest_reply(self) -> float:
        """Longest duration of a hostile request in seconds."""
        return max((s for kind, s in self.attacks.longest.items() if kind != UNREAD), default=0.0)


# The time limit for writing ends these, not the deadline.
UNREAD = "clients that never read"


@dataclass(frozen=True)
class Bound:
    """A promise, the measured value as text, and whether the promise holds."""

    promise: str
    measured: str
    holds: bool


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of `values` at `share`, 0 to 1; 0 without values."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=1000, method="inclusive")[min(round(share * 1000), 999) - 1]


def bounds(siege: Siege) -> list[Bound]:
    """The bounds of a siege with their measured values."""
    errors = sum(siege.besieged.errors.values()) + sum(siege.alone.errors.values())
    ended = siege.end_seconds
    return [
        Bound(
            f"p99 at most {MOST_TIMES_SLOWER:g} times the p99 alone",
            f"{siege.ratio:.2f}",
            siege.ratio <= MOST_TIMES_SLOWER,
        ),
        Bound("no honest request gets status 503", str(siege.besieged.busy), siege.besieged.busy == 0),
        Bound("no honest request fails in another way", str(errors), errors == 0),
        Bound(
            f"hostile requests end within {siege.bound_seconds:g} s",
            f"{siege.longest_reply:.1f} s",
            siege.longest_reply <= siege.bound_seconds,
        ),
        Bound("no hostile request hangs", ", ".join(sorted(set(siege.attacks.hung))) or "none", not siege.attacks.hung),
        Bound(
            f"memory at most {siege.formula_mib:.0f} MiB",
            f"{siege.peak_mib:.0f} MiB",
            siege.peak_mib <= siege.formula_mib,
        ),
        Bound(
            f"SIGTERM ends the service within {siege.end_bound:g} s",
            "did not end" if ended is None else f"{ended:.1f} s",
            ended is not None and ended <= siege.end_bound,
        ),
        Bound("no fault in the log", str(siege.faults), siege.faults == 0),
    ]


def print_report(siege: Siege) -> None:
    """Print the report as text."""
    print("Honest client (one request after the other):")
    print(f"  {'':10}{'requests':>9}{'errors':>8}{'503':>5}{'p50':>9}{'p95':>9}{'p99':>9}{'longest':>9}")
    for name, phase in (("alone", siege.alone), ("besieged", siege.besieged)):
        times = "".join(f"{value * 1000:6.0f} ms" for value in (phase.p50, phase.p95, phase.p99, phase.longest))
        print(f"  {name:10}{phase.requests:9}{sum(phase.errors.values()):8}{phase.busy:5}{times}")
        if phase.errors:
            print(f"    errors: {phase.errors}")
    for name, phase in (("alone", siege.alone), ("besieged", siege.besieged)):
        p99, longest = phase.loop_p99 * 1000, phase.loop_longest * 1000
        print(f"Event loop {name}: /healthz takes {p99:.0f} ms (p99), {longest:.0f} ms (longest)")
    print("Attacks (number, longest time until reply or end of the connection):")
    for kind, count in sorted(siege.attacks.sent.items()):
        print(f"  {count:6}  {siege.attacks.longest[kind]:6.1f} s  {kind}")
    print("  statuses:", ", ".join(f"{count} x {status}" for status, count in sorted(siege.attacks.statuses.items())))
    print(f"  longest by the service's own log: {siege.logged_seconds:.1f} s from acceptance")
    print(
        f"Memory: {siege.base_mib:.0f} MiB when ready, {siege.peak_mib:.0f} MiB at the peak, decoders "
        f"{siege.decoders_mib:.0f} MiB at their peak; at most {siege.processes} processes"
    )
    print("Bounds:")
    for bound in bounds(siege):
        print(f"  {'holds ' if bound.holds else 'BROKEN'}  {bound.promise}: {bound.measured}")
