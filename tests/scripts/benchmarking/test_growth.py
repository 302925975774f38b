"""What grows: photos of each size and format, crowds, keys in a database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from facematch_local.imaging.decode import decode
from facematch_local.matcher import FaceMatcher
from facematch_server.store import Store
from scripts.benchmarking import growth
from scripts.benchmarking.growth import Extent, Grown, _Step, add_keys
from scripts.benchmarking.photos import KINDS, crowd, portrait_of, standard_pair
from scripts.benchmarking.samples import AbsentError, Sample
from scripts.benchmarking.web.bodies import Request
from scripts.scaling.measuring.service import Running


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind == "HEIC")) for kind in KINDS])
def test_a_portrait_has_its_size_and_format(kind: str) -> None:
    data = portrait_of(0.5, kind)
    photo = decode(data)
    assert photo.width * photo.height == pytest.approx(0.5e6, rel=0.01)
    assert photo.format == {"progressive": "JPEG", "HEIC": "HEIF"}.get(kind, kind)
    assert (b"\xff\xc2" in data) == (kind == "progressive") or kind not in ("JPEG", "progressive")
    assert portrait_of(0.5, kind) == data or kind == "HEIC"


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="no kind"):
        portrait_of(0.1, "EPS")


@pytest.mark.slow
def test_the_photos_have_14_megapixels_and_the_noise_of_a_camera() -> None:
    for photo in (standard_pair().card, standard_pair().portrait):
        decoded = decode(photo)
        pixels = decoded.width * decoded.height
        assert pixels == pytest.approx(1.4e6, rel=0.06)
        assert 0.5 < 8 * len(photo) / pixels < 3.0


@pytest.mark.slow
def test_a_crowd_has_its_number_of_faces(matcher: FaceMatcher) -> None:
    for faces in (1, 5, 20):
        result, _ = matcher.examine(crowd(faces), "portrait")
        assert len(result.faces) == pytest.approx(faces, abs=1)


def test_further_keys_are_copies_that_open_nothing(tmp_path: Path) -> None:
    path = tmp_path / "facematch.db"
    with closing(Store.open(f"sqlite:///{path}", create=True)) as store:
        made = store.create_key()
        add_keys(path, 1)
        assert len(store.list_keys()) == 1
        add_keys(path, 1000)
        assert len(store.list_keys()) == 1000
        add_keys(path, 1200)
        assert len(store.list_keys()) == 1200
        assert store.authenticate(made.api_key, made.api_secret) == made.key
        assert store.authenticate("copy-7", "wrong") is None


def test_steps_are_measured_in_turn_and_a_refused_one_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def send(port: int, pid: int, request: Request, seconds: float, clients: int, memory: bool) -> Sample:
        asked.append(request.target)
        if request.target == "/large":
            raise AbsentError("the service replied 200 errorCode 3")
        return Sample((0.002, 0.004, 0.006), 1.0, 0.003)

    monkeypatch.setattr(growth, "send_for", send)
    steps = [
        _Step("megapixels", "PNG", size, Request("POST", path)) for size, path in ((1.0, "/small"), (48.0, "/large"))
    ]
    small, large = growth._measured(Running(1, 1, ("", ""), 0.0, Path()), steps, 2, 0.0)
    assert asked == ["/small", "/large", "/small", "/small"]
    assert small == Grown("megapixels", "PNG", 1.0, 4.0, 1.0)
    assert (large.ms, large.absent) == (0.0, "the service replied 200 errorCode 3")


@pytest.mark.slow
def test_the_steps_cover_the_extent() -> None:
    extent = Extent((0.1,), ("JPEG", "PNG"), (1, 2), (1,))
    steps = growth._steps(extent, ("key", "secret"))
    assert [(one.quantity, one.series, one.amount) for one in steps] == [
        ("megapixels", "JPEG", 0.1),
        ("megapixels", "PNG", 0.1),
        ("faces", "JPEG", 1),
        ("faces", "JPEG", 2),
    ]
    assert len({one.request.body for one in steps}) == 4
