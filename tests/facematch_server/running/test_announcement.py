"""The banner of scenarios, and the refusal to serve them to other machines."""

from __future__ import annotations

from typing import Any

import pytest

from facematch_server.running.serve import StartError, announce_scenarios
from facematch_server.settings import Settings

EVERY_ADDRESS = "::"


def test_refused_where_others_can_reach_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StartError, match="SCENARIOS_ANYWAY"):
        announce_scenarios(Settings(scenarios=True, host=EVERY_ADDRESS))
    announce_scenarios(Settings(host=EVERY_ADDRESS))
    assert capsys.readouterr().err == ""
    announce_scenarios(Settings(scenarios=True, host=EVERY_ADDRESS, scenarios_anyway=True))
    announce_scenarios(Settings(scenarios=True))
    assert capsys.readouterr().err.count("SCENARIOS ARE ON") == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"host": "192.0.2.7"}, "192.0.2.7"),
        ({"host": "127.0.0.1", "internal_port": 1, "internal_host": "10.1.2.3"}, "10.1.2.3"),
        ({"host": "10.9.9.9", "internal_port": 1, "internal_host": "127.0.0.1"}, "10.9.9.9"),
        ({"host": "::", "internal_port": 1, "internal_host": "10.1.2.3"}, ":: and 10.1.2.3"),
        ({"host": "::", "internal_port": 1}, "::"),
    ],
)
def test_the_refusal_names_the_address_that_is_open(options: dict[str, Any], named: str) -> None:
    with pytest.raises(StartError, match=f"other machines can reach {named};"):
        announce_scenarios(Settings(scenarios=True, **options))
