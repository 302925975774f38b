"""`server/deploy/monitoring`: the queries read metrics and labels of the service; the alerts fire as they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.promql import problems

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "server" / "deploy" / "monitoring"
PAGE = ROOT / "docs" / "monitoring.md"


def _rules() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="needs the package PyYAML")
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _dashboard() -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    return dashboard


def _dashboard_queries() -> Iterator[str]:
    for panel in _dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")


@pytest.fixture(scope="module")
def scrape(facematch_server: Any, astronaut_jpeg: bytes) -> dict[str, frozenset[str]]:
    """The metrics of a service that answered one match, with their labels."""
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    query = "?type1=portrait&format_type=file"
    reply = requests.post(facematch_server.endpoint + query, auth=facematch_server.auth, files=files, timeout=60)
    assert reply.json()["errorCode"] == "0"
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(requests.get(facematch_server.url + "/metrics", timeout=20).text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return {name: frozenset(labels) for name, labels in found.items()}


@pytest.mark.slow
def test_every_query_reads_what_the_service_has(scrape: dict[str, frozenset[str]]) -> None:
    pytest.importorskip("promql_parser", reason="needs the package promql-parser")
    queries = [rule["expr"] for rule in _rules()] + list(_dashboard_queries())
    assert len(queries) > 30
    assert {query: wrong for query in queries if (wrong := problems(query, scrape))} == {}


@pytest.mark.slow
def test_the_lists_of_the_dashboard_come_from_the_service(scrape: dict[str, frozenset[str]]) -> None:
    queries = [variable["query"] for variable in _dashboard()["templating"]["list"] if variable["type"] == "query"]
    named = [re.fullmatch(r"label_values\((\w+).*, (job|instance)\)", query) for query in queries]
    assert [found.group(1) in scrape if found else None for found in named] == [True, True]


def test_a_query_of_something_else_is_found() -> None:
    pytest.importorskip("promql_parser", reason="needs the package promql-parser")
    there = {"a_total": frozenset({"status"})}
    assert problems('sum by (status, job) (rate(a_total{status="500", instance="x"}[5m])) > 0', there) == []
    assert problems("rate(b_total[5m])", there) == ["no metric b_total"]
    assert problems('1 - a_total{code="500"} offset 5m', there) == ["a_total has no label code"]
    assert problems("sum by (code) (rate(a_total[5m]))", there) == ["nothing below has the label code"]
    assert problems("(a_total) / on (job) histogram_quantile(0.9, max(b))", there) == ["no metric b"]


def test_promtool_accepts_the_alerts_and_each_fires_when_it_should() -> None:
    promtool = shutil.which("promtool") or pytest.skip("needs promtool (Debian: prometheus)")
    for arguments in (["check", "rules", MONITORING / "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(  # noqa: S603
            [promtool, *arguments], cwd=ROOT / "tests" / "contract", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_and_a_line_that_says_what_to_do() -> None:
    names = [rule["alert"] for rule in _rules()]
    tested = (ROOT / "tests" / "contract" / "alerts.test.yml").read_text("utf-8")
    page = PAGE.read_text("utf-8")
    assert [name for name in names if f"alertname: {name}" not in tested] == []
    assert re.findall(r"^\| `(Facematch\w+)` \|", page, re.M) == names


def test_the_panels_neither_overlap_nor_leave_the_screen() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _dashboard()["panels"]:
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
