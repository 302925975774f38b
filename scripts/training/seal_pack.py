"""Write the checksums of a pack's files into its `pack.toml`; run after any of its weights changed."""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path

ROLE = re.compile(r'^file = "(?P<file>[^"]+)"\nsha256 = "(?P<sum>[0-9a-f]*)"$', re.MULTILINE)


def sealed(manifest: str, folder: Path) -> str:
    """The manifest with the checksum of every `file` that lies in `folder`; those not there keep theirs."""

    def entry(match: re.Match[str]) -> str:
        path = folder / match["file"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else match["sum"]
        return f'file = "{match["file"]}"\nsha256 = "{digest}"'

    return ROLE.sub(entry, manifest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, nargs="?", default=Path("models/compact"))
    folder = parser.parse_args().pack
    manifest = folder / "pack.toml"
    manifest.write_text(sealed(manifest.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
