"""A live service for the tests of a client: the fixture `facematch_server`.

The service uses the model pack `compact`, the smallest and fastest, unless `FACEMATCH_PACK` names another: tests of a
client check how it handles replies, not the accuracy of the models.

pytest loads this module at every start, so it imports almost nothing; the service runs in a separate process.

```python
import requests

def test_too_many_requests(facematch_server):
    response = requests.get(facematch_server.endpoint, auth=facematch_server.scenario("error-4"))
    assert response.json()["errorCode"] == "4"
```
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_START_SECONDS = 120.0
_STOP_SECONDS = 15.0
# The caller's settings of the models only: tests must never touch a real database of keys.
_DEFAULTS = {"FACEMATCH_PACK": "compact"}
_KEPT = ("FACEMATCH_PACK", "FACEMATCH_MODELS", "FACEMATCH_POLICY")


@dataclass(frozen=True, slots=True)
class FacematchServer:
    """A running service with scenarios on.

    Attributes:
        url: scheme, host and port.
        api_key: a key without a quota.
        api_secret: its secret.
    """

    url: str
    api_key: str
    api_secret: str

    @property
    def auth(self) -> tuple[str, str]:
        """Key and secret, in the form of HTTP clients."""
        return self.api_key, self.api_secret

    @property
    def endpoint(self) -> str:
        """Address of the face matching call."""
        return self.url + "/api/v2/ekyc/face_matching"

    @staticmethod
    def scenario(name: str) -> tuple[str, str]:
        """Key and secret for a fixed reply: `scenario("error-4")`, `scenario("matching-74.99+warning-9")`."""
        return f"scenario-{name}", "any"


@pytest.fixture(scope="session")
def facematch_settings() -> Mapping[str, str]:
    """Settings of the service as `FACEMATCH_*` variables; override this fixture to change them."""
    return {}


@pytest.fixture(scope="session")
def facematch_server(
    facematch_settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FacematchServer]:
    """A live service on a free port of this machine, with its own key and with scenarios; ends with the session."""
    with _running(facematch_settings, tmp_path_factory.mktemp("facematch")) as server:
        yield server


@contextmanager
def _running(settings: Mapping[str, str], folder: Path) -> Iterator[FacematchServer]:
    from facematch_server.store import KeySettings, Store, default_database_url

    own = {"FACEMATCH_DATA_DIR": str(folder), "FACEMATCH_SCENARIOS": "true", "FACEMATCH_LOG_FORMAT": "json"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_") or name in _KEPT}
    # The modules of this process, also if they come from a checkout.
    environ = {**_DEFAULTS, **kept, **own, **settings, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with closing(Store.open(default_database_url(environ))) as store:
        key = store.create_key(KeySettings(name="pytest"))
    command = [sys.executable, "-m", "facematch_server", "serve", "--host", "127.0.0.1", "--port", "0"]
    log = folder / "service.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environ, stdout=stream, stderr=stream, cwd=folder)  # noqa: S603
    try:
        yield FacematchServer(f"http://{_address(process, log)}", key.api_key, key.api_secret)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Host and port, as soon as the service reports that it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        for line in log.read_text("utf-8", "replace").splitlines():
            if '"listening"' in line:
                return str(json.loads(line)["address"])
        if ended:
            break
        time.sleep(0.05)
    last = (log.read_text("utf-8", "replace").splitlines() or ["it said nothing"])[-1]
    raise RuntimeError(f"the facematch service did not start: {last}")
