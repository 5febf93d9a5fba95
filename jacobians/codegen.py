"""Generated numpy: a plan printed as straight-line source, to read (`jac.source`) or to run (`compile`).

`program(roots, inputs)` writes one line for each node, named intermediates kept, and returns the lines with
the helpers and constants they use; `build(...)` makes a Python function of it.  Only our own nodes are
printed, never user text.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np

from . import threads
from .counting import node_counts
from .expr import Node, constant, topological
from .operation import RULES
from .ops.structural import compiled, symmetric_over
from .overwriting import NAME, OPERAND, overwritten
from .plan import key_of, repeated
from .recycling import Recycler
from .spelling import is_negative, number_text, spell, spread, summands

DIRECTLY = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\bnp\.(?!linalg\b)(\w+)""")
IDENTIFIER = re.compile(r"[^\W\d]\w*")
LARGE = 1 << 9  # entries from which an array that is no longer needed is let go within a call
HELPERS: dict[str, Any] = {
    act.__name__: act
    for act in (
        threads.apart, threads.apart_einsum, threads.copied, threads.in_blocks, threads.stacked,
        threads.together,
    )
}  # fmt: skip
RESERVED = {
    "np", "math", "float", "int", "bool", "range", "len", "type", "tuple", "slice", "abs", "min", "max",
    "ndarray", "array", "empty", "shares", *HELPERS,
    "_odd", "_absent", "_surplus", "_named", "_slow", "_FAILS",
}  # fmt: skip
DOT = re.compile(rf"({NAME}) = ({OPERAND})\.dot\(({OPERAND})((?:, {NAME}(?:\(\))?)?)\)")


@dataclass(slots=True)
class Program:
    """Lines of source, and what they refer to by name: constants and helper functions.

    The lines `first` stand before the others, and what they raise is never answered by another program.
    """

    lines: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    dtypes: dict[int, Any] = field(default_factory=dict)
    bindings: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: set(RESERVED))
    last: dict[str | None, int] = field(default_factory=dict)
    large: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    inner: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    memory: Recycler = field(default_factory=Recycler)
    makers: dict[Any, str | None] = field(default_factory=dict)
    numbers: dict[Any, str] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    multiplied: float = 0.0

    def fresh(self, wish: str | None) -> str:
        """A name that is a Python identifier and not taken, `wish` if it can be."""
        base = wish if wish and wish.isidentifier() and not keyword.iskeyword(wish) else None
        name, k = base or "v1", self.last.get(base, 1)
        while name in self.taken:
            k += 1
            name = f"{base}_{k}" if base else f"v{k}"
        self.last[base] = k
        self.taken.add(name)
        return name

    def hold(self, name: str, shape: Any, dtype: Any) -> None:
        """Notes an array whose memory is worth using again, once it is no longer needed."""
        if math.prod(shape) >= LARGE:
            self.large[name] = shape, dtype

    def shares(self, shape: tuple[int, ...], dtype: Any, name: str) -> bool:
        """Whether several threads compute an array; the helpers for that get their names."""
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        if nbytes < threads.LARGE:
            return False
        self.bindings |= HELPERS
        self.shared[name] = nbytes
        return True

    @property
    def fills(self) -> bool:
        """Whether writing by several threads takes longer than multiplying: a byte takes about as long."""
        return sum(self.shared.values()) > self.multiplied

    def empty(self, shape: tuple[int, ...], dtype: Any) -> str | None:
        """The expression of a new array over recycled memory; None where that does not pay."""
        kind = shape, np.dtype(dtype)
        if kind not in self.makers:
            new, name = self.memory.maker(*kind), self.fresh("empty")
            self.bindings |= {} if new is None else {name: new}
            self.makers[kind] = None if new is None else f"{name}()"
        return self.makers[kind]

    def number(self, value: Any, dtype: Any) -> str:
        """A number that meets an array of real numbers: an array of its type, which numpy takes sooner."""
        kind = np.dtype(dtype)
        if kind.kind != "f" or not isinstance(value, (int, float)):
            return number_text(value)
        key = repr(float(value)), kind  # 0 and -0 are two
        if key not in self.numbers:
            digits = repr(float(value)).removesuffix(".0")
            name = self.fresh("n" + re.sub(r"\W", "_", digits.replace("-", "m").replace("+", "")))
            self.numbers[key], self.bindings[name] = name, np.array(value, kind)
        return self.numbers[key]

    def add(self, line: str, comment: str = "") -> None:
        """One more line, with what it is as a comment."""
        self.lines.append(line)
        self.comments.append(comment)


def argument_name(node: Node) -> str | None:
    """What an input is called in a program: `p['W']` is `p_W`."""
    return node.name and re.sub(r"\W+", "_", node.name).strip("_")


Lines = Callable[[Program, Node, Sequence[str], str], list[str]]


