"""Judges of networks: `code` (a slide's program, run as it stands) and `stored` (what reverse mode keeps)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np

from ..expr import Node, topological
from ..plan import make_plan
from ..prepared import accumulate
from ..traces import trace_function
from .errors import ClaimError
from .reading import program
from .rows import Check, Finding
from .setting import TOLERANCE, Setting, distance
from .shapes import Found, shape_of, shown
from .wording import agreement, small

LOOP = re.compile(r"for (\w+) in range\((.+?)\): (\w+)\[(\w+),\s*(\w+),\s*:\] = (.+)")


def code(room: Setting, check: Check) -> Finding:
    """The lines of `code`, run on `arguments`, give what they should.

    `compare` maps a name of the code to a derivative such as "f/A", which the engine computes and axes of
    size 1 aside must be the same; `prints` maps a name to the numbers that were printed.
    """
    scope = executed(room, check["code"], {k: room.value(v) for k, v in check["arguments"].items()})
    errors = {}
    shape = None
    for name, which in check.get("compare", {}).items():
        of, by = which.split("/")
        found = room.derivative(of, by)
        shape = shape or shape_of(found)
        errors[name] = largest_ratio(np.squeeze(_computed(scope, name)), np.squeeze(np.asarray(found)))
    for name, printed in check.get("prints", {}).items():
        errors[name] = distance(_computed(scope, name), np.array(printed, dtype=float))
    tolerance = check.get("tolerance", TOLERANCE)
    held = "printout" if "prints" in check else "engine"
    wrong = {name: error for name, error in errors.items() if not error <= tolerance}
    if wrong:
        return Finding(False, _faults(wrong, scope), shape)
    return Finding(True, f"{', '.join(errors)} of the code = {held} {agreement(max(errors.values()))}", shape)


def largest_ratio(a: Any, b: Any) -> float:
    """The error of the whole array, by the Frobenius norm, relative to the right one."""
    if np.shape(a) != np.shape(b):
        return float("inf")
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def _faults(wrong: dict[str, float], scope: dict[str, Any]) -> str:
    shapes = [
        f"{name} has the shape {shown(Found(np.shape(scope[name])))}"
        for name, e in wrong.items()
        if e == np.inf
    ]
    off = [f"{small(e)} in {name}" for name, e in wrong.items() if e != np.inf]
    return "the code: " + "; ".join(shapes + (["off by (relative) " + ", ".join(off)] if off else []))


def _computed(scope: dict[str, Any], name: str) -> np.ndarray:
    if name not in scope:
        raise ClaimError(
            f"the code gives no value to {name!r}", f"it gives: {', '.join(scope)}", "a name of the code"
        )
    return np.asarray(scope[name], dtype=float)


def executed(room: Setting, lines: list[str], arguments: dict[str, Any]) -> dict[str, Any]:
    """Every name after the lines have run one after another.

    A line is an assignment in numpy syntax, or the slide's loop `for i in range(M): dzdA[i,i,:] = x.T`.

    >>> from .setting import setting
    >>> lines = ["D = np.zeros((M, M, 3))", "for i in range(M): D[i,i,:] = x.T"]
    >>> executed(setting({}), lines, {"M": 2, "x": np.arange(3.0)})["D"].sum()
    np.float64(6.0)
    """
    scope = dict(arguments)
    for line in lines:
        loop = LOOP.fullmatch(line.strip())
        if loop:
            _loop(room, loop, scope)
        else:
            text = program(line)
            names = {name: room.lookup(name, {**room.sizes, **scope}) for name in text.names}
            scope.update({k: v for k, v in text.run_all(names).items() if k})
    return scope


def _loop(room: Setting, loop: re.Match[str], scope: dict[str, Any]) -> None:
    counter, count, name, row, column, text = loop.groups()
    if (row, column) != (counter, counter) or name not in scope:
        raise ClaimError(f"cannot read the loop {loop[0]!r}", "", "for i in range(M): dzdA[i,i,:] = x.T")
    scope[name] = np.array(scope[name])
    for i in range(int(room.value(count, **scope))):
        scope[name][i, i, :] = room.value(text, **{**scope, counter: i})


def stored(room: Setting, check: Check) -> Finding:
    """What the gradient of `loss` by `by` needs of the forward pass is `claimed`: values or derivatives.

    The engine's reverse elimination is traced, and each array that it takes over from the forward pass is
    compared with the layers' values and with the derivatives between layers.
    """
    layers = check["layers"]
    kept = taken_over(room, check["loss"], check["by"])
    derivatives = [np.asarray(room.derivative(after, before)) for before, after in pairwise(layers)]
    values = [room.at(name) for name in (*room.steps, *layers)]
    kinds = {_kind(array, values, derivatives) for array in kept}
    entries = sum(array.size for array in kept)
    between = sum(array.size for array in derivatives)
    gradients = [room.derivative(check["loss"], name) for name in check["by"]]
    sizes = f"{len(kept)} arrays, {entries} numbers, for {len(gradients)} gradients"
    rest = f"the derivatives between layers alone are {between}"
    note = f"reverse mode keeps {' and '.join(sorted(kinds))} of the forward pass: {sizes}; {rest}"
    return Finding(kinds == {check["claimed"]}, note)


def _kind(array: np.ndarray, values: list[np.ndarray], derivatives: list[np.ndarray]) -> str:
    if any(distance(array, value) < 1e-12 for value in values):
        return "values"
    if any(distance(array, value) < 1e-12 for value in derivatives):
        return "derivatives"
    return "other arrays"


def taken_over(room: Setting, loss: str, by: list[str]) -> list[np.ndarray]:
    """The arrays of the forward pass, inputs aside, that the engine's gradients are computed from."""

    def function(given: dict[str, Any]) -> Any:
        return room.lookup(loss, {**room.sizes, **room.given, **given})

    traced = trace_function(function, ({name: room.at(name) for name in by},), {}, None)
    factors = [
        n for row in accumulate(traced, "reverse") for terms in row for t in terms.terms for n, _ in t.factors
    ]
    forward = {node.serial for node in topological(traced.targets)}
    backward = [node for node in topological(factors) if node.serial not in forward]
    needed: dict[int, Node] = {n.serial: n for n in factors if n.serial in forward}
    needed.update({arg.serial: arg for node in backward for arg in node.args if arg.serial in forward})
    kept = [node for node in needed.values() if node.args]
    plan, constants = make_plan(kept, [n for n in traced.variables if n.op == "variable"])
    sources = [n.value for n in traced.variables if n.op == "variable"]
    return [np.asarray(array) for array in plan.run(sources, [n.value for n in constants])]
