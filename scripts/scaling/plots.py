"""The two plots of docs/scaling.md."""

from __future__ import annotations

import math

from scripts.scaling.experiments import Simulated
from scripts.svg import Axis, Line, plot


def all_plots(simulated: Simulated) -> dict[str, str]:
    """File name and SVG."""
    return {"scaling-balancer.svg": _balancer(simulated), "scaling-day.svg": _day(simulated)}


def _balancer(simulated: Simulated) -> str:
    curve = simulated.curve
    lines = (
        Line("random", tuple((100.0 * one.utilisation, one.random_ms) for one in curve)),
        Line("machine by least, process at random", tuple((100.0 * one.utilisation, one.machine_ms) for one in curve)),
        Line("least connections", tuple((100.0 * one.utilisation, one.least_ms) for one in curve)),
        Line("model: one queue", tuple((100.0 * one.utilisation, one.model_ms) for one in curve), dashed=True),
    )
    x = Axis(
        "utilisation of the cores, %", 30.0, 95.0, tuple((float(value), str(value)) for value in range(30, 96, 10))
    )
    y = _milliseconds([point[1] for line in lines for point in line.points])
    return plot("p99 by utilisation and balancer, ten machines of 16 cores", x, y, lines)


def _day(simulated: Simulated) -> str:
    day = simulated.day
    lines = (
        Line("p50", tuple((one.hour, one.p50_ms) for one in day if one.p50_ms is not None)),
        Line("p99", tuple((one.hour, one.p99_ms) for one in day if one.p99_ms is not None)),
        Line("matches a second", tuple((one.hour, one.rate) for one in day), right=True, dashed=True),
    )
    top = 100.0 * math.ceil(max(one.rate for one in day) / 100.0)
    x = Axis("hour of the day", 0.0, 24.0, tuple((float(hour), str(hour)) for hour in range(0, 25, 3)))
    y = _milliseconds([value for line in lines if not line.right for _, value in line.points])
    right = Axis("matches a second", 0.0, top, tuple((top * part / 4, f"{top * part / 4:.0f}") for part in range(5)))
    return plot("A day of a country of 100 million, one machine lost", x, y, lines, right)


def _milliseconds(values: list[float]) -> Axis:
    """A logarithmic axis that holds the values."""
    steps = [step * 10.0**power for power in range(1, 6) for step in (1, 2, 5)]
    low = max(step for step in steps if step <= min(values))
    high = min(step for step in steps if step >= max(values))
    ticks = tuple((step, f"{step:,.0f}") for step in steps if low <= step <= high)
    return Axis("response time, ms", low, high, ticks, logarithmic=True)
