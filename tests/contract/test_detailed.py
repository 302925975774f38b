"""The project's own endpoints: `/v1/compare`, health, metrics, the API's description."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_server.metrics import STAGES
from facematch_server.store import KeySettings

V2 = "/api/v2/ekyc/face_matching"
V1 = "/v1/compare"
SNAPSHOT = Path(__file__).with_name("openapi.json")


def both(photo: bytes) -> dict[str, bytes]:
    return {"img1": photo, "img2": photo}


@pytest.mark.parametrize("mode", ["file", "base64"])
def test_everything_that_was_measured(live: Any, astronaut_jpeg: bytes, mode: str) -> None:
    text = base64.b64encode(astronaut_jpeg).decode()
    body = {"files": both(astronaut_jpeg)} if mode == "file" else {"json": {"img1": text, "img2": text}}
    response = live.post(V1, params={"type1": "portrait"}, **body)
    assert response.status_code == 200
    content = response.json()
    assert content["match"] == 1
    assert content["percent"] == 100.0
    assert content["cosine"] == pytest.approx(1.0, abs=1e-3)
    assert content["request_id"] == response.headers["X-Request-ID"]
    assert content["pack"]
    assert content["policy"]
    assert content["calibration"]
    assert {"decode", "detect", "embed", "total"} <= set(content["timings"])
    assert {finding["image"] for finding in content["findings"]} == {1, 2}
    for finding in content["findings"]:
        assert (finding["value"] is None) == (finding["outcome"] == "not_assessed") == bool(finding["reason"])
    raised = sorted({finding["code"] for finding in content["findings"] if finding["outcome"] == "warning"})
    assert [warning["code"] for warning in content["warnings"]] == raised
    for image in content["images"]:
        assert (image["role"], image["width"], image["height"], image["format"]) == ("portrait", 512, 512, "JPEG")
        (left, top, right, bottom), points = image["faces"][0]["box"], image["faces"][0]["landmarks"]
        assert all(left < x < right and top < y < bottom for x, y in points)
        from PIL import Image

        with Image.open(io.BytesIO(base64.b64decode(image["crop"]))) as crop:
            assert crop.format == "JPEG"


def test_it_agrees_with_the_contracts_endpoint(live: Any, astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> None:
    files = {"img1": astronaut_jpeg, "img2": group_photo_jpeg}
    data = live.post(params={"format_type": "file"}, files=files).json()["data"]
    content = live.post(V1, files=files).json()
    assert float(data["matching"]) == content["percent"]
    assert int(data["match"]) == content["match"]
    assert int(data["invalidCode"]) == min((warning["code"] for warning in content["warnings"]), default=0)


@pytest.mark.parametrize(
    ("options", "status", "code", "image", "reason"),
    [
        ({"auth": None}, 401, "5", None, ""),
        ({"params": {"type1": "passport"}}, 400, "6", None, ""),
        ({"data": b"a=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400, "6", None, ""),
        ({"json": {}}, 422, "1", 1, "the photo is missing or has no bytes"),
        ({"json": {"img1": "eHg=", "img2": ""}}, 422, "1", 2, "the photo is missing or has no bytes"),
        ({"json": {"img1": "eHg=", "img2": "***"}}, 422, "3", 2, "the photo is not base64"),
        ({"files": both(b"junk")}, 422, "3", 1, "the photo cannot be decoded (UnidentifiedImageError)"),
    ],
)
def test_the_status_tells_the_outcome(
    live: Any, options: dict[str, Any], status: int, code: str, image: int | None, reason: str
) -> None:
    response = live.post(V1, **options)
    content = response.json()
    assert response.status_code == status
    assert list(content) == ["data", "errorCode", "errorMessage", "image", "reason"]
    assert (content["data"], content["errorCode"], content["image"], content["reason"]) == (None, code, image, reason)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_an_error_names_the_photo_at_fault(live: Any, astronaut_jpeg: bytes) -> None:
    for image, files in enumerate(
        ({"img1": b"junk", "img2": astronaut_jpeg}, {"img1": astronaut_jpeg, "img2": astronaut_jpeg[:400]}), 1
    ):
        content = live.post(V1, files=files).json()
        assert (content["errorCode"], content["image"]) == ("3", image)
        assert content["reason"].startswith("the photo ")


def test_it_counts_against_the_quota(live: Any, astronaut_jpeg: bytes) -> None:
    key = live.store.create_key(KeySettings(name="one", quota=1))
    auth = (key.api_key, key.api_secret)
    assert live.post(V1, files=both(astronaut_jpeg), auth=auth).status_code == 200
    assert live.post(V1, files=both(astronaut_jpeg), auth=auth).status_code == 429


def test_health(live: Any) -> None:
    assert live.get("/healthz", auth=None).json() == {"status": "ok"}
    assert live.get("/readyz", auth=None).json() == {"status": "ok", "draining": False, "database": True}


def test_metrics(live: Any, astronaut_jpeg: bytes) -> None:
    def value(pattern: str) -> float:
        found = re.findall(rf"^{pattern} (\S+)$", live.get("/metrics", auth=None).text, re.MULTILINE)
        return sum(float(number) for number in found)

    success = r'facematch_requests_total\{endpoint="face_matching",error_code="0",invalid_code="\d+"\}'
    refused = r'facematch_requests_total\{endpoint="face_matching",error_code="5",invalid_code=""\}'
    response = rf'facematch_http_responses_total\{{method="POST",route="{V2}",status="200"\}}'
    before = [value(pattern) for pattern in (success, refused, response)]
    live.post(params={"format_type": "file"}, files=both(astronaut_jpeg))
    live.post(auth=("a", "b"))
    live.get("/made/up/by/a/client")
    after = [value(pattern) for pattern in (success, refused, response)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2]
    text = live.get("/metrics", auth=None).text
    assert "made/up" not in text
    assert live.auth[0] not in text
    assert re.search(r'facematch_pack_info\{calibration="[^"]+",name="[^"]+",policy="[^"]+",version="[^"]*"\} 1', text)
    assert value("facematch_places_taken") == 0


@pytest.mark.parametrize("path", [V2, V1])
def test_the_stages_are_those_that_the_metrics_name(
    start: Callable[..., Any], photo_server: Any, astronaut_jpeg: bytes, path: str
) -> None:
    service = start()
    service.post(path, params={"format_type": "file"}, files=both(astronaut_jpeg))
    expected = set(STAGES) - {"fetch"}
    if path == V2:
        url = f"{photo_server.url}/astronaut.jpg"
        service.get(params={"format_type": "url", "img1": url, "img2": url})
        expected = set(STAGES)
    text = service.get("/metrics", auth=None).text
    assert set(re.findall(r'facematch_stage_seconds_count\{stage="(\w+)"\}', text)) == expected
    [about] = re.findall(r"^# HELP facematch_stage_seconds (.*)$", text, re.MULTILINE)
    assert re.findall(r"(\w+): ", about.partition(": ")[2]) == list(STAGES)


def test_the_metrics_explain_themselves(live: Any) -> None:
    text = live.get("/metrics", auth=None).text
    about = dict(re.findall(r"^# HELP (facematch_\w+) (.*)$", text, re.MULTILINE))
    assert about["facematch_places_taken"] == "Requests in flight: receiving, queued or running"
    assert about["facematch_places"] == "Largest number of requests in flight"
    assert all(about.values())
    assert set(re.findall(r"^# TYPE (facematch_\w+)", text, re.MULTILINE)) == set(about)


def test_the_description_is_the_agreed_one(live: Any) -> None:
    """A change of the API shows here. After one that is meant: `FACEMATCH_WRITE_SNAPSHOT=1 pytest …`."""
    import os

    content = live.get("/openapi.json", auth=None).json()
    del content["info"]["version"]
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("FACEMATCH_WRITE_SNAPSHOT"):
        SNAPSHOT.write_text(text, "utf-8")
    assert text == SNAPSHOT.read_text("utf-8")


def test_the_examples_fit_their_schemas(live: Any) -> None:
    import jsonschema_rs

    examples = 0
    schema = live.get("/openapi.json", auth=None).json()
    for operations in schema["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    for example in content.get("examples", {}).values():
                        jsonschema_rs.validate(content["schema"], example["value"])
                        examples += 1
    assert examples > 20


def test_the_page_needs_nothing_from_elsewhere(live: Any) -> None:
    page = live.get("/docs", auth=None)
    assert page.status_code == 200
    assert V2 in page.text
    assert "Incorrect api_key or api_secret" in page.text
    loaded = set(re.findall(r'(?:src|href)="([^"]*)"', page.text))
    assert loaded == {"data:,", "openapi.json", "docs/docs.css", "docs/docs.js"}
    assert [live.get(f"/{name}", auth=None).status_code for name in loaded - {"data:,"}] == [200, 200, 200]
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "://" not in policy


def test_the_page_shows_no_markup_of_its_source_and_one_entry_for_both_versions(live: Any) -> None:
    text = live.get("/docs", auth=None).text
    assert "`" not in text
    assert "<code>/api/v3/ekyc/face_matching</code> is an alias" in text
    assert re.findall(r'<span class="verb">(\w+)</span> <code>(/api/[^<]+)</code>', text) == [("GET", V2), ("POST", V2)]


@pytest.mark.parametrize("name", ["docs.py", "..%2f..%2findex.html", "../index.html"])
def test_the_page_serves_its_own_files_only(live: Any, name: str) -> None:
    assert live.get(f"/docs/{name}", auth=None).status_code == 404


def test_the_page_can_be_switched_off(start: Callable[..., Any]) -> None:
    other = start(docs=False)
    assert other.get("/docs").status_code == other.get("/openapi.json").status_code == 404
