"""Division of the slots: how many one key and one address may hold, and which slot is withdrawn when all are taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Holder(Protocol):
    """A request that holds a slot."""

    @property
    def key(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def may_leave(self) -> bool: ...
    @property
    def is_receiving(self) -> bool: ...


H = TypeVar("H", bound=Holder)


@dataclass(frozen=True, slots=True)
class Shares:
    """The largest part of all slots that one key, and one address, may hold: above 0, at most 1."""

    key: float = 1.0
    address: float = 1.0

    def allow(self, holders: Iterable[Holder], key: str, address: str, slots: int) -> bool:
        """Whether `key` and `address` may hold one more of `slots`."""
        of_key = of_address = 0
        for holder in holders:
            of_key += holder.key == key
            of_address += holder.address == address
        # A share of 1 sets no limit, also when all slots are taken: the request may still get the slot of another one.
        within = ((self.key, of_key), (self.address, of_address))
        return all(share == 1 or held < math.ceil(share * slots) for share, held in within)


def holder_to_withdraw(holders: Sequence[H], key: str, address: str) -> H | None:
    """The holder that loses its slot to a request of `key` from `address` when all slots are taken.

    It belongs to the key with the most slots, if that key then still holds at least as many as `key` would. Otherwise
    it belongs to the address with the most slots, if no key ends with fewer slots than another one because of it. So
    keys that compete for slots end with equally many. Only a holder that no thread works for can lose its slot; a
    request that is still received goes first, and of these the latest.

    Args:
        holders: in order of arrival.
        key: API key of the new request.
        address: client address of the new request.
    """
    of_key = Counter(holder.key for holder in holders)
    of_address = Counter(holder.address for holder in holders)
    most_of_key = max(of_key.values(), default=0)
    most_of_address = max(of_address.values(), default=0)
    by_key = (holder for holder in holders if of_key[holder.key] == most_of_key > of_key[key] + 1)
    by_address = (
        holder
        for holder in holders
        if of_address[holder.address] == most_of_address > of_address[address] + 1
        and (holder.key == key or of_key[holder.key] > of_key[key])
    )
    for candidates in (by_key, by_address):
        leaving = [holder for holder in candidates if holder.may_leave]
        if leaving:
            return max(reversed(leaving), key=lambda holder: holder.is_receiving)
    return None
