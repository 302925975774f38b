"""The trial compares a provider's results with those of the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import FaceAnalyser
from facematch_local.matcher import FaceMatcher
from facematch_local.providers import Agreement, compare


@dataclass(frozen=True)
class ChangedDetector:
    """A detector whose boxes and landmarks are changed."""

    detector: Any
    change: Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]

    def detect(self, *arguments: Any, **options: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.change(*self.detector.detect(*arguments, **options))


@dataclass(frozen=True)
class ChangedRecogniser:
    """A recogniser with noise of a relative strength on its embeddings."""

    recogniser: Any
    noise: float

    @property
    def input_size(self) -> tuple[int, int]:
        size: tuple[int, int] = self.recogniser.input_size
        return size

    def get_feat(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = self.recogniser.get_feat(crops)
        noise = np.random.default_rng(3).standard_normal(features.shape).astype(np.float32)
        return features + self.noise * noise * float(np.linalg.norm(features) / np.linalg.norm(noise))


def half_arithmetic(
    boxes: NDArray[np.float32], landmarks: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return boxes * np.float32(1.004), landmarks


def one_face_less(
    boxes: NDArray[np.float32], landmarks: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return boxes[1:], landmarks[1:]


@pytest.fixture
def analyser(matcher: FaceMatcher) -> FaceAnalyser:
    return matcher.pack.analyser


def test_equal_results(analyser: FaceAnalyser) -> None:
    agreement = compare(analyser, analyser)
    assert agreement.good
    assert agreement.faces == agreement.expected_faces >= 5
    assert agreement.shift == 0.0
    assert agreement.cosine == pytest.approx(1.0, abs=1e-6)


def test_other_boxes(analyser: FaceAnalyser) -> None:
    agreement = compare(analyser, replace(analyser, detector=ChangedDetector(analyser.detector, half_arithmetic)))
    assert not agreement.good
    assert agreement.shift > 1.0
    assert "boxes within" in agreement.describe()


def test_a_missing_face(analyser: FaceAnalyser) -> None:
    agreement = compare(analyser, replace(analyser, detector=ChangedDetector(analyser.detector, one_face_less)))
    assert not agreement.good
    assert agreement.describe() == f"{agreement.faces} faces where the CPU finds {agreement.expected_faces}"


@pytest.mark.parametrize(("noise", "good"), [(0.001, True), (0.02, False)])
def test_other_embeddings(analyser: FaceAnalyser, noise: float, good: bool) -> None:
    agreement = compare(analyser, replace(analyser, recogniser=ChangedRecogniser(analyser.recogniser, noise)))
    assert agreement.good == good
    assert (agreement.cosine >= 0.99999) == good
    assert "lowest cosine 0.99" in agreement.describe()


@pytest.mark.parametrize(
    ("agreement", "good"),
    [
        (Agreement(7, 7, 1.0, 0.99999), True),
        (Agreement(7, 7, 1.001, 1.0), False),
        (Agreement(7, 7, 0.0, 0.99998), False),
        (Agreement(7, 6, float("nan"), float("nan")), False),
        (Agreement(7, 7, float("nan"), 1.0), False),
        (Agreement(7, 7, 0.0, float("nan")), False),
        (Agreement(0, 0, 0.0, 1.0), False),
    ],
)
def test_bounds(agreement: Agreement, good: bool) -> None:
    assert agreement.good == good
