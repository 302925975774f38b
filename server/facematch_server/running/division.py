"""What each of several workers gets of the machine: its part of the threads, slots, connections and decoders."""

from __future__ import annotations

import sys

from facematch_local.cpu import available_cpus
from facematch_server.running.listening import StartError
from facematch_server.settings import Settings


def lacking() -> str | None:
    """Why this system cannot run several workers; None if it can."""
    if sys.platform == "linux":
        return None
    if sys.platform == "darwin":
        return "the libraries of macOS do not survive the fork of a process that has loaded models"
    return f"{sys.platform} cannot fork a process"


def with_inheritable_providers(settings: Settings) -> Settings:
    """The settings with execution providers that workers can inherit: only the CPU's works after a fork.

    Returns:
        The settings; `cpu` in place of `auto`.

    Raises:
        StartError: another provider is asked for.
    """
    if settings.providers[0] == "cpu":
        return settings
    if settings.providers != ("auto",):
        raise StartError(
            f"FACEMATCH_PROVIDERS={','.join(settings.providers)} needs FACEMATCH_WORKERS=1: several workers inherit "
            "loaded models, and only those of the provider cpu work after that"
        )
    return settings.model_copy(update={"providers": ("cpu",)})


def part_of(settings: Settings, number: int) -> Settings:
    """The settings of one worker.

    The parts of all workers add up to `settings`; but each worker has at least one thread, one decoder where there are
    any, and one connection.

    Args:
        settings: those of the service; `workers` says how many workers there are.
        number: the number of the worker, from 0.
    """
    workers = settings.workers
    decoders = settings.decode_processes
    return settings.model_copy(
        update={
            "threads": max(_part(settings.threads or available_cpus(), workers, number), 1),
            "queue_size": _part(settings.queue_size, workers, number),
            "max_connections": max(_part(settings.max_connections, workers, number), 1),
            "decode_processes": max(_part(decoders, workers, number), 1) if decoders else decoders,
        }
    )


def _part(whole: int, parts: int, number: int) -> int:
    return whole // parts + (number < whole % parts)
