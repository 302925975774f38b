"""The hooks of the docs: versions side by side, and no request to other servers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from facematch_local import __version__
from scripts.docs_hooks import external_loads, on_config, on_post_build

ROOT = Path(__file__).resolve().parents[2]


def _build(site: Path, version: str) -> SimpleNamespace:
    (site / version).mkdir(parents=True)
    (site / version / "index.html").write_text('<a href="https://example.com/">elsewhere</a>', "utf-8")
    config = SimpleNamespace(site_dir=str(site / version))
    on_post_build(config)
    return config


def test_versions_lie_side_by_side_newest_first(tmp_path: Path) -> None:
    for version in ("0.9.0", "0.10.0", "0.10.0rc1"):
        _build(tmp_path, version)
    entries = json.loads((tmp_path / "versions.json").read_text("utf-8"))
    assert [entry["version"] for entry in entries] == ["0.10.0", "0.10.0rc1", "0.9.0"]
    assert "url=0.10.0rc1/index.html" in (tmp_path / "index.html").read_text("utf-8")


def test_the_folder_is_named_after_the_version(tmp_path: Path) -> None:
    config = SimpleNamespace(config_file_path=str(ROOT / ".mkdocs.yml"), site_dir=str(tmp_path))
    assert on_config(config).site_dir == str(tmp_path / __version__)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<script src="https://unpkg.com/x"></script>', ["https://unpkg.com/x"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ('<img src="http://example.com/a.png">', ["http://example.com/a.png"]),
        ('<link rel="canonical" href="https://example.com/"><a href="https://example.com/">x</a>', []),
        ('<img src="images/a.png"><script src="assets/a.js"></script>', []),
    ],
)
def test_what_a_page_loads(tmp_path: Path, page: str, found: list[str]) -> None:
    (tmp_path / "a.html").write_text(page, "utf-8")
    assert list(external_loads(tmp_path)) == found


def test_a_build_that_loads_from_elsewhere_fails(tmp_path: Path) -> None:
    (tmp_path / "1.0").mkdir()
    (tmp_path / "1.0" / "a.css").write_text("@import url('https://fonts.example/a.css');", "utf-8")
    with pytest.raises(ValueError, match=r"fonts\.example"):
        on_post_build(SimpleNamespace(site_dir=str(tmp_path / "1.0")))
