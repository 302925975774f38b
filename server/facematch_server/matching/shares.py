"""Who holds how many places, and who gives one back when the house is full."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Holder(Protocol):
    """A request that holds a place."""

    @property
    def key(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def may_leave(self) -> bool: ...
    @property
    def is_sending(self) -> bool: ...


H = TypeVar("H", bound=Holder)


@dataclass(frozen=True, slots=True)
class Shares:
    """The largest part of all places that one key, and one address, may hold: above 0, at most 1."""

    key: float = 1.0
    address: float = 1.0

    def allow(self, holders: Iterable[Holder], key: str, address: str, places: int) -> bool:
        """Whether key and address may take one more of `places`."""
        of_key = of_address = 0
        for holder in holders:
            of_key += holder.key == key
            of_address += holder.address == address
        # A full house is no matter of shares: who comes may still get the place of another.
        within = ((self.key, of_key), (self.address, of_address))
        return all(share == 1 or held < math.ceil(share * places) for share, held in within)


def who_leaves(holders: Sequence[H], key: str, address: str) -> H | None:
    """Whose place a request of `key` from `address` gets in a full house.

    Of the key that holds the most, if that is more than the one that asks would hold; else of the address that does,
    as long as no key gets less than another by that. So keys that want places end with equally many. Only who waits
    can leave, not who computes: first who is still sending, of these who came last.

    Args:
        holders: in the order in which they came.
        key: who asks.
        address: from where.
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
    for those in (by_key, by_address):
        leaving = [holder for holder in those if holder.may_leave]
        if leaving:
            return max(reversed(leaving), key=lambda holder: holder.is_sending)
    return None
