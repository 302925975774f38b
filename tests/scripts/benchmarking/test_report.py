"""The result, its tables, plots and history; and the page, which shows the committed figures."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from scripts import benchmark
from scripts.benchmarking import report
from scripts.benchmarking.calls import ways
from scripts.benchmarking.growth import FACES, KEYS, PHOTOS, Grown
from scripts.benchmarking.history import entry_of, read_history, with_entry, write_history
from scripts.benchmarking.plots import all_plots
from scripts.benchmarking.points import SERVICE
from scripts.benchmarking.reach import aims
from scripts.benchmarking.report import IMAGES, PAGE, page_tables, read_results
from scripts.benchmarking.results import Result, ResultError, from_json, to_json
from scripts.benchmarking.run import PARTS, QUICK, STANDARD, Effort
from scripts.benchmarking.samples import AbsentError, Figures, absent
from scripts.benchmarking.tables import as_markdown, as_text
from scripts.page import with_tables
from scripts.scaling.figures import Conditions

CONDITIONS = Conditions("2026-11-30", "abc1234", "Some CPU", 2, 8.0, "3.11.7", 3, 0.1, 0.2, 0.03)
SERVED = f"{ways.ANALYSIS} behind FastAPI"


def row(subject: str, way: str, clients: int, p50: float, p99: float, rate: float) -> Figures:
    return Figures(subject, way, clients, 100, p50, (p50 + p99) / 2, p99, rate, 80.0, 300.0)


@pytest.fixture
def result() -> Result:
    figures = (
        row(SERVICE, "multipart", 1, 45.0, 60.0, 20.0),
        row(SERVICE, "multipart", 8, 250.0, 350.0, 30.0),
        row(SERVICE, "multipart", 32, 1000.0, 1300.0, 30.3),
        dataclasses.replace(row(SERVICE, "wrong key", 1, 1.8, 3.0, 500.0), memory_mib=0.0),
        row(ways.FLOOR, "call", 1, 100.0, 120.0, 10.0),
        row(ways.FLOOR, "call", 2, 90.0, 120.0, 20.0),
        row(ways.OWN_FLOOR, "call", 2, 60.0, 80.0, 32.0),
        row(SERVED, "multipart", 1, 100.0, 140.0, 9.0),
        row(SERVED, "multipart", 8, 500.0, 800.0, 15.0),
        absent("deepface", "call", "not installed"),
    )
    grown = (
        Grown(PHOTOS, "JPEG", 2.0, 50.0, 40.0),
        Grown(PHOTOS, "JPEG", 12.0, 65.0, 50.0),
        Grown(PHOTOS, "progressive", 12.0, 130.0, 90.0),
        Grown(PHOTOS, "PNG", 48.0, absent="errorCode 3"),
        Grown(FACES, "JPEG", 1, 50.0, 40.0),
        Grown(FACES, "JPEG", 10, 70.0, 60.0),
        Grown(KEYS, "wrong key", 1, 1.9, 1.0),
        Grown(KEYS, "wrong key", 100_000, 2.0, 1.0),
    )
    sizes = ((640, 416), (256, 320))
    stages = {"decode": 12.0, "detect": 30.0}
    return Result(CONDITIONS, "standard 1.0.0", ("1x1", "2x2"), sizes, figures, grown, stages, 1.7, 310.0, 1.1)


def test_a_result_survives_its_json(result: Result) -> None:
    assert from_json(to_json(result)) == result
    for text in ("", "[]", "{}", '{"sizes": 1}', to_json(result).replace('"grown"', '"grwon"')):
        with pytest.raises(ResultError, match="not a result"):
            from_json(text)


def test_the_aims_are_ratios_of_the_rows(result: Result) -> None:
    found = {one.name: one for one in aims(result)}
    assert found["throughput, 8 clients / bare models at 640"].value == pytest.approx(1.5)
    assert found["throughput, 8 clients / bare models at our sizes"].value == pytest.approx(0.9375)
    assert found["p50, lone request / bare models at 640 alone"].value == pytest.approx(0.45)
    assert found["throughput, 8 clients / FaceAnalysis behind FastAPI"].value == pytest.approx(2.0)
    assert found["p99, 8 clients / FaceAnalysis behind FastAPI"].value == pytest.approx(0.4375)
    assert found["p99 / p50, 8 clients"].value == pytest.approx(1.4)
    assert found["throughput, 32 clients / 8 clients"].reached
    assert found["12 megapixels, JPEG / 2 megapixels, JPEG"].value == pytest.approx(1.3)
    assert found["12 megapixels, progressive / 2 megapixels, JPEG"].value == pytest.approx(2.6)
    missed = {name for name, one in found.items() if not one.reached}
    assert missed == {
        "throughput, 8 clients / bare models at our sizes",
        "12 megapixels, progressive / 2 megapixels, JPEG",
    }
    assert "p50, bad format" not in found  # it was not measured


def test_a_run_of_a_part_has_the_aims_of_that_part(result: Result) -> None:
    assert aims(dataclasses.replace(result, figures=(), grown=(), ready_s=0.0, rest_mib=0.0, compare_s=0.0)) == []


def test_the_tables_show_every_row(result: Result) -> None:
    text = as_text(result)
    for part in ("deepface", "not installed", "250", "refused", "100,000", "other programs kept 0.03 cores busy"):
        assert part in text
    assert "| facematch serve | multipart | 8 | 30.0 | 250 | 300 | 350 | 80.0 | 300 |" in as_markdown(result)


def test_the_plots_show_what_grew_and_only_that(result: Result) -> None:
    plots = all_plots(result)
    assert set(plots) == {
        "benchmark-clients.svg",
        "benchmark-photos.svg",
        "benchmark-faces.svg",
        "benchmark-keys.svg",
    }
    drawn = ElementTree.fromstring(plots["benchmark-clients.svg"])  # noqa: S314
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 4
    assert "PNG" not in plots["benchmark-photos.svg"]
    assert all_plots(dataclasses.replace(result, figures=(), grown=())) == {}


def test_the_history_has_one_entry_for_each_commit_machine_and_pack(result: Result, tmp_path: Path) -> None:
    first = entry_of(result)
    assert (first.machine, first.ratios["p99 / p50, 8 clients"]) == ("2 x Some CPU", 1.4)
    again = dataclasses.replace(first, ratios={})
    other = dataclasses.replace(first, commit="0000000", date="2026-01-01")
    history = with_entry(with_entry([first], other), again)
    assert history == [other, again]
    write_history(history, tmp_path / "history.json")
    assert read_history(tmp_path / "history.json") == history
    with pytest.raises(ResultError, match="cannot be read"):
        read_history(tmp_path / "absent.json")


def test_the_page_shows_the_committed_figures() -> None:
    results = read_results()
    page = PAGE.read_text("utf-8")
    tables = page_tables(results, read_history())
    assert with_tables(page, tables) == page, "run python -m scripts.benchmarking.report"
    for name, svg in all_plots(results[0]).items():
        assert (IMAGES / name).read_text("utf-8") == svg
        assert f"images/{name}" in page


def test_the_report_takes_results_of_a_run(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("comparisons", "aims", "stages", "photos", "faces", "keys", "history")
    page = tmp_path / "page.md"
    page.write_text("".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in places), "utf-8")
    for name in ("PAGE", "IMAGES", "FIGURES"):
        monkeypatch.setattr(report, name, page if name == "PAGE" else tmp_path)
    monkeypatch.setattr(report, "read_results", lambda: read_results(tmp_path))
    monkeypatch.setattr(report, "read_history", list)
    written: list[object] = []
    monkeypatch.setattr(report, "write_history", written.extend)
    run = tmp_path / "run.txt"
    run.write_text(to_json(result), "utf-8")
    assert report.main([str(run)]) == 0
    assert written == [entry_of(result)]
    assert "| 2026-11-30 | abc1234 | 2 x Some CPU | standard 1.0.0 | 1.50 | 0.94 | 0.45 |" in page.read_text("utf-8")
    run.write_text("{}", "utf-8")
    assert report.main([str(run)]) == 2
    assert capsys.readouterr().err == "report: not a result of the benchmark (KeyError)\n"


# -- the command ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_passes_its_options_on(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[str, Effort, tuple[str, ...]]] = []

    def run(pack: str, pair: object, effort: Effort, parts: tuple[str, ...], *_: object) -> Result:
        seen.append((pack, effort, parts))
        return result

    monkeypatch.setattr(benchmark, "run", run)
    out = tmp_path / "run.json"
    assert (
        benchmark.main(["--pack", "compact", "--quick", "--rounds", "9", "--parts", "http,growth", "--out", str(out)])
        == 0
    )
    assert seen == [("compact", dataclasses.replace(QUICK, rounds=9), ("http", "growth"))]
    assert from_json(out.read_text("utf-8")) == result
    assert "FaceAnalysis behind FastAPI" in capsys.readouterr().out
    assert benchmark.main(["--json"]) == 0
    assert seen[-1][1:] == (STANDARD, PARTS)
    assert json.loads(capsys.readouterr().out)["pack"] == "standard 1.0.0"


@pytest.mark.parametrize("arguments", [["--parts", "calls,other"], ["--rounds", "0"], ["--rounds", "x"]])
def test_wrong_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        benchmark.main(arguments)
    assert "benchmark.py: error: argument" in capsys.readouterr().err


def test_what_cannot_be_measured_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> Result:
        raise AbsentError("the service did not start")

    monkeypatch.setattr(benchmark, "run", run)
    assert benchmark.main([]) == 2
    assert capsys.readouterr().err == "benchmark: the service did not start\n"
    assert benchmark.main(["--card", "absent.jpg"]) == 2
    assert "absent.jpg" in capsys.readouterr().err
