"""The HTTP service around `facematch_local`. It imports the library, never the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facematch_server.settings import Settings

__all__ = ["run"]


def run(settings: Settings) -> int:
    """Run the service until SIGINT or SIGTERM.

    Returns:
        Exit code: 0 after an orderly end, 2 if the service cannot start (one line on standard error says why).
    """
    if settings.workers > 1:
        from facematch_server.running.workers import serve_with_workers

        return serve_with_workers(settings)
    from facematch_server.running.serve import serve

    return serve(settings)
