"""`facematch serve --engine ray`: deploy the service on a Ray cluster, or on one of this machine alone."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from facematch_local.batch.cluster.connecting import connected, silent
from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError
from facematch_server.assembly import open_store
from facematch_server.cluster.deployment import NAME, application
from facematch_server.cluster.replicas import Replicas
from facematch_server.cluster.shipping import require_possible, require_shared_database, shipped, threads_of
from facematch_server.running.banner import new_key_text, place
from facematch_server.running.listening import printed
from facematch_server.running.serve import announce_scenarios, check_tls
from facematch_server.settings import Settings

# Errors of a replica whose message says why it cannot start.
_ERRORS: Final = tuple(
    f"{kind}Error: " for kind in ("Facematch", "Pack", "Policy", "Store", "Schema", "Start", "Unavailable")
)
_OBJECT_STORE: Final = 128 * 1024 * 1024


def serve_on_ray(settings: Settings, address: str | None, replicas: Replicas | None) -> int:
    """Deploy the service.

    On a cluster (`address`) it goes on after the command; the same command again replaces it without losing requests.
    On a cluster of this machine alone it runs until SIGINT or SIGTERM.

    Args:
        settings: the options.
        address: HOST:PORT of the cluster's head, "auto", or None for a cluster of this machine.
        replicas: how many; None for one up to as many as the cluster has CPUs for.

    Returns:
        0 after an orderly end, 2 if the service cannot start (one line on standard error says why).
    """
    try:
        require_possible(settings)
        announce_scenarios(settings)
        check_tls(settings)
        if address is not None:
            require_shared_database(settings)
        _create_first_key(settings)
        # Ray Serve itself needs no CPU.
        cpus = max(available_cpus(), threads_of(settings) * (replicas.most if replicas else 1))
        with connected(address, cpus, _OBJECT_STORE) as ray:
            _deploy(ray, settings, replicas, shared=address is not None)
            # Not before: Ctrl-C must end a deployment that hangs.
            stopping = _stopping() if address is None else None
            _print_where(settings)
            if stopping is not None:
                stopping.wait()
                # Ray prints there that the end of its processes is a failure.
                with silent():
                    _serve().shutdown()
                    ray.shutdown()
    except FacematchError as error:
        print(f"facematch: cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _deploy(ray: Any, settings: Settings, replicas: Replicas | None, *, shared: bool) -> None:
    serve = _serve()
    if replicas is None:
        cpus = int(ray.cluster_resources().get("CPU", 1))
        replicas = Replicas(1, max(cpus // threads_of(settings), 1))
    quiet = {"enable_access_log": False, "log_level": "WARNING"}
    try:
        serve.start(proxy_location="EveryNode", http_options=_http_options(settings), logging_config=quiet)
        target = application(serve, settings, shipped(settings), replicas, shared)
        serve.run(target, name=NAME, route_prefix="/", logging_config=quiet)
    except Exception as error:
        raise FacematchError(_reason(serve, error)) from None


def _serve() -> Any:
    from ray import serve

    for name in ("ray.serve", "ray.serve.api", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return serve


def _http_options(settings: Settings) -> Mapping[str, Any]:
    tls = {}
    if settings.tls_cert is not None:
        key = settings.tls_key or settings.tls_cert
        tls = {"ssl_certfile": str(settings.tls_cert), "ssl_keyfile": str(key)}
    return {
        "host": settings.host,
        "port": settings.port,
        "keep_alive_timeout_s": settings.keep_alive_seconds,
        "request_timeout_s": settings.deadline_seconds + settings.body_seconds + settings.write_seconds,
        **tls,
    }


def _reason(serve: Any, error: Exception) -> str:
    """Why a deployment fails: the error of a replica, where it is one of this project's."""
    for line in reversed(_messages(serve).splitlines()):
        for kind in _ERRORS:
            if kind in line:
                return line.partition(kind)[2]
    return f"Ray Serve cannot deploy the service ({type(error).__name__}); its logs are in the folder of the session"


def _messages(serve: Any) -> str:
    try:
        found = serve.status().applications[NAME]
        return "\n".join((found.message, *(one.message for one in found.deployments.values())))
    except Exception:  # the controller has ended
        return ""


def _create_first_key(settings: Settings) -> None:
    with closing(open_store(settings)) as store:
        new = store.create_first_key()
    if new is not None:
        # To the terminal, not through the logs.
        print(new_key_text(new, place()), flush=True)  # noqa: T201


def _print_where(settings: Settings) -> None:
    scheme = "http" if settings.tls_cert is None else "https"
    print(f"listening on {scheme}://{printed(settings.host)}:{settings.port} of each node with replicas", flush=True)  # noqa: T201


def _stopping() -> threading.Event:
    """Is set by SIGINT and SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
