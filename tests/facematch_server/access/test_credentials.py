"""HTTP Basic credentials."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_server.access.credentials import Credentials, parse_basic


def basic(pair: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (basic("key:secret"), Credentials("key", "secret")),
        (basic("key:with:colons:"), Credentials("key", "with:colons:")),
        (basic("khóa:bí mật"), Credentials("khóa", "bí mật")),
        (basic("key:secret", "bAsIc "), Credentials("key", "secret")),
        ("  " + basic("key:secret") + "  ", Credentials("key", "secret")),
        (None, None),
        ("", None),
        (basic("key:secret", "Bearer"), None),
        (basic("no colon"), None),
        (basic(":secret"), None),
        (basic("key:"), None),
        ("Basic a2V5OnNlY3JldA", Credentials("key", "secret")),  # encoders that leave the padding out
        ("Basic a2V5OnNl Y3JldA==", Credentials("key", "secret")),  # a folded line
        ("Basic a2V5OnNl\t  Y3JldA", Credentials("key", "secret")),
        ("Basic a2V5OnNl*Y3JldA==", None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), None),
    ],
)
def test_parse_basic(header: str | None, credentials: Credentials | None) -> None:
    assert parse_basic(header) == credentials


@given(st.text(max_size=80) | st.text("Basic ABCabc=:", max_size=80).map("Basic ".__add__))
def test_a_header_gives_the_credentials_that_it_encodes_or_none(header: str) -> None:
    found = parse_basic(header)
    if found is not None:
        encoded = "".join(header.split()[1:]).rstrip("=")
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        assert f"{found.api_key}:{found.api_secret}" == decoded
        assert found.api_key
        assert found.api_secret
        assert ":" not in found.api_key


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters=":"), min_size=1, max_size=20)
_SECRETS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(_NAMES, _SECRETS)
def test_credentials_come_back_as_they_were_encoded(api_key: str, api_secret: str) -> None:
    assert parse_basic(basic(f"{api_key}:{api_secret}")) == Credentials(api_key, api_secret)


def test_credentials_are_not_printed() -> None:
    assert "secret" not in repr(Credentials("key", "secret"))