def program(
    roots: Sequence[Node], inputs: Sequence[Node], running: bool = False, write: Lines | None = None
) -> Program:
    """The straight-line numpy program that computes `roots` from `inputs`, one line a node.

    With `running` it is made to be run and not to be read: what is faster as a helper is one.  `write` gives
    the lines of a node that is no einsum; without it a node that has no spelling calls a helper.
    """
    made = Program()
    made.taken |= {"out"} if running else set()
    for node in inputs:
        made.names[node.serial], made.dtypes[node.serial] = made.fresh(argument_name(node)), node.dtype
    known: dict[Any, Node] = {}
    slots = {node.serial: node.serial for node in inputs}
    nodes = topological(roots, set(slots))
    folded = set() if running else _only_converted(nodes, roots)
    for node in nodes:
        if node.serial in slots:
            continue
        if node.serial in folded:
            slots[node.serial] = known.setdefault(id(node.value), node).serial
            continue
        key = (id(node.value) if node.op in ("constant", "variable") else None, *key_of(node, slots))
        made.dtypes[node.serial] = node.dtype
        first = known.setdefault(key, node)
        slots[node.serial] = first.serial
        known_already = made.names.get(first.serial)
        made.names[node.serial] = known_already or _write(made, node, running, write)
        if running and node.args and (node.op != "einsum" or of_one_type(node)):
            made.hold(made.names[node.serial], node.shape, node.dtype)
    return made


def _only_converted(nodes: Sequence[Node], roots: Sequence[Node]) -> set[int]:
    """Constants of which only conversions to another type are used: those are printed as constants."""
    others = {arg.serial for node in nodes if node.op != "astype" for arg in node.args}
    others |= {root.serial for root in roots}
    return {n.serial for n in nodes if n.op == "constant" and n.shape and n.serial not in others}


def _write(made: Program, node: Node, running: bool, write: Lines | None) -> str:
    if node.op in ("constant", "variable"):
        return _constant(made, node)
    if node.op == "astype" and node.args[0].serial not in made.names:
        return _constant(made, constant(node.args[0].value.astype(node.dtype)))
    names = [made.names[arg.serial] for arg in node.args]
    name = made.fresh(node.name)
    comment = "shape " + " x ".join(map(str, node.shape)) if node.shape else "scalar"
    if node.op == "einsum":
        _product(made, node, names, name, comment, running)
        return name
    if write is not None:
        for line in write(made, node, names, name):
            made.add(line, comment if line.startswith(f"{name} = ") else "")
        return name
    if running and node.op == "combination" and _is_elementwise(node):
        return _sum(made, node, names, name)
    text = spell(node, names, _number_for(made, node) if running else None)
    if text is None:
        helper = made.fresh(f"{node.op}_step")
        made.bindings[helper] = _bound(node)
        text = f"{helper}({', '.join(names)})"
    made.add(f"{name} = {text}", comment)
    return name


def _number_for(made: Program, node: Node) -> Callable[[Any], str] | None:
    """How numbers are written that meet a node's arrays, all of one type; None for as numbers."""
    if not node.shape or any(arg.shape and arg.dtype != node.dtype for arg in node.args):
        return None
    return lambda value: made.number(value, node.dtype)


def _is_elementwise(node: Node) -> bool:
    """Whether a weighted sum is large, of one type, and one of its parts has the whole shape."""
    _, labels, shape = node.params
    large = math.prod(shape) >= LARGE and len(labels) > 1
    return (
        large
        and any(len(ls) == len(shape) for ls in labels)
        and all(arg.dtype == node.dtype for arg in node.args)
    )


def _sum(made: Program, node: Node, names: Sequence[str], name: str) -> str:
    """The lines of a weighted sum, one for each multiplication and addition."""
    shape, total = node.params[2], ""
    parts = summands(node, names)
    whole = next(k for k, (_, carried, _, _) in enumerate(parts) if len(carried) == len(shape))
    parts.insert(0, parts.pop(whole))  # every sum on the way then has the shape of the result
    for k, (coefficient, carried, text, arg) in enumerate(parts):
        sign = "-" if total and is_negative(coefficient) else "+"
        size = abs(coefficient) if total else coefficient
        if text is None:
            text = made.number(size, node.dtype)
        elif size != 1:
            times = made.number(size, node.dtype) if arg.shape else number_text(size)
            scaled = made.fresh("part")
            made.add(f"{scaled} = -{text}" if size == -1 else f"{scaled} = {times} * {text}")
            made.hold(scaled, arg.shape, node.dtype)
            text = scaled
        text = spread(text, carried, len(shape))
        if total:
            added = name if k == len(parts) - 1 else made.fresh("part")
            made.add(f"{added} = {total} {sign} {text}")
            made.hold(added, shape, node.dtype)
            text = added
        total = text
    return name


def of_one_type(node: Node) -> bool:
    """Whether all that a product is made of, step by step, has the type of the result."""
    return all(arg.dtype == node.dtype for arg in node.args)


