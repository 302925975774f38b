"""The profile that a client needs, from its traffic, its types and its source."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from facematch_local.errors import FacematchError
from facematch_server.conformance.client_file import client_needs, read_client_file
from facematch_server.conformance.client_source import Reads
from facematch_server.wire.profile import NoFaceAs, Profile

SECRET = "c2VjcmV0LWZhY2U="


def reply(code: Any, **data: Any) -> dict[str, Any]:
    fields = {"matching": "87.42", "face1": SECRET, "invalidCode": code, "invalidMessage": "Successful", "match": "1"}
    return {"data": {**fields, **data}, "errorCode": "0", "errorMessage": "Success"}


def har(*replies: Any, encoded: bool = False) -> str:
    entries = []
    for each in replies:
        text = json.dumps(each)
        content = {"mimeType": "application/json", "text": text}
        if encoded:
            content |= {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
        request = {"url": "https://cloud.example/api/v2/ekyc/face_matching", "headers": [{"value": f"Basic {SECRET}"}]}
        entries.append({"request": request, "response": {"status": 200, "content": content}})
    entries.append(
        {"request": {"url": "https://cloud.example/logo.png"}, "response": {"content": {"text": "{not json"}}}
    )
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


NUMBERS, TEXTS = (reply(0), reply(7)), (reply("0"), reply("7"))


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    ("replies", "profile", "reads"),
    [(NUMBERS, Profile.OBSERVED, Reads.NUMBER), (TEXTS, Profile.DOCUMENTED, Reads.TEXT)],
)
def test_a_har_file(replies: Any, profile: Profile, reads: Reads, encoded: bool) -> None:
    found = client_needs(har(*replies, encoded=encoded))
    assert found.profile is profile
    assert [(each.about, each.reads, each.count) for each in found.evidence] == [("recorded replies", reads, 2)]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(NUMBERS),
        json.dumps(NUMBERS[0]),
        "\n".join(json.dumps(each) for each in NUMBERS),
        json.dumps({"item": [{"response": [{"body": json.dumps(NUMBERS[0])}]}]}),  # a Postman collection
        "\ufeff" + json.dumps(NUMBERS),
    ],
)
def test_other_dumps_of_replies(text: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(text, "utf-8")
    assert read_client_file(path).profile is Profile.OBSERVED


@pytest.mark.parametrize(
    ("declared", "profile"),
    [
        ({"type": "integer"}, Profile.OBSERVED),
        ({"type": ["integer", "null"]}, Profile.OBSERVED),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, Profile.OBSERVED),
        ({"type": "string"}, Profile.DOCUMENTED),
        ({"type": ["string", "integer"]}, Profile.DOCUMENTED),
        ("int", Profile.OBSERVED),
        ("Int?", Profile.OBSERVED),
        ("Optional[int]", Profile.OBSERVED),
        ("String", Profile.DOCUMENTED),
        ("string | null", Profile.DOCUMENTED),
        ("Object", Profile.DOCUMENTED),
    ],
)
def test_types_of_a_model(declared: Any, profile: Profile) -> None:
    schema = {"$defs": {"Data": {"properties": {"invalidCode": declared, "matching": {"type": "string"}}}}}
    sample = {"data": {"invalidCode": declared, "matching": "string"}}
    for content in (schema, sample):
        found = client_needs(json.dumps(content))
        assert found.profile is profile
        assert found.numbers == ()


def test_numbers_that_no_profile_has_are_named() -> None:
    found = client_needs(
        json.dumps({"errorCode": "int", "data": {"invalidCode": "int", "matching": {"type": "number"}}})
    )
    assert found.numbers == ("errorCode", "matching")


@pytest.mark.parametrize(
    ("source", "profile"),
    [
        ("class Data {\n  final int? invalidCode;\n  final String? matching;\n}", Profile.OBSERVED),  # Dart
        ('@SerializedName("invalidCode") val invalidCode: Int? = null,', Profile.OBSERVED),  # Kotlin
        ("private String invalidCode;", Profile.DOCUMENTED),  # Java
        ("let invalidCode: String?", Profile.DOCUMENTED),  # Swift
        ('[JsonProperty("invalidCode")]\npublic int InvalidCode { get; set; }', Profile.OBSERVED),  # C#
        ('InvalidCode string `json:"invalidCode"`', Profile.DOCUMENTED),  # Go
        ("interface Data { invalidCode?: number; matching: string }", Profile.OBSERVED),  # TypeScript
        ("invalid_code: int | None", Profile.OBSERVED),  # Python
        ("if (reply.data.invalidCode === 0) { done() }", Profile.OBSERVED),  # JavaScript
        ("if reply['data']['invalidCode'] == '0':", Profile.DOCUMENTED),
        ("if data['invalidCode'] != 0:", Profile.OBSERVED),
        ('@JsonProperty("invalidCode") private int code;', Profile.OBSERVED),
        ('@SerializedName("invalidCode")\n    val code: Int? = null', Profile.OBSERVED),
        ('#[serde(rename = "invalidCode")]\n    pub code: Option<String>,', Profile.DOCUMENTED),
        ('Code *int `json:"invalidCode,omitempty"`', Profile.OBSERVED),
        ('code: str = Field(alias="invalidCode")', Profile.DOCUMENTED),
        ("invalidCode: json['invalidCode'] as int,", Profile.OBSERVED),
        ("invalidCode: int.parse(json['invalidCode']),", Profile.DOCUMENTED),
        ("final int invalidCode;\ninvalidCode = int.parse(json['invalidCode']);", Profile.DOCUMENTED),
        ('String code = data.getString("invalidCode");', Profile.DOCUMENTED),
        ('int code = data.optInt("invalidCode");', Profile.OBSERVED),
    ],
)
def test_source_of_a_client(source: str, profile: Profile) -> None:
    assert client_needs(source).profile is profile


@pytest.mark.parametrize("name", ["client.py", "client.mjs", "client.php", "client.dart"])
def test_the_examples_read_both_profiles(name: str) -> None:
    found = read_client_file(Path(__file__).parents[3] / "docs" / "examples" / name)
    assert {each.reads for each in found.evidence} == {Reads.EITHER}
    assert found.profile is Profile.DOCUMENTED


@pytest.mark.parametrize("text", ["", "{}", "[]", "no code here", "return invalidCode", "[" * 100_000, "{" * 5000])
def test_files_that_tell_nothing(text: str) -> None:
    found = client_needs(text)
    assert found.profile is None
    assert not found.evidence
    assert not found.conflicting


@pytest.mark.parametrize(
    "piece", ["a", " ", "invalidCode ", "3", "'invalidCode')] ", "int.parse(", "${", ": ", "<", "\t"]
)
def test_a_long_file_takes_no_time_of_its_own(piece: str) -> None:
    """Each pattern reads a bounded distance from each place."""
    text = piece * (50_000 // len(piece))
    began = time.process_time()
    client_needs(text)
    assert time.process_time() - began < 30


def test_a_place_counts_once() -> None:
    found = client_needs("private int invalidCode;")
    assert [each.count for each in found.evidence] == [1]


def test_parts_that_differ() -> None:
    found = client_needs(har(*NUMBERS, *TEXTS))
    assert found.conflicting
    assert found.profile is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (har(reply("4")), NoFaceAs.WARNING),
        (har(reply(5)), NoFaceAs.WARNING),
        (har({"errorCode": "3", "errorMessage": "Ảnh không chứa khuôn mặt"}), NoFaceAs.ERROR3),
        (har({"errorCode": "3", "errorMessage": "Incorrect image format"}), None),
        ('case "3": return "Không tìm thấy khuôn mặt";', NoFaceAs.ERROR3),
        ("int invalidCode;", None),
        (har(reply("4"), {"errorCode": 3, "errorMessage": "no face"}), None),
    ],
)
def test_a_photo_without_a_face(text: str, expected: NoFaceAs | None) -> None:
    assert client_needs(text).no_face_as is expected


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FacematchError, match="No such file"):
        read_client_file(tmp_path / "absent.har")
    path = tmp_path / "large.har"
    path.write_text("{}" * 100)
    monkeypatch.setattr("facematch_server.conformance.client_file._LARGEST", 100)
    with pytest.raises(FacematchError, match="larger than"):
        read_client_file(path)
