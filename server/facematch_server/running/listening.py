"""Sockets to listen on: every address that a host means, under one port."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

from facematch_local.errors import FacematchError

BACKLOG: Final = 256
# What the system holds of replies that a client has not read; Linux doubles it. Left to itself it holds megabytes, and
# a client that reads nothing is noticed only when they are full.
SEND_BUFFER: Final = 128 * 1024


class StartError(FacematchError):
    """The service cannot start; the message says why and what to do."""


def bind(host: str, port: int, setting: str) -> list[socket.socket]:
    """Listen on all addresses of `host`: `::` takes IPv4 too, `localhost` has two.

    Args:
        host: address or name; "" is every IPv4 address.
        port: 0 takes a free one, the same for all addresses.
        setting: the variable that says the port, for the message.

    Raises:
        StartError: one of them is taken or not this machine's.
    """
    try:
        with ExitStack() as stack:
            sockets: list[socket.socket] = []
            for family, address in _addresses(host):
                number = sockets[0].getsockname()[1] if sockets else port
                sockets.append(stack.enter_context(_listening(family, address, number)))
            stack.pop_all()
            return sockets
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StartError(f"cannot listen on {printed(host)}:{port} ({reason}); choose another with {setting}") from None


def takes_ipv4(sockets: list[socket.socket]) -> bool:
    """Whether a client that knows only 127.0.0.1 can come in, as far as the sockets' kinds tell."""
    return any(
        sock.family == socket.AF_INET or not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        for sock in sockets
    )


def printed(host: str) -> str:
    """`host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if ":" in host:
        return [(socket.AF_INET6, host)]
    if not host or host.replace(".", "").isdigit():
        return [(socket.AF_INET, host)]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    kinds = [(entry[0], str(entry[4][0])) for entry in found if entry[0] in (socket.AF_INET, socket.AF_INET6)]
    # IPv4 first: the address that is printed and that most clients try.
    return sorted(dict.fromkeys(kinds), key=lambda kind: kind[0] != socket.AF_INET)


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    both = family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()
    sock = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    # Connections inherit it.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return sock
