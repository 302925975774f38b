"""Paths and URLs: where photos lie, and what of a URL may be shown."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.batch.locations import is_url, locate, redacted


@pytest.mark.parametrize(
    ("path", "root", "location"),
    [
        ("a.jpg", "/data", os.path.join("/data", "a.jpg")),
        ("/b/a.jpg", "/data", "/b/a.jpg"),
        ("s3://bucket/a.jpg", "/data", "s3://bucket/a.jpg"),
        ("x/a.jpg", "s3://bucket/y/", "s3://bucket/y/x/a.jpg"),
        ("/x/a.jpg", "memory://m", "memory://m/x/a.jpg"),
    ],
)
def test_locate(path: str, root: str, location: str) -> None:
    assert locate(path, root) == location


@pytest.mark.parametrize("path", ["C:\\a.jpg", "a:b.jpg", "a/b://c.jpg", "://x"])
def test_what_is_no_url(path: str) -> None:
    assert not is_url(path)
    assert redacted(path) == path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a.jpg?X-Amz-Signature=SECRET", "https://host/a.jpg"),
        ("https://host/a.jpg#SECRET", "https://host/a.jpg"),
        ("https://me:SECRET@host:8443/a.jpg", "https://host:8443/a.jpg"),
        ("https://host:80/@user/a.jpg", "https://host:80/@user/a.jpg"),
        ("ftp:////me:SECRET@host/a", "ftp:////host/a"),
        ("s3://key:SEC/RET@host/a.jpg", "s3://host/a.jpg"),
        ("https://me:SECRET@[::1/a", "https://[::1/a"),
        ("simplecache::https://me:SECRET@host/a?SECRET", "simplecache::https://host/a"),
        ("memory://a/b.jpg", "memory://a/b.jpg"),
    ],
)
def test_redacted(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(st.text(st.characters(exclude_characters="@/?#"), max_size=12), st.text(max_size=12))
def test_no_userinfo_and_no_query_remain(user: str, query: str) -> None:
    shown = redacted(f"https://{user}:QQSECRETQQ@host/a.jpg?{query}QQSECRETQQ")
    assert "QQSECRETQQ" not in shown
    assert shown == "https://host/a.jpg"
