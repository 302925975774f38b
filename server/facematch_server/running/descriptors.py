"""Room for connections among the process's descriptors (Unix; elsewhere there is no such limit to ask for)."""

from __future__ import annotations

import logging
import sys
from typing import Final

# For the database, models, photos by URL and whatever libraries open.
RESERVE: Final = 256

_logger = logging.getLogger(__name__)


def room_for(connections: int, ports: int) -> int:
    """How many connections each port may hold: `connections`, or fewer if the system gives no more descriptors.

    Raises the process's soft limit as far as needed and allowed.
    """
    if sys.platform == "win32":
        return connections
    import resource

    wanted = connections * ports + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (ValueError, OSError):  # macOS states no hard limit and refuses beyond its own
            pass
    room = granted(soft if soft != resource.RLIM_INFINITY else wanted, connections, ports)
    if room < connections:
        _logger.warning("only %d connections per port: the limit on open files (ulimit -n) is %d", room, soft)
    return room


def granted(descriptors: int, connections: int, ports: int) -> int:
    """How many of `descriptors` are left for each port's connections, `connections` at most and 1 at least."""
    reserve = min(RESERVE, descriptors // 2)
    return max(min(connections, (descriptors - reserve) // ports), 1)