def _product(made: Program, node: Node, names: Sequence[str], name: str, comment: str, running: bool) -> None:
    """The lines of an einsum, a line each step of its path."""
    product = compiled(node.params, repeated(node) if running else ())
    made.multiplied += node_counts(node)[0]
    if running and any(step.kind == "gram" and len(step.inputs) > 1 for step in product.steps):
        helper = made.fresh("product")  # halves symmetric products
        made.bindings[helper] = product
        made.add(f"{name} = {helper}({', '.join(names)})", comment)
        return
    source = product.source(names, name, made.taken if running else (), running)
    lines = [line.split(" = ", 1) for line in source]
    for (left, right), step in zip(lines, product.steps or (None,), strict=True):
        if running and step is not None and step.kind == "symmetric":
            helper = made.fresh("symmetric")
            made.bindings[helper] = symmetric_over(made.memory.maker)
            right = right.replace("symmetric(", f"{helper}(", 1)
        made.taken.add(left)
        made.add(f"{left} = {right}", comment if left == name else "")
    for (left, _), step in zip(lines, product.steps, strict=False) if running and of_one_type(node) else ():
        made.hold(left, step.shape, node.dtype)
        made.inner |= {} if step.made is None else {left: (step.made, node.dtype)}


def _bound(node: Node) -> Callable[..., Any]:
    forward, params = RULES[node.op].forward, node.params

    def helper(*arrays: Any) -> Any:
        return forward(params, *arrays)

    return helper


def _constant(made: Program, node: Node) -> str:
    if node.shape == () and isinstance(node.dtype, type):
        if node.value != node.value or node.value in (float("inf"), float("-inf")):
            return f"float({str(node.value)!r})"
        return repr(node.value) if node.value >= 0 else f"({node.value!r})"
    name = made.fresh(node.name or "c")
    made.bindings[name] = node.value.copy() if isinstance(node.value, np.ndarray) else node.value
    return name


def released(lines: Sequence[str], names: set[str], result: str) -> list[str]:
    """The lines, with each of the names deleted after its last use: its memory serves what comes next."""
    last: dict[str, int] = {}
    for k, line in enumerate([*lines, result]):
        last.update(dict.fromkeys(names.intersection(IDENTIFIER.findall(line)), k))
    done: dict[int, list[str]] = {}
    for name, k in last.items():
        done.setdefault(k, []).append(name)
    found: list[str] = []
    for k, line in enumerate(lines):
        found += [line, f"del {', '.join(sorted(done[k]))}"] if k in done else [line]
    return found


def body_of(made: Program, arguments: Sequence[str], result: str) -> list[str]:
    """The lines as they run: memory used again where it can be, let go where it is large."""
    ours = {name: kind for name, kind in made.large.items() if name not in arguments}
    lines = overwritten(
        made.lines,
        ours,
        result,
        new=lambda name: made.empty(*made.inner.get(name, ours[name])),
        wide=lambda name: made.shares(*ours[name], name),
    )
    if made.fills:
        products = [DOT.fullmatch(line) for line in lines]
        lines = [
            line if two is None else f"{two[1]} = in_blocks({two[2]}, {two[3]}{two[4]})"
            for line, two in zip(lines, products, strict=True)
        ]
    return [*released(lines, set(ours), result), f"return {result}"]


def _direct(source: str, made: Program, namespace: dict[str, Any]) -> str:
    """The source with numpy's functions under names of their own: looking into numpy takes 45 ns."""
    prefix = "np_"
    while any(name.startswith(prefix) for name in made.taken):
        prefix = f"_{prefix}"

    def bound(found: re.Match[str]) -> str:
        if found[1] is None:  # a text, such as a key of the result
            return found[0]
        namespace[prefix + found[1]] = getattr(np, found[1])
        return prefix + found[1]

    return DIRECTLY.sub(bound, source)


def _is_named(parameter: str) -> bool:
    return not parameter.startswith("*")


def build(
    made: Program,
    arguments: Sequence[str],
    result: str,
    fails: tuple[type[BaseException], ...] = (),
    slow: Any = None,
) -> Callable[..., Any]:
    """A Python function of a program: its parameters as written, `result` the returned expression.

    Where one of the exceptions `fails` is raised, `slow` answers instead, given all before a `*`.
    """
    body = body_of(made, arguments, result)
    if fails:
        names = [argument.partition("=")[0] for argument in takewhile(_is_named, arguments)]
        body = [
            "try:",
            *("    " + line for line in body),
            "except _FAILS:",
            "    pass",  # what `_slow` raises is then all that is shown
            f"return _slow({', '.join(names)})",
        ]
    body = [*made.first, *body]
    source = f"def call({', '.join(arguments)}):\n" + "\n".join("    " + line for line in body)
    namespace: dict[str, Any] = {"np": np, "_FAILS": fails, "_slow": slow, **made.bindings}
    source = _direct(source, made, namespace)
    exec(compile(source, "<call>", "exec"), namespace)  # our own nodes, printed
    function: Callable[..., Any] = namespace.pop("call")  # it need not hold itself
    return function
