"""The plots of docs/performance.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from scripts.benchmarking.calls import ways
from scripts.benchmarking.growth import FACES, KEYS, PHOTOS
from scripts.benchmarking.points import SERVICE
from scripts.benchmarking.reach import MODE
from scripts.benchmarking.results import Result
from scripts.svg import Axis, Line, plot

_STEPS: Final = tuple(step * 10.0**power for power in range(-1, 6) for step in (1, 2, 5))
_MS: Final = "response time, ms"


def all_plots(result: Result) -> dict[str, str]:
    """File name and SVG; a plot without points is left out."""
    clients = _clients(result)
    made = {
        "benchmark-clients.svg": ("Response time by clients", "clients", clients),
        "benchmark-photos.svg": ("A request by the size of its portrait", "megapixels", _grown(result, PHOTOS)),
        "benchmark-faces.svg": ("A request by the faces in its portrait", "faces", _grown(result, FACES)),
        "benchmark-keys.svg": ("A refused request by the number of keys", "keys", _grown(result, KEYS)),
    }
    return {name: _plot(title, x, lines) for name, (title, x, lines) in made.items() if lines}


def _clients(result: Result) -> list[Line]:
    subjects = ((SERVICE, SERVICE, False), (f"{ways.ANALYSIS} behind FastAPI", "FaceAnalysis behind FastAPI", True))
    lines = []
    for subject, name, dashed in subjects:
        rows = sorted(
            (one for one in result.figures if (one.subject, one.way) == (subject, MODE) and not one.absent),
            key=lambda one: one.clients,
        )
        for part in ("p50", "p99"):
            points = tuple((float(one.clients), float(getattr(one, f"{part}_ms"))) for one in rows)
            if len(points) > 1:
                lines.append(Line(f"{part}, {name}", points, dashed=dashed))
    return lines


def _grown(result: Result, quantity: str) -> list[Line]:
    points = [one for one in result.grown if one.quantity == quantity and not one.absent]
    series = dict.fromkeys(one.series for one in points)
    lines = [
        Line(name, tuple(sorted((float(one.amount), one.ms) for one in points if one.series == name)))
        for name in series
    ]
    return [line for line in lines if len(line.points) > 1]


def _plot(title: str, x: str, lines: Sequence[Line]) -> str:
    across = [point[0] for line in lines for point in line.points]
    down = [point[1] for line in lines for point in line.points]
    return plot(title, _axis(x, across), _axis(_MS, down), lines)


def _axis(title: str, values: Sequence[float]) -> Axis:
    """A logarithmic axis that holds the values."""
    low = max(step for step in _STEPS if step <= min(values))
    high = min(step for step in _STEPS if step >= max(values))
    if low == high:
        high = min(step for step in _STEPS if step > low)
    shown = [step for step in _STEPS if low <= step <= high]
    if len(shown) > 8:  # one for each power of ten
        shown = [step for step in shown if math.log10(step).is_integer()]
    return Axis(title, low, high, tuple((step, f"{step:,g}") for step in shown), logarithmic=True)
