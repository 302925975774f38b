"""Division of the slots."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_server.matching.shares import Shares, holder_to_withdraw


@dataclass(frozen=True)
class Held:
    """A slot."""

    key: str
    address: str = "-"
    may_leave: bool = True
    is_receiving: bool = True
    number: int = 0


def test_a_key_that_holds_all_slots_makes_room_and_keeps_half() -> None:
    holders = [Held("a", number=n) for n in range(10)]
    for n in range(4):
        leaving = holder_to_withdraw(holders, "b", "-")
        assert leaving == Held("a", number=9 - n)
        holders.remove(leaving)
        holders.append(Held("b", number=20 + n))
    assert holder_to_withdraw(holders, "b", "-") == Held("a", number=5)
    holders[5] = Held("b", number=24)
    assert holder_to_withdraw(holders, "b", "-") is None
    assert holder_to_withdraw(holders, "a", "-") is None


def test_who_computes_stays_and_who_still_sends_goes_first() -> None:
    running = Held("a", may_leave=False, is_receiving=False)
    queued = Held("a", is_receiving=False, number=1)
    sending = Held("a", number=2)
    assert holder_to_withdraw([running, sending, queued], "b", "-") == sending
    assert holder_to_withdraw([running, queued, running], "b", "-") == queued
    assert holder_to_withdraw([running, running, running], "b", "-") is None


def test_addresses_of_one_key_share_it() -> None:
    holders = [Held("a", "1.1.1.1", number=n) for n in range(4)]
    assert holder_to_withdraw(holders, "a", "1.1.1.1") is None
    assert holder_to_withdraw(holders, "a", "2.2.2.2") == holders[3]


def test_many_keys_of_one_address_share_it() -> None:
    holders = [Held(str(n), "1.1.1.1") for n in range(4)]
    assert holder_to_withdraw(holders, "new", "1.1.1.1") is None
    assert holder_to_withdraw(holders, "new", "2.2.2.2") == holders[3]


def test_many_addresses_of_one_key_do_not_push_another_key_out() -> None:
    holders = [*(Held("a", f"10.0.0.{n}") for n in range(3)), *(Held("b", "2.2.2.2") for _ in range(3))]
    assert holder_to_withdraw(holders, "a", "10.0.0.9") is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), min_size=1, max_size=200))
def test_a_key_that_asks_always_gets_its_share(asking: list[tuple[str, str]]) -> None:
    """Three keys and nine slots: a key with fewer than three gets one more, whichever key holds them all."""
    holders: list[Held] = []
    for number, (key, address) in enumerate(asking):
        held = sum(holder.key == key for holder in holders)
        if len(holders) >= 9:
            leaving = holder_to_withdraw(holders, key, address)
            if leaving is None:
                assert held >= 3
                continue
            holders.remove(leaving)
        holders.append(Held(key, address, number=number))


@pytest.mark.parametrize(("share", "allowed"), [(1.0, 4), (0.5, 2), (0.6, 3), (0.01, 1)])
def test_shares_bound_what_one_may_hold_at_all(share: float, allowed: int) -> None:
    assert Shares().allow([Held("a")] * 4, "b", "-", 4)  # all taken: `holder_to_withdraw` decides
    for shares in (Shares(key=share), Shares(address=share)):
        holders: list[Held] = []
        while len(holders) < 4 and shares.allow(holders, "a", "-", 4):
            holders.append(Held("a"))
        assert len(holders) == allowed
    assert Shares(key=share).allow([Held("a")] * 3, "b", "-", 4)
