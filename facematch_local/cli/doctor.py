"""`facematch doctor`: what was detected, and what is wrong with it."""

from __future__ import annotations

from facematch_local.cli.console import console


def doctor() -> None:
    """Print what this installation found: CPUs, model packs. Exit code 1 if something is wrong."""
    from facematch_local.cpu import cpu_budget

    budget = cpu_budget()
    quota = "none" if budget.quota is None else f"{budget.quota:g}"
    console().print(
        f"CPUs: {budget.usable} used (machine {budget.machine}, affinity {budget.affinity}, cgroup quota {quota})"
    )
