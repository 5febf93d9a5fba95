"""Contraction trees over label masks: exact dynamic programs and a local search that uses them.

- `exact(network)`: the cheapest tree of all, by dynamic programming over subsets (3^n, for few operands).
- `bracketing(network)`: the cheapest tree that keeps the operands in their order (n^3).
- `polish(network, tree)`: replaces small parts of a tree by cheaper equivalents until none is left.

A set of labels is an int with one bit a label. A tree is a list of pairs of ids: ids 0 .. n-1 are the
operands, the k-th pair makes id n + k. The cost is the flop of `cost.py`: 2 prod(U) - prod(result) for a step
over the labels U, which is prod(U) where the step sums nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jacobians.contraction.product import Product
from jacobians.contraction.schedule import Pairs, kept_labels

Tree = list[tuple[int, int]]


@dataclass(slots=True)
class Network:
    """Operands and output as label masks, with the entries over any mask remembered once computed."""

    masks: list[int]
    output: int
    sizes: Sequence[int]
    volumes: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, product: Product) -> Network:
        """The operands after their own sums (see `schedule`)."""
        masks = [sum(1 << x for x in labels) for labels in kept_labels(product)]
        return cls(masks, sum(1 << x for x in product.output if x in product.carried), product.sizes)

    def volume(self, mask: int) -> int:
        """The number of entries over the labels of the mask."""
        known = self.volumes.get(mask)
        if known is None:
            known, rest = 1, mask
            while rest:
                low = rest & -rest
                known *= self.sizes[low.bit_length() - 1]
                rest ^= low
            self.volumes[mask] = known
        return known

    def part(self, masks: list[int], output: int) -> Network:
        """A smaller network over the same labels."""
        return Network(masks, output, self.sizes, self.volumes)


def exact(network: Network) -> Tree:
    """The tree of least flop, over all trees; time and memory grow as 3^n and 2^n."""
    masks, volume, volumes = network.masks, network.volume, network.volumes
    full = (1 << len(masks)) - 1
    union = [0] * (full + 1)
    for s in range(1, full + 1):
        low = s & -s
        union[s] = union[s ^ low] | masks[low.bit_length() - 1]
    kept = [union[s] & (union[full ^ s] | network.output) for s in range(full + 1)]
    best, split = [0] * (full + 1), [0] * (full + 1)
    for s in range(3, full + 1):
        low = s & -s
        others = s ^ low
        if not others:
            continue
        # the part with the lowest operand is `low | sub` for every proper subset `sub` of the others, in
        # ascending order, so that of equally cheap trees the one nearest to the operands' order is taken
        sub, least, choice = 0, -1, 0
        while sub != others:
            first, second = low | sub, others ^ sub
            flop = best[first] + best[second]
            if least < 0 or flop < least:
                over = kept[first] | kept[second]
                entries = volumes.get(over)
                flop += 2 * (volume(over) if entries is None else entries)
                if least < 0 or flop < least:
                    least, choice = flop, first
            sub = (sub - others) & others
        best[s], split[s] = least - volume(kept[s]), choice
    return _collect(full, split)


def _collect(full: int, split: list[int]) -> Tree:
    """The tree below the full set, children before parents."""
    count = full.bit_length()
    order, stack = [], [full]
    while stack:
        s = stack.pop()
        if s & (s - 1):
            order.append(s)
            stack += [split[s], s ^ split[s]]
    ids = {1 << k: k for k in range(count)}
    tree: Tree = []
    for s in reversed(order):
        tree.append((ids[split[s]], ids[s ^ split[s]]))
        ids[s] = count + len(tree) - 1
    return tree


def bracketing(network: Network) -> Tree:
    """The tree of least flop among those that keep the operands in order: brackets put into the product."""
    masks, count = network.masks, len(network.masks)
    before, after = [0], [0]
    for k in range(count):
        before.append(before[-1] | masks[k])
        after.append(after[-1] | masks[-1 - k])
    after.reverse()  # before[i]: labels left of i; after[j]: labels from j on
    best, split = {}, {}
    kept: dict[tuple[int, int], int] = {}
    volume = network.volume
    for i in range(count):
        best[i, i + 1], kept[i, i + 1] = 0, masks[i]
    for width in range(2, count + 1):
        for i in range(count - width + 1):
            j = i + width
            costs = [best[i, k] + best[k, j] + 2 * volume(kept[i, k] | kept[k, j]) for k in range(i + 1, j)]
            least = min(costs)
            middle = i + 1 + costs.index(least)
            outside = before[i] | after[j] | network.output
            kept[i, j] = (kept[i, middle] | kept[middle, j]) & outside
            best[i, j], split[i, j] = least - volume(kept[i, j]), middle
    return _collect_spans(count, split)


def _collect_spans(count: int, split: dict[tuple[int, int], int]) -> Tree:
    order, stack = [], [(0, count)]
    while stack:
        i, j = stack.pop()
        if j - i > 1:
            order.append((i, j))
            stack += [(i, split[i, j]), (split[i, j], j)]
    ids = {(k, k + 1): k for k in range(count)}
    tree: Tree = []
    for i, j in reversed(order):
        tree.append((ids[i, split[i, j]], ids[split[i, j], j]))
        ids[i, j] = count + len(tree) - 1
    return tree


def in_order(count: int, reverse: bool = False) -> Tree:
    """The operands folded from the left, or from the right."""
    order = list(range(count))[:: -1 if reverse else 1]
    return [(order[0] if k == 1 else count + k - 2, order[k]) for k in range(1, count)]


def node_masks(network: Network, tree: Tree) -> list[int]:
    """The labels kept by every id of the tree."""
    holders = [0] * len(network.sizes)
    for mask in network.masks:
        for x in bits(mask):
            holders[x] += 1
    for x in bits(network.output):
        holders[x] += 1
    masks = list(network.masks)
    for a, b in tree:
        result = masks[a] | masks[b]
        for x in bits(masks[a] & masks[b]):
            holders[x] -= 1
            if holders[x] == 1 and not network.output >> x & 1:
                result ^= 1 << x
        masks.append(result)
    return masks


def tree_flop(network: Network, tree: Tree) -> int:
    """The flop of a tree, its operands' own sums left out."""
    masks, count = node_masks(network, tree), len(network.masks)
    return sum(_step(network, masks[a], masks[b], masks[count + k]) for k, (a, b) in enumerate(tree))


