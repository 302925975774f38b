"""schemathesis: requests made up from the API's own description, good and bad; the replies must fit it.

By its command: its pytest plugin reaches into pytest's private parts and breaks with every new release.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# Not checked: the contract answers 200 to whatever is wrong with a request, and errorCode says what; and random
# bytes that fit the description are still no photos.
EXCLUDED = "negative_data_rejection,positive_data_acceptance,missing_required_header,ignored_auth"


@pytest.mark.parametrize("with_key", [True, False])
def test_replies_fit_the_description(start: Callable[..., Any], tmp_path: Path, with_key: bool) -> None:
    """No 5xx, and only statuses, types, headers and bodies that the description names."""
    live = start(url_connect_seconds=0.3, url_seconds=0.5)
    command = [sys.executable, "-m", "schemathesis.cli", "run", live.url + "/openapi.json"]
    command += ["--exclude-checks", EXCLUDED, "--phases", "examples,coverage,fuzzing", "--max-examples", "40"]
    command += ["--generation-deterministic", "--no-color", "--suppress-health-check", "all", "--warnings", "off"]
    if with_key:
        command += ["--auth", ":".join(live.auth)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert '"message": "fault"' not in "".join(live.logs)
