"""Hostile requests of a siege, generated in advance so that their generation does not load the machine later."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sieging.service import Address

from tests.hostile_photos import HOSTILE, progressive_scans, small_jpeg
from tests.hostile_requests import (
    BODIES,
    FORMS,
    HOSTILE_REQUESTS,
    REPLIES,
    V2,
    RawServer,
    head,
    hostile_form,
    hostile_json,
)

BODY_BYTES = 27_000_000
Pieces = tuple[bytes, ...]


@dataclass(frozen=True)
class Weapon:
    """A hostile request.

    Attributes:
        kind: kind of the request.
        name: name within the kind.
        pieces: parts of the request, sent one after the other.
    """

    kind: str
    name: str
    pieces: Pieces


def slow_photos() -> dict[str, bytes]:
    """Photos within all limits that cost as much as the limits allow."""
    return {
        "95 scans of 12 megapixels": progressive_scans(4000, 3000, 95),
        "95 scans of 49 megapixels": progressive_scans(7000, 7000, 95),
    }


def weapons(target: Address, stack: ExitStack) -> list[Weapon]:
    """All hostile requests; the hostile image servers run until `stack` closes."""
    photos = {name: make() for name, make in HOSTILE.items()}
    return [
        *(Weapon("hostile photos", name, _form(target, photo)) for name, photo in photos.items()),
        *(Weapon("slow photos within the limits", name, _form(target, photo)) for name, photo in slow_photos().items()),
        *(Weapon("heads and bodies in crumbs", make.__name__, (make(target),)) for make in HOSTILE_REQUESTS),
        *(
            _large("27 MB of JSON", name, make, lambda _, data: hostile_json(target, data))
            for name, make in BODIES.items()
        ),
        *(
            _large("27 MB of form", name, make, lambda n, data: hostile_form(target, n, data))
            for name, make in FORMS.items()
        ),
        *(Weapon("hostile image servers", name, _by_url(target, stack, *reply)) for name, reply in REPLIES.items()),
        *(Weapon("random bytes", str(n), (random.Random(n).randbytes(5000) + b"\r\n\r\n",)) for n in range(5)),
    ]


def _large(kind: str, name: str, make: Callable[[int], bytes], head_of: Callable[[str, bytes], bytes]) -> Weapon:
    body = make(BODY_BYTES)
    return Weapon(kind, name, (head_of(name, body), body))


def _form(target: Address, photo: bytes) -> Pieces:
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"; filename="x"\r\n\r\n' % name + content + b"\r\n"
        for name, content in ((b"img1", photo), (b"img2", small_jpeg()))
    )
    body += b"--b--\r\n"
    lines = ("Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(body)}", "Connection: close")
    return head(target, *lines), body


def _by_url(target: Address, stack: ExitStack, first: bytes, then: bytes) -> Pieces:
    server = RawServer(first, then)
    stack.callback(server.socket.close)
    query = f"format_type=url&img1={server.url}&img2={server.url}"
    return (head(target, "Connection: close", target=f"{V2}?{query}").replace(b"POST", b"GET", 1),)


def in_turn(source: random.Random, all_weapons: Sequence[Weapon]) -> list[Weapon]:
    """One request of each kind, in random order."""
    kinds: dict[str, list[Weapon]] = {}
    for weapon in all_weapons:
        kinds.setdefault(weapon.kind, []).append(weapon)
    chosen = [source.choice(those) for those in kinds.values()]
    source.shuffle(chosen)
    return chosen
