"""What a siege measured, the bounds it is held to, and how both are printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sieging.attackers import Attacks

MOST_TIMES_SLOWER = 3.0


@dataclass(frozen=True)
class Measured:
    """What a client noticed in one phase.

    Attributes:
        requests: how many were answered or failed.
        busy: of these, answered 503.
        errors: of these, anything else but the right answer, by kind.
        p50, p95, p99, longest: seconds.
        loop_p99, loop_longest: seconds for `/healthz`, which needs nothing but the event loop.
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
    """All of it.

    Attributes:
        alone, besieged: the honest client's two phases.
        attacks: what came of the attacks.
        bound_seconds: within which every hostile request must be answered or closed.
        base_mib, peak_mib, decoders_mib, formula_mib: memory when ready, at the peak, at the decoders' peak, and what
            docs/operating.md says is the most.
        processes: the most at once.
        end_seconds: from SIGTERM to the end; None if it did not end.
        end_bound: within which it must.
        faults: lines of the service's log that tell of a fault.
        logged_seconds: the longest request by the service's own log, from its acceptance on.
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
        """How many times longer the honest client's p99 is."""
        return self.besieged.p99 / self.alone.p99 if self.alone.p99 else float("inf")

    @property
    def longest_reply(self) -> float:
        """Seconds that a hostile request lasted at most."""
        return max((s for kind, s in self.attacks.longest.items() if kind != UNREAD), default=0.0)


# Ended by the time for writing, not by the deadline.
UNREAD = "clients that never read"


@dataclass(frozen=True)
class Bound:
    """Something promised: what, what was measured, and whether it holds."""

    promise: str
    measured: str
    holds: bool


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which such a share lies, 0 of none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=1000, method="inclusive")[min(round(share * 1000), 999) - 1]


def bounds(siege: Siege) -> list[Bound]:
    """What is promised."""
    errors = sum(siege.besieged.errors.values()) + sum(siege.alone.errors.values())
    ended = siege.end_seconds
    return [
        Bound(
            f"p99 at most {MOST_TIMES_SLOWER:g} times that alone",
            f"{siege.ratio:.2f}",
            siege.ratio <= MOST_TIMES_SLOWER,
        ),
        Bound("no honest request gets 503", str(siege.besieged.busy), siege.besieged.busy == 0),
        Bound("no honest request fails otherwise", str(errors), errors == 0),
        Bound(
            f"hostile requests end within {siege.bound_seconds:g} s",
            f"{siege.longest_reply:.1f} s",
            siege.longest_reply <= siege.bound_seconds,
        ),
        Bound("nothing hostile hangs", ", ".join(sorted(set(siege.attacks.hung))) or "none", not siege.attacks.hung),
        Bound(
            f"memory at most {siege.formula_mib:.0f} MiB",
            f"{siege.peak_mib:.0f} MiB",
            siege.peak_mib <= siege.formula_mib,
        ),
        Bound(
            f"SIGTERM ends it within {siege.end_bound:g} s",
            "not at all" if ended is None else f"{ended:.1f} s",
            ended is not None and ended <= siege.end_bound,
        ),
        Bound("no fault in the log", str(siege.faults), siege.faults == 0),
    ]


def print_report(siege: Siege) -> None:
    """Print it for people."""
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
    print("Attacks (how many, the longest until reply or end of the connection):")
    for kind, count in sorted(siege.attacks.sent.items()):
        print(f"  {count:6}  {siege.attacks.longest[kind]:6.1f} s  {kind}")
    print("  statuses:", ", ".join(f"{count} x {status}" for status, count in sorted(siege.attacks.statuses.items())))
    print(f"  longest by the service's own log: {siege.logged_seconds:.1f} s from acceptance on")
    print(
        f"Memory: {siege.base_mib:.0f} MiB when ready, {siege.peak_mib:.0f} MiB at the peak, decoders "
        f"{siege.decoders_mib:.0f} MiB at theirs; {siege.processes} processes at most"
    )
    print("Bounds:")
    for bound in bounds(siege):
        print(f"  {'holds ' if bound.holds else 'BROKEN'}  {bound.promise}: {bound.measured}")
