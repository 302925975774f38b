"""The tables, held against the contract's wording."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facematch_local.codes import ErrorCode, WarningCode


def test_messages_are_the_documented_ones() -> None:
    assert ErrorCode.OUT_OF_REQUESTS.message == "Out of requests"
    assert WarningCode.NO_CARD.message == "The ID card photo is not existed"


@pytest.mark.parametrize("table", [ErrorCode, WarningCode])
def test_every_code_has_its_own_message(table: type[ErrorCode] | type[WarningCode]) -> None:
    messages = [code.message for code in table]
    assert len(set(messages)) == len(messages)


def test_tables_agree_with_the_contract(shared: Path) -> None:
    text = (shared / "wire-contract.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", text, re.MULTILINE)
    ours = [(str(int(c)), c.message) for c in (*ErrorCode, *WarningCode)]
    assert [(code, message.strip()) for code, message in rows] == ours
