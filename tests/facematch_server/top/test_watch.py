"""Several services at once: answers, faults, addresses."""

from __future__ import annotations

import io

import httpx
import pytest
from rich.console import Console

from facematch_server.metrics import Metrics
from facematch_server.top.tables import duration, plain, screen
from facematch_server.top.watch import Watched, look, metrics_url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000/metrics"),
        ("https://face.example:8443/", "https://face.example:8443/metrics"),
        ("http://proxy.example/face/metrics", "http://proxy.example/face/metrics"),
        ("[::1]:8000", "http://[::1]:8000/metrics"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    assert metrics_url(address) == url


@pytest.mark.parametrize("address", ["", "ftp://host", "http://", "host:port", "http://key:secret@host"])
def test_wrong_addresses(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        metrics_url(address)


class Site:
    """Services whose metrics change with each look."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.metrics = Metrics()
        self.metrics.watch("facematch_places", "", lambda: 34.0)

    def work(self, comparisons: int, error: str = "0", invalid: str = "0") -> None:
        for _ in range(comparisons):
            self.metrics.count_outcome("face_matching", error, invalid)
            self.metrics.observe({"total": 0.15})

    def client(self) -> httpx.Client:
        def reply(request: httpx.Request) -> httpx.Response:
            if request.url.host == "gone":
                raise httpx.ConnectError("refused")
            if request.url.host == "elsewhere":
                return httpx.Response(404)
            if request.url.host == "endless":
                return httpx.Response(200, content=b"x" * 9_000_000)
            return httpx.Response(200, content=self.metrics.text())

        return httpx.Client(transport=httpx.MockTransport(reply))


def text_of(seen: object, width: int = 140) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(screen(seen, 10.0, width))  # type: ignore[arg-type]
    return out.getvalue()


def test_figures_are_about_the_last_seconds() -> None:
    site = Site()
    services = [Watched("here", metrics_url("here"))]
    rates = []
    for comparisons in (100, 40, 20, 0, 0):
        site.work(comparisons)
        seen = look(services, site.client(), 10.0, lambda: site.now)
        rates.append(seen[0].activity.rate if seen[0].activity else None)
        site.now += 10.0
    assert rates[1:] == [4.0, 2.0, 0.0, 0.0]
    assert len(services[0].kept) <= 3


def test_a_service_without_metrics_does_not_hide_the_others() -> None:
    site = Site()
    site.work(3)
    site.work(1, "0", "7")
    site.work(1, "5", "")
    names = ["here", "gone", "elsewhere", "endless"]
    services = [Watched(name, metrics_url(name)) for name in names]
    seen = look(services, site.client(), 10.0)
    assert [each.address for each in seen] == names
    assert [bool(each.problem) for each in seen] == [False, True, True, True]
    text = text_of(seen)
    assert "no reply (ConnectError)" in text
    assert "FACEMATCH_INTERNAL_PORT" in text
    assert "Wearing sunglasses" in text
    assert "Incorrect api_key or api_secret" in text
    assert "1 (20 %)" in text
    data = plain(seen)
    assert data[0]["answered"] == 5
    assert data[0]["warnings"] == 1
    assert data[1] == {"service": "gone", "problem": "no reply (ConnectError)"}


def test_two_services_have_a_sum() -> None:
    site = Site()
    site.work(2)
    services = [Watched(name, metrics_url(name)) for name in ("one", "two")]
    lines = text_of(look(services, site.client(), 10.0)).splitlines()
    assert any("all" in line and "0/0/68" in line for line in lines)


def test_a_plain_terminal_of_80_columns_shows_every_figure_whole() -> None:
    site = Site()
    site.work(1200)
    site.work(34, "5", "")
    services = [Watched(name, metrics_url(name)) for name in ("192.168.100.20:8000", "gone")]
    text = text_of(look(services, site.client(), 10.0), width=80)
    assert "…" not in text
    for part in ("192.168.100.20:8000", "150 ms", "199 ms", "0/0/34", "34", "gone: no reply"):
        assert part in text


def test_durations() -> None:
    assert [duration(x) for x in (3, 130, 7300, 200_000)] == ["3 s", "2 min", "2 h", "2 d"]
