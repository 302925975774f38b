"""How a program reads `invalidCode`, judged by its text: declared types, accesses, comparisons."""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from typing import Final

# The kind of finding that decides: what a program takes out of the reply; it may convert it afterwards.
ACCESSES: Final = "accesses"


class Reads(StrEnum):
    """How a client reads `invalidCode`."""

    NUMBER = "a number"
    TEXT = "a text"
    EITHER = "a number or a text"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS: Final = _words(
    "int integer number long short byte int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 i8 i16 i32 i64 u8 u16 "
    "u32 u64 bigint biginteger double float num decimal nsnumber nsinteger"
)
_TEXTS: Final = _words("string str text charsequence nsstring varchar char")
_EITHERS: Final = _words("any object dynamic unknown jsonelement jsonnode jvalue jtoken mixed interface")
# Words of languages that stand where a type may stand.
_KEYWORDS: Final = _words("return case final val var let const public private internal required pub none nil null")

_NAME: Final = r"(?:invalidCode|invalid_code|InvalidCode)"
_QUOTED: Final = r"""["']invalidCode["']"""
_TYPE: Final = r"(?P<type>\*?[A-Za-z][\w.]{0,60}(?:[<\[][\w.?|, ]{1,60}[>\]])?\??)"
# The end of an annotation with the name, such as `@JsonProperty("invalidCode")` or `#[serde(rename = "invalidCode")]`.
_ANNOTATED: Final = rf"{_QUOTED}[^\n`]{{0,20}}?[)\]]+\s+(?:(?:private|public|internal|final|pub|val|var|let)\s+){{0,3}}"

_DECLARED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # int? invalidCode;   private String invalidCode   public int InvalidCode { get; set; }
        rf"(?<![\w.]){_TYPE}[ \t]{{1,9}}{_NAME}\b(?![ \t]*:)",
        # invalidCode: string;   val invalidCode: Int?   invalid_code: int | None   invalidCode?: number
        # (not a call, as in invalidCode: int.parse(...))
        rf"\b{_NAME}\??[ \t]*:[ \t]*(?P<type>[A-Za-z][\w.\[\]|? ]{{0,60}})(?![\w.(])",
        # Go: Code int `json:"invalidCode"`
        r"\b\w{1,60}[ \t]{1,9}(?P<type>\*?[a-z]\w{0,20})[ \t]{1,9}`json:\"invalidCode[\",]",
        # @JsonProperty("invalidCode") private int code;
        rf"{_ANNOTATED}{_TYPE}\s{{1,9}}\w{{1,60}}\s*[;={{]",
        # @SerializedName("invalidCode") val code: Int?   #[serde(rename = "invalidCode")] pub code: i32
        rf"{_ANNOTATED}\w{{1,60}}\??[ \t]*:[ \t]*(?P<type>[A-Za-z][\w.<>?|]{{0,60}})",
        # code: int = Field(alias="invalidCode")
        rf":[ \t]*(?P<type>[A-Za-z][\w.\[\]| ]{{0,40}})=[ \t]*Field\([^\n)]{{0,80}}{_QUOTED}",
    )
)
_ACCESSED: Final = (
    # json['invalidCode'] as int   data["invalidCode"] as? String
    re.compile(rf"{_QUOTED}\s*\]\s*as[?!]?\s+(?P<type>\w{{1,40}})"),
    # getInt("invalidCode")   optString("invalidCode")
    re.compile(rf"\b(?:get|opt|read)(?P<type>[A-Z][a-z]{{1,20}})\(\s*{_QUOTED}"),
)
# int.parse(json['invalidCode']): a text that is read as a number
_PARSED: Final = re.compile(rf"\b(?:int|double|num|Integer|Int)\.?(?:parse\w{{0,10}})\([^\n()$]{{0,40}}\b{_NAME}\b")
# int(data["invalidCode"])   Number(data.invalidCode)   (int) $data['invalidCode']   '${data['invalidCode']}': both
_CONVERTED: Final = re.compile(
    rf"(?:\b(?:int|str|Number|String|parseInt)\(|\((?:int|string)\)|\$\{{)[^\n()}}]{{0,40}}\b{_NAME}\b"
)
_COMPARED: Final = re.compile(rf"""\b{_NAME}\W{{0,3}}[ \t]*(?:===?|!==?)[ \t]*(?P<value>\d+\b|["']\d+["'])""")
# A message about a face beside error 3, as on the vendor's Vietnamese page.
_NO_FACE: Final = re.compile(
    r"""["']?\b3\b["']?[^\n\d]{0,40}?(?:khuôn mặt|no face|not contain a face)""", re.IGNORECASE
)


def found_in_source(text: str) -> Counter[tuple[str, Reads]]:
    """Number of findings by their kind, and by how the program reads `invalidCode`."""
    found: Counter[tuple[str, Reads]] = Counter()
    for kind, patterns in (("declared types", _DECLARED), (ACCESSES, _ACCESSED)):
        # One place can match two patterns; it counts once.
        places = {match.span("type"): match["type"] for pattern in patterns for match in pattern.finditer(text)}
        found.update((kind, reads) for name in places.values() if (reads := named(name)) is not None)
    found.update((ACCESSES, Reads.TEXT) for _ in _PARSED.finditer(text))
    found.update((ACCESSES, Reads.EITHER) for _ in _CONVERTED.finditer(text))
    for match in _COMPARED.finditer(text):
        found["comparisons", Reads.NUMBER if match["value"].isdigit() else Reads.TEXT] += 1
    return found


def tells_no_face_as_error3(text: str) -> bool:
    """Whether a text has a message about a missing face beside the number 3."""
    return _NO_FACE.search(text) is not None


def named(text: str) -> Reads | None:
    """The kind of a type by its name, such as `Optional[int]` or `string | null`; None if it is unknown."""
    words = {word.lower() for word in re.findall(r"[A-Za-z]\w*", text)} - _KEYWORDS
    number, string = bool(words & _NUMBERS), bool(words & _TEXTS)
    if (number and string) or words & _EITHERS:
        return Reads.EITHER
    return Reads.NUMBER if number else Reads.TEXT if string else None
