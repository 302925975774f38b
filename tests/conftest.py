"""Fixtures shared by all tests. Heavy imports stay inside: most tests need none of them."""

from __future__ import annotations

import functools
import gc
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facematch_local.matcher import FaceMatcher
    from tests.inference_memory import InferenceMemory
    from tests.postgres_server import Postgres
    from tests.schema_memory import SchemaMemory

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

if "PYTEST_XDIST_WORKER" in os.environ:
    # The processes of the tests take all CPUs already; threads of numpy and OpenCV would wait for each other in loops.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(variable, "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One process more than CPUs: now and then each waits for a socket, a process or a time limit."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # xdist's own way
    affinity = getattr(os, "sched_getaffinity", None)
    return (len(affinity(0)) if affinity else os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect garbage less often, and without thousands of collected tests, at which it would look again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)
        gc.enable()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled photos and development weights beside the checkout; skips without it."""
    if not (SHARED / "data" / "labels.csv").is_file():
        pytest.skip("needs ../shared (labelled photos and development weights), which is not here")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def inference_memory() -> Iterator[InferenceMemory]:
    """Every network looks at every input once; see `tests.inference_memory`."""
    from tests.inference_memory import InferenceMemory

    with pytest.MonkeyPatch.context() as patch:
        memory = InferenceMemory()
        memory.install(patch)
        yield memory


@pytest.fixture
def real_inference(inference_memory: InferenceMemory) -> Iterator[None]:
    """Networks compute everything in this test, also what they have computed before."""
    with inference_memory.paused():
        yield


@pytest.fixture(scope="session")
def pack_path() -> Path:
    """A model pack: the shipped one where it is complete, else the development weights; skips without both."""
    from facematch_local.errors import PackError
    from facematch_local.packs import read_pack

    for folder in (ROOT / "models" / "compact", SHARED / "models" / "buffalo_sc"):
        if folder.is_dir():
            try:
                return read_pack(folder).folder
            except PackError:
                continue
    pytest.skip("needs a model pack: models/compact or ../shared/models/buffalo_sc")


@pytest.fixture(scope="session")
def matcher(pack_path: Path) -> FaceMatcher:
    """A matcher with the pack of `pack_path`, shared by all tests: it is stateless and thread-safe."""
    from facematch_local.matcher import FaceMatcher

    return FaceMatcher.open(pack_path)


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """One woman in front of a flag, 512x512x3 uint8 BGR, read-only (NASA, public domain)."""
    data = pytest.importorskip("skimage.data")
    photo: NDArray[np.uint8] = data.astronaut()[:, :, ::-1].copy()
    photo.flags.writeable = False
    return photo


@pytest.fixture(scope="session")
def group_photo() -> NDArray[np.uint8]:
    """Six people, 886x1280x3 uint8 BGR, read-only (insightface's own sample)."""
    from insightface.data import get_image

    photo: NDArray[np.uint8] = get_image("t1")
    photo.flags.writeable = False
    return photo


@pytest.fixture(scope="session")
def samples_drawn_once() -> Iterator[None]:
    """Drawing the sample photos takes longer than most of what is done with them; they are always the same."""
    from facematch_local.synthetic.samples import Studio

    drawn = dict(Studio().photos())
    for pixels in drawn.values():
        pixels.flags.writeable = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Studio, "photos", lambda _: dict(drawn))
        yield


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """`encode(pixels, "PNG", **options)`: an HxWx3 uint8 BGR array as bytes of a format; default JPEG, quality 92."""
    from PIL import Image

    def encode(pixels: NDArray[np.uint8], format: str = "JPEG", **options: Any) -> bytes:
        if format == "JPEG":
            options.setdefault("quality", 92)
        stream = io.BytesIO()
        Image.fromarray(pixels[:, :, ::-1].copy()).save(stream, format, **options)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def astronaut_jpeg(astronaut: NDArray[np.uint8], encode: Callable[..., bytes]) -> bytes:
    """`astronaut` as JPEG bytes."""
    return encode(astronaut)


@pytest.fixture(scope="session")
def group_photo_jpeg(group_photo: NDArray[np.uint8], encode: Callable[..., bytes]) -> bytes:
    """`group_photo` as JPEG bytes."""
    return encode(group_photo)


@pytest.fixture(scope="session")
def schema_memory() -> Iterator[SchemaMemory]:
    """A new SQLite database is migrated once; see `tests.schema_memory`."""
    from tests.schema_memory import SchemaMemory

    with pytest.MonkeyPatch.context() as patch:
        memory = SchemaMemory()
        memory.install(patch)
        yield memory


@pytest.fixture
def real_migrations(schema_memory: SchemaMemory) -> Iterator[None]:
    """All databases of this test are really migrated."""
    schema_memory.paused = True
    yield
    schema_memory.paused = False


@pytest.fixture(scope="session")
def certificates_read_once() -> Iterator[None]:
    """To read the trusted certificates takes as long as the rest of a service's start; they are always the same."""
    from facematch_server.url_mode import fetch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "_default_ssl_context", functools.cache(fetch._default_ssl_context))
        yield


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def commands_built_once() -> Iterator[None]:
    """Typer builds all commands anew for every call, which takes longer than most of them."""
    import typer.main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture
def facematch(commands_built_once: None, capfd: pytest.CaptureFixture[str]) -> Callable[..., Completed]:
    """`facematch("keys", "list")`: run the command in this process; its exit code and output."""
    from facematch_server.cli import main

    def run(*arguments: object) -> Completed:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        code = left.value.code
        return Completed(code if isinstance(code, int) else int(code is not None), out, err)

    return run


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium of the system; skips without it.

    Of one module, because Playwright keeps an event loop running in the thread, which `asyncio.run` does not allow.
    """
    from tests.browser import headless_chromium

    with headless_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server: that of `FACEMATCH_TEST_POSTGRES`, or a throwaway one; skips without both."""
    import os

    from tests.postgres_server import Postgres, throwaway_server

    if given := os.environ.get("FACEMATCH_TEST_POSTGRES"):
        yield Postgres(given)
        return
    with throwaway_server() as server:
        yield server


@pytest.fixture(scope="session")
def standard_archive() -> Path:
    """The wheel that the pack `standard` is made of; skips where `FACEMATCH_STANDARD_ARCHIVE` does not name it."""
    from facematch_local.adding import is_standard_archive

    path = Path(os.environ.get("FACEMATCH_STANDARD_ARCHIVE", ""))
    if not is_standard_archive(path):
        pytest.skip("needs the wheel of the pack standard in FACEMATCH_STANDARD_ARCHIVE")
    return path
