"""Running nodes on a backend: the same plan, each operation through the library's own functions.

`executor(roots, inputs, backend)` returns a pure function of arrays; under jax it can be jitted and
differentiated, under torch compiled.  Each operation is looked up in the tables of `structure`, `pointwise`,
`along` and `matrices`; one that stands in none of them says so by name when the executor is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UnsupportedError
from ..expr import Node, topological
from ..operation import RULES
from .along import ALONG
from .base import Backend
from .matrices import MATRICES
from .operating import Act, Maker
from .pointwise import POINTWISE, named
from .structure import STRUCTURE

TABLE: dict[str, Maker] = {**STRUCTURE, **POINTWISE, **ALONG, **MATRICES}


def executor(roots: Sequence[Node], inputs: Sequence[Node], backend: Backend) -> Callable[..., list[Any]]:
    """A function of the inputs' arrays that returns the roots' values."""
    given = {n.serial for n in inputs}
    nodes = [n for n in topological(roots, given) if n.serial not in given]
    constants = [(n.serial, _held(n)) for n in nodes if not n.args]
    acts = [(n.serial, _act(n, backend), tuple(a.serial for a in n.args)) for n in nodes if n.args]

    def run(*arrays: Any) -> list[Any]:
        like = arrays[0]
        values: dict[int, Any] = {n.serial: a for n, a in zip(inputs, arrays, strict=True)}
        for serial, value in constants:
            number = isinstance(value, (bool, int, float))
            values[serial] = value if number else backend.asarray(value, like)
        for serial, act, args in acts:
            values[serial] = act(like, *(values[k] for k in args))
        return [values[root.serial] for root in roots]

    return run


def _held(node: Node) -> Any:
    """The value of a node without arguments: its own, or what its rule makes of its parameters."""
    return node.value if node.op in ("constant", "variable") else RULES[node.op].forward(node.params)


def _act(node: Node, backend: Backend) -> Act:
    make = TABLE.get(node.op)
    act = named(node, backend) if make is None else make(node, backend)
    if act is None:
        raise UnsupportedError(
            f"{node.op} does not run on {backend.name}",
            f"a value of shape {node.shape}: only its numpy function is known",
            "backend='numpy', or the same function written with operations of jac.ops",
        )
    return act
