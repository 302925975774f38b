"""Tables and plain data of `facematch top`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.top.activity import Activity, total
from facematch_server.top.watch import Seen

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

# Narrower consoles lack some columns.
_WIDE: Final = 100


def screen(seen: Sequence[Seen], window: float, width: int) -> Group:
    """A table of the services, and one of the outcomes of all of them.

    Args:
        seen: the services.
        window: seconds that the figures are about, once there are two looks.
        width: columns of the console.
    """
    from rich.console import Group
    from rich.text import Text

    found = [each.activity for each in seen if each.activity is not None]
    parts: list[Any] = [_services(seen, found, width >= _WIDE)]
    if found and (outcomes := total(found).outcomes):
        parts.append(_outcomes(outcomes))
    seconds = max((each.seconds for each in found), default=0.0)
    time = f"of the last {seconds:.0f} s" if seconds <= 2 * window else f"since the start {duration(seconds)} ago"
    parts.append(Text(f"Comparisons {time}. Queue: requests without a thread/in flight/places.", style="dim"))
    return Group(*parts)


def plain(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """The same figures as plain data, one object for each service."""
    return [_plain(each) for each in seen]


def duration(seconds: float) -> str:
    """A time in its largest unit, such as `3 h`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _services(seen: Sequence[Seen], found: Sequence[Activity], wide: bool) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1 if wide else 0, 0, 0))
    table.add_column("service", overflow="fold", min_width=14)
    rows = [_cells(each.activity, wide) if each.activity else {} for each in seen]
    for name in next((row for row in rows if row), {"state": ""}):
        table.add_column(name, justify="left" if name in ("pack", "state") else "right", no_wrap=name != "state")
    for each, row in zip(seen, rows, strict=True):
        table.add_row(escape(each.address), *row.values())
    if len(found) > 1:
        table.add_section()
        table.add_row("all", *(_cells(total(found), wide)).values())
    problems = [f"{each.address}: {each.problem}" for each in seen if each.problem]
    if problems:
        table.caption = "\n".join(f"[bold red]{escape(problem)}[/]" for problem in problems)
        table.caption_justify = "left"
    return table


def _cells(found: Activity, wide: bool) -> dict[str, str]:
    """The cells of a service by the heading of their column."""
    from rich.markup import escape

    state = found.state
    errors, warnings = _count(found.errors, found, wide), _count(found.warnings, found, wide)
    queue = f"{state.waiting:.0f}/{state.in_flight:.0f}/{state.places:.0f}"
    if state.draining:
        queue = f"[yellow]draining {queue}[/]"
    elif state.places and state.in_flight >= state.places:
        queue = f"[bold red]{queue}[/]"
    cells = {
        "per second": f"{found.rate:.1f}",
        "p50": _milliseconds(found.p50),
        "p99": _milliseconds(found.p99),
        "errors": f"[bold red]{errors}[/]" if found.errors else errors,
        "warnings": f"[yellow]{warnings}[/]" if found.warnings else warnings,
        "queue": queue,
        "memory": f"{state.memory_bytes / 1e6:.0f} MB" if state.memory_bytes else "-",
    }
    if wide:
        cells |= {"CPUs": f"{found.cpus:.1f}", "threads": f"{state.computing:.0f}", "pack": escape(state.pack)}
    return cells


def _outcomes(outcomes: Any) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("comparisons", "errorCode", "invalidCode", "meaning"):
        table.add_column(heading)
    table.columns[0].justify = "right"
    for (error, invalid), count in sorted(outcomes.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(f"{count:.0f}", error, invalid, _meaning(error, invalid))
    return table


def _meaning(error: str, invalid: str) -> str:
    if error == "0":
        known = {str(int(code)): code.message for code in WarningCode}
        return known.get(invalid, "")
    known = {str(int(code)): code.message for code in ErrorCode}
    return known.get(error, f"HTTP {error}")


def _count(count: float, found: Activity, with_share: bool) -> str:
    share = f" ({100 * count / found.answered:.0f} %)" if count and with_share else ""
    return f"{count:.0f}{share}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"


def _plain(each: Seen) -> dict[str, Any]:
    if each.activity is None:
        return {"service": each.address, "problem": each.problem}
    found, state = each.activity, each.activity.state
    return {
        "service": each.address,
        "seconds": round(found.seconds, 3),
        "per_second": round(found.rate, 3),
        "p50_ms": None if found.p50 is None else round(1000 * found.p50, 1),
        "p99_ms": None if found.p99 is None else round(1000 * found.p99, 1),
        "answered": found.answered,
        "errors": found.errors,
        "warnings": found.warnings,
        "outcomes": [
            {"error_code": error, "invalid_code": invalid, "count": count}
            for (error, invalid), count in sorted(found.outcomes.items())
        ],
        "waiting": state.waiting,
        "in_flight": state.in_flight,
        "places": state.places,
        "threads_computing": state.computing,
        "cpus": round(found.cpus, 3),
        "memory_bytes": state.memory_bytes,
        "draining": bool(state.draining),
        "pack": state.pack,
    }
