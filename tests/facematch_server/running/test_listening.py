"""The addresses of a host, and the message if one is in use."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from facematch_server.running.descriptors import RESERVE, granted, room_for
from facematch_server.running.listening import SEND_BUFFER, StartError, bind, printed, takes_ipv4


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def has_ipv6() -> bool:
    try:
        with closing(socket.create_server(("::1", 0), family=socket.AF_INET6)):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def bound(stack: ExitStack, host: str, port: int = 0) -> list[socket.socket]:
    return [stack.enter_context(closing(sock)) for sock in bind(host, port, "FACEMATCH_PORT")]


def reaches(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=5)):
            return True
    except OSError:
        return False


def test_an_address_is_one_socket(stack: ExitStack) -> None:
    sockets = bound(stack, "127.0.0.1")
    assert [sock.getsockname()[0] for sock in sockets] == ["127.0.0.1"]
    assert takes_ipv4(sockets)


@needs_ipv6
def test_all_of_ipv6_takes_ipv4_too(stack: ExitStack) -> None:
    sockets = bound(stack, "::")
    port = sockets[0].getsockname()[1]
    assert reaches("::1", port)
    assert reaches("127.0.0.1", port)
    assert takes_ipv4(sockets)


@needs_ipv6
def test_one_ipv6_address_does_not(stack: ExitStack) -> None:
    sockets = bound(stack, "::1")
    assert reaches("::1", sockets[0].getsockname()[1])
    assert not takes_ipv4(sockets)


@needs_ipv6
def test_localhost_is_both_families_on_one_port(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: object, **__: object) -> list[object]:
        # As most systems have it; containers often know the IPv4 address only.
        entries = ((socket.AF_INET6, ("::1", 0, 0, 0)), (socket.AF_INET, ("127.0.0.1", 0)))
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in entries] * 2

    monkeypatch.setattr(socket, "getaddrinfo", both)
    sockets = bound(stack, "localhost")
    assert [sock.getsockname()[0] for sock in sockets] == ["127.0.0.1", "::1"]
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    monkeypatch.undo()
    assert reaches("127.0.0.1", sockets[0].getsockname()[1])
    assert reaches("::1", sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("by_make", "setting", "remedy"),
    [
        ("", "FACEMATCH_PORT", "choose another: `facematch serve --port {next}` or FACEMATCH_PORT={next}"),
        ("1", "FACEMATCH_PORT", "choose another: `make run PORT={next}` or FACEMATCH_PORT={next}"),
        ("1", "FACEMATCH_INTERNAL_PORT", "choose another with FACEMATCH_INTERNAL_PORT"),
    ],
)
def test_a_taken_port_names_the_next_step(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch, by_make: str, setting: str, remedy: str
) -> None:
    monkeypatch.setenv("MAKELEVEL", by_make)
    port = bound(stack, "127.0.0.1")[0].getsockname()[1]
    with pytest.raises(StartError) as refused:
        bind("127.0.0.1", port, setting)
    start = (
        f"cannot listen on 127.0.0.1:{port}: another program uses this port, perhaps an earlier start of this service"
    )
    assert str(refused.value) == f"{start}; {remedy.format(next=port + 1 if port < 65535 else 8000)}"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7", "2001:db8::7", "1.2.3"])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with pytest.raises(StartError, match="cannot listen on"):
        bind(host, 0, "FACEMATCH_PORT")


def test_hosts_in_urls() -> None:
    assert [printed(host) for host in ("127.0.0.1", "::1", "name")] == ["127.0.0.1", "[::1]", "name"]


@pytest.mark.parametrize(
    ("descriptors", "connections", "ports", "room"),
    [
        (10_000, 1000, 1, 1000),
        (1024, 1000, 1, 1024 - RESERVE),
        (1024, 1000, 2, (1024 - RESERVE) // 2),
        (1024, 100, 2, 100),
        (100, 1000, 1, 50),
        (2, 1000, 2, 1),
    ],
)
def test_connections_leave_descriptors_for_the_rest(descriptors: int, connections: int, ports: int, room: int) -> None:
    assert granted(descriptors, connections, ports) == room


def test_the_limit_is_raised_as_far_as_allowed() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(300, soft), hard))
        assert room_for(400, 1) == min(400, max(hard, 0) or 400)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 400
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_system_holds_little_of_what_a_client_does_not_read(stack: ExitStack) -> None:
    (listening,) = bound(stack, "127.0.0.1")
    client = stack.enter_context(closing(socket.create_connection(listening.getsockname(), timeout=5)))
    accepted = stack.enter_context(closing(listening.accept()[0]))
    assert SEND_BUFFER <= accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER
    assert client.getpeername()
