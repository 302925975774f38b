"""`facematch compat-check --client-file`: which settings fit a client, without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def words_of(out: str) -> str:
    """The text of a table, without its lines; a column may break a sentence."""
    return " ".join(out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("content", "code", "parts"),
    [
        ('{"data": {"invalidCode": "int"}}', 0, ("the profile observed fits", "set an option", "serve --profile")),
        ('{"data": {"invalidCode": "0"}}', 0, ("the profile documented fits", "nothing: it is the default")),
        ("int invalidCode; // 3: no face", 0, ("the client takes errorCode 3", "serve --no-face-as error3")),
        ('{"data": {"invalidCode": 5}}', 0, ("replies have invalidCode 4 or 5",)),
        ('[{"invalidCode": 0}, {"invalidCode": "0"}]', 1, ("the parts of the file differ", "problem")),
        ('{"matching": "int"}', 1, ("the file does not tell", "declared as numbers: matching")),
    ],
)
def test_advice(facematch: Command, tmp_path: Path, content: str, code: int, parts: tuple[str, ...]) -> None:
    path = tmp_path / "client.txt"
    path.write_text(content)
    completed = facematch("compat-check", "--client-file", path)
    assert completed.code == code, completed.out
    for part in parts:
        assert part in words_of(completed.out)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--base-url", "http://127.0.0.1:1"), ("--client-file", "absent.har")],
)
def test_wrong_usage(
    facematch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACEMATCH_KEY", raising=False)
    assert facematch("compat-check", *arguments).code == 2
