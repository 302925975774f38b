"""The deployment of Ray Serve: builds the application inside each replica."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from facematch_server.cluster.replicas import Replicas
from facematch_server.cluster.shipping import threads_of
from facematch_server.settings import Settings

NAME: Final = "facematch"
# Beyond its slots, a replica answers at once that it is busy; Serve's own refusal would lack the envelope.
_REFUSALS: Final = 64
_UPSCALE_SECONDS: Final = 10.0
_DOWNSCALE_SECONDS: Final = 300.0


class Replica:
    """Builds the application in a process of the cluster; Ray Serve runs its lifespan."""

    def __init__(self, values: Mapping[str, Any], shared: bool) -> None:
        """Take what `shipping` says."""
        self._values, self._shared = values, shared

    def __serve_build_asgi_app__(self) -> Any:
        from facematch_server.app import create_app
        from facematch_server.cluster.front import Front
        from facematch_server.cluster.shipping import received
        from facematch_server.logs import set_up_logs

        settings = received(self._values, self._shared)
        set_up_logs(settings.log_level, settings.log_format)
        _calm_libraries()
        return Front(create_app(settings), *_board())


def application(serve: Any, settings: Settings, values: Mapping[str, Any], replicas: Replicas, shared: bool) -> Any:
    """The application for `serve.run`.

    Args:
        serve: the module `ray.serve`.
        settings: the options.
        values: what replicas get of them.
        replicas: how many.
        shared: the cluster may have several nodes.
    """
    threads = threads_of(settings)
    deployment = serve.deployment(
        name=NAME,
        ray_actor_options={"num_cpus": threads},
        max_ongoing_requests=threads + settings.queue_size + _REFUSALS,
        autoscaling_config={
            "min_replicas": replicas.least,
            "initial_replicas": replicas.least,
            "max_replicas": replicas.most,
            # One request in work and one waiting for each thread.
            "target_ongoing_requests": 2 * threads,
            "upscale_delay_s": _UPSCALE_SECONDS,
            "downscale_delay_s": _DOWNSCALE_SECONDS,
        },
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=settings.drain_seconds + settings.shutdown_seconds,
        health_check_period_s=5,
        health_check_timeout_s=15,
    )(serve.ingress()(Replica))
    return deployment.bind(values, shared)


def _board() -> tuple[Any, str]:
    """The board of all replicas, and the name of this one."""
    import ray
    from ray import serve

    from facematch_server.cluster.metrics_board import MetricsBoard

    options = {"name": "facematch-metrics", "namespace": "facematch", "lifetime": "detached", "get_if_exists": True}
    actor = ray.remote(num_cpus=0, max_restarts=-1)(MetricsBoard).options(**options).remote()
    return _Remote(actor), str(serve.get_replica_context().replica_id.unique_id)


class _Remote:
    """The board as `front.Board`."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def put(self, replica: str, text: str) -> Awaitable[object]:
        found: Awaitable[object] = self._actor.put.remote(replica, text)
        return found

    def read(self) -> Awaitable[dict[str, str]]:
        found: Awaitable[dict[str, str]] = self._actor.read.remote()
        return found


def _calm_libraries() -> None:
    import sys

    import cv2

    cv2.setNumThreads(1)
    sys.setswitchinterval(0.001)
