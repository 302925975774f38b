"""Listening sockets: every address of a host, on one port."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from typing import Final

from facematch_local.errors import FacematchError

BACKLOG: Final = 256
# Bytes of unread replies that the system buffers; Linux doubles the value. By default it buffers megabytes, and the
# service notices a client that does not read only when they are full.
SEND_BUFFER: Final = 128 * 1024


class StartError(FacematchError):
    """The service cannot start; the message says why and what to do."""


def bind(host: str, port: int, setting: str) -> list[socket.socket]:
    """Listen on all addresses of `host`. `::` accepts IPv4 too; `localhost` has two addresses.

    Args:
        host: address or name; "" for every IPv4 address.
        port: 0 for a free one, the same for all addresses.
        setting: the variable that sets the port, for the message.

    Raises:
        StartError: an address is in use, or is not an address of this machine.
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
        if error.errno == errno.EADDRINUSE:
            reason = ": another program uses this port, perhaps an earlier start of this service"
        else:
            reason = f" ({error.strerror or type(error).__name__})"
        raise StartError(f"cannot listen on {printed(host)}:{port}{reason}; {_another(port, setting)}") from None


def _another(port: int, setting: str) -> str:
    """How to choose another port, in the words of the way in which the service was started."""
    if setting != "FACEMATCH_PORT":
        return f"choose another with {setting}"
    free = port + 1 if port < 65535 else 8000
    # make sets this variable for the commands that it runs.
    start = f"make run PORT={free}" if os.environ.get("MAKELEVEL") else f"facematch serve --port {free}"
    return f"choose another: `{start}` or {setting}={free}"


def takes_ipv4(sockets: list[socket.socket]) -> bool:
    """Whether a client can connect to 127.0.0.1, judged by the kinds of the sockets."""
    return any(
        sock.family == socket.AF_INET or not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        for sock in sockets
    )


def printed(host: str) -> str:
    """`host` in the form of a URL."""
    return f"[{host}]" if ":" in host else host


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if ":" in host:
        return [(socket.AF_INET6, host)]
    if not host or host.replace(".", "").isdigit():
        return [(socket.AF_INET, host)]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    kinds = [(entry[0], str(entry[4][0])) for entry in found if entry[0] in (socket.AF_INET, socket.AF_INET6)]
    # IPv4 first: the printed address, and the one that most clients try.
    return sorted(dict.fromkeys(kinds), key=lambda kind: kind[0] != socket.AF_INET)


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    both = family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()
    sock = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    # Connections inherit this option.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return sock
