"""Line plots as SVG, without a plotting library."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WIDTH: Final = 720
_HEIGHT: Final = 320
_LEFT: Final = 64
_RIGHT: Final = 64
_TOP: Final = 34
_BOTTOM: Final = 44
# Colours that people with colour blindness can tell apart (Okabe and Ito).
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#555555")


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high`.

    Attributes:
        title: with its unit.
        ticks: numbers to print, with their text.
        logarithmic: whether equal distances are equal ratios.
    """

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1; values beyond the ends lie at the ends."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Line:
    """A named line.

    Attributes:
        points: x and y, ascending x.
        right: whether y belongs to the right axis.
        dashed: drawn with gaps.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    right: bool = False
    dashed: bool = False


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Line], right: Axis | None = None) -> str:
    """A plot with a legend.

    Args:
        title: for screen readers.
        x, y: the axes.
        lines: at most as many as `COLOURS`.
        right: a second axis for y.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    parts += _frame(x, y, right)
    for colour, line in zip(COLOURS, lines, strict=False):
        axis = right if line.right and right is not None else y
        path = " ".join(f"{_across(x.place(a)):.1f},{_down(axis.place(b)):.1f}" for a, b in line.points)
        gaps = ' stroke-dasharray="5 4"' if line.dashed else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{gaps}/>')
    parts += _legend(lines)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _frame(x: Axis, y: Axis, right: Axis | None) -> list[str]:
    bottom, middle = _HEIGHT - _BOTTOM, (_LEFT + _WIDTH - _RIGHT) / 2
    parts = []
    for value, text in x.ticks:
        place = _across(x.place(value))
        parts.append(f'<line x1="{place:.1f}" y1="{_TOP}" x2="{place:.1f}" y2="{bottom}" stroke="#eee"/>')
        parts.append(f'<text x="{place:.1f}" y="{bottom + 16}" text-anchor="middle">{html.escape(text)}</text>')
    for value, text in y.ticks:
        place = _down(y.place(value))
        parts.append(
            f'<line x1="{_LEFT}" y1="{place:.1f}" x2="{_WIDTH - _RIGHT}" y2="{place:.1f}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{html.escape(text)}</text>'
        )
    for value, text in right.ticks if right is not None else ():
        place = _down(right.place(value)) if right is not None else 0.0
        parts.append(f'<text x="{_WIDTH - _RIGHT + 6}" y="{place + 4:.1f}">{html.escape(text)}</text>')
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{html.escape(x.title)}</text>')
    parts.append(_turned(14, y.title))
    if right is not None:
        parts.append(_turned(_WIDTH - 8, right.title))
    return parts


def _turned(place: float, text: str) -> str:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return (
        f'<text x="{place}" y="{middle}" text-anchor="middle" transform="rotate(-90 {place} {middle})">'
        f"{html.escape(text)}</text>"
    )


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, place = [], float(_LEFT)
    for colour, line in zip(COLOURS, lines, strict=False):
        gaps = ' stroke-dasharray="5 4"' if line.dashed else ""
        parts.append(
            f'<line x1="{place:.0f}" y1="16" x2="{place + 22:.0f}" y2="16" stroke="{colour}" stroke-width="2"{gaps}/>'
            f'<text x="{place + 28:.0f}" y="20">{html.escape(line.name)}</text>'
        )
        place += 44 + 6.4 * len(line.name)
    return parts


def _across(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _down(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
