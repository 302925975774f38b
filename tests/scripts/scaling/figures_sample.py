"""Invented figures with round numbers, so that tests do not depend on the committed ones."""

from __future__ import annotations

from scripts.scaling.figures import (
    BatchFigures,
    CommitRate,
    Conditions,
    DatabaseFigures,
    Figures,
    LoadPoint,
    MemoryFigures,
    PackFigures,
    PhotoCost,
)

LONE_MS = (80.0, 90.0, 100.0, 110.0, 120.0)


def point(cores: int, clients: int, throughput: float, cpu_ms: float = 100.0) -> LoadPoint:
    """A closed loop whose requests take 100 ms of CPU time."""
    return LoadPoint(cores, "closed", clients, 0.0, 100, throughput, 100.0, 110.0, 120.0, 0, cpu_ms, 0.0, 0.0)


def sample() -> Figures:
    """A pack of 10 matches a second a core, PostgreSQL with 500 and 4,000 commits a second, photos of 500 kB."""
    points = (point(1, 1, 9.0), point(1, 8, 10.0), point(2, 1, 14.0), point(2, 8, 20.0))
    lone_two = tuple(0.6 * value for value in LONE_MS)
    memory = MemoryFigures(350.0, 512.0, 300.0, None)
    pack = PackFigures("standard", 95.0, {"detect": 50.0, "embed": 45.0}, LONE_MS, lone_two, points, memory, 2.0)
    rates = (CommitRate(1, 8, 500.0, 16.0), CommitRate(64, 8, 4000.0, 2.0))
    postgres = DatabaseFigures("postgresql", 6.0, 8.0, 3.0, 2.0, 1.0, 0.5, 1000.0, 100.0, 8, 1.0, rates)
    photo = PhotoCost(2.0, 500_000, 670_000, 501_000, 60_000, 100.0, 1.0)
    conditions = Conditions("2026-11-30", "abc1234", "a processor", 2, 24.0, "3.11", 3, 0.0, 0.1, 0.05)
    return Figures(conditions, (pack,), (postgres,), (photo,), (BatchFigures("standard", 20.0, 100.0, 150.0),), 500.0)
