"""The page: its tables and plots are those of the committed figures; the commands print what they say."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from scripts.scaling import model, simulate
from scripts.scaling.experiments import digest_of, experiments, read_simulated, result
from scripts.scaling.figures import read_figures
from scripts.scaling.plots import all_plots
from scripts.scaling.report import IMAGES, PAGE, PageError, with_tables
from scripts.scaling.svg import Axis, Line, plot
from scripts.scaling.tables import all_tables


def test_the_page_shows_the_committed_figures() -> None:
    simulated = read_simulated()
    assert simulated.figures == digest_of(), "run python -m scripts.scaling.report"
    page = PAGE.read_text("utf-8")
    assert with_tables(page, all_tables(read_figures(), simulated)) == page, "run python -m scripts.scaling.report"
    for name, svg in all_plots(simulated).items():
        assert (IMAGES / name).read_text("utf-8") == svg
        assert f"images/{name}" in page


def test_a_committed_result_is_what_the_simulation_gives() -> None:
    committed = {one.name: one for one in read_simulated().results}
    first = next(iter(experiments(read_figures())))
    again = result(*first)
    assert dataclasses.asdict(again) == pytest.approx(dataclasses.asdict(committed[first[0]]))


@pytest.mark.slow
def test_all_committed_results_are_what_the_simulation_gives() -> None:
    committed = [dataclasses.asdict(one) for one in read_simulated().results]
    again = [dataclasses.asdict(result(*one)) for one in experiments(read_figures())]
    for before, after in zip(committed, again, strict=True):
        assert after == pytest.approx(before)


def test_tables_replace_only_what_is_between_their_comments() -> None:
    page = "one\n<!-- a -->\nold\n<!-- /a -->\ntwo\n"
    new = with_tables(page, {"a": "| new |"})
    assert new == "one\n<!-- a -->\n\n| new |\n\n<!-- /a -->\ntwo\n"
    assert with_tables(new, {"a": "| new |"}) == new


@pytest.mark.parametrize(
    "page", ["", "<!-- b -->\n<!-- /b -->\n", "<!-- a -->\n", "<!-- a -->\n<!-- /a -->\n<!-- b -->\n<!-- /b -->\n"]
)
def test_a_page_without_the_right_places_is_refused(page: str) -> None:
    with pytest.raises(PageError):
        with_tables(page, {"a": "text"})


def test_the_model_prints_the_country(capsys: pytest.CaptureFixture[str]) -> None:
    assert model.main(["--population", "100e6", "--pack", "standard", "--json"]) == 0
    sizing = json.loads(capsys.readouterr().out)
    assert sizing["mean_rate"] == pytest.approx(38.026, abs=1e-3)
    assert model.main(["--population", "100e6", "--pack", "standard"]) == 0
    printed = capsys.readouterr().out
    assert f"machines     {sizing['machines']} of 16 cores" in printed
    assert "shared resources at the peak" in printed


def test_the_model_prints_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    assert model.main(["--pairs", "10e6", "--hours", "62", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_a_second"] == pytest.approx(44.803, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--pack", "absent"], "no pack 'absent'"),
        (["--peak", "30"], "peak_factor"),
        (["--cores", "1"], "at least 2 cores"),
        (["--memory", "1"], "GiB of memory"),
        (["--p99", "1"], "the comparison alone takes"),
        (["--utilisation", "1"], "utilisation"),
        (["--pairs", "0"], "not above 0"),
        (["--figures", "absent.json"], "cannot be read"),
    ],
)
def test_the_model_says_what_is_wrong(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert model.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("model: ")
    assert reason in error
    assert error.count("\n") == 1


def test_the_simulation_prints_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--machines", "1", "--cores", "4", "--rate", "10", "--seconds", "20"]) == 0
    printed = capsys.readouterr().out
    counts = re.search(
        r"(\d+) requests in 20 s\nanswered (\d+), refused \(503\) (\d+), lost with a machine (\d+)", printed
    )
    assert counts is not None
    total, *fates = map(int, counts.groups())
    assert total == sum(fates) > 100
    assert simulate.main(["--machines", "0"]) == 2
    assert simulate.main(["--rate", "-1"]) == 2


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
