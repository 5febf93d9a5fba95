"""Names for values: those the user gave, and letters `u, v, w` for what would make an expression swell.

`name_values(roots)` walks what the factors are built from and decides which unnamed values are written out
and which get a letter: a value used twice, or long, or the argument of a function that has no formula.  The
letters are explained by `Names.where`: `1 - tanh(A x + b)**2` reads `1 − u²` where `u = tanh(A x + b)`.

>>> from ..expr import variable
>>> name_values([variable("A", (3, 4))]).where
()
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..expr import Node, topological
from ..operation import OPERATIONS

LONG = 60  # characters after which an expression gets a letter
TWICE = 12  # the same, where it is used more than once
SUMMED_TWICE = 7  # the same, where it is a sum over letters
FORMULAS = {"divide", "safe_divide", "power", "square", "reciprocal"}  # written as formulas, not calls
CLEAR = {
    "einsum",
    "combination",
    "select",
    "identity",
    "masked",
    "full_rank",
    "where",
    "assemble",
    "tri",
    "astype",
}
VALUES = "uvwghc"


@dataclass(slots=True)
class Names:
    """Which values have a name; `where` lists the letters made here with the nodes that they stand for."""

    classes: dict[int, int] = field(default_factory=dict)
    known: dict[int, str] = field(default_factory=dict)
    where: tuple[tuple[str, Node], ...] = ()

    def of(self, node: Node) -> str | None:
        """The name of a node's value, or None where it is written out."""
        key = self.classes.get(node.serial)
        return node.name if key is None else self.known.get(key)

    def taken(self) -> frozenset[str]:
        """Every name in use: no index letter may be one of them."""
        return frozenset(self.known.values())


def is_integer(node: Node) -> bool:
    """Whether a node holds integers: the table of a selection."""
    return getattr(node.dtype, "kind", "") in ("i", "u")


def is_pointwise(node: Node) -> bool:
    """Whether a node is a function of its arguments entry by entry."""
    known = OPERATIONS.get(node.op)
    return known is not None and known.family == "pointwise"


def is_plain(node: Node) -> bool:
    """Whether a call of the node's operation on its arguments alone is the node: no option is set.

    Only such calls are printed as calls (`std(x)`); with an option the value gets a letter.
    """
    source = node.args[0] if node.op == "output" else node
    if (
        source.params in (None, ())
        or (source.op == "det" and node.params in (0, 1))
        or source.op == "reshape"
    ):
        return True
    known = OPERATIONS.get(source.op)
    try:
        made = known.build(*source.args) if known else None
    except (TypeError, ValueError, ArithmeticError):
        return False
    found = made[0].args[0] if isinstance(made, tuple) and made[0].args else made
    return isinstance(found, Node) and _call(found) == _call(source)


def _call(node: Node) -> Any:
    return node.op, node.params, node.shape, tuple(arg.serial for arg in node.args)


def is_opaque(node: Node) -> bool:
    """Whether a node is shown as a call: it has no formula for one entry."""
    return not (node.op in CLEAR or node.op in ("variable", "constant") or is_pointwise(node))


def name_values(
    roots: Iterable[Node], named: Mapping[str, Node] | None = None, avoid: Iterable[str] = ()
) -> Names:
    """Decides the names of all values that `roots` are built from.

    `named` adds the user's own names; no letter made here is one of them, or one of `avoid`.
    """
    named = named or {}
    roots = tuple(roots)
    nodes = topological((*roots, *named.values()))
    names = Names(_classes(nodes))
    _users(names, nodes, named)
    reach = _written(names, roots)
    uses = _uses(names, roots, reach)
    taken = {*names.known.values(), *avoid}
    costs: dict[int, int] = {}
    where: list[tuple[str, Node]] = []
    wanted = [a for node in reach if is_opaque(node) for a in node.args if not _is_argument(a)]
    wanted += [a for node in reach if node.op == "select" for a in node.args[1:]]
    wanted += [root for root in roots if is_integer(root)]
    forced = {names.classes[node.serial] for node in wanted}
    for node in reach:
        key = names.classes[node.serial]
        if key in names.known:
            costs[key] = len(names.known[key]) + 1
            continue
        costs[key] = _cost(node, [costs.get(names.classes[a.serial], 1) for a in node.args])
        if _wants_letter(node, costs[key], uses[key], key in forced):
            name = _next("C" if node.op == "constant" else VALUES, taken)
            names.known[key] = name
            costs[key] = len(name) + 1
            where.append((name, node))
    names.where = tuple(where)
    return names


