"""A command that answers at once must not import what it does not use: imports are most of its time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Library of the service or of evaluation, and the part of insightface that imports scipy.
UNUSED = {"scipy", "matplotlib", "albumentations", "fastapi", "uvicorn", "sqlalchemy", "alembic", "httpx"}
CODE = """
import sys
from facematch_server.cli import main
try:
    main(sys.argv[1:])
except SystemExit as left:
    assert not left.code, left.code
loaded = {name for name in sys.modules if "." not in name}
# An entry of a deferred module exists; its submodules do not.
loaded |= {"insightface.app"} if "insightface.app.face_analysis" in sys.modules else set()
print("loaded:", *sorted(loaded), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("loaded:")[2].split())


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> Path:
    path = tmp_path_factory.mktemp("photo") / "astronaut.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


@pytest.mark.slow
def test_compare(photo: Path, pack_path: Path) -> None:
    loaded = loaded_by("compare", str(photo), str(photo), "--pack", str(pack_path))
    assert {"onnxruntime", "cv2", "insightface"} <= loaded
    assert not loaded & (UNUSED | {"insightface.app"})


def test_help() -> None:
    loaded = loaded_by("--help")
    assert not loaded & (UNUSED | {"numpy", "skimage", "cv2", "PIL", "onnxruntime", "insightface"})
