"""The snippets of `docs/library.md`, run in order in one namespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "library.md"


def test_every_snippet_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pack_path: Path
) -> None:
    pytest.importorskip("skimage.data")
    if pack_path.name != "compact":
        pytest.skip("the page uses the shipped pack, which is not complete here")
    from facematch_local.synthetic import samples

    files = dict(samples.encoded())
    (tmp_path / "card.jpg").write_bytes(files["card.jpg"])
    (tmp_path / "selfie.jpg").write_bytes(files["portrait.jpg"])
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(snippets) >= 6
    names: dict[str, Any] = {"__name__": "library_page"}
    for snippet in snippets:
        exec(compile(snippet, str(PAGE), "exec"), names)  # noqa: S102
    assert names["result"].verdict.name == "MATCH"
    assert names["own"][0].outcome == "passed"
    printed = capsys.readouterr().out
    assert "NoContentError" in printed
    assert "ImageFormatError" in printed
