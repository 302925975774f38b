"""Ports of this machine."""

from __future__ import annotations

import socket
from contextlib import closing


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        port: int = sock.getsockname()[1]
        return port
