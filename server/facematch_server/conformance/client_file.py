"""Which profile a client needs, read from a file: its recorded traffic, the types of its model, or its source.

| File | Evidence |
|---|---|
| HAR, Postman collection, or any JSON or JSON lines with replies in it | JSON type of `invalidCode` in each reply |
| JSON Schema or OpenAPI with a property `invalidCode` | its `type` |
| JSON of type names, such as `{"data": {"invalidCode": "int"}}` | the name |
| source of the model class (Java, Kotlin, Swift, Dart, C#, Go, Rust, TypeScript ...) | types, accesses, comparisons |

Photos, credentials and other values of the file appear in no result.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facematch_local.errors import FacematchError
from facematch_server.conformance.client_source import ACCESSES, Reads, found_in_source, named, tells_no_face_as_error3
from facematch_server.wire.profile import NoFaceAs, Profile

_LARGEST: Final = 256 * 1024 * 1024
_FIELD: Final = "invalidCode"
# Texts in both profiles; a client that declares numbers cannot read either.
_ALWAYS_TEXT: Final = ("errorCode", "matching", "match", "face1_score", "face2_score")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One kind of finding in the file.

    Attributes:
        about: where it was found, such as "recorded replies".
        reads: how the client reads `invalidCode`, or how the service that it works with prints it.
        count: how often.
    """

    about: str
    reads: Reads
    count: int


@dataclass(frozen=True, slots=True)
class ClientNeeds:
    """What a file says about a client.

    Attributes:
        evidence: the findings about `invalidCode`.
        profile: the profile that fits; None if the file does not tell, or if its parts differ.
        no_face_as: the reply to a photo without a face that fits; None if the file does not tell.
        numbers: fields that the client declares as numbers although both profiles print text.
    """

    evidence: tuple[Evidence, ...]
    profile: Profile | None
    no_face_as: NoFaceAs | None
    numbers: tuple[str, ...]

    @property
    def conflicting(self) -> bool:
        """Whether parts of the file need different profiles."""
        return {Reads.NUMBER, Reads.TEXT} <= _deciding(self.evidence)


def read_client_file(path: Path) -> ClientNeeds:
    """Read a file of a client.

    Raises:
        FacematchError: it cannot be read, or it is too large.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise FacematchError(f"{path}: larger than {_LARGEST // 1024**2} MB; keep the calls of face_matching only")
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
    return client_needs(text)


def client_needs(text: str) -> ClientNeeds:
    """What the text of a file says; see the module for the forms."""
    parsed = _parsed(text)
    notes = _Notes()
    if parsed is None:
        notes.read_source(text)
    else:
        notes.read_json(parsed)
    return notes.needs()


class _Notes:
    """Collects findings."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, Reads]] = Counter()
        self._no_face: Counter[NoFaceAs] = Counter()
        self._numbers: set[str] = set()

    def read_json(self, root: Any) -> None:
        """Find replies, schemas and type names at any depth."""
        for node in _objects(root):
            if _FIELD in node:
                self._read_field(node[_FIELD])
            for name in _ALWAYS_TEXT:
                if _declared(node.get(name)) is Reads.NUMBER:
                    self._numbers.add(name)
            if str(node.get(_FIELD)) in ("4", "5"):
                self._no_face[NoFaceAs.WARNING] += 1
            if str(node.get("errorCode")) == "3" and tells_no_face_as_error3(f"3 {node.get('errorMessage')}"):
                self._no_face[NoFaceAs.ERROR3] += 1

    def read_source(self, text: str) -> None:
        """Find declarations, accesses and comparisons in a program."""
        self._found.update(found_in_source(text))
        if tells_no_face_as_error3(text):
            self._no_face[NoFaceAs.ERROR3] += 1

    def needs(self) -> ClientNeeds:
        """The result."""
        evidence = tuple(Evidence(about, reads, count) for (about, reads), count in sorted(self._found.items()))
        kinds = _deciding(evidence)
        profile: Profile | None = None
        if kinds and not {Reads.NUMBER, Reads.TEXT} <= kinds:
            # Who reads both gets the form of the vendor's page.
            profile = Profile.OBSERVED if Reads.NUMBER in kinds else Profile.DOCUMENTED
        no_face = next(iter(self._no_face)) if len(self._no_face) == 1 else None
        return ClientNeeds(evidence, profile, no_face, tuple(sorted(self._numbers)))

    def _read_field(self, value: Any) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._found["recorded replies", Reads.NUMBER] += 1
        elif isinstance(value, str) and (value.isdigit() or not value):
            self._found["recorded replies", Reads.TEXT] += 1
        elif (reads := _declared(value)) is not None:
            self._found["declared types", reads] += 1


def _deciding(evidence: Iterable[Evidence]) -> set[Reads]:
    """What counts: accesses if there are any, since a declared type may be that of a converted value."""
    kinds = {each.reads for each in evidence if each.about == ACCESSES}
    return kinds or {each.reads for each in evidence}


def _parsed(text: str) -> Any:
    """The JSON of a file, or the values of its lines; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else None
    except (ValueError, RecursionError):
        return None


def _objects(root: Any) -> Iterator[Mapping[str, Any]]:
    """All JSON objects below `root`, also those printed inside texts, as bodies are in a HAR file."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            if node.get("encoding") == "base64" and isinstance(node.get("text"), str):
                waiting.append(_from_base64(node["text"]))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, str) and node.lstrip().startswith(("{", "[")) and "errorCode" in node:
            try:
                waiting.append(json.loads(node))
            except (ValueError, RecursionError):
                continue


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _declared(value: Any) -> Reads | None:
    """The type that a JSON Schema or a type name declares; None for other values."""
    if isinstance(value, dict):
        kinds = [value.get("type"), *(part.get("type") for key in ("anyOf", "oneOf") for part in _parts(value, key))]
        names = [name for kind in kinds for name in (kind if isinstance(kind, list) else [kind])]
        return named(" ".join(name for name in names if isinstance(name, str)))
    return named(value) if isinstance(value, str) and len(value) < 100 else None


def _parts(schema: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    parts = schema.get(key)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
