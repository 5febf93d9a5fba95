"""Functions traced without numbers: sizes stay symbols (M, N), and counts are polynomials in them.

`symbolic_graph(f, declared)` runs a numpy function, or one read from text, on stand-ins of the declared
shapes and returns its `Graph`; `declare(...)` reads declarations given as keywords.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .axes import Shape, Size, symbol
from .errors import JacobiansError, ReadingError, did_you_mean
from .expr import size_value
from .expression import Graph, graph_of
from .reading import function as reading
from .reading.function import ReadFunction
from .reading.shapes import Declarations
from .traces import symbolic_variable
from .tracing import Traced, name


def read(text: str, /, *, syntax: str = "numpy", **shapes: Any) -> ReadFunction:
    """A function of arrays from text, its intermediates named as the text names them.

    The arguments are the names whose shapes are given, in that order; a size may have a number (`M=3`) or
    stay a symbol.  `syntax` is "numpy" or "matrixcalculus".  Raises ReadingError with a caret under the
    place.

    >>> import numpy as np
    >>> f = read("z = A @ x + b; f = tanh(z)", A="M,N", x="N", b="M")
    >>> f(np.zeros((3, 4)), np.ones(4), np.zeros(3))
    array([0., 0., 0.])
    """
    return reading.read(text, syntax=syntax, name_value=name, **shapes)


def sizes_of(declared: Declarations, label: str, numbers: bool = False) -> Shape:
    """The shape of a declared name: polynomials in the symbols; with `numbers`, integers where known."""
    known: dict[str, Size] = {
        s: declared.sizes.get(s, symbol(s)) if numbers else symbol(s) for s in declared.symbols
    }
    return tuple(
        size if isinstance(size, int) else _value(ast.parse(size, mode="eval").body, known)
        for size in declared.shape_of(label)
    )


def _value(tree: ast.expr, known: Mapping[str, Size]) -> Size:
    match tree:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=label):
            return known[label]
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, known), _value(right, known)
            if isinstance(op, ast.Pow) and isinstance(b, int):
                return a**b
            combine: dict[type, Callable[[Any, Any], Any]] = {
                ast.Add: lambda p, q: p + q,
                ast.Sub: lambda p, q: p - q,
                ast.Mult: lambda p, q: p * q,
                ast.FloorDiv: lambda p, q: p // q,
            }
            result: Size = combine[type(op)](a, b)
            return result
    raise ReadingError(f"a size cannot be {ast.unparse(tree)}", "", "sums and products such as N+1")


def symbolic_graph(f: Callable[..., Any], declared: Declarations, numbers: bool = False) -> Graph:
    """The graph of `f` over stand-ins of the declared shapes; raises the errors that tracing raises.

    Sizes stay symbols, unless `numbers` are asked for or a step needs them.
    """
    labels = arguments_of(f, declared)
    runner = _runner(f, labels, declared)

    def graph(known: bool) -> Graph:
        stand_ins = [symbolic_variable(label, sizes_of(declared, label, known)) for label in labels]
        return graph_of(runner, tuple(stand_ins), {}, numeric=False)

    try:
        return graph(numbers)
    except JacobiansError:
        if numbers or not declared.sizes:
            raise
        return graph(True)  # some step needs numbers, and they were given


def arguments_of(f: Callable[..., Any], declared: Declarations) -> tuple[str, ...]:
    """The names of f's arguments, each of which must be declared."""
    if isinstance(f, ReadFunction):
        return f.inputs
    wanted = [p.name for p in inspect.signature(f).parameters.values() if p.default is p.empty]
    for label in wanted:
        if label not in declared.names:
            raise ReadingError(
                f"{label} has no shape",
                f"declared: {', '.join(declared.names) or 'nothing'}",
                f'{label}="rows,cols", or did you mean {did_you_mean(label, declared.names or ["A"])}?',
            )
    extra = [
        p.name
        for p in inspect.signature(f).parameters.values()
        if p.default is not p.empty and p.name in declared.names
    ]
    return (*wanted, *extra)


def _runner(f: Callable[..., Any], labels: tuple[str, ...], declared: Declarations) -> Callable[..., Any]:
    """`f` as a function of exactly these arguments; text names its own values and computes with sizes."""
    free = {s: Traced(size_value(symbol(s))) for s in declared.symbols if s not in declared.sizes}

    def run(*args: Any) -> Any:
        values = dict(zip(labels, args, strict=True))
        if isinstance(f, ReadFunction):
            return f.program.run(
                {**declared.sizes, **free, **declared.constants, **values}, f.budget, name_value=name
            )
        return f(**values)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    run.__signature__ = inspect.Signature([inspect.Parameter(label, kind) for label in labels])  # type: ignore[attr-defined]
    run.__name__ = getattr(f, "__name__", "f")
    run.__wrapped_code__ = getattr(f, "__code__", None)  # type: ignore[attr-defined]
    return run
