"""Contraction paths: in which order the operands of one product are multiplied.

- `find_path(product)`: the cheapest path found; `find_path(product, "greedy")`: the one a named optimizer
  finds; `find_path(product, [(0, 1), (0, 1)])`: your own.
- `portfolio(product, names)`: several of them, cheapest first.
- `all_orders(product)`: every order of up to five operands, with its cost.

"auto" counts every candidate with this package's own cost model and takes the cheapest: over all trees up to
nine operands; beyond, over opt_einsum's greedy and branch, left to right, right to left and the best
bracketing, the winner then polished. opt_einsum's "optimal" is there by name and never asked by "auto": on a
chain of matrices and diagonals it returns a path 200 times worse than the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from jacobians.contraction import trees
from jacobians.contraction.cost import Cost, cost_of
from jacobians.contraction.product import Product
from jacobians.contraction.schedule import Move, Pairs, schedule
from jacobians.contraction.trees import Network, Tree
from jacobians.errors import BudgetError, UnknownNameError, did_you_mean, missing_extra

EXACT_LIMIT = 9
"""Up to this many operands "auto" is exact: 9,330 splits, 2.5 ms, less than asking everybody else."""

BRACKETING_LIMIT = 48
"""Up to this many operands "auto" tries the best bracketing, whose time grows as the cube."""


@dataclass(frozen=True, slots=True)
class Path:
    """An order of pairwise steps, the `name` of what found it, and its counted `cost`.

    `pairs` are positions in the list of what is left, two removed and their product appended: the form
    `np.einsum_path` and opt_einsum use. `moves` spells them out.
    """

    name: str
    pairs: Pairs
    cost: Cost
    moves: tuple[Move, ...] = field(repr=False)

    @classmethod
    def of(cls, name: str, product: Product, pairs: Pairs, itemsize: int = 8) -> Path:
        """The path with these pairs, scheduled and counted."""
        moves = schedule(product, pairs)
        return cls(name, pairs, cost_of(product, moves, itemsize), moves)

    def brackets(self, names: Sequence[str]) -> str:
        """The order written with brackets.

        >>> find_path(Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,))).brackets(["A", "B", "x"])
        'A·(B·x)'
        """
        texts = list(names)
        for a, b in trees.to_tree(len(names), self.pairs):
            texts.append("·".join(f"({texts[k]})" if k >= len(names) else texts[k] for k in (a, b)))
        return texts[-1] if texts else "1"


def find_path(
    product: Product,
    optimize: str | Iterable[tuple[int, int]] = "auto",
    *,
    seconds: float = 0.0,
    seed: int = 0,
    itemsize: int = 8,
) -> Path:
    """A contraction path by name, or the caller's own list of pairs, with its cost.

    Names are in `OPTIMIZERS`. `seconds` is the time "auto" and "random-greedy" may spend on random restarts
    (0: none for "auto", 32 restarts for "random-greedy"), `seed` makes them repeatable, `itemsize` is the
    bytes of an entry. Raises `UnknownNameError` for a name that is not known, `MissingExtraError` for
    "cotengra" where it is not installed, `JacobiansError` for pairs that do not contract the product.

    >>> product = Product.parse("ij,jk,k->i", (30, 40), (40, 50), (50,))
    >>> path = find_path(product)
    >>> path.pairs, path.cost.flop
    (((1, 2), (0, 1)), 6330)
    >>> find_path(product, "left-to-right").cost.flop
    121470
    """
    if not isinstance(optimize, str):
        pairs = tuple((int(a), int(b)) for a, b in optimize)
        return Path.of("given", product, pairs, itemsize)
    if optimize not in OPTIMIZERS:
        raise UnknownNameError(
            f"contraction path {optimize!r} is not known",
            "paths: " + ", ".join(OPTIMIZERS),
            did_you_mean(optimize, OPTIMIZERS),
        )
    count = len(product.operands)
    if count <= 2:
        pairs = ((0, 1),) if count == 2 else ()
        return Path.of(optimize, product, pairs, itemsize)
    if optimize == "auto":
        name, tree = _auto(product, seconds, seed)
    else:
        name, tree = optimize, OPTIMIZERS[optimize](product, seconds, seed)
    pairs = trees.to_pairs(count, tree)
    return Path.of(name, product, pairs, itemsize)


def portfolio(product: Product, names: Iterable[str] | None = None, **options: Any) -> tuple[Path, ...]:
    """The paths of several optimizers, cheapest first; without names, of all that are affordable.

    >>> product = Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,))
    >>> [p.name for p in portfolio(product, ["left-to-right", "exact"])]
    ['exact', 'left-to-right']
    """
    if names is None:
        names = [
            x
            for x in OPTIMIZERS
            if x not in ("cotengra", "optimal") and _affordable(x, len(product.operands))
        ]
    return tuple(sorted((find_path(product, name, **options) for name in names), key=lambda p: p.cost.flop))


def all_orders(product: Product, itemsize: int = 8) -> tuple[Path, ...]:
    """Every pairwise order of up to five operands (3, 15, 105 for 3, 4, 5), cheapest first.

    Each is named by its brackets over operands 0, 1, 2, .... Raises `BudgetError` for more operands.

    >>> for p in all_orders(Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,))):
    ...     print(p.name, p.cost.flop)
    0·(1·2) 57
    2·(0·1) 132
    1·(0·2) 177
    """
    count = len(product.operands)
    if count > 5:
        orders = 1
        for k in range(3, 2 * count - 2, 2):
            orders *= k
        raise BudgetError(
            f"{count} operands have {orders:,} orders", "all are listed up to 5", "portfolio(product)"
        )
    names = [str(k) for k in range(count)]
    paths = []
    for tree in trees.all_trees(count) if count else [[]]:
        pairs = trees.to_pairs(count, tree)
        path = Path.of("", product, pairs, itemsize)
        paths.append(replace(path, name=path.brackets(names)))
    return tuple(sorted(paths, key=lambda p: (p.cost.flop, p.cost.largest_intermediate)))


def _auto(product: Product, seconds: float, seed: int) -> tuple[str, Tree]:
    network = Network.of(product)
    count = len(network.masks)
    if count <= EXACT_LIMIT:
        return "exact", trees.exact(network)
    tried = [(name, OPTIMIZERS[name](product, 0.0, seed)) for name in _CANDIDATES if _affordable(name, count)]
    if seconds > 0:
        tried.append(("random-greedy", _random_greedy(product, seconds, seed)))
    name, best = min(tried, key=lambda found: trees.tree_flop(network, found[1]))
    better = trees.polish(network, best)
    if trees.tree_flop(network, better) < trees.tree_flop(network, best):
        return f"{name}, polished", better
    return name, best


def _affordable(name: str, count: int) -> bool:
    return count <= _LIMITS.get(name, count)


def _opt_einsum(name: str) -> Callable[[Product, float, int], Tree]:
    def find(product: Product, seconds: float, seed: int) -> Tree:
        # a late import: planning up to nine operands, which is nearly all, never needs its 15 ms
        return _ask(import_module("opt_einsum.paths").get_path_fn(name), product)

    return find


def _ask(optimizer: Callable[..., Any], product: Product) -> Tree:
    """What an optimizer with opt_einsum's interface answers; scalars, which some refuse, come last."""
    network = Network.of(product)
    tensors = [k for k, mask in enumerate(network.masks) if mask]
    terms = [frozenset(trees.bits(network.masks[k])) for k in tensors]
    sizes = {x: max(n, 1) for x, n in enumerate(product.sizes)}  # size 0 makes opt_einsum's "dp" give up
    pairs: Iterable[Any] = ()
    if len(tensors) > 1:
        pairs = optimizer(terms, frozenset(trees.bits(network.output)), sizes, None)
    return _with_scalars(len(network.masks), tensors, _pairwise(pairs))


