"""Reading URLs: strict about the host, lenient about the rest."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facematch_server.url_mode.urls import MalformedUrlError, WebUrl, join, parse


@pytest.mark.parametrize(
    ("text", "authority", "target"),
    [
        ("http://example.com", "example.com", "/"),
        ("HTTPS://Example.COM:443/A.jpg", "example.com", "/A.jpg"),
        ("https://example.com:80/", "example.com:80", "/"),
        ("http://example.com:/x", "example.com", "/x"),
        ("http://example.com./x", "example.com", "/x"),
        ("http://example.com?x=1", "example.com", "/?x=1"),
        ("  http://example.com/x \r\n", "example.com", "/x"),
        ("http://example.com/x#part", "example.com", "/x"),
        ("http://my_bucket.s3.example.com/x", "my_bucket.s3.example.com", "/x"),
        ("http://192.0.2.7:8080/x", "192.0.2.7:8080", "/x"),
        ("http://[2001:DB8:0::1]/x", "[2001:db8::1]", "/x"),
        ("http://[2001:db8::1]:8080/x", "[2001:db8::1]:8080", "/x"),
        ("http://ảnh.vn/x", "xn--nh-k5s.vn", "/x"),
        ("http://BÜCHER.example/x", "xn--bcher-kva.example", "/x"),
        # Characters that clients send unencoded.
        ("http://example.com/ảnh thẻ.jpg", "example.com", "/%E1%BA%A3nh%20th%E1%BA%BB.jpg"),
        ("http://example.com/a?name=Nguyễn Văn A", "example.com", "/a?name=Nguy%E1%BB%85n%20V%C4%83n%20A"),
        ("http://example.com/100%.jpg", "example.com", "/100%25.jpg"),
        ("http://example.com/a%20b%2Fc?x=%41", "example.com", "/a%20b%2Fc?x=%41"),
        ("http://example.com/a\\b", "example.com", "/a%5Cb"),
        ("http://example.com/@u:p/x?m=a@b:c", "example.com", "/@u:p/x?m=a@b:c"),
        ("http://example.com/a//b/../c", "example.com", "/a//b/../c"),
        # A signed URL must arrive as it was signed.
        (
            "https://b.s3.example.com/k.jpg?X-Amz-Credential=A%2F20260101&X-Amz-Signature=ab+/=~_-.!*'()[]|{}^`",
            "b.s3.example.com",
            "/k.jpg?X-Amz-Credential=A%2F20260101&X-Amz-Signature=ab+/=~_-.!*'()[]|{}^`",
        ),
    ],
)
def test_urls_of_the_real_world(text: str, authority: str, target: str) -> None:
    url = parse(text)
    assert (url.authority, url.target) == (authority, target)
    assert url.target.isascii()
    assert " " not in url.target


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://b.example/y?z", "https://b.example/y?z"),
        ("//b.example/y", "http://b.example/y"),
        ("/y", "http://a.example:8080/y"),
        ("y", "http://a.example:8080/p/y"),
        ("../y", "http://a.example:8080/y"),
        ("?y=1", "http://a.example:8080/p/x?y=1"),
        ("/\\b.example", "http://a.example:8080/%5Cb.example"),
        ("/y z", "http://a.example:8080/y%20z"),
    ],
)
def test_redirects_lead_where_the_location_says(location: str, expected: str) -> None:
    url = join(WebUrl("http", "a.example", 8080, "/p/x?q=1"), location)
    assert url.origin + url.target == expected


@pytest.mark.parametrize(
    "location", ["ftp://b.example/", "javascript:alert(1)", "file:///etc/passwd", "//u@b.example/"]
)
def test_redirects_to_anything_else_are_malformed(location: str) -> None:
    with pytest.raises(MalformedUrlError):
        join(WebUrl("http", "a.example", 80, "/"), location)


@pytest.mark.parametrize(
    "text", ["", "x", "\ud800", "http://", "http://\ud800/", "http://a/\ud800", "http://a/?" + "q" * 8192]
)
def test_what_is_no_url_is_malformed(text: str) -> None:
    with pytest.raises(MalformedUrlError):
        parse(text)


# Pieces that parsers disagree about, in any order.
PIECES = st.sampled_from(
    [
        *(
            "http://",
            "https:",
            "//",
            "/",
            "\\",
            "@",
            ":",
            "?",
            "#",
            "%",
            "%2f",
            "%00",
            "[",
            "]",
            ".",
            "..",
            "。",
            "-",
            "_",
        ),
        *("127.0.0.1", "127", "0x7f", "0177", "2130706433", "[::1]", "::ffff:7f00:1", "a.example", "localhost", "user"),
        *("ⓛ", "１", "ß", "\u200b", "\u00ad", "xn--", "xn--a", " ", "\t", "\r\n", "\0", "\ud800", "80", "0", "99999"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join).map("http://".__add__) | st.text())
@example("http://a.example:80\\@b.example/")
def test_whatever_comes_is_a_plain_url_or_malformed(text: str) -> None:
    try:
        url = parse(text)
    except MalformedUrlError:
        return
    assert url.scheme in ("http", "https")
    assert re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:.]+", url.host)
    assert 1 <= url.port <= 65535
    assert re.fullmatch(r"/[!-~]*", url.target)
    # The URL in a request is unambiguous: this parser and others read the same host and port.
    printed = url.origin + url.target
    assert parse(printed) == url
    assert urlsplit(printed).hostname == url.host
    assert urlsplit(printed).port == (url.port if f":{url.port}" in url.authority else None)
    assert httpx.URL(printed).raw_host.decode() == url.host
