"""Plans: straight lines of numpy calls over slots, built once from nodes and run on values.

`make_plan(roots, inputs)` orders the nodes that `roots` need, merges those that compute the same (common
subexpressions), drops the rest, and binds every step; `plan.run(values)` returns the roots' values.
Constants are slots too, so that a plan can be reused by a later trace of the same structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .expr import Node, topological
from .operation import RULES
from .ops.structural import compiled


class Step(NamedTuple):
    """One call: `slots[out] = call(*(slots[k] for k in args))`."""

    call: Callable[..., Any]
    args: tuple[int, ...]
    out: int


class Plan(NamedTuple):
    """Steps over `width` slots; `inputs` and `constants` are slots filled before, `roots` read after.

    `release[k]` are the slots that no step after step k reads.
    """

    steps: tuple[Step, ...]
    width: int
    inputs: tuple[int, ...]
    constants: tuple[int, ...]
    roots: tuple[int, ...]
    release: tuple[tuple[int, ...], ...]

    def run(self, values: Sequence[Any], constants: Sequence[Any]) -> list[Any]:
        """The roots' values, for the inputs' `values` and the constants' values in their order."""
        slots: list[Any] = [None] * self.width
        for slot, value in zip(self.inputs, values, strict=True):
            slots[slot] = value
        for slot, value in zip(self.constants, constants, strict=True):
            slots[slot] = value
        for step, free in zip(self.steps, self.release, strict=True):
            slots[step.out] = step.call(*[slots[k] for k in step.args])
            for slot in free:
                slots[slot] = None
        return [slots[root] for root in self.roots]


def make_plan(roots: Sequence[Node], inputs: Sequence[Node]) -> tuple[Plan, tuple[Node, ...]]:
    """The plan that computes `roots` from `inputs`, and its constants in the order it wants them."""
    slot_of: dict[int, int] = {}
    known: dict[Any, int] = {}
    constants: list[Node] = []
    steps: list[Step] = []
    for node in inputs:
        slot_of[node.serial] = len(slot_of)
    count = len(slot_of)
    for node in topological(roots, set(slot_of)):
        if node.serial in slot_of:
            continue
        leaf = node.op in ("constant", "variable")
        key = (id(node.value) if leaf else None, *key_of(node, slot_of))
        if key not in known:
            known[key] = count
            if leaf:
                constants.append(node)
            else:
                steps.append(Step(_call(node), tuple(slot_of[arg.serial] for arg in node.args), count))
            count += 1
        slot_of[node.serial] = known[key]
    wanted = tuple(slot_of[root.serial] for root in roots)
    given = tuple(slot_of[node.serial] for node in inputs)
    held = tuple(slot_of[node.serial] for node in constants)
    return Plan(tuple(steps), count, given, held, wanted, _release(steps, wanted)), tuple(constants)


def key_of(node: Node, slot_of: Mapping[int, int]) -> tuple[Any, ...]:
    """What two nodes share when they compute the same from the same."""
    return node.op, tuple(slot_of[arg.serial] for arg in node.args), node.params, node.shape, node.dtype


def _call(node: Node) -> Callable[..., Any]:
    if node.op == "einsum":
        product: Callable[..., Any] = compiled(node.params, repeated(node))
        return product
    forward, params = RULES[node.op].forward, node.params
    return lambda *arrays: forward(params, *arrays)


def repeated(node: Node) -> tuple[tuple[int, int], ...]:
    """Pairs of places where one array stands twice: a symmetric product then needs half of its entries."""
    first: dict[int, int] = {}
    pairs = []
    for k, arg in enumerate(node.args):
        if arg.serial in first:
            pairs.append((first[arg.serial], k))
        first[arg.serial] = k
    return tuple(pairs)


def _release(steps: Sequence[Step], roots: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    last: dict[int, int] = {}
    for k, step in enumerate(steps):
        for slot in (*step.args, step.out):
            last[slot] = k
    free: list[list[int]] = [[] for _ in steps]
    for slot, k in last.items():
        if slot not in roots:
            free[k].append(slot)
    return tuple(tuple(slots) for slots in free)


def evaluate(roots: Sequence[Node], values: Mapping[int, Any] | None = None) -> list[Any]:
    """The values of nodes, given values by serial for (some of) the nodes they are built from."""
    values = values or {}
    given = [node for node in topological(roots) if node.serial in values]
    plan, constants = make_plan(roots, given)
    return plan.run([values[node.serial] for node in given], [node.value for node in constants])
