"""A store that accepts scenarios: they use no quota and no database."""

from __future__ import annotations

from typing import Any

import pytest

from facematch_server.scenarios.store import ScenarioKey, ScenarioStore
from facematch_server.store.logins import Login
from facematch_server.store.records import ApiKey
from facematch_server.wire.profile import Profile


class Inner:
    """A store that notes its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any) -> Any:
            self.calls.append(name)
            return {"allow": 7.5, "commit": True}.get(name)

        return call


def look_up(store: ScenarioStore, api_key: str) -> ApiKey | None:
    login = store.look_up(api_key, "any secret")
    assert not login.slow
    return login.key


def test_a_scenario_never_reaches_the_store() -> None:
    inner = Inner()
    store = ScenarioStore(inner)
    key = look_up(store, "scenario-success+observed")
    assert isinstance(key, ScenarioKey)
    assert (key.log_name, key.profile, key.quota) == ("scenario", Profile.OBSERVED, None)
    assert store.allow(key) == 0.0
    reservation = store.reserve(key, 60)
    assert reservation is not None
    assert store.commit(reservation)
    store.release(reservation)
    assert inner.calls == []


@pytest.mark.parametrize("api_key", ["scenario-error-9", "scenario-", "scenario-error-5"])
def test_what_names_no_scenario_or_error_5_is_refused(api_key: str) -> None:
    inner = Inner()
    assert look_up(ScenarioStore(inner), api_key) is None
    assert inner.calls == []


def test_scenarios_of_refusals() -> None:
    store = ScenarioStore(Inner())
    fast, used_up = look_up(store, "scenario-http-429"), look_up(store, "scenario-error-4")
    assert fast is not None
    assert used_up is not None
    assert store.allow(fast) == 1.0
    assert store.reserve(used_up, 60) is None


def test_other_keys_are_the_store_s() -> None:
    inner = Inner()
    store, key = ScenarioStore(inner), object()
    assert store.look_up("real", "secret") is None
    store.settle(Login(None))
    assert store.allow(key) == 7.5  # type: ignore[arg-type]
    store.reserve(key, 60)  # type: ignore[arg-type]
    store.ping()
    assert inner.calls == ["look_up", "settle", "allow", "reserve", "ping"]
