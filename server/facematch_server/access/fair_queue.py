"""A queue of lanes that take turns, so that a client with many requests delays itself only.

A lane has two levels, a group and a name in it: an address and an API key, or the other way round. Groups take turns,
and so do the lanes of a group; a lane is first in, first out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

# Number of groups and lanes whose last turn is remembered; a forgotten one counts as never served.
_REMEMBERED: Final = 1024


class Lane(NamedTuple):
    """The lane of an item.

    Attributes:
        group: its lanes share one turn.
        name: its items share a turn of the group.
    """

    group: str
    name: str


ANY_LANE: Final = Lane("", "")


class FairQueue(Generic[T]):
    """Waiting items by lane. Thread-safe; no method blocks."""

    def __init__(self, limit: int | None = None, lane_limit: int | None = None) -> None:
        """Open an empty queue.

        Args:
            limit: largest number of waiting items; None for no limit.
            lane_limit: largest number of waiting items of one lane; None for no limit.
        """
        self._limit = limit
        self._lane_limit = lane_limit
        self._groups: dict[str, dict[str, deque[T]]] = {}
        self._turns: OrderedDict[str | Lane, int] = OrderedDict()
        self._turn = 0
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._size

    def put(self, lane: Lane, item: T) -> T | None:
        """Add an item.

        Returns:
            None, or the item that the limits push out: `item` itself, or the newest item of the fullest group if more
            items of it wait than of the group of `item`, this one included.
        """
        with self._lock:
            waiting = self._groups.get(lane.group, {})
            if self._lane_limit is not None and len(waiting.get(lane.name, ())) >= self._lane_limit:
                return item
            gone = None
            if self._limit is not None and self._size >= self._limit:
                fullest = max(self._groups, key=self._count, default=lane.group)
                if self._count(fullest) <= self._count(lane.group) + 1:
                    return item
                names = self._groups[fullest]
                longest = max(names, key=lambda name: len(names[name]))
                gone = names[longest].pop()
                self._left(Lane(fullest, longest))
            self._groups.setdefault(lane.group, {}).setdefault(lane.name, deque()).append(item)
            self._size += 1
            return gone

    def pop(self) -> T | None:
        """Remove and return the item whose turn it is; None if the queue is empty."""
        with self._lock:
            if not self._groups:
                return None
            group = min(self._groups, key=lambda group: self._turns.get(group, 0))
            name = min(self._groups[group], key=lambda name: self._turns.get(Lane(group, name), 0))
            item = self._groups[group][name].popleft()
            self._left(Lane(group, name))
            self._turn += 1
            for served in (group, Lane(group, name)):
                self._turns[served] = self._turn
                self._turns.move_to_end(served)
            while len(self._turns) > _REMEMBERED:
                self._turns.popitem(last=False)
            return item

    def remove(self, lane: Lane, item: T) -> bool:
        """Remove an item; False if it is not in the queue."""
        with self._lock:
            try:
                self._groups[lane.group][lane.name].remove(item)
            except (KeyError, ValueError):
                return False
            self._left(lane)
            return True

    def drain(self) -> Iterator[T]:
        """Remove all items."""
        while (item := self.pop()) is not None:
            yield item

    def _count(self, group: str) -> int:
        return sum(len(items) for items in self._groups.get(group, {}).values())

    def _left(self, lane: Lane) -> None:
        self._size -= 1
        if not self._groups[lane.group][lane.name]:
            del self._groups[lane.group][lane.name]
        if not self._groups[lane.group]:
            del self._groups[lane.group]
