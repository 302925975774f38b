"""The HTTP service around `facematch_local`. Imports the library, never the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facematch_server.settings import Settings

__all__ = ["run"]


def run(settings: Settings) -> int:
    """Run the service until it is told to stop.

    Returns:
        Exit code: 0 after an orderly end, 2 when it could not start (told in one line on standard error).
    """
    from facematch_server.running.serve import serve

    return serve(settings)
