"""Our SCRFD gives the same numbers as insightface's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from insightface.model_zoo import SCRFD
from numpy.typing import NDArray

from facematch_local.errors import PackError
from facematch_local.faces.scrfd import Scrfd
from facematch_local.packs import read_pack

ROOT = Path(__file__).resolve().parents[3]
LARGE = pytest.param((1280, 896), marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["compact", "standard", "buffalo_sc"])
def detectors(request: pytest.FixtureRequest) -> tuple[SCRFD, Scrfd]:
    if request.param == "buffalo_sc":
        folder = request.getfixturevalue("shared") / "models" / request.param
    else:
        folder = ROOT / "models" / request.param
    try:
        path = str(read_pack(folder).files["detection"].path)
    except PackError as error:
        pytest.skip(str(error))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return SCRFD(path, session=session, static_shape_sessions=False), Scrfd(path, session)


@pytest.mark.parametrize("size", [(640, 448), (320, 224), (256, 320), LARGE])
@pytest.mark.parametrize("threshold", [0.02, 0.5, 0.999])
def test_same_faces(
    detectors: tuple[SCRFD, Scrfd], group_photo: NDArray[np.uint8], size: tuple[int, int], threshold: float
) -> None:
    theirs, ours = (each.detect(group_photo, input_size=size, det_thresh=threshold) for each in detectors)
    assert threshold > 0.9 or len(ours[0]) > 0
    for expected, found in zip(theirs, ours, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_a_batched_model(detectors: tuple[SCRFD, Scrfd], group_photo: NDArray[np.uint8]) -> None:
    """Some exporters keep the batch axis in the outputs."""

    class Batched:
        def __init__(self, session: onnxruntime.InferenceSession) -> None:
            self._session = session

        def __getattr__(self, name: str) -> object:
            return getattr(self._session, name)

        def run(self, *request: object) -> list[NDArray[np.float32]]:
            return [output[None] for output in self._session.run(*request)]

    plain = detectors[1]
    batched = Scrfd(plain.model_file, Batched(plain.session))
    batched.batched = True
    expected, found = (each.detect(group_photo, input_size=(320, 224))[1] for each in (plain, batched))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("size", "other", "returned"),
    [
        ((704, 320), (), False),
        ((640, 640), (), False),
        ((1280, 896), (), True),
        ((1280, 896), ("OpenVINOExecutionProvider",), False),
    ],
)
def test_large_passes_on_the_cpu_only_are_asked_to_return_their_memory(
    size: tuple[int, int], other: tuple[str, ...], returned: bool
) -> None:
    class Noting:
        """A session that computes nothing."""

        def __init__(self, session: onnxruntime.InferenceSession) -> None:
            self._session = session
            self.options: list[object] = []

        def __getattr__(self, name: str) -> object:
            return getattr(self._session, name)

        def get_providers(self) -> list[str]:
            return [*other, "CPUExecutionProvider"]

        def run(self, names: object, feed: object, options: object = None) -> list[NDArray[np.float32]]:
            self.options.append(options)
            raise InterruptedError

    path = str(ROOT / "models" / "compact" / "det.onnx")
    session = Noting(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))
    with pytest.raises(InterruptedError):
        Scrfd(path, session).detect(np.zeros((100, 100, 3), np.uint8), input_size=size)
    assert [options is not None for options in session.options] == [returned]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from /proc")
def test_a_large_pass_returns_its_memory() -> None:
    code = """
import sys
sys.path[:0] = {path!r}
import numpy as np, onnxruntime
from facematch_local.faces.scrfd import Scrfd

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

options = onnxruntime.SessionOptions()
options.enable_mem_pattern = False
detector = Scrfd({model!r}, onnxruntime.InferenceSession({model!r}, options, providers=["CPUExecutionProvider"]))
photo = np.full((1280, 1280, 3), 127, np.uint8)
detector.detect(photo, input_size=(640, 640))
before = resident()
detector.detect(photo, input_size=(1280, 1280))
print(resident() - before)
"""
    model = str(ROOT / "models" / "compact" / "det.onnx")
    command = [sys.executable, "-c", code.format(path=sys.path, model=model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert float(done.stdout) < 40
