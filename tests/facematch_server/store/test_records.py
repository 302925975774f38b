"""What a key may be: each limit, its last value and the first one beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from facematch_server.store import ApiKey, InvalidKeyError, KeyPair, KeySettings, Period
from facematch_server.store.records import Reservation, usable_api_key, usable_api_secret
from facematch_server.wire.profile import Profile

NOW = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("", False),
        ("a", True),
        ("a" * 255, True),
        ("a" * 256, False),
        ("a:b", False),
        (" a", False),
        ("a ", False),
        ("a b", True),
        ("ả", True),
        ("a\nb", False),
        ("a\x7fb", False),
        ("a\x9fb", False),
        ("a\xa0b", True),
        ("a\ud800b", False),
    ],
)
def test_an_api_key(text: str, usable: bool) -> None:
    assert usable_api_key(text) is usable
    if usable:
        assert KeyPair(text, "secret").api_key == text
    else:
        with pytest.raises(InvalidKeyError, match="255 characters"):
            KeyPair(text, "secret")


def test_no_surrogate_is_usable() -> None:
    assert not any(usable_api_secret(f"a{surrogate}b") for surrogate in ("\ud800", "\udbff", "\udc00", "\udfff"))
    assert usable_api_secret("a\ud7ffb\ue000")


@pytest.mark.parametrize(
    ("text", "usable"),
    [("", False), ("a", True), ("a" * 1024, True), ("a" * 1025, False), (" a:b ", True), ("a\0b", False)],
)
def test_an_api_secret(text: str, usable: bool) -> None:
    assert usable_api_secret(text) is usable
    if usable:
        assert KeyPair("key", text).api_secret == text
    else:
        with pytest.raises(InvalidKeyError, match="1024 characters"):
            KeyPair("key", text)


MOST = 2**31 - 1


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"name": "a" * 200}, ""),
        ({"name": "a" * 201}, "a name has at most 200 characters"),
        ({"name": "a\nb"}, "a name has at most 200 characters"),
        ({"quota": 0}, ""),
        ({"quota": -1}, f"the quota is not between 0 and {MOST}"),
        ({"quota": MOST}, ""),
        ({"quota": MOST + 1}, "the quota is not between"),
        ({"rate_limit": 1}, ""),
        ({"rate_limit": 0}, f"the rate limit is not between 1 and {MOST}"),
        ({"rate_limit": MOST}, ""),
        ({"rate_limit": MOST + 1}, "the rate limit is not between"),
        ({"profile": Profile.OBSERVED}, ""),
        ({"profile": "other"}, "the profile is not one of documented, observed"),
        ({"period": Period.DAY}, ""),
        ({"period": "year"}, "the period is not one of total, day, month"),
        ({"expires_at": NOW}, ""),
        ({"expires_at": NOW.replace(tzinfo=None)}, "the expiry has no time zone"),
    ],
)
def test_the_settings_of_a_key(settings: dict[str, Any], wrong: str) -> None:
    if not wrong:
        assert KeySettings(**settings)
        return
    with pytest.raises(InvalidKeyError, match=wrong):
        KeySettings(**settings)


def test_a_key_expires_at_its_moment() -> None:
    assert not ApiKey(1, "key", KeySettings(), False, NOW).expired(NOW)
    key = ApiKey(1, "key", KeySettings(expires_at=NOW), False, NOW)
    assert [key.expired(NOW + timedelta(seconds=s)) for s in (-1, 0, 1)] == [False, True, True]


def test_a_reservation_prints_no_lock() -> None:
    assert "lock" not in repr(Reservation("id", 1, NOW.date(), True))