def _step(network: Network, a: int, b: int, result: int) -> int:
    entries = network.volume(a | b)
    return 2 * entries - network.volume(result) if entries else 0


def polish(network: Network, tree: Tree, width: int = 6, passes: int = 4) -> Tree:
    """The tree with parts of up to `width` branches replaced by the cheapest, until nothing changes."""
    count = len(network.masks)
    for _ in range(passes):
        masks = node_masks(network, tree)
        children = {count + k: pair for k, pair in enumerate(tree)}
        fresh = count + len(tree)
        improved = False
        for node in range(count + len(tree) - 1, count - 1, -1):
            if node not in children:
                continue
            inner, branches = _window(node, children, masks, network, width)
            if len(branches) < 3:
                continue
            part = network.part([masks[k] for k in branches], masks[node])
            found = exact(part)
            old = sum(_step(network, masks[children[k][0]], masks[children[k][1]], masks[k]) for k in inner)
            if tree_flop(part, found) >= old:
                continue
            improved = True
            fresh = _replace(node, inner, branches, found, children, masks, fresh, part)
        tree = _renumber(count, children, root=count + len(tree) - 1)
        if not improved:
            break
    return tree


def _window(
    node: int, children: dict[int, tuple[int, int]], masks: list[int], network: Network, width: int
) -> tuple[list[int], list[int]]:
    """The nodes of the part below `node` whose largest branches are opened first, and its branches."""
    inner, branches = [node], list(children[node])
    while len(branches) < width:
        open_to = [k for k in branches if k in children]
        if not open_to:
            break
        largest = max(open_to, key=lambda k: network.volume(masks[k]))
        branches.remove(largest)
        inner.append(largest)
        branches += children[largest]
    return inner, branches


def _replace(
    node: int,
    inner: list[int],
    branches: list[int],
    found: Tree,
    children: dict[int, tuple[int, int]],
    masks: list[int],
    fresh: int,
    part: Network,
) -> int:
    """Puts the tree `found` over the branches in place of the inner nodes; new ids start at `fresh`."""
    for k in inner:
        del children[k]
    made = node_masks(part, found)[len(branches) :]
    ids = list(branches)
    for k, (a, b) in enumerate(found):
        last = k == len(found) - 1
        place = node if last else fresh
        children[place] = (ids[a], ids[b])
        ids.append(place)
        if not last:
            masks += [0] * (fresh + 1 - len(masks))
            masks[fresh] = made[k]
            fresh += 1
    return fresh


def _renumber(count: int, children: dict[int, tuple[int, int]], root: int) -> Tree:
    """The tree below the root with ids in the order of its steps."""
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        if node in children:
            order.append(node)
            stack += children[node]
    ids: dict[int, int] = {}
    tree: Tree = []
    for node in reversed(order):
        a, b = children[node]
        tree.append((ids.get(a, a), ids.get(b, b)))
        ids[node] = count + len(tree) - 1
    return tree


def bits(mask: int) -> Iterable[int]:
    """The labels of a mask, in order."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def to_pairs(count: int, tree: Tree) -> Pairs:
    """The tree as positions in the list of what is left (numpy's and opt_einsum's form of a path)."""
    left, pairs = list(range(count)), []
    for k, (a, b) in enumerate(tree):
        i, j = sorted((bisect_left(left, a), bisect_left(left, b)))
        left.pop(j), left.pop(i)
        left.append(count + k)
        pairs.append((i, j))
    return tuple(pairs)


def to_tree(count: int, pairs: Iterable[tuple[int, int]]) -> Tree:
    """The inverse of `to_pairs`."""
    left, tree = list(range(count)), []
    for k, pair in enumerate(pairs):
        i, j = sorted(pair)
        b, a = left.pop(j), left.pop(i)
        left.append(count + k)
        tree.append((a, b))
    return tree


def all_trees(count: int) -> Iterable[Tree]:
    """Every tree over the operands: 1, 3, 15, 105, ... of them for 2, 3, 4, 5 operands.

    >>> [len(list(all_trees(n))) for n in (1, 2, 3, 4, 5)]
    [1, 1, 3, 15, 105]
    """

    full = (1 << count) - 1
    for split in _splits(full):
        choice = [0] * (full + 1)
        for whole, part in split.items():
            choice[whole] = part
        yield _collect(full, choice)


def _splits(subset: int) -> Iterable[dict[int, int]]:
    """Every way to split the subset down to single operands, by the part that holds its lowest."""
    low = subset & -subset
    others = subset ^ low
    if not others:
        yield {}
    sub = others
    while sub:
        sub = (sub - 1) & others
        for first in _splits(low | sub):
            for second in _splits(others ^ sub):
                yield {subset: low | sub, **first, **second}
