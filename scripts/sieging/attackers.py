"""The attackers of a siege, in a separate process; limited in number and time, and to 127.0.0.1."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any

from sieging.arsenal import Weapon, in_turn, weapons
from sieging.service import Address

from tests.hostile_requests import V2, head

# Longer than each time limit of the service: a connection that is still open then hangs.
GIVE_UP_SECONDS = 60.0
# More than the service's slots by default.
SILENT = 40
UNREAD = 30
HALF_OPEN = 60
LOGINS = 20
# The 10 s after which the service closes a connection that is not read, and time to fill the system's buffers before.
UNREAD_SECONDS = 40.0


@dataclass
class Attacks:
    """Results of the attacks.

    Attributes:
        sent: number of requests by kind.
        longest: longest time in seconds from the end of a request to the end of its reply or connection, by kind.
        statuses: number of replies by HTTP status; "closed" for a connection without a reply.
        hung: requests and connections that did not end.
    """

    sent: dict[str, int] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    hung: list[str] = field(default_factory=list)


class Attackers:
    """Threads that send hostile requests until an event stops them."""

    def __init__(self, target: Address, ended: Event) -> None:
        self._target = target
        self._ended = ended
        self._lock = threading.Lock()
        self.attacks = Attacks()

    def shoot(self, seed: int, all_weapons: Sequence[Weapon]) -> None:
        """Send one request after the other, alternating between the kinds."""
        source = random.Random(seed)
        while not self._ended.is_set():
            for weapon in in_turn(source, all_weapons):
                if not self._ended.is_set():
                    self._send(weapon)

    def guess(self) -> None:
        """Send many wrong logins concurrently, repeatedly."""
        number = 0
        while not self._ended.wait(0.2):
            threads = []
            for _ in range(LOGINS):
                number += 1
                pair = base64.b64encode(f"{self._target.imported}:wrong {number}".encode()).decode()
                request = f"GET {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {pair}\r\n\r\n"
                weapon = Weapon(f"{LOGINS} wrong logins at once", "", (request.encode(),))
                threads.append(threading.Thread(target=self._send, args=(weapon,), daemon=True))
                threads[-1].start()
            for thread in threads:
                thread.join()

    def hold(self, kind: str, first: bytes, count: int, handshake: bool = True) -> None:
        """Keep `count` silent connections open; replace those that the service closes."""
        held: dict[socket.socket, float] = {}
        while not self._ended.is_set():
            # Open one connection at a time, to notice immediately when the service closes another one.
            if len(held) < count and (sock := self._opened(first, handshake)) is not None:
                held[sock] = time.monotonic()
            readable, _, _ = select.select(list(held), [], [], 0.2 if len(held) == count else 0.02)
            for sock in readable:
                reply = whole_reply(sock, time.monotonic() + 5)
                self._note(kind, time.monotonic() - held.pop(sock), _status(reply))
                sock.close()
            for sock, since in list(held.items()):
                if time.monotonic() - since > GIVE_UP_SECONDS:
                    self._hang(kind)
                    del held[sock]
                    sock.close()
        for sock in held:
            sock.close()

    def ignore_replies(self) -> None:
        """Send many requests and never read the replies."""
        request = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: {self._target.basic}\r\n\r\n".encode()
        while not self._ended.is_set():
            socks = [sock for _ in range(UNREAD) if (sock := self._opened(request * 2000, buffer=4096)) is not None]
            begun = time.monotonic()
            poll = select.poll()
            for sock in socks:
                poll.register(sock, 0)  # poll reports the end of a connection without being asked for events
            cut_off: set[int] = set()
            while len(cut_off) < len(socks) and time.monotonic() - begun < UNREAD_SECONDS:
                if self._ended.wait(0.5):
                    break
                for number, _ in poll.poll(0):
                    cut_off.add(number)
                    poll.unregister(number)
                    self._note("clients that never read", time.monotonic() - begun, "cut off")
            else:
                for _ in range(len(socks) - len(cut_off)):
                    self._hang("clients that never read")
            for sock in socks:
                sock.close()

    def _opened(self, first: bytes, handshake: bool = True, buffer: int | None = None) -> socket.socket | None:
        if self._ended.is_set():
            return None
        try:
            sock = self._target.connect(5, buffer) if handshake else self._target.bare(5, buffer)
        except OSError:
            self._ended.wait(0.2)
            return None
        sock.settimeout(1)
        with contextlib.suppress(OSError):
            sock.sendall(first)
        return sock

    def _send(self, weapon: Weapon) -> None:
        try:
            sock = self._target.connect(10)
        except OSError:
            # The service is shutting down, or has too many connections.
            self._ended.wait(0.2)
            return
        with sock:
            with contextlib.suppress(OSError):  # the service may close the connection early
                sock.settimeout(20)
                for piece in weapon.pieces:
                    sock.sendall(piece)
            begun = time.monotonic()
            try:
                reply = whole_reply(sock, begun + GIVE_UP_SECONDS)
            except TimeoutError:
                self._hang(f"{weapon.kind}: {weapon.name}")
                return
            self._note(weapon.kind, time.monotonic() - begun, _status(reply))

    def _note(self, kind: str, seconds: float, status: str) -> None:
        with self._lock:
            attacks = self.attacks
            attacks.sent[kind] = attacks.sent.get(kind, 0) + 1
            attacks.longest[kind] = max(attacks.longest.get(kind, 0.0), seconds)
            attacks.statuses[status] = attacks.statuses.get(status, 0) + 1

    def _hang(self, what: str) -> None:
        with self._lock:
            self.attacks.hung.append(what)


def attack(target: Address, count: int, seconds: float, ready: Event, ended: Event, results: Any) -> None:
    """The attacking process: `count` threads that send requests, and one thread for each kind of idle connection.

    Args:
        target: address of the service.
        count: number of threads that send requests one after the other.
        seconds: time limit of the process in seconds, if `ended` is not set before.
        ready: set by this process when all requests are generated.
        ended: stops the attacks.
        results: queue for the `Attacks`.
    """
    # Attackers on other machines would not use the service's CPUs; low priority leaves those to the service.
    os.nice(10)
    attackers = Attackers(target, ended)
    silent = head(target, "Content-Length: 1000000", "Content-Type: application/json")
    with ExitStack() as stack:
        all_weapons = weapons(target, stack)
        threads = [threading.Thread(target=attackers.shoot, args=(n, all_weapons)) for n in range(count)]
        threads += [
            threading.Thread(target=attackers.guess),
            threading.Thread(target=attackers.ignore_replies),
            threading.Thread(target=attackers.hold, args=("silent bodies", silent, SILENT)),
            threading.Thread(target=attackers.hold, args=("half-open connections", b"GET / HTTP/1.1\r\nA:", HALF_OPEN)),
        ]
        if target.certificate is not None:
            arguments = ("handshakes that never end", b"", HALF_OPEN, False)
            threads.append(threading.Thread(target=attackers.hold, args=arguments))
        ready.set()
        for thread in threads:
            thread.daemon = True
            thread.start()
        ended.wait(seconds)
        ended.set()
        for thread in threads:
            thread.join(2)
    results.put(attackers.attacks)


def whole_reply(sock: socket.socket, until: float) -> bytes:
    """Read the first reply; incomplete or empty if the connection ends before.

    Raises:
        TimeoutError: neither the reply nor the connection is complete at `until`.
    """
    received = b""
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        try:
            piece = sock.recv(1 << 16)
        except TimeoutError:
            raise
        except (OSError, ssl.SSLError):
            return received
        received += piece
        found = re.search(rb"^content-length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", received, re.M | re.I)
        if not piece or (found and len(received) >= found.end() + int(found[1])):
            return received


def _status(reply: bytes) -> str:
    return reply[9:12].decode("ascii", "replace") if reply.startswith(b"HTTP/1.1 ") else "closed"
