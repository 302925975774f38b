"""The query string, in all the ways clients write it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.query import Mode, Query, parse_query

SIGNED = "https://cdn.example.com/a/card.png?X-Sig=a%2Bb%2Fc&Expires=99&type=x"
PLAIN = "https://cdn.example.com/selfie.jpg"


def get(query: str) -> Query:
    return parse_query("GET", query.encode())


def urls(query: str) -> tuple[str, str]:
    asked = get(query)
    return asked.url1, asked.url2


def test_properly_encoded() -> None:
    query = urlencode({"img1": SIGNED, "img2": PLAIN, "type1": "portrait", "format_type": "url"})
    assert get(query) == Query(Mode.URL, Role.PORTRAIT, SIGNED, PLAIN)


@pytest.mark.parametrize(
    "order",
    [
        "img1={a}&img2={b}&type1=card&format_type=url",
        "format_type=url&type1=card&img1={a}&img2={b}",
        "img2={b}&type1=card&img1={a}&format_type=url",
    ],
)
def test_unencoded_urls_keep_their_tails_in_any_order(order: str) -> None:
    assert urls(order.format(a=SIGNED, b=SIGNED + "#2")) == (SIGNED, SIGNED + "#2")


def test_encode_uri_is_undone() -> None:
    written = "https://h.example/ảnh thẻ.jpg?a=1&b=50%25"
    # JavaScript's encodeURI leaves ;,/?:@&=+$#!'()*~ and escapes the rest, % included.
    sent = quote(written, safe=";,/?:@&=+$-_.!~*'()#")
    asked = urls(f"img1={sent}&img2={PLAIN}&format_type=url")[0]
    assert asked == quote(written, safe=";,/?:@&=+$-_.!~*'()#%")


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (quote(SIGNED, safe=""), SIGNED),
        (quote(SIGNED, safe=":/"), SIGNED),  # Python's quote with the usual safe letters
        (quote(SIGNED, safe=":/?"), SIGNED),  # Apple's URLQueryItem
        (quote(SIGNED, safe=":"), SIGNED),  # axios
        ("http://h.example/a+b.jpg", "http://h.example/a+b.jpg"),
        ("http%3A%2F%2Fh.example%2Fa%2Bb+c.jpg", "http://h.example/a+b c.jpg"),
        ("HTTPS://h.example/x.jpg", "HTTPS://h.example/x.jpg"),
        ("", ""),
        ("%20", ""),
        ("no url", "no url"),
    ],
)
def test_ways_to_write_a_url(sent: str, meant: str) -> None:
    assert urls(f"img1={sent}&img2={sent}&format_type=url") == (meant, meant)


@pytest.mark.parametrize("extra", ["is_thumb=false", "get_thumb=false", "is_thumb=false&get_thumb=true"])
@pytest.mark.parametrize("url", [PLAIN, SIGNED])
def test_parameters_of_the_clients_own_are_no_part_of_a_url(url: str, extra: str) -> None:
    assert urls(f"img1={url}&{extra}&img2={url}&{extra}&format_type=url&{extra}") == (url, url)


def test_after_a_url_without_a_query_any_parameter_is_the_clients_own() -> None:
    assert urls(f"img1={PLAIN}&trace=7&img2={PLAIN}&trace=7&format_type=url") == (PLAIN, PLAIN)


def test_type1_left_out_or_empty_is_card() -> None:
    assert get("format_type=url").type1 is Role.CARD
    assert get("type1=&format_type=url").type1 is Role.CARD


def test_of_a_repeated_parameter_the_first_counts() -> None:
    assert get("format_type=url&format_type=file").mode is Mode.URL


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", ""),
        ("GET", "format_type="),
        ("GET", "format_type=URL"),
        ("GET", "format_type=file"),
        ("GET", "format_type=base64"),
        ("POST", "format_type=url"),
        ("POST", "type1=card"),
        ("POST", "format_type=file&type1=passport"),
        ("POST", "xformat_type=file"),
        ("POST", "format_type[]=file"),
    ],
)
def test_wrong_format_type_or_type1(method: str, query: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_query(method, query.encode())
    assert caught.value.code is ErrorCode.BAD_FORMAT_TYPE


def test_urls_count_in_the_url_mode_only() -> None:
    asked = parse_query("POST", f"img1={PLAIN}&img2={PLAIN}&format_type=file".encode())
    assert (asked.url1, asked.url2) == ("", "")


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused(raw: bytes) -> None:
    refused = None
    try:
        parse_query("GET", raw + b"&format_type=url")
    except ContractError as error:
        refused = error.code
    assert refused in (None, ErrorCode.BAD_FORMAT_TYPE)


@given(st.text(min_size=1).filter(lambda text: text.strip() == text))
def test_an_encoded_value_comes_out_as_it_went_in(text: str) -> None:
    value = "http://h/" + text
    assert (
        urls(urlencode({"img1": value, "img2": "x", "format_type": "url"}, errors="replace"))[0]
        == value.encode(errors="replace").decode()
    )
