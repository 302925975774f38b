"""Rules for every reply. Each function yields problems in words; a correct reply yields none."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from facematch_local.calibration import verdict
from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.conformance.call import Reply
from facematch_server.wire.profile import Profile

Expectation: TypeAlias = Callable[[Reply], Iterator[str]]

FIELDS: Final = ("matching", "face1", "face2", "face1_score", "face2_score", "invalidCode", "invalidMessage", "match")
_PERCENT: Final = re.compile(r"\d{1,3}\.\d+")
_SCORE: Final = re.compile(r"[01]\.\d{1,6}")
_CARD_ONLY: Final = range(1, 5)


def profile_of(reply: Reply) -> Profile | None:
    """The wire profile of a comparison's reply; None for neither."""
    code, keys = reply.data.get("invalidCode"), tuple(reply.data)
    if isinstance(code, str) and keys == FIELDS:
        return Profile.DOCUMENTED
    return Profile.OBSERVED if type(code) is int and keys == tuple(sorted(FIELDS)) else None


def envelope(reply: Reply) -> Iterator[str]:
    """The three outer fields: present, in order, of the right types, with the documented texts."""
    if reply.status != 200:
        yield f"HTTP status {reply.status}, not 200"
    if not reply.headers.get("content-type", "").startswith("application/json"):
        yield f"Content-Type {shown(reply.headers.get('content-type', ''))}, not application/json"
    content = reply.json
    if not isinstance(content, dict):
        yield f"the body is not a JSON object: {shown(reply.body[:80])}"
        return
    if list(content) != ["data", "errorCode", "errorMessage"]:
        yield f"fields {shown(list(content))}, not data, errorCode, errorMessage in this order"
    code, message = content.get("errorCode"), content.get("errorMessage")
    known = {str(int(known)): known.message for known in ErrorCode}
    if not isinstance(code, str) or code not in known:
        yield f"errorCode {shown(code)}, not one of the strings 0 to 6"
    elif message != known[code]:
        yield f"errorMessage {shown(message)}, not {known[code]!r}"
    if (code == "0") != isinstance(content.get("data"), dict):
        yield "data must be present if and only if errorCode is 0"
    elif code != "0" and content.get("data") is not None:
        yield "data of an error is not null"


def comparison(reply: Reply) -> Iterator[str]:
    """The eight inner fields: present, in the order and of the types of one profile, and consistent."""
    data = reply.data
    missing, extra = [name for name in FIELDS if name not in data], [name for name in data if name not in FIELDS]
    if missing or extra:
        yield f"fields missing: {shown(missing)}, unknown: {shown(extra)}"
        return
    if profile_of(reply) is None:
        yield f"invalidCode {shown(data['invalidCode'])} and order {list(data)} belong to neither profile"
    for name in FIELDS:
        if name != "invalidCode" and not isinstance(data[name], str):
            yield f"{name} is {shown(data[name])}, not a string"
            return
    yield from _percent(data)
    yield from _warning(reply, data)
    for number in ("1", "2"):
        yield from _face(data[f"face{number}"], data[f"face{number}_score"], number)
    if not (data["face1"] and data["face2"]) and (data["matching"], data["match"]) != ("0.0", "-1"):
        yield f"a face is missing, but matching is {data['matching']} and match {data['match']}"


def _percent(data: dict[str, Any]) -> Iterator[str]:
    matching, match = data["matching"], data["match"]
    if not _PERCENT.fullmatch(matching) or not 0 <= float(matching) <= 100:
        yield f"matching {shown(matching)} is not a percentage with decimals"
    elif match != (expected := str(int(verdict(float(matching))))):
        yield f"match {shown(match)}, though matching {matching} means {expected}"


def _warning(reply: Reply, data: dict[str, Any]) -> Iterator[str]:
    code, message = str(data["invalidCode"]), data["invalidMessage"]
    known = {str(int(known)): known.message for known in WarningCode}
    if code not in known:
        yield f"invalidCode {shown(data['invalidCode'])}, not one of 0 to 12"
    elif message != known[code]:
        yield f"invalidMessage {shown(message)}, not {known[code]!r}"
    if code == "4" and data["face1"]:
        yield "invalidCode 4 says that the card has no face, but face1 is present"
    if code == "5" and data["face1"] and data["face2"]:
        yield "invalidCode 5 says that a portrait has no face, but both are present"
    header = reply.headers.get("x-facematch-warnings")
    if header is not None and header.split(",")[0] != code:
        yield f"X-Facematch-Warnings {shown(header)} does not begin with invalidCode {code}"


def _face(crop: str, score: str, number: str) -> Iterator[str]:
    if bool(crop) != bool(score):
        yield f"face{number} and face{number}_score: one is empty, the other is not"
    if score and (not _SCORE.fullmatch(score) or float(score) > 1):
        yield f"face{number}_score {shown(score)} is not a number from 0 to 1 with up to six decimals"
    try:
        data = base64.b64decode(crop, validate=True)
    except (binascii.Error, ValueError):
        yield f"face{number} is not plain base64 on one line"
        return
    if crop and not data.startswith(b"\xff\xd8\xff"):
        yield f"face{number} is not a JPEG"


def error(code: ErrorCode) -> Expectation:
    """The reply is this error."""

    def check(reply: Reply) -> Iterator[str]:
        if reply.error_code != str(int(code)):
            yield f"errorCode {shown(reply.error_code)}, not {int(code)} ({code.message})"

    return check


def success(reply: Reply) -> Iterator[str]:
    """The photos were compared."""
    yield from error(ErrorCode.SUCCESS)(reply)
    if reply.data:
        yield from comparison(reply)


def matched(reply: Reply) -> Iterator[str]:
    """The photos show the same person."""
    if reply.data and reply.data.get("match") != "1":
        yield f"the same person, but match is {shown(reply.data.get('match'))} at {shown(reply.data.get('matching'))} %"


def not_matched(reply: Reply) -> Iterator[str]:
    """The photos show no person, or different people."""
    if reply.data and reply.data.get("match") == "1":
        yield f"not the same person, but match is 1 at {shown(reply.data.get('matching'))} %"


def no_card_codes(reply: Reply) -> Iterator[str]:
    """Two portraits: codes about cards do not occur."""
    if str(reply.data.get("invalidCode")) in {str(code) for code in _CARD_ONLY}:
        yield f"invalidCode {reply.data['invalidCode']} is about a card, but image 1 is a portrait"


def no_face(reply: Reply) -> Iterator[str]:
    """A photo without a face: a warning, or errorCode 3 as the vendor's Vietnamese page has it."""
    if reply.error_code == str(int(ErrorCode.BAD_IMAGE)):
        return
    yield from success(reply)
    yield from not_matched(reply)
    if reply.data.get("face2"):
        yield "face2 is present, but the photo shows no face"


def shown(value: Any, length: int = 80) -> str:
    """A value of the server for a message: printable, in one line and short."""
    text = ascii(value)
    return text if len(text) <= length else text[: length - 3] + "..."
