"""CSV files of existing keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from facematch_server.store import KeyFileError, KeyPair, KeySettings, Period, parse_expiry, parse_key_file
from facematch_server.wire.profile import Profile

HEADER = "api_key,api_secret,name,quota,period,profile,rate_limit,expires_at\n"


def problems(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(KeyFileError) as raised:
        parse_key_file(data)
    assert "hunter2" not in str(raised.value)
    return list(raised.value.problems)


def test_all_columns() -> None:
    [line] = parse_key_file(
        (HEADER + 'k1,"hun,ter2",Ví điện tử,100,month,observed,60,2027-12-31T17:00+07:00\n').encode()
    )
    expires = datetime(2027, 12, 31, 10, tzinfo=UTC)
    assert line.line == 2
    assert line.pair == KeyPair(
        "k1", "hun,ter2", KeySettings("Ví điện tử", 100, Period.MONTH, Profile.OBSERVED, 60, expires)
    )


@pytest.mark.parametrize(
    "text",
    [
        "api_key,api_secret\nk1,s1\nk2,s2",
        "api_key,api_secret\r\nk1,s1\r\n\r\nk2,s2\r\n",
        "\ufeffapi_key;api_secret\nk1;s1\nk2;s2\n",
        "API_Secret , api_key\ns1,k1\ns2, k2 \n",
        "api_key,api_secret,name,quota\nk1,s1,,\nk2,s2,,\n,,,\n",
    ],
    ids=["plain", "windows", "spreadsheet", "order and spaces", "empty cells"],
)
def test_ways_to_write_the_same_file(text: str) -> None:
    assert [line.pair for line in parse_key_file(text.encode())] == [KeyPair("k1", "s1"), KeyPair("k2", "s2")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("k1,hunter2,,x,,,,", "quota is not a whole number"),
        ("k1,hunter2,,-1,,,,", "quota is not a whole number"),
        ("k1,hunter2,,1.5,,,,", "quota is not a whole number"),
        ("k1,hunter2,,9999999999,,,,", "the quota is not between"),
        ("k1,hunter2,,1,week,,,", "the period is not one of total, day, month"),
        ("k1,hunter2,,,,other,,", "the profile is not one of documented, observed"),
        ("k1,hunter2,,,,,0,", "the rate limit is not between"),
        ("k1,hunter2,,,,,,tomorrow", "an expiry is a date"),
        ("k1,hunter2,,,,,,2027-02-30", "an expiry is a date"),
        ("k1,hunter2,,,,,,2027-01-01T10:00", "an expiry is a date"),
        (",hunter2,,,,,,", "the api_key is not usable: it has 1 to 255 characters"),
        ("k:1,hunter2,,,,,,", "without colons"),
        ("k1,,,,,,,", "the api_secret is not usable: it has 1 to 1024 characters"),
        ("k1, hunter2,,,,,,", "begins or ends with a space"),
        ('k1,"hunter2\n",,,,,,', "begins or ends with a space"),
        ('k1,"hun\nter2",,,,,,', "without control characters"),
        ("k1,hunter2", "2 cells where the header has 8"),
        ("k1,hunter2,,,,,,,", "9 cells where the header has 8"),
        ("k1,hunter2," + "n" * 201 + ",,,,,", "the name is not usable: a name has at most 200 characters"),
        ('k1,"hunter2,,,,,,', "not CSV"),
        ('k1,"hunter2"x,,,,,,', "not CSV"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(row: str, problem: str) -> None:
    [told] = problems(HEADER + "k0,s0,,,,,,\n" + row + "\n")
    assert told.startswith("line 3:") or (told.startswith("line 4:") and "\n" in row)
    assert problem in told


def test_all_wrong_lines_are_told_at_once() -> None:
    told = problems("api_key,api_secret,quota\nk1,s1,x\nk2,s2,1\nk3,s3,y\nk2,s4,\n")
    assert [problem.split(":")[0] for problem in told] == ["line 2", "line 4", "line 5"]
    assert told[2] == "line 5: api_key k2 is on line 3 already"
    many = problems("api_key,api_secret,quota\n" + "".join(f"k{i},s,x\n" for i in range(1000)))
    assert len(many) == 51
    assert many[-1] == "and 950 more"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "lacks api_key, api_secret"),
        ("k1,hunter2\n", "lacks api_key, api_secret"),
        ("api_key\nk1\n", "lacks api_secret"),
        ("api_key,api_secret,qouta\nk1,s1,5\n", "has unknown qouta"),
        ("api_key,api_secret,api_secret\nk1,s1,s2\n", "repeats api_secret"),
        ("api_key,api_secret\n", "the file holds no keys"),
        ("api_key,api_secret\nkhóa,s1\n".encode("utf-16"), "not UTF-8"),
        (b"api_key,api_secret\nkh\xf3a,s1\n", "not UTF-8"),
        (b"\xff\xd8\xff\xe0" * 100, "not UTF-8"),
    ],
)
def test_what_is_no_file_of_keys_says_so(text: str | bytes, problem: str) -> None:
    [told] = problems(text)
    assert problem in told


def test_an_expiry_that_is_a_date_includes_that_day() -> None:
    assert parse_expiry("2027-12-31") == datetime(2028, 1, 1, tzinfo=UTC)
    hanoi = timezone(timedelta(hours=7))
    assert parse_expiry("2027-12-31T17:00+07:00") == datetime(2027, 12, 31, 17, tzinfo=hanoi)
    assert parse_expiry("2027-12-31T17:00Z") == datetime(2027, 12, 31, 17, tzinfo=UTC)
    with pytest.raises(ValueError, match="an expiry is"):
        parse_expiry("9999-12-31")
