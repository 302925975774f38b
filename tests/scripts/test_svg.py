"""Plots as SVG: well-formed, and what lies beyond an axis is drawn at its end."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from scripts.svg import Axis, Line, plot


def test_a_plot_is_well_formed_and_stays_inside() -> None:
    x = Axis("x & y", 0.0, 10.0, ((0.0, "0"), (10.0, "10")))
    y = Axis("y", 10.0, 1000.0, ((10.0, "10"), (1000.0, "1,000")), logarithmic=True)
    line = Line("a < b", ((0.0, 10.0), (5.0, 100.0), (10.0, 1e6)))
    root = ElementTree.fromstring(plot("title", x, y, [line], right=x))  # noqa: S314
    drawn = root.find("{http://www.w3.org/2000/svg}polyline")
    assert drawn is not None
    points = np.array([pair.split(",") for pair in drawn.attrib["points"].split()], float)
    # 100 is half way between 10 and 1,000 on a logarithmic axis; what lies beyond is drawn at the end.
    assert points[1, 1] == pytest.approx((points[0, 1] + points[2, 1]) / 2)
    assert points[:, 0].tolist() == sorted(points[:, 0])
    assert points.min() >= 0
    assert points[:, 0].max() <= 720
