"""The page: its tables and plots are those of the committed figures; the commands print what they say."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from scripts.page import with_tables
from scripts.scaling import model, simulate
from scripts.scaling.experiments import digest_of, experiments, read_simulated, result
from scripts.scaling.figures import read_figures
from scripts.scaling.plots import all_plots
from scripts.scaling.report import IMAGES, PAGE
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
def test_committed_results_are_what_the_simulation_gives() -> None:
    """Every fourth: all of them take minutes."""
    committed = [dataclasses.asdict(one) for one in read_simulated().results]
    planned = list(experiments(read_figures()))
    assert len(planned) == len(committed)
    again = [dataclasses.asdict(result(*one)) for one in planned[::4]]
    for before, after in zip(committed[::4], again, strict=True):
        assert after == pytest.approx(before)


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
