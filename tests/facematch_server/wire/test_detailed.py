"""The detailed reply: the library's result, the same as the command line prints, and what the service adds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facematch_local.result import DetailedPhoto, DetailedResult, describe
from facematch_server.wire.detailed import CompareOut, ErrorOut, PhotoOut
from facematch_server.wire.profile import Profile
from facematch_server.wire.reply import compared, print_comparison

PAGE = Path(__file__).parents[3] / "docs" / "detailed-reply.md"


def test_it_is_the_library_s_result_and_more(matcher: Any, astronaut_jpeg: bytes) -> None:
    result = matcher.match(astronaut_jpeg, astronaut_jpeg, "card")
    reply = json.loads(CompareOut.of(result, "id-1").model_dump_json())
    plain = json.loads(describe(result).model_dump_json())
    assert reply.pop("request_id") == "id-1"
    wire = reply.pop("wire")
    assert wire == {profile.value: print_comparison(compared(result), profile).decode() for profile in Profile}
    for image, photo in zip(reply["images"], result.images, strict=True):
        assert base64.b64decode(image.pop("crop")) == photo.crop_jpeg()
        assert base64.b64decode(image.pop("aligned")) == photo.aligned_jpeg()
    assert reply == plain


def test_the_command_line_prints_the_same(
    facematch: Callable[..., Any], matcher: Any, pack_path: Path, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(astronaut_jpeg)
    printed = json.loads(facematch("compare", photo, photo, "--pack", pack_path, "--json").out)
    reply = json.loads(CompareOut.of(matcher.match(astronaut_jpeg, astronaut_jpeg, "card"), "x").model_dump_json())
    for content in (printed, reply):
        del content["timings"]
    for image in reply["images"]:
        del image["crop"], image["aligned"]
    del reply["request_id"], reply["wire"]
    assert printed == reply


def test_the_page_documents_what_the_service_adds() -> None:
    for model, base in ((CompareOut, DetailedResult), (PhotoOut, DetailedPhoto)):
        section = PAGE.read_text("utf-8").partition(f"`{model.__name__}`")[2].partition("\n## ")[0]
        documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert documented == [name for name in model.model_fields if name not in base.model_fields]


def test_the_page_documents_an_error() -> None:
    section = PAGE.read_text("utf-8").partition(f"`{ErrorOut.__name__}`")[2].partition("\n## ")[0]
    assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(
        ErrorOut.model_fields
    )
