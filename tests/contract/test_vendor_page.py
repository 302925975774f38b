"""The three calls of the vendor's page, as its readers write them, with only the host changed."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
import requests

DATA_FIELDS = [
    "matching",
    "face1",
    "face2",
    "face1_score",
    "face2_score",
    "invalidCode",
    "invalidMessage",
    "match",
]


@pytest.fixture
def check(envelope: Callable[..., Any]) -> Callable[[requests.Response], None]:
    def check(response: requests.Response) -> None:
        """Same person twice: all eight fields, of the documented types."""
        assert response.status_code == 200
        data = envelope(response)["data"]
        assert list(data) == DATA_FIELDS
        assert all(isinstance(value, str) for value in data.values())
        assert data["match"] == "1"
        assert float(data["matching"]) > 75

    return check


def test_url(live: Any, photo_server: Any, check: Callable[..., None]) -> None:
    img_card = photo_server.url + "/astronaut.jpg"
    img_portrait = photo_server.url + "/astronaut.jpg"
    response = requests.get(
        live.url
        + "/api/v2/ekyc/face_matching?img1=%s&img2=%s&type1=%s&format_type=%s"  # noqa: UP031  as on the page
        % (img_card, img_portrait, "card", "url"),
        auth=live.auth,
        timeout=60,
    )
    check(response)


def test_file(live: Any, astronaut_jpeg: bytes, check: Callable[..., None], tmp_path: Any) -> None:
    path = tmp_path / "img_card.jpg"
    path.write_bytes(astronaut_jpeg)
    with path.open("rb") as img_card, path.open("rb") as img_portrait:
        response = requests.post(
            live.url + "/api/v2/ekyc/face_matching?type1=%s&format_type=%s" % ("card", "file"),  # noqa: UP031
            auth=live.auth,
            files={"img1": img_card, "img2": img_portrait},
            timeout=60,
        )
    check(response)


def test_base64(live: Any, astronaut_jpeg: bytes, check: Callable[..., None]) -> None:
    from PIL import Image

    def get_byte_img(img: Image.Image) -> str:
        img_byte_arr = io.BytesIO()
        img.save(img_byte_arr, format="PNG")
        return base64.encodebytes(img_byte_arr.getvalue()).decode("ascii")

    encoded = get_byte_img(Image.open(io.BytesIO(astronaut_jpeg)))
    response = requests.post(
        live.url + "/api/v2/ekyc/face_matching?type1=%s&format_type=%s" % ("card", "base64"),  # noqa: UP031
        auth=live.auth,
        json={"img1": encoded, "img2": encoded},
        timeout=60,
    )
    check(response)
