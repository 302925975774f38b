"""MkDocs hooks: a folder for each version, the list from which the header offers them, and no request to other servers.

The list and the redirect lie beside the folders, so a build of another version with the same `site_dir` adds to them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

_REDIRECT: Final = (
    '<!doctype html><meta charset="utf-8"><title>facematch-local</title>'
    '<meta http-equiv="refresh" content="0; url={0}/index.html"><a href="{0}/index.html">{0}</a>\n'
)
# What a browser fetches by itself; a link that a reader may follow is something else.
_LOADS: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def on_config(config: Any) -> Any:
    """Build into the folder of the version."""
    source = Path(config.config_file_path).parent / "facematch_local" / "__init__.py"
    found = re.search(r'^__version__ = "(.+)"$', source.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{source} states no version")
    config.site_dir = str(Path(config.site_dir) / found.group(1))
    # At the foot of each page, because a page opened from a folder has no list of versions.
    config.copyright = f"facematch-local {found.group(1)}"
    return config


def on_post_build(config: Any) -> None:
    """Write `versions.json` and the redirect to the version that was built last.

    Raises:
        ValueError: a page would load something from another server.
    """
    if found := sorted(set(external_loads(Path(config.site_dir)))):
        raise ValueError(f"the built pages load from other servers: {', '.join(found)}")
    version = Path(config.site_dir).name
    folder = Path(config.site_dir).parent
    built = sorted((path.parent.name for path in folder.glob("*/index.html")), key=_order, reverse=True)
    entries = [{"version": name, "title": name, "aliases": []} for name in built]
    (folder / "versions.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    (folder / "index.html").write_text(_REDIRECT.format(version), "utf-8")


def _order(version: str) -> list[tuple[bool, int | str]]:
    """Numbers before words, so that 0.10.0 is above 0.9.0 and 1.0.0 above 1.0.0rc1."""
    return [(part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"[.]", version)]


def external_loads(folder: Path) -> Iterator[str]:
    """Addresses on other servers that the pages and styles of a folder load."""
    for page in folder.rglob("*.html"):
        parser = _Loads()
        parser.feed(page.read_text("utf-8"))
        yield from parser.found
    for style in folder.rglob("*.css"):
        yield from re.findall(r"""(?:url\(|@import )["']?((?:https?:)?//[^"')\s]+)""", style.read_text("utf-8"))


class _Loads(HTMLParser):
    """Collects what a page loads from other servers."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(_LOADS.get(tag, "")) or ""
        # These name other pages; nothing is fetched.
        if tag == "link" and given.get("rel") in ("canonical", "alternate", "prev", "next"):
            return
        if re.match(r"(?:https?:)?//", address):
            self.found.append(address)
