"""The connection to a Ray cluster, or a cluster of this machine for the time of a run."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from facematch_local.errors import FacematchError

_SECONDS: Final = 5.0
_NO_HEAD: Final = "no head of a cluster answers there"
_NO_PROXY: Final = (("grpc.enable_http_proxy", 0),)


@contextlib.contextmanager
def connected(address: str | None, jobs: int, object_store: int) -> Iterator[Any]:
    """The module `ray`, connected; disconnected afterwards.

    Args:
        address: HOST:PORT of the cluster's head, or "auto" for the cluster that this machine belongs to. None: a
            cluster of this machine alone, which ends afterwards and leaves no files.
        jobs: CPUs of the cluster of this machine.
        object_store: its memory for objects, in bytes.

    Raises:
        FacematchError: Ray is not installed, has another version than the cluster, or the cluster cannot be reached.
    """
    if address is not None:
        _check_listens(address)  # first, since the import of Ray takes seconds
    ray = _module()
    with contextlib.ExitStack() as stack:
        if address is None:
            settings: dict[str, Any] = {
                "address": "local",
                "num_cpus": jobs,
                "object_store_memory": object_store,
                # Full or not, it must not write photos to the disk.
                "_system_config": {"automatic_object_spilling_enabled": False},
                "include_dashboard": False,
                "_temp_dir": stack.enter_context(_temporary_folder()),
            }
        else:
            _check_answers(address)
            settings = {"address": address}
        try:
            with silent():
                ray.init(logging_level=logging.CRITICAL, log_to_driver=False, **settings)
        except Exception as error:
            raise FacematchError(meaning(error, address)) from None
        stack.callback(ray.shutdown)
        yield ray


def _module() -> Any:
    # Nothing may leave the site: Ray would report its usage to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Its native part would write warnings to standard error.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError:
        raise FacematchError("a cluster needs Ray: pip install 'facematch-local[ray]'") from None
    return ray


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder with a short name, since the names of Unix sockets in it are limited to some hundred bytes."""
    folder = tempfile.mkdtemp(prefix="fm-ray-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without standard error, to which Ray and its native part write at their start and end."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _check_listens(address: str) -> None:
    """Ask for the port of the head: Ray itself waits for minutes."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit()) or "/" in host:
        raise FacematchError(f"{address}: the address of a cluster is HOST:PORT of its head, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, getattr(error, "strerror", None) or _NO_HEAD) from None


def _check_answers(address: str) -> None:
    """Ask whether a program of Ray's kind answers at an address where somebody listens."""
    # With TLS, Ray's own certificates are needed, so that only the port can be asked for.
    if address == "auto" or os.environ.get("RAY_USE_TLS", "0") != "0":
        return
    import grpc

    with grpc.insecure_channel(address, _NO_PROXY) as channel:
        try:
            grpc.channel_ready_future(channel).result(_SECONDS)
        except grpc.FutureTimeoutError:
            raise _unreachable(address, _NO_HEAD) from None


def _unreachable(address: str, reason: str) -> FacematchError:
    return FacematchError(f"{address}: the cluster cannot be reached ({reason})")


def meaning(error: Exception, address: str | None) -> str:
    text = str(error)
    if "ersion mismatch" in text:
        said = " ".join(line.strip() for line in text.splitlines() if "Ray:" in line or "Python:" in line)
        return f"{address}: the cluster runs another version of Ray or Python than this command ({said[:200]})"
    if address is None:
        late = "timed out" in text or "raylet" in text
        return f"Ray cannot start on this machine ({'it takes too long' if late else type(error).__name__})"
    return (
        f"{address}: the cluster cannot be joined ({type(error).__name__}); "
        "run the command on a node of the cluster, where `ray start` has been run"
    )
