"""The texts of the page at `/`: complete in both languages, for all that the service can say."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import facematch_local
import facematch_server
from facematch_local.checks import CHECKS
from facematch_local.codes import ErrorCode
from facematch_local.policy import load_policy

STATIC = Path(facematch_server.__file__).parent / "static"
EN, VI = (json.loads((STATIC / "texts" / f"{name}.json").read_text("utf-8")) for name in ("en", "vi"))
# The calls whose text a person at the page may read, and the argument that holds it.
SPEAKING = {
    "not_assessed": 0,
    "ImageFormatError": 0,
    "ImageLimitError": 0,
    "NoContentError": 0,
    "ContractError": "reason",
}


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of every entry; patterns have no counterpart in the other language."""
    for name, value in content.items():
        if name == "reason":
            continue
        if isinstance(value, str):
            yield f"{path}{name}", value
        else:
            yield from leaves(value, f"{path}{name}.")


def test_both_languages_have_the_same_entries_with_the_same_values() -> None:
    english, vietnamese = dict(leaves(EN)), dict(leaves(VI))
    assert set(english) == set(vietnamese)
    for path, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", vietnamese[path])), path
        assert text or path == "unit.1"


def test_the_page_uses_texts_that_exist() -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    scripts = "".join(path.read_text("utf-8") for path in sorted((STATIC / "js").glob("*.js")))
    used = set(re.findall(r'data-(?:text|label)="([\w.]+)"', page))
    used |= {f"page.{name}" for name in re.findall(r'"page\.(\w+)"', scripts)}
    used |= {f"page.{name}" for name in re.findall(r'name: "(sample\w+)"', scripts)}
    texts = dict(leaves(EN))
    assert used <= set(texts)
    unused = {path for path in texts if path.startswith("page.")} - used
    assert unused == {"page.card", "page.portrait"} - used  # those two also by role


@pytest.mark.parametrize("texts", [EN, VI])
def test_every_measure_and_every_warning_has_words(texts: dict[str, Any]) -> None:
    names = {check.name for checks in CHECKS.values() for check in checks}
    assert set(texts["measure"]) == names
    assert names <= {name.rpartition(".")[2] for name in texts["warning"]}
    for role, limits in load_policy().limits.items():
        for name in limits:
            assert texts["warning"].get(f"{role}.{name}") or texts["warning"][name]


@pytest.mark.parametrize("texts", [EN, VI])
def test_every_error_code_of_a_comparison_has_words(texts: dict[str, Any]) -> None:
    codes = {str(int(code)) for code in ErrorCode} - {"0", "2"}  # the page sends no URL
    assert codes <= set(texts["error"])
    assert {"408", "503", "other", "unreachable"} <= set(texts["error"])


@pytest.mark.parametrize("texts", [EN, VI])
def test_every_unit_has_words(texts: dict[str, Any]) -> None:
    source = (Path(facematch_local.__file__).parent / "checks" / "check.py").read_text("utf-8")
    named = re.search(r"unit: unit of `value`; (.*?)\n        reason", source, re.DOTALL)
    assert named is not None
    assert set(texts["unit"]) == set(re.findall(r'"([^"]+)"', named[1]))


def test_every_reason_of_the_service_has_vietnamese_words() -> None:
    patterns = [pattern for pattern, _ in VI["reason"]["patterns"]]
    said = {reason for reason in reasons() if " array " not in reason}  # the service passes bytes, not arrays
    assert len(said) > 25
    assert {reason for reason in said if not any(re.fullmatch(pattern, reason) for pattern in patterns)} == set()


def test_every_pattern_has_a_reason() -> None:
    # Pillow's own exception for a file in an unknown format; the sentence is put together while it is raised.
    said = {*reasons(), "the photo cannot be decoded (UnidentifiedImageError)"}
    for language in (EN, VI):
        for pattern, words in language["reason"]["patterns"]:
            assert any(re.fullmatch(pattern, reason) for reason in said), pattern
            groups = re.compile(pattern).groups
            assert {int(group) for group in re.findall(r"\$(\d)", words)} == set(range(1, groups + 1))


@functools.cache
def reasons() -> frozenset[str]:
    """Every sentence that a measure or an error about a photo may carry; a value in it is printed as 7."""
    return frozenset(_reasons())


def _reasons() -> Iterator[str]:
    for package in (facematch_local, facematch_server):
        root = Path(package.__file__ or "").parent
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts
            if parts[0] in ("synthetic", "evaluation", "cli", "batch", "scenarios", "url_mode"):
                continue
            module = ".".join((package.__name__, *parts)).removesuffix(".py").removesuffix(".__init__")
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                argument = spoken(node)
                if argument is not None:
                    yield from sentences(argument, module)


def spoken(node: ast.AST) -> ast.expr | None:
    """The argument with the text, if the node is one of the calls `SPEAKING`."""
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    where = SPEAKING.get(name)
    if where == 0:
        return node.args[0] if node.args else None
    return next((keyword.value for keyword in node.keywords if where and keyword.arg == where), None)


def sentences(argument: ast.expr, module: str) -> Iterator[str]:
    """The texts that an expression may have: literals, f-strings, constants of the module, either side of an `if`."""
    match argument:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)
        case ast.IfExp(body=body, orelse=other):
            yield from sentences(body, module)
            yield from sentences(other, module)
        case ast.Name(id=name):
            constant = getattr(importlib.import_module(module), name, None)
            if isinstance(constant, str):  # else a local variable: it is built from literals that are found elsewhere
                yield constant
        case ast.Subscript(value=ast.Name(id=name)):
            yield from getattr(importlib.import_module(module), name).values()
