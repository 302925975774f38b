"""Results for people (a table) and for CI (JUnit XML)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Xml

from facematch_server.conformance.suite import CaseOutcome, Result

if TYPE_CHECKING:
    from rich.table import Table

# Characters that XML 1.0 cannot hold.
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOURS: Final = {CaseOutcome.PASSED: "green", CaseOutcome.FAILED: "bold red", CaseOutcome.SKIPPED: "yellow"}


def counts(results: Sequence[Result]) -> dict[CaseOutcome, int]:
    """Number of cases by outcome."""
    found = Counter(result.outcome for result in results)
    return {outcome: found[outcome] for outcome in CaseOutcome}


def table(results: Sequence[Result]) -> Table:
    """One row per case."""
    from rich.markup import escape
    from rich.table import Table

    rows = Table("about", "case", "errorCode", "ms", "outcome")
    for result in results:
        reply = result.reply
        code = "" if reply is None or reply.error_code is None else ascii(reply.error_code).strip("'")[:12]
        said = escape("; ".join(result.problems))
        outcome = f"[{_COLOURS[result.outcome]}]{result.outcome}[/]" + (f": {said}" if said else "")
        milliseconds = f"{1000 * reply.seconds:.0f}" if reply else ""
        rows.add_row(result.case.group, escape(result.case.name), escape(code), milliseconds, outcome)
    return rows


def junit(results: Sequence[Result], base_url: str) -> bytes:
    """The results as JUnit XML, for CI systems."""
    found = counts(results)
    seconds = sum(result.reply.seconds for result in results if result.reply)
    totals = {
        "tests": str(len(results)),
        "failures": str(found[CaseOutcome.FAILED]),
        "errors": "0",
        "skipped": str(found[CaseOutcome.SKIPPED]),
        "time": f"{seconds:.3f}",
    }
    root = Xml.Element("testsuites", totals)
    suite = Xml.SubElement(root, "testsuite", {"name": "facematch contract", "hostname": _clean(base_url), **totals})
    for result in results:
        spent = f"{result.reply.seconds if result.reply else 0:.3f}"
        attributes = {"classname": f"contract.{result.case.group}", "name": result.case.name, "time": spent}
        case = Xml.SubElement(suite, "testcase", attributes)
        said = _clean("; ".join(result.problems))
        if result.outcome is CaseOutcome.FAILED:
            Xml.SubElement(case, "failure", {"message": said}).text = _clean("\n".join(result.problems))
        elif result.outcome is CaseOutcome.SKIPPED:
            Xml.SubElement(case, "skipped", {"message": said})
    Xml.indent(root)
    return bytes(Xml.tostring(root, "utf-8", xml_declaration=True))


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