def _is_argument(node: Node) -> bool:
    """Whether a node can stand inside a call as it is."""
    while node.op == "reshape" and not any(size != 1 for size in node.shape):
        (node,) = node.args
    return is_opaque(node) or (node.op == "constant" and node.shape == ())


def _classes(nodes: Iterable[Node]) -> dict[int, int]:
    """Nodes that compute the same from the same, by number; a name given later names its value too."""
    table: dict[Any, int] = {}
    classes: dict[int, int] = {}
    for node in nodes:
        args = tuple(classes[arg.serial] for arg in node.args)
        if node.op == "identity":
            classes[node.serial] = args[0]
            continue
        leaf = not node.args
        key = (node.op, args, node.params, node.shape, str(node.dtype), _leaf(node) if leaf else None)
        classes[node.serial] = table.setdefault(key, len(table))
    return classes


def _leaf(node: Node) -> Any:
    if node.op == "constant" and node.shape == ():
        return float(node.value)
    return node.serial if node.op == "variable" else id(node.value)


def _users(names: Names, nodes: Iterable[Node], named: Mapping[str, Node]) -> None:
    """The names that nodes carry; a name for two values keeps the first and numbers the others."""
    given = [(name, node) for name, node in named.items()]
    given += [(node.name, node) for node in nodes if node.name]
    for name, node in given:
        key = names.classes[node.serial]
        if key in names.known:
            continue
        names.known[key] = _numbered(name, set(names.known.values()))


def _numbered(name: str, taken: set[str]) -> str:
    candidates = itertools.chain([name], (f"{name}{k}" for k in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _next(pool: str, taken: set[str]) -> str:
    free = itertools.chain(pool, (f"{letter}{k}" for k in itertools.count(1) for letter in pool[:3]))
    name = next(candidate for candidate in free if candidate not in taken)
    taken.add(name)
    return name


def _written(names: Names, roots: Iterable[Node]) -> list[Node]:
    """The nodes an expression shows: not what stands behind a name; one node of each class, in order."""
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        key = names.classes[node.serial]
        if key in seen:
            continue
        while node.op == "identity":
            node = node.args[0]
        seen[key] = node
        if key not in names.known:
            stack.extend(node.args)
    return sorted(seen.values(), key=lambda node: node.serial)


def _uses(names: Names, roots: Iterable[Node], reach: Iterable[Node]) -> dict[int, int]:
    uses: dict[int, int] = dict.fromkeys((names.classes[node.serial] for node in reach), 0)
    users = [arg for node in reach if names.classes[node.serial] not in names.known for arg in node.args]
    for node in {names.classes[root.serial]: root for root in roots}.values():
        uses[names.classes[node.serial]] += 1
    for node in users:
        uses[names.classes[node.serial]] += 1
    return uses


def _cost(node: Node, args: list[int]) -> int:
    if node.op == "constant":
        return len(str(node.value)) if node.shape == () else LONG + 1
    if node.op == "einsum":
        _, output, sizes = node.params
        return sum(args) + 3 * (len(sizes) - len(output)) + 1
    return sum(args) + 3


def _wants_letter(node: Node, cost: int, uses: int, forced: bool) -> bool:
    if node.op == "variable":
        return True
    if node.op == "constant":
        return node.shape != () and node.shape.count(1) != len(node.shape)
    if forced:
        return True
    if node.op not in CLEAR and not is_plain(node):
        return True
    if is_opaque(node):
        return uses > 1 and cost > TWICE
    function = is_pointwise(node) and node.op not in FORMULAS
    if node.op == "einsum" and uses > 1 and len(node.params[2]) > len(node.params[1]):
        return cost > SUMMED_TWICE
    return cost > LONG or (cost > TWICE and (uses > 1 or function))
