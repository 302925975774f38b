"""The metrics and labels that a PromQL query reads, by a parser of PromQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

# What Prometheus itself adds: the labels of the scrape, the bucket's bound, and whether the scrape succeeded.
SCRAPE_LABELS: Final = frozenset({"job", "instance"})
SCRAPE_METRICS: Final[Mapping[str, frozenset[str]]] = {"up": frozenset()}


def problems(query: str, metrics: Mapping[str, frozenset[str]]) -> list[str]:
    """What a query reads that is not there.

    Args:
        query: PromQL, without variables of Grafana.
        metrics: the labels of each metric of a scrape.

    Raises:
        ValueError: it is not PromQL.
    """
    import promql_parser

    known, found = {**metrics, **SCRAPE_METRICS}, []
    for node in _nodes(promql_parser.parse(query)):
        if isinstance(node, promql_parser.VectorSelector):
            if node.name not in known:
                found.append(f"no metric {node.name}")
                continue
            used = {matcher.name for matcher in node.matchers.matchers}
            found += [f"{node.name} has no label {name}" for name in used - known[node.name] - SCRAPE_LABELS]
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            below = (inner for inner in _nodes(node.expr) if isinstance(inner, promql_parser.VectorSelector))
            there = SCRAPE_LABELS.union(*(known.get(inner.name, frozenset()) for inner in below))
            found += [f"nothing below has the label {name}" for name in set(node.modifier.labels) - there]
    return found


def _nodes(node: Any) -> Iterator[Any]:
    """An expression and everything in it."""
    import promql_parser

    yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "args"):
        inner = getattr(node, name, None)
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, promql_parser.Expr):
                yield from _nodes(part)
