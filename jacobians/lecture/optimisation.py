"""Judges of optimisation: `descent` (gradient descent as a slide writes it), `minimum` (do losses agree?)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..verbs import hessian, jacobian, value_and_jacobian
from .reading import program
from .rows import Check, Finding
from .setting import Setting, distance
from .shapes import shape_of
from .wording import agreement, number, small

FLAT = 1e-6  # a gradient below this is zero, for saying where a descent ended


def descent(room: Setting, check: Check) -> Finding:
    """Gradient descent on step `loss`, `rounds` times `update`, a text in theta, gamma and gradient.

    theta is the column of all inputs `by`.  Claimed may be `decreases` (true: no round increases the loss),
    `reaches` (a text: the final loss, to `within`), and `ends` ("local minimum", "saddle point", "stationary
    point" or "nowhere").
    """
    for name in check["by"]:
        gradient = room.derivative(check["loss"], name)
    function = stacked(room, check["loss"], check["by"])
    start = np.concatenate([room.at(name).reshape(-1) for name in check["by"]])
    losses, end = run(room, check, function, start)
    notes = [f"loss {number(losses[0])} -> {number(losses[-1])} in {len(losses) - 1} rounds"]
    holds = True
    if "decreases" in check:
        falling = bool(np.all(np.diff(losses) <= 0))
        holds &= falling == check["decreases"]
        notes.append("never increasing" if falling else "not always decreasing")
    if "reaches" in check:
        goal = float(room.value(check["reaches"]))
        holds &= abs(losses[-1] - goal) <= check.get("within", 1e-6)
        notes.append(f"goal {number(goal)}")
    if "ends" in check:
        kinds, note = ending(function, end)
        holds &= check["ends"] in kinds
        notes.append(f"ends at {number(end, 2)}: {note}")
    return Finding(bool(holds), "; ".join(notes), shape_of(gradient))


def stacked(room: Setting, loss: str, names: list[str]) -> Callable[[Any], Any]:
    """The loss as a function of one column theta, in which the inputs stand one after another, rows first."""
    shapes = [room.at(name).shape for name in names]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()

    def function(theta: Any) -> Any:
        parts = [
            theta[end - int(np.prod(shape)) : end].reshape(shape)
            for end, shape in zip(ends, shapes, strict=True)
        ]
        return room.lookup(loss, {**room.sizes, **room.given, **dict(zip(names, parts, strict=True))})

    return function


def run(
    room: Setting, check: Check, function: Callable[[Any], Any], theta: np.ndarray
) -> tuple[list[float], np.ndarray]:
    """The losses before each round and after the last, and theta at the end."""
    step = value_and_jacobian(function).compile(theta, dense=True)
    update = program(check.get("update", "theta - gamma * gradient"))
    losses = []
    for _ in range(check["rounds"]):
        loss, gradient = step(theta)
        losses.append(float(loss))
        known = {"theta": theta, "gamma": check["gamma"], "gradient": gradient}
        theta = np.asarray(update.run({name: known[name] for name in update.names}))
    return [*losses, float(step(theta)[0])], theta


def ending(function: Callable[[Any], Any], at: np.ndarray) -> tuple[set[str], str]:
    """What kinds of point `at` is, by the engine's gradient and Hessian, and the numbers that say so.

    >>> ending(lambda x: (x * x).sum(), np.zeros(2))[1]
    'gradient 0, Hessian eigenvalues [2, 2], a local minimum'
    """
    gradient = float(np.max(np.abs(np.asarray(jacobian(function)(at)))))
    if gradient > FLAT:
        return {"nowhere"}, f"gradient {small(gradient)}, no stationary point"
    second = np.asarray(hessian(function)(at)).reshape(at.size, at.size)
    values = np.linalg.eigvalsh(second)
    kind = "local minimum" if values[0] > 0 else "saddle point" if values[-1] > 0 else "flat or maximal point"
    note = f"gradient {small(gradient)}, Hessian eigenvalues {number(values, 2)}, a {kind}"
    return {"stationary point", kind}, note


def minimum(room: Setting, check: Check) -> Finding:
    """The `losses` have the same minimiser in `by`: found by Newton's method with the engine's Hessian."""
    by = check["by"]
    for loss in check["losses"]:
        room.derivative(loss, by)
    found = [newton(room.function(loss, by), room.at(by)) for loss in check["losses"]]
    error = max(distance(other, found[0]) for other in found[1:])
    if error <= check.get("tolerance", 1e-8):
        many = f"{', '.join(check['losses'][:-1])} and {check['losses'][-1]}"
        known = f"{number(found[0])} " if found[0].size <= 3 else ""
        return Finding(True, f"{many} have the same minimiser {known}{agreement(error)}")
    each = ", ".join(
        f"{loss}: {by} = {number(value)}" for loss, value in zip(check["losses"], found, strict=True)
    )
    return Finding(False, f"minimisers differ, {each}")


def newton(function: Callable[[Any], Any], at: np.ndarray, rounds: int = 3) -> np.ndarray:
    """The stationary point that Newton's method reaches: after one round for a quadratic loss.

    >>> newton(lambda x: ((x - 3.0) ** 2).sum(), np.zeros(2))
    array([3., 3.])
    """
    for _ in range(rounds):
        gradient = np.asarray(jacobian(function)(at)).reshape(-1)
        second = np.asarray(hessian(function)(at)).reshape(at.size, at.size)
        at = at - np.linalg.solve(second, gradient).reshape(at.shape)
    return at
