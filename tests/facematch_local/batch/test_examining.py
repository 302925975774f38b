"""Outcomes photo by photo are those of `FaceMatcher.match`, bit for bit."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from facematch_local.batch.examining import Examined, PhotoExaminer, identity_of, match_row
from facematch_local.batch.rows import Fault, Pair, RowError
from facematch_local.checks import Role
from tests.facematch_local.batch.stubs import IDENTITY, StubExaminer, StubSettings

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher


def test_equal_to_a_match(
    matcher: FaceMatcher, astronaut_jpeg: bytes, group_photo_jpeg: bytes, encode: Callable[..., bytes]
) -> None:
    photos = {
        "astronaut": astronaut_jpeg,
        "group": group_photo_jpeg,
        "grey": encode(np.full((300, 300, 3), 90, np.uint8), "PNG"),
    }
    examiner = PhotoExaminer(matcher)
    known = {
        # As it comes from another process.
        (name, role): pickle.loads(pickle.dumps(examiner.examine(data, role)))  # noqa: S301
        for name, data in photos.items()
        for role in Role
    }
    curve = matcher.pack.calibration
    for first, second in (*((first, "astronaut") for first in photos), ("astronaut", "grey")):
        for type1 in Role:
            outcome = match_row(Pair(1, "1", first, second, type1), lambda *key: known[key], curve)
            result = matcher.match(photos[first], photos[second], type1)
            assert outcome.percent == result.percent
            assert outcome.verdict == result.verdict.name.lower()
            assert outcome.warnings == result.warnings
            assert outcome.warning == result.warning


def test_embeddings_are_those_of_a_match(matcher: FaceMatcher, astronaut_jpeg: bytes) -> None:
    examined = PhotoExaminer(matcher).examine(astronaut_jpeg, Role.PORTRAIT)
    assert isinstance(examined, Examined)
    assert examined.face is not None
    face = matcher.match(astronaut_jpeg, astronaut_jpeg).images[1].face
    assert face is not None
    np.testing.assert_array_equal(examined.face.embedding, face.embedding)
    assert len(pickle.dumps(examined)) < 4000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: b"", RowError.EMPTY),
        (lambda data: data[:5000], RowError.UNDECODABLE),
        (lambda _: b"no photo", RowError.UNDECODABLE),
        (lambda data: data + bytes(11_000_000), RowError.OVER_LIMIT),
    ],
)
def test_faults(matcher: FaceMatcher, astronaut_jpeg: bytes, change: Callable[[bytes], bytes], code: RowError) -> None:
    fault = PhotoExaminer(matcher).examine(change(astronaut_jpeg), Role.CARD)
    assert isinstance(fault, Fault)
    assert fault.code is code


def test_too_many_pixels(matcher: FaceMatcher) -> None:
    stream = io.BytesIO()
    Image.new("1", (7100, 7100)).save(stream, "PNG")
    fault = PhotoExaminer(matcher).examine(stream.getvalue(), Role.CARD)
    assert fault == Fault(RowError.OVER_LIMIT, "the photo has more than 50000000 pixels")


def test_a_fault_of_a_model_is_a_fault_of_the_row() -> None:
    class Broken:
        def examine(self, *_: object) -> None:
            raise RuntimeError("secret")

    fault = PhotoExaminer(Broken()).examine(b"x", Role.CARD)  # type: ignore[arg-type]
    assert fault == Fault(RowError.INTERNAL, "the photo cannot be examined (RuntimeError)")


def test_of_two_faults_the_first_counts() -> None:
    def examined(path: str, role: Role) -> Examined | Fault:
        return StubExaminer(StubSettings()).examine(path.encode(), role)

    def fault(path1: str, path2: str) -> Fault | None:
        return match_row(Pair(1, "1", path1, path2), examined, IDENTITY.calibration).fault

    assert fault("a", "damaged") == Fault(RowError.UNDECODABLE, "image 2: the photo is damaged")
    assert fault("damaged", "damaged") == Fault(RowError.UNDECODABLE, "image 1: the photo is damaged")
    assert fault("a", "b") is None


def test_identity(matcher: FaceMatcher) -> None:
    from dataclasses import replace

    identity = identity_of(matcher.pack, matcher.policy)
    assert identity == identity_of(matcher.pack, matcher.policy)
    assert identity.pack == matcher.match(*[np.zeros((99, 99, 3), np.uint8)] * 2).pack
    other = replace(matcher.policy, limits={**matcher.policy.limits, Role.CARD: {}})
    assert identity_of(matcher.pack, other).policy_sha256 != identity.policy_sha256
    curve = replace(matcher.pack.calibration, cosines=(0.0, 1.0), percents=(0.0, 100.0))
    changed = identity_of(replace(matcher.pack, calibration=curve), matcher.policy)
    assert changed.as_data()["calibration_sha256"] != identity.as_data()["calibration_sha256"]
