"""The report: complete as data, alone as a page, silent where nothing can be said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from facematch_local.calibration import GENERIC
from facematch_local.evaluation.verification import tables
from facematch_local.evaluation.verification.bootstrap import FEW_SUBJECTS
from facematch_local.evaluation.verification.data import as_data
from facematch_local.evaluation.verification.dataset import Problem
from facematch_local.evaluation.verification.evaluate import Evaluation, evaluate
from facematch_local.evaluation.verification.pairs import with_parents
from facematch_local.evaluation.verification.report import page as page_of
from facematch_local.packs import LoadedPack, ModelFile, ModelPack

EVIL = '<script src="https://example.org/x.js">'


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> LoadedPack:
    weights = tmp_path_factory.mktemp("pack") / "rec.onnx"
    weights.write_bytes(b"weights")
    manifest = ModelPack(EVIL, "1", weights.parent, {"recognition": ModelFile(weights)})
    return LoadedPack(manifest, None, GENERIC)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def evaluation(population: Callable[..., Any]) -> Evaluation:
    sample = population({"": 60, EVIL: 20}, photos=3)
    result = evaluate(sample.dataset, sample.embeddings, GENERIC, replicates=20)
    result.problems.append(Problem(EVIL, EVIL))  # type: ignore[attr-defined]
    return result


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_runs_nothing(evaluation: Evaluation, pack: LoadedPack) -> None:
    data = as_data(evaluation, pack, "2026-01-02")
    page = page_of(evaluation, data, lambda path: b"\xff\xd8" + path.name.encode())
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert not {"script", "link", "iframe", "object"} & set(tags.seen)
    assert tags.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in tags.sources)
    assert "url(" not in page
    assert tags.seen.count("svg") == 2
    assert "default-src 'none'" in page
    assert tags.seen.count("figure") == 24


def test_without_thumbnails_there_is_no_picture_and_no_name_of_a_photo(
    evaluation: Evaluation, pack: LoadedPack
) -> None:
    page = page_of(evaluation, as_data(evaluation, pack, "2026-01-02"), None)
    assert "<img" not in page
    assert not re.search(r"\d\.jpg", page)


def test_the_data_are_strict_json_and_hold_the_contract_of_the_command(
    evaluation: Evaluation, pack: LoadedPack
) -> None:
    data = json.loads(json.dumps(as_data(evaluation, pack, "2026-01-02"), allow_nan=False))
    assert set(data["at_percent"]) == {"65", "75"}
    assert {"fmr", "fnmr", "tmr"} <= set(data["at_percent"]["65"])
    for percent in ("65", "75"):
        mark = data["at_percent"][percent]
        assert mark["tmr"] == pytest.approx(1 - mark["fnmr"])
    assert data["pack"]["calibrated"] is False
    assert len(data["pack"]["recogniser_sha256"]) == 64
    unsupported = [target for target in data["overall"]["fmr_targets"] if not target["supported"]]
    assert unsupported
    assert all(target["threshold"] is target["tmr"] is None for target in unsupported)
    assert sum(data["overall"]["histograms"]["non_mated"]) == data["overall"]["non_mated"]


def test_texts_say_no_more_than_the_count_allows() -> None:
    assert tables.fmr_text(0.0, 3_000) == "< 1.0e-03"
    assert tables.fmr_text(None, 0) == "-"
    assert tables.fmr_text(2e-3, 10_000) == "2.00e-03"
    assert tables.rate_text(None) == "-"
    assert tables.interval_text([None, None]) == "-"


def test_fewer_people_than_an_interval_needs_are_named(evaluation: Evaluation, pack: LoadedPack) -> None:
    data = as_data(evaluation, pack, "2026-01-02")
    data["groups"][0]["people"] = 5
    line = next(line for line in tables.notes(data) if "intervals are rough" in line)
    assert line == f"The intervals are rough with fewer than {FEW_SUBJECTS} people: {EVIL.split('/')[0]}."


def test_the_page_has_every_part_in_order(evaluation: Evaluation, pack: LoadedPack) -> None:
    page = page_of(evaluation, as_data(evaluation, pack, "2026-01-02"), None)
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "At a glance",
        "Error rates by group",
        "Scores and percents",
        "Detection error trade-off",
        "Notes",
        "Left out or doubtful (1)",
    ]
    assert EVIL not in page
    assert page.count("&lt;script") >= 4  # pack, group, problem and its reason


def test_tables_hold_the_figures_of_the_data(evaluation: Evaluation, pack: LoadedPack) -> None:
    data = as_data(evaluation, pack, "2026-01-02")
    summary, groups, targets = tables.summary_table(data), tables.group_table(data), tables.target_table(data)
    assert [row[0] for row in summary.rows] == ["65 %", "75 %"]
    assert [row[0] for row in groups.rows] == ["everyone", *with_parents(EVIL)]
    supported = [t for scope in (data["overall"], *data["groups"]) for t in scope["fmr_targets"] if t["supported"]]
    assert len(targets.rows) == len(supported) > 0
    for view in (summary, groups, targets):
        assert all(len(row) == len(view.header) for row in view.rows)
