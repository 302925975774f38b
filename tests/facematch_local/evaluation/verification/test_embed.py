"""Each photo once, on several threads, and bad files as reasons."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.evaluation.verification.embed import NO_FACE, embed_photos
from facematch_local.faces import FaceAnalyser


class Detector:
    """Finds one face in every photo that is not black; remembers how many were looked at side by side."""

    def __init__(self) -> None:
        self.calls = 0
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def detect(self, img: NDArray[np.uint8], **_: object) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        with self._lock:
            self.calls += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.01)
        with self._lock:
            self.at_once -= 1
        if img[img.shape[0] // 2, img.shape[1] // 2].max() < 10:
            return np.empty((0, 5), np.float32), np.empty((0, 5, 2), np.float32)
        points = np.array([[38, 51], [73, 51], [56, 71], [41, 92], [70, 92]], np.float32)
        return np.array([[20, 20, 90, 110, 0.9]], np.float32), points[None]


class Recogniser:
    """The mean colour of the middle as embedding."""

    input_size = (112, 112)

    def __init__(self) -> None:
        self.calls = 0

    def get_feat(self, imgs: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        self.calls += 1
        return np.stack([image[40:70, 40:70].reshape(-1, 3).mean(axis=0) for image in imgs]).astype(np.float32)


@pytest.fixture
def files(tmp_path: Path, encode: Callable[..., bytes]) -> list[Path]:
    paths = []
    for number, colour in enumerate([(200, 10, 10), (10, 200, 10), (0, 0, 0), (10, 10, 200)]):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encode(np.full((128, 128, 3), colour, np.uint8), "PNG"))
        paths.append(path)
    (tmp_path / "copy.png").write_bytes(paths[0].read_bytes())
    (tmp_path / "text.png").write_text("no photo")
    return [*paths, tmp_path / "copy.png", tmp_path / "text.png", tmp_path / "none.png"]


def test_embeddings_reasons_and_copies(files: list[Path]) -> None:
    detector, recogniser = Detector(), Recogniser()
    done: list[None] = []
    result = embed_photos(FaceAnalyser(detector, recogniser), files, 3, lambda: done.append(None))  # type: ignore[arg-type]
    assert result.usable.tolist() == [True, True, False, True, True, False, False]
    assert result.unreadable.tolist() == [False] * 5 + [True] * 2
    assert result.reasons[2] == NO_FACE
    assert "cannot be decoded" in result.reasons[5]
    assert "No such file" in result.reasons[6]
    # Blue, green and red in BGR order; the copy shares the work and the number of the original.
    assert result.matrix[[0, 1, 3]].argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(np.linalg.norm(result.matrix[result.usable], axis=1), 1, atol=1e-6)
    assert result.content[4] == result.content[0]
    assert len(set(result.content.tolist())) == 6
    assert (result.matrix[4] == result.matrix[0]).all()
    # One of five readable photos has no face; files that are no photos do not count.
    assert result.failure_to_acquire == pytest.approx(1 / 5)
    assert len(done) == len(files)
    # Four files with a face, but three faces: the copy cost nothing.
    assert recogniser.calls == 3
    assert 1 < detector.most_at_once <= 3


def test_an_error_in_a_worker_is_not_swallowed(files: list[Path]) -> None:
    class Broken(Recogniser):
        def get_feat(self, imgs: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        embed_photos(FaceAnalyser(Detector(), Broken()), files, 2)  # type: ignore[arg-type]
