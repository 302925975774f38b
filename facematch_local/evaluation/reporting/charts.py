"""Charts as inline SVG: filled curves with a second scale on top, and curves on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 860, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 44, 48
# Okabe & Ito (2008): distinguishable with any colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A named curve: x and y, (N,) float64 each."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled point."""

    x: float
    y: float
    label: str


def areas(
    series: Sequence[Series],
    x_label: str,
    x_range: tuple[float, float],
    top_axis: Iterable[tuple[float, str]] = (),
    marks: Iterable[tuple[float, str]] = (),
) -> str:
    """Filled curves over a linear axis.

    Args:
        series: curves; y from 0 up.
        x_label: label of the x axis.
        x_range: visible range of x.
        top_axis: ticks (x, text) of a second scale above.
        marks: dashed vertical lines (x, text).
    """
    low, high = x_range
    top = max((float(one.y.max()) for one in series if len(one.y)), default=1.0) or 1.0
    at_x = _linear(low, high, LEFT, WIDTH - RIGHT)
    at_y = _linear(0.0, top * 1.05, HEIGHT - BOTTOM, TOP)
    parts = [_frame(x_label, "share")]
    for tick in np.arange(math.ceil(low * 5) / 5, high + 1e-9, 0.2):
        parts.append(_text(at_x(tick), HEIGHT - BOTTOM + 18, f"{tick:.1f}"))
    for x, text in top_axis:
        if low <= x <= high:
            parts.append(_line(at_x(x), TOP - 5, at_x(x), TOP))
            parts.append(_text(at_x(x), TOP - 9, text, size=11))
    parts.append(_text(LEFT - 8, TOP - 9, "percent", size=11, anchor="end"))
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        shown = (one.x >= low) & (one.x <= high)
        points = [(at_x(x), at_y(y)) for x, y in zip(one.x[shown], one.y[shown], strict=True)]
        if points:
            closed = [(points[0][0], at_y(0.0)), *points, (points[-1][0], at_y(0.0))]
            parts.append(f'<polygon points="{_points(closed)}" fill="{colour}" fill-opacity=".25" stroke="{colour}"/>')
    for number, (x, text) in enumerate(marks):
        if low <= x <= high:
            parts.append(_line(at_x(x), TOP, at_x(x), HEIGHT - BOTTOM, dashed=True))
            # Alternate sides: neighbouring marks may lie close together.
            side, anchor = (4, "start") if number % 2 else (-4, "end")
            parts.append(_text(at_x(x) + side, TOP + 14, text, anchor=anchor))
    parts += _legend([one.name for one in series])
    return _svg(parts, "score histograms")


def log_log(series: Sequence[Series], points: Sequence[Point], x_label: str, y_label: str) -> str:
    """Curves over two logarithmic axes from the smallest value shown up to 1."""
    low_x = _decade([float(one.x.min()) for one in series if len(one.x)] + [point.x for point in points])
    low_y = _decade([float(one.y.min()) for one in series if len(one.y)] + [point.y for point in points])
    at_x = _linear(low_x, 0.0, LEFT, WIDTH - RIGHT)
    at_y = _linear(low_y, 0.0, HEIGHT - BOTTOM, TOP)
    parts = [_frame(x_label, y_label)]
    for decade in range(low_x, 1):
        parts.append(_line(at_x(decade), TOP, at_x(decade), HEIGHT - BOTTOM, faint=True))
        parts.append(_text(at_x(decade), HEIGHT - BOTTOM + 18, f"{10.0**decade:g}"))
    for decade in range(low_y, 1):
        parts.append(_line(LEFT, at_y(decade), WIDTH - RIGHT, at_y(decade), faint=True))
        parts.append(_text(LEFT - 6, at_y(decade) + 4, f"{10.0**decade:g}", anchor="end"))
    for number, one in enumerate(series):
        curve = [(at_x(math.log10(x)), at_y(math.log10(y))) for x, y in zip(one.x, one.y, strict=True)]
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{_points(curve)}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for point in points:
        x, y = at_x(math.log10(point.x)), at_y(math.log10(point.y))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(_text(x + 7, y - 6, point.label, anchor="start"))
    parts += _legend([one.name for one in series])
    return _svg(parts, "detection error trade-off")


def _linear(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    return lambda value: first + (value - low) / (high - low) * (last - first)


def _decade(values: Sequence[float]) -> int:
    return min(math.floor(math.log10(min(values))), -1) if values else -3


def _frame(x_label: str, y_label: str) -> str:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" fill="none" '
        'stroke="#666"/>'
        + _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_label)
        + f'<text x="16" y="{middle}" font-size="13" text-anchor="middle" transform="rotate(-90 16 {middle})">'
        f"{escape(y_label)}</text>"
    )


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        y = TOP + 18 + 18 * number
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<rect x="{WIDTH - 190}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(WIDTH - 172, y, name, anchor="start"))
    return parts


def _text(x: float, y: float, text: str, size: int = 13, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, dashed: bool = False, faint: bool = False) -> str:
    extra = ' stroke-dasharray="5 4"' if dashed else ""
    colour = "#ddd" if faint else "#333"
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{extra}/>'


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg(parts: Sequence[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" font-family="system-ui, sans-serif">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