def _pairwise(path: Iterable[Sequence[int]]) -> Pairs:
    """Steps over several operands, and over one, as pairs."""
    pairs: list[tuple[int, int]] = []
    for step in path:
        places = sorted(step)
        if len(places) > 1:
            pairs.append((places[0], places[1]))
        pairs += [(k - done - 2, -1) for done, k in enumerate(places[2:])]
    return tuple(pairs)


def _with_scalars(count: int, tensors: list[int], pairs: Pairs) -> Tree:
    left = list(tensors)
    tree: Tree = []
    for a, b in pairs:
        i, j = sorted((a % len(left), b % len(left)))
        tree.append((left[i], left[j]))
        left.pop(j), left.pop(i)
        left.append(count + len(tree) - 1)
    left += [k for k in range(count) if k not in set(tensors)]
    while len(left) > 1:
        tree.append((left.pop(0), left.pop(0)))
        left.insert(0, count + len(tree) - 1)
    return tree


def _random_greedy(product: Product, seconds: float, seed: int) -> Tree:
    import random  # late, as hashing comes with it

    state = random.getstate()  # opt_einsum seeds the global generator by the number of the restart
    try:
        restarts = import_module("opt_einsum").RandomGreedy(
            max_repeats=1 << 20 if seconds else 32, max_time=seconds or None
        )
        restarts._repeats_start = seed << 20
        return _ask(restarts, product)
    finally:
        random.setstate(state)


def _cotengra(product: Product, seconds: float, seed: int) -> Tree:
    try:
        cotengra = import_module("cotengra")
    except ImportError:
        raise missing_extra("cotengra", "paths", "contraction paths by cotengra") from None
    search = cotengra.HyperOptimizer(max_time=seconds or None, max_repeats=32, parallel=False, progbar=False)
    return _ask(
        lambda terms, output, sizes, _: search([list(t) for t in terms], list(output), sizes), product
    )


OPTIMIZERS: dict[str, Callable[[Product, float, int], Tree]] = {
    "auto": lambda product, seconds, seed: _auto(product, seconds, seed)[1],
    "exact": lambda product, seconds, seed: trees.exact(Network.of(product)),
    "bracketing": lambda product, seconds, seed: trees.bracketing(Network.of(product)),
    "left-to-right": lambda product, seconds, seed: trees.in_order(len(product.operands)),
    "right-to-left": lambda product, seconds, seed: trees.in_order(len(product.operands), reverse=True),
    "greedy": _opt_einsum("greedy"),
    "dp": _opt_einsum("dp"),
    "branch-1": _opt_einsum("branch-1"),
    "branch-2": _opt_einsum("branch-2"),
    "random-greedy": _random_greedy,
    "optimal": _opt_einsum("optimal"),
    "cotengra": _cotengra,
}
"""Every way to find a path, by name."""

_CANDIDATES = ("left-to-right", "right-to-left", "bracketing", "greedy", "branch-1", "dp")
_LIMITS = {"exact": 12, "bracketing": BRACKETING_LIMIT, "branch-1": 16, "branch-2": 12, "dp": 10}
