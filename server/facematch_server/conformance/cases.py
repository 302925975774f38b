"""The suite, as data: requests and the expected replies. A new case is a new entry of a list."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from facematch_local.codes import ErrorCode
from facematch_server.conformance.call import V3, Auth, Call
from facematch_server.conformance.shape import (
    Expectation,
    error,
    matched,
    no_card_codes,
    no_face,
    not_matched,
    success,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One request and the expected reply.

    Attributes:
        group: the topic.
        name: the case.
        call: the request; None for a case that cannot run.
        expects: checks beside those of the envelope, which every reply must pass.
        counts: whether the reply counts against the quota.
        skip: why the case does not run.
    """

    group: str
    name: str
    call: Call | None
    expects: tuple[Expectation, ...] = ()
    counts: bool = False
    skip: str = ""


@dataclass(frozen=True, slots=True)
class SamplePhotos:
    """The encoded photos to send.

    Attributes:
        card: a card.
        portrait: its holder.
        no_face: a photo without a face.
        other_person: a portrait of another person.
    """

    card: bytes = field(repr=False)
    portrait: bytes = field(repr=False)
    no_face: bytes = field(repr=False)
    other_person: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the suite.

    Attributes:
        type1: `type1` of the card photo.
        image_urls: URLs of both photos.
        exhausted: a key whose quota is used up.
        full: whether to run all cases, or only those worth their quota every day.
    """

    type1: str = "card"
    image_urls: tuple[str, str] | None = None
    exhausted: Auth = None
    full: bool = False


# The name never resolves (RFC 2606), so no foreign server gets a request.
NOWHERE: Final = "http://unreachable.invalid/photo.jpg"
_JSON: Final = {"Content-Type": "application/json"}


def cases(photos: SamplePhotos, auth: tuple[str, str], options: Options) -> list[Case]:
    """All cases, in order."""
    groups = (_modes, _oddities, _truth, _errors, _order)
    return [case for group in groups for case in group(photos, auth, options)]


def _modes(photos: SamplePhotos, auth: tuple[str, str], options: Options) -> Iterator[Case]:
    file, base64_ = (f"type1={options.type1}&format_type={mode}" for mode in ("file", "base64"))
    expects = (success, matched)
    yield Case("modes", "file", Call("POST", file, auth=auth, files=_parts(photos)), expects, True)
    lines = _json(base64.encodebytes(photos.card), base64.encodebytes(photos.portrait))
    call = Call("POST", base64_, auth=auth, body=lines, headers=_JSON)
    yield Case("modes", "base64 in lines, as the vendor's page encodes it", call, expects, True)
    yield from _url_mode(auth, options)
    call = Call("POST", file, path=V3, auth=auth, files=_parts(photos))
    yield Case("modes", "the v3 address is an alias", call, expects, True)


def _url_mode(auth: tuple[str, str], options: Options) -> Iterator[Case]:
    names = ("url, unencoded as the vendor's page has it", "url, encoded")
    if options.image_urls is None:
        yield Case("modes", names[0], None, skip="needs --image-urls: two addresses that the server can reach")
        return
    for name, (img1, img2) in zip(names, (options.image_urls, map(_encoded, options.image_urls)), strict=True):
        query = f"img1={img1}&img2={img2}&type1={options.type1}&format_type=url"
        yield Case("modes", name, Call("GET", query, auth=auth), (success, matched), True)


def _encoded(url: str) -> str:
    return quote(url, safe="")


def _oddities(photos: SamplePhotos, auth: tuple[str, str], options: Options) -> Iterator[Case]:
    parts = {"img1": ("demo_4.", photos.card, "text/plain"), "img2": ("x", photos.portrait, "image/png")}
    call = Call("POST", "format_type=file&is_thumb=false&get_thumb=false", auth=auth, files=parts)
    yield Case("oddities", "no type1, unknown parameters, odd names and types of parts", call, (success,), True)
    if not options.full:
        return
    query = f"type1={options.type1}&format_type=base64"
    plain1, plain2 = base64.b64encode(photos.card), base64.b64encode(photos.portrait)
    bodies = {
        "base64 with a data URI prefix": _json(b"data:image/jpeg;base64," + plain1, b"data:image/png;base64," + plain2),
        "base64 with blanks for +": _json(plain1.replace(b"+", b" "), plain2.replace(b"+", b" ")),
        "url-safe base64 without padding": _json(
            base64.urlsafe_b64encode(photos.card).rstrip(b"="), base64.urlsafe_b64encode(photos.portrait).rstrip(b"=")
        ),
    }
    for name, body in bodies.items():
        yield Case("oddities", name, Call("POST", query, auth=auth, body=body, headers=_JSON), (success,), True)
    headers = {"Content-Type": "application/json; charset=utf-8", "contentType": "application/json"}
    headers["Access-Control-Allow-Origin"] = "*"
    call = Call("POST", query, auth=auth, body=_json(plain1, plain2), headers=headers)
    yield Case("oddities", "a charset, a stray contentType, a CORS header of the reply", call, (success,), True)


def _truth(photos: SamplePhotos, auth: tuple[str, str], options: Options) -> Iterator[Case]:
    query = "type1=portrait&format_type=file"
    same = _files(photos.portrait, photos.portrait)
    call = Call("POST", query, auth=auth, files=same)
    yield Case("answers", "two portraits of one person", call, (success, matched, no_card_codes), True)
    call = Call("POST", query, auth=auth, files=_files(photos.portrait, photos.other_person))
    yield Case("answers", "two people", call, (success, not_matched, no_card_codes), True)
    call = Call("POST", f"type1={options.type1}&format_type=file", auth=auth, files=_files(photos.card, photos.no_face))
    yield Case("answers", "no face never matches", call, (no_face,), True)


def _errors(photos: SamplePhotos, auth: tuple[str, str], options: Options) -> Iterator[Case]:
    file, base64_ = (f"type1={options.type1}&format_type={mode}" for mode in ("file", "base64"))
    parts = _parts(photos)

    def case(code: ErrorCode, name: str, call: Call) -> Case:
        return Case(f"errorCode {int(code)}", name, call, (error(code),))

    wrong = (auth[0], auth[1][:-1] + ("x" if auth[1][-1:] != "x" else "y"))
    yield case(ErrorCode.NO_CONTENT, "img2 is missing", Call("POST", file, auth=auth, files=_only(parts, "img1")))
    call = Call("POST", base64_, auth=auth, body=_json(b"", b""), headers=_JSON)
    yield case(ErrorCode.NO_CONTENT, "empty base64", call)
    nowhere = f"img1={NOWHERE}&img2={NOWHERE}&type1={options.type1}&format_type=url"
    yield case(ErrorCode.URL_UNAVAILABLE, "a host that does not exist", Call("GET", nowhere, auth=auth))
    call = Call("POST", file, auth=auth, files=_files(b"no photo", photos.portrait))
    yield case(ErrorCode.BAD_IMAGE, "bytes that are not a photo", call)
    if options.full:
        call = Call("POST", base64_, auth=auth, body=_json(b"***", b"***"), headers=_JSON)
        yield case(ErrorCode.BAD_IMAGE, "text that is not base64", call)
        call = Call("POST", file, auth=auth, files=_files(photos.card[:300], photos.portrait))
        yield case(ErrorCode.BAD_IMAGE, "a truncated photo", call)
    if options.exhausted:
        yield case(ErrorCode.OUT_OF_REQUESTS, "a used-up key", Call("POST", file, auth=options.exhausted, files=parts))
    else:
        yield Case("errorCode 4", "a used-up key", None, skip="needs --exhausted-key")
    yield case(ErrorCode.BAD_CREDENTIALS, "a wrong secret", Call("POST", file, auth=wrong, files=parts))
    yield case(ErrorCode.BAD_CREDENTIALS, "no credentials", Call("POST", file, files=parts))
    yield case(ErrorCode.BAD_FORMAT_TYPE, "no format_type", Call("POST", "type1=card", auth=auth, files=parts))
    yield case(ErrorCode.BAD_FORMAT_TYPE, "an unknown format_type", Call("GET", "format_type=zip", auth=auth))
    query = "type1=passport&format_type=file"
    yield case(ErrorCode.BAD_FORMAT_TYPE, "an unknown type1", Call("POST", query, auth=auth, files=parts))
    if options.full:
        yield case(ErrorCode.BAD_FORMAT_TYPE, "GET with format_type=file", Call("GET", file, auth=auth))
        yield case(ErrorCode.BAD_FORMAT_TYPE, "a form sent as base64", Call("POST", base64_, auth=auth, files=parts))


def _order(_: SamplePhotos, auth: tuple[str, str], options: Options) -> Iterator[Case]:
    """Several errors in one request: 5 precedes 4, 6, 1, 2, 3."""
    file = f"type1={options.type1}&format_type=file"
    yield Case("order", "5 before 6", Call("GET", "", auth=None), (error(ErrorCode.BAD_CREDENTIALS),))
    yield Case("order", "6 before 1", Call("POST", "", auth=auth), (error(ErrorCode.BAD_FORMAT_TYPE),))
    parts = {"img1": ("a.jpg", b"no photo", "image/jpeg")}
    yield Case("order", "1 before 3", Call("POST", file, auth=auth, files=parts), (error(ErrorCode.NO_CONTENT),))
    if options.full and options.exhausted:
        call = Call("GET", "", auth=options.exhausted)
        yield Case("order", "4 before 6", call, (error(ErrorCode.OUT_OF_REQUESTS),))


def _parts(photos: SamplePhotos) -> Mapping[str, tuple[str, bytes, str]]:
    return _files(photos.card, photos.portrait)


def _files(image1: bytes, image2: bytes) -> Mapping[str, tuple[str, bytes, str]]:
    return {"img1": ("img_card.jpg", image1, "image/jpeg"), "img2": ("img_portrait.jpg", image2, "image/jpeg")}


def _only(parts: Mapping[str, tuple[str, bytes, str]], name: str) -> Mapping[str, tuple[str, bytes, str]]:
    return {name: parts[name]}


def _json(image1: bytes, image2: bytes) -> bytes:
    return json.dumps({"img1": image1.decode("ascii"), "img2": image2.decode("ascii")}).encode()
