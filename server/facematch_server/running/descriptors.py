"""How many connections the process's limit on descriptors allows (Unix; other systems report no such limit)."""

from __future__ import annotations

import logging
import sys
from typing import Final

# Reserved for the database, models, photos by URL and files of libraries.
RESERVE: Final = 256

_logger = logging.getLogger(__name__)


def room_for(connections: int, ports: int) -> int:
    """Connections for each port: `connections`, or fewer if the limit on descriptors does not allow them.

    Raises the soft limit of the process as far as needed and allowed.
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
    """Descriptors of `descriptors` for the connections of each port, at most `connections` and at least 1."""
    reserve = min(RESERVE, descriptors // 2)
    return max(min(connections, (descriptors - reserve) // ports), 1)
