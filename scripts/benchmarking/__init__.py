"""The parts of `python scripts/benchmark.py`: the cost of a comparison, and of other ways to compare.

`calls` runs comparisons in processes of their own, `web` sends requests to services, `points` measures both in turn,
`growth` varies one quantity at a time, and `report` writes the tables and plots of docs/performance.md.
"""
