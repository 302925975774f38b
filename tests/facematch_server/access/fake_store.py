"""A store that answers as told and notes what it was asked."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any


def basic(pair: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(pair.encode()).decode()}"


@dataclass(frozen=True)
class FakeLogin:
    """The result of `look_up`."""

    key: Any
    slow: bool = False
    name: str = ""


@dataclass(frozen=True)
class FakeKey:
    """A key."""

    quota: int | None = 10


@dataclass(frozen=True)
class FakeReservation:
    """The result of `reserve`."""

    limited: bool = True


class FakeStore:
    """Notes the calls; lets each answer be chosen."""

    def __init__(
        self,
        *,
        known: bool = True,
        wait: float = 0.0,
        left: bool = True,
        counted: bool = True,
        quota: int | None = 10,
    ) -> None:
        self.calls: list[str] = []
        self._key = FakeKey(quota)
        self._known, self._wait, self._left, self._counted = known, wait, left, counted

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Any:
        self.calls.append("look_up")
        return FakeLogin(self._key if self._known else None)

    def settle(self, login: Any) -> Any:
        raise AssertionError("there was nothing slow to do")

    def recall(self, api_key: str, api_secret: str) -> Any:
        return None

    def allow(self, key: Any) -> float:
        self.calls.append("allow")
        return self._wait

    def reserve(self, key: Any, ttl_seconds: float, until: float | None = None) -> Any:
        self.calls.append(f"reserve {ttl_seconds:g}")
        return FakeReservation(key.quota is not None) if self._left else None

    def commit(self, reservation: Any, until: float | None = None) -> bool:
        self.calls.append("commit")
        return self._counted

    def release(self, reservation: Any, until: float | None = None) -> None:
        self.calls.append("release")

    def ping(self, until: float | None = None) -> None:
        pass
