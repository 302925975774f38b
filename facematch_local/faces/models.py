"""Interfaces of a pack's models for the face analyser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Detector(Protocol):
    """The used part of insightface's SCRFD. Its only state between calls is a cache of anchor centres."""

    def detect(
        self,
        img: NDArray[np.uint8],
        input_size: tuple[int, int] | None = None,
        max_num: int = 0,
        metric: str = "default",
        det_thresh: float | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]: ...


class Recogniser(Protocol):
    """The used part of insightface's ArcFaceONNX."""

    input_size: tuple[int, int]

    def get_feat(self, imgs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]: ...


class LandmarkLocator(Protocol):
    """A pack's landmark network, see `facematch_local.networks.landmarks`."""

    def locate(
        self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], box: NDArray[np.float32]
    ) -> NDArray[np.float32]: ...


class FaceConfirmer(Protocol):
    """A pack's face filter, see `facematch_local.networks.face_filter`."""

    def confirm(self, pixels: NDArray[np.uint8], box: NDArray[np.float32], score: float) -> float: ...
