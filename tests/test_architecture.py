"""Which package may import which: read from the source, so that imports inside functions count too."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    ".".join(path.relative_to(base).with_suffix("").parts): path
    for base in (ROOT, ROOT / "server")
    for package in ("facematch_local", "facematch_server")
    for path in sorted((base / package).rglob("*.py"))
}


@functools.cache
def imports_of(path: Path) -> tuple[str, ...]:
    return tuple(_imports_of(path))


def _imports_of(path: Path) -> Iterator[str]:
    """Absolute names of modules that a file imports, or names in a string, as `importlib.import_module` takes them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"facematch_(local|server)(\.\w+)+", str(node.value)):
            yield str(node.value)


def test_there_is_something_to_read() -> None:
    assert len(SOURCES) > 150
    assert "facematch_local.matcher" in SOURCES
    assert "facematch_server.app" in SOURCES


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("facematch_local", "facematch_server"),
        ("facematch_local.checks", "facematch_local.evaluation"),
        ("facematch_local.imaging", "facematch_local.faces"),
        ("facematch_local.imaging", "facematch_local.checks"),
        ("facematch_local.networks", "facematch_local.checks"),
        ("facematch_local.faces", "facematch_local.networks"),
        ("facematch_local.faces", "facematch_local.checks"),
        ("facematch_local.documents", "facematch_local.checks"),
        ("facematch_local.packs", "facematch_local.checks"),
        ("facematch_local.providers", "facematch_local.packs"),
        ("facematch_local.providers", "facematch_local.networks"),
        ("facematch_local.synthetic", "facematch_local.evaluation"),
        ("facematch_local.batch", "facematch_local.cli"),
        ("facematch_local.batch", "facematch_local.evaluation.verification"),
        ("facematch_local.matcher", "facematch_local.batch"),
        ("facematch_server", "facematch_local.evaluation"),
        ("facematch_server.top", "facematch_server.store"),
        ("facematch_server.top", "facematch_server.settings"),
        ("facematch_server.conformance", "facematch_server.app"),
    ],
)
def test_who_never_imports_whom(package: str, never: str) -> None:
    broken = [
        f"{name} imports {imported}"
        for name, path in SOURCES.items()
        if name == package or name.startswith(package + ".")
        for imported in imports_of(path)
        if imported == never or imported.startswith(never + ".")
    ]
    assert not broken
