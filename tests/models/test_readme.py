"""The replies that the README and the docs show are those of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from facematch_local.matcher import FaceMatcher
from facematch_local.packs import NotInstalledError, find_pack, load_pack
from facematch_local.synthetic import samples
from facematch_server.wire.profile import Profile
from facematch_server.wire.reply import Compared, FoundFace, compared, print_comparison

ROOT = Path(__file__).resolve().parents[2]


def shown(page: str) -> dict[str, Any]:
    """The reply on a page."""
    [block] = re.findall(r"```json\n(\{\"data\": \{\"matching\".*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    content: dict[str, Any] = json.loads(block)
    return content


def printed(reply: Compared) -> dict[str, Any]:
    """A reply with the first letters of the photos, as the pages show it."""
    content: dict[str, Any] = json.loads(print_comparison(reply, Profile.DOCUMENTED))
    for name in ("face1", "face2"):
        content["data"][name] = content["data"][name][:8] + "..."
    return content


def test_the_readme_shows_the_reply_to_its_call(samples_drawn_once: None) -> None:
    try:
        pack = load_pack(find_pack("standard", [ROOT / "models"]))
    except NotInstalledError as error:
        pytest.skip(str(error))
    photos = dict(samples.encoded())
    reply = printed(compared(FaceMatcher(pack).match(photos["card.jpg"], photos["portrait.jpg"], "card")))
    page = shown("README.md")
    # Another processor rounds otherwise.
    for name, tolerance in (("matching", 0.02), ("face1_score", 0.0005), ("face2_score", 0.0005)):
        assert float(page["data"][name]) == pytest.approx(float(reply["data"][name]), abs=tolerance)
        page["data"][name] = reply["data"][name]
    assert json.dumps(page) == json.dumps(reply)  # the order too


@pytest.mark.parametrize("page", ["docs/index.md", "docs/wire-contract.md"])
def test_the_docs_show_a_reply_in_the_form_of_the_service(page: str) -> None:
    jpeg = bytes.fromhex("ffd8ffe000104a464946")
    reply = printed(Compared(87.42, FoundFace(jpeg, 0.999796), FoundFace(jpeg, 0.998214)))
    assert json.dumps(shown(page)) == json.dumps(reply)
