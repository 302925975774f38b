"""Choose mutants of a module: a fixed number of small changes, by seed.

The changes are those of Cosmic Ray's operators, of four families: a comparison, a constant, an operator, a condition.
"""

from __future__ import annotations

import ast
import difflib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import Any, Final

import cosmic_ray.plugins
import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code

# Operators of Cosmic Ray by family. Left out: `is` in place of `==`, which holds by chance for small numbers and always
# for enums, and an operator of another kind, such as a shift in place of a sum, which fails on the first float.
_ARITHMETIC: Final = "(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)"
_ORDER: Final = "(Eq|NotEq|Lt|LtE|Gt|GtE)"
FAMILIES: Final = {
    "comparison": rf"ReplaceComparisonOperator_({_ORDER}_{_ORDER}|Is_IsNot|IsNot_Is)",
    "constant": "NumberReplacer|ReplaceTrueWithFalse|ReplaceFalseWithTrue",
    "operator": rf"ReplaceBinaryOperator_({_ARITHMETIC}_{_ARITHMETIC}|(BitAnd|BitOr|BitXor)_(BitAnd|BitOr|BitXor)"
    r"|(LShift|RShift)_(LShift|RShift))|ReplaceUnaryOperator_(Delete_USub|Delete_Invert|USub_UAdd)",
    "condition": "AddNot|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceUnaryOperator_Delete_Not",
}
# Every module gives at least so many mutants, where it has as many, and one more for so many lines.
LEAST: Final = 8
LINES_PER_MUTANT: Final = 80

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module.

    Attributes:
        module: path of the module from the root of the tree.
        family: comparison, constant, operator or condition.
        operator: Cosmic Ray's name.
        occurrence: which of the places that the operator finds, from 0.
        line: number of the line, from 1.
        before: the changed line, without the spaces around it.
        after: what becomes of it.
    """

    module: str
    family: str
    operator: str
    occurrence: int
    line: int
    before: str = ""
    after: str = ""

    def applied(self, source: str) -> str:
        """The source of the module after the change.

        Raises:
            ValueError: the operator has no such occurrence in the source.
        """
        operator: Any = cosmic_ray.plugins.get_operator(self.operator)()
        changed = mutate_code(source, operator, self.occurrence)
        if changed is None:
            raise ValueError(f"{self.module}: {self.operator} has no occurrence {self.occurrence}")
        return str(changed)

    def diff(self) -> str:
        """The changed line, before and after, with its address."""
        return f"{self.module}:{self.line} ({self.family})\n- {self.before}\n+ {self.after}"


def sample(module: str, source: str, seed: int, least: int = LEAST) -> tuple[Mutant, ...]:
    """Mutants of one module, by line: the families in turn, each place at most once.

    Args:
        module: path from the root of the tree. It seeds the choice too, so a module's sample does not depend on others.
        source: its text.
        seed: of the choice.
        least: number of mutants of a short module.
    """
    choice = random.Random(f"{seed} {module}")
    places: dict[str, dict[Position, list[Mutant]]] = {family: defaultdict(list) for family in FAMILIES}
    for position, mutant in _candidates(module, source):
        places[mutant.family][position].append(mutant)
    shuffled = [choice.sample(list(found.values()), len(found)) for found in places.values()]
    in_turn = [choice.choice(place) for row in zip_longest(*shuffled) for place in row if place]
    wanted = max(least, least + source.count("\n") // LINES_PER_MUTANT)
    return tuple(sorted(islice(_distinct(in_turn, source), wanted), key=lambda mutant: mutant.line))


def _distinct(mutants: Iterable[Mutant], source: str) -> Iterator[Mutant]:
    """The mutants that can be compiled and mean something else than the source and the mutants before them."""
    meanings = {_meaning(source), ""}
    for mutant in mutants:
        meaning = _meaning(mutant.applied(source))
        if meaning not in meanings:
            meanings.add(meaning)
            yield _with_lines(mutant, source)


def _meaning(source: str) -> str:
    """The code without its layout and with negations resolved; "" for code that does not compile (`not a := b`)."""
    try:
        return ast.dump(_WithoutNegations().visit(ast.parse(source)))
    except SyntaxError:
        return ""


class _WithoutNegations(ast.NodeTransformer):
    """`not a is b` becomes `a is not b`, and `not not a` becomes `a`."""

    _OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
        ast.Is: ast.IsNot,
        ast.IsNot: ast.Is,
        ast.In: ast.NotIn,
        ast.NotIn: ast.In,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
    }

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if not isinstance(node.op, ast.Not):
            return node
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
            return inner.operand
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1 and type(inner.ops[0]) in self._OPPOSITE:
            return ast.Compare(inner.left, [self._OPPOSITE[type(inner.ops[0])]()], inner.comparators)
        return node


def _candidates(module: str, source: str) -> Iterator[tuple[Position, Mutant]]:
    """Every change that the operators offer outside annotations and the flags of data classes, with its position."""
    left_out = list(_left_out(source))
    nodes = list(ast_nodes(parso.parse(source)))
    for name in sorted(cosmic_ray.plugins.operator_names()):
        family = next((f for f, pattern in FAMILIES.items() if re.fullmatch(f"core/({pattern})", name)), None)
        if family is None:
            continue
        operator: Any = cosmic_ray.plugins.get_operator(name)()
        positions = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, position in enumerate(positions):
            if not any(start <= position < end for start, end in left_out):
                yield position, Mutant(module, family, name, occurrence, position[0])


def _left_out(source: str) -> Iterator[tuple[Position, Position]]:
    """Start and end of code that is not run, or whose change no test can see: annotations, flags of data classes."""
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.ClassDef):
            parts = [d for d in node.decorator_list if "dataclass" in ast.dump(d)]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            parts = [node]
        for part in parts:
            if isinstance(part, ast.expr | ast.stmt):
                yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


def _with_lines(mutant: Mutant, source: str) -> Mutant:
    old, new = source.splitlines(), mutant.applied(source).splitlines()
    changes = [c for c in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if c[0] != "equal"]
    if not changes:
        return mutant
    before = " ".join(line.strip() for line in old[changes[0][1] : changes[-1][2]])
    after = " ".join(" ".join(line.split()) for line in new[changes[0][3] : changes[-1][4]])
    return replace(mutant, before=" ".join(before.split()), after=after)
