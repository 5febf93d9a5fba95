"""A derivative as a standalone numpy program that a student can read: `jac.source(f, wrt)(...)`.

`source(f, wrt)` and `standalone(...)` print the forward pass, the factors of every Jacobian and how each
dense tensor is written, one line each with its mathematics and shape; `style="slides"` prints dense local
Jacobians contracted with einsum, as the lecture's `NN(x, A, b)` does, corrected.  The program imports numpy
and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .codegen import Program, program
from .derivative import show_shape
from .errors import UnknownNameError, UnsupportedError, did_you_mean
from .expr import Node
from .expression import graph_of
from .prepared import accumulate
from .readable import index_text, readable
from .spelling import number_text, spread
from .terms import Term, TermSum
from .traces import Wrt
from .wiring import Affine, Slot

STYLES = ("structured", "slides")
LETTERS = "ijklmnpqrstuvwxyzabcdegh"


def source(
    f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto", style: str = "structured"
) -> Callable[..., str]:
    """A function that returns a standalone numpy program for f's value and Jacobians at its arguments.

    The program is plain text that imports numpy alone; `style="slides"` writes dense local Jacobians
    contracted by einsum, as the lecture does.  Tensors are `target x input`.  Raises UnknownNameError for a
    wrong `wrt` or order.

    >>> print(source(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3)).splitlines()[-2])
        df_dA[i, i, j] += x  # ij: (i | i j)
    """

    from .slides import slides

    if style not in STYLES:
        raise UnknownNameError(
            f"style {style!r} is not known", f"styles: {', '.join(STYLES)}", did_you_mean(style, STYLES)
        )

    def written(*args: Any, **kwargs: Any) -> str:
        graph = graph_of(f, args, kwargs, wrt)
        if style == "slides":
            return slides(graph)
        rows = accumulate(graph.trace, order)
        targets = [(graph._order[t.serial], t) for t in graph.trace.targets]
        for label, node in graph.named.items():
            node.name = node.name or label
        titles = [
            (f"d{target}/d{node.name}", terms)
            for (target, _), row in zip(targets, rows, strict=True)
            for node, terms in zip(graph.trace.wrt, row, strict=True)
        ]
        name = getattr(f, "__name__", "f")
        return standalone(name if name.isidentifier() else "f", graph.trace.variables, targets, titles)

    return written


def standalone(
    name: str,
    inputs: Sequence[Node],
    targets: Sequence[tuple[str, Node]],
    jacobians: Sequence[tuple[str, TermSum]],
) -> str:
    """The program text: a function of the inputs that returns each target's value and Jacobians, by name."""
    factors = [n for _, terms in jacobians for t in terms.terms for n in t.nodes]
    made = program([*(node for _, node in targets), *factors], inputs, write=written_lines)
    body = [line + (f"  # {note}" if note else "") for line, note in _aligned(made)]
    results = [made.names[node.serial] for _, node in targets]
    for title, terms in jacobians:
        result = made.fresh(title.replace("/", "_"))
        body += ["", f"# {title}, target x input: {show_shape(terms.target_shape, terms.input_shape)}"]
        body += dense_lines(made, result, terms)
        results.append(result)
    head = header(made)
    arguments = ", ".join(made.names[node.serial] for node in inputs)
    document = (
        f'"""Returns {", ".join([*(label for label, _ in targets), *(title for title, _ in jacobians)])}."""'
    )
    lines = [document, *body, "return " + ", ".join(results)]
    return (
        "\n".join([*head, f"def {name}({arguments}):", *(("    " + line).rstrip() for line in lines)]) + "\n"
    )


def _aligned(made: Program) -> list[tuple[str, str]]:
    width = min(44, max((len(line) for line in made.lines), default=0))
    return [
        (line.ljust(width) if note else line, note)
        for line, note in zip(made.lines, made.comments, strict=True)
    ]


def dense_lines(made: Program, result: str, terms: TermSum) -> list[str]:
    """Zeros, then one assignment for each Term through its repeated indices."""
    if not terms.shape:
        return [f"{result} = " + (" + ".join(_value(made, t) for t in terms.terms) or "0.0")]
    lines = [f"{result} = np.zeros({tuple(terms.shape)})"]
    for t in terms.terms:
        lines += _place(made, result, t)
    return lines


def _place(made: Program, result: str, t: Term) -> list[str]:
    wiring = t.wiring
    free = [k for k in LETTERS if k not in made.taken] + [f"i{k}" for k in range(len(wiring))]
    letter = dict(zip(wiring, free, strict=False))
    places = (*t.target, *t.input)
    value = _value(made, t)
    if list(places) == list(wiring):  # every axis once: a plain sum of arrays
        return [f"{result} += {value}"]
    used = [label for label in wiring]
    ix = [f"np.arange({t.sizes[label]})" for label in used]
    names = ", ".join(letter[k] for k in used)
    grid = f"{names} = np.ix_({', '.join(ix)})" if len(used) > 1 else f"{names} = {ix[0]}" if used else ""
    index = ", ".join(_index(made, slot, letter) for slot in places)
    write = f"{result}[{index}] += {value}"
    if _repeats(t):
        write = f"np.add.at({result}, ({index}{',' if len(places) == 1 else ''}), {value})"
    note = f"  # {''.join(letter[k] for k in wiring)}: {_wiring_note(t, letter)}"
    return ([grid] if grid else []) + [write + note]


def _repeats(t: Term) -> bool:
    return any(not isinstance(slot, (int, Affine)) for slot in (*t.target, *t.input))


def _wiring_note(t: Term, letter: Mapping[int, str]) -> str:
    def side(slots: Sequence[Slot]) -> str:
        return " ".join(letter[s] if isinstance(s, int) else "·" for s in slots)

    return f"({side(t.target)} | {side(t.input)})"


def _index(made: Program, slot: Slot, letter: Mapping[int, str]) -> str:
    if isinstance(slot, int):
        return letter[slot]
    if isinstance(slot, Affine):
        parts = [letter[k] if s == 1 else f"{s} * {letter[k]}" for k, s in slot.strides]
        parts += [str(slot.offset)] if slot.offset != 0 or not parts else []
        return " + ".join(parts).replace("+ -", "- ")
    name = made.names.get(slot.node.serial)
    if name is None:  # a constant table, which no line of the program makes
        name = made.names[slot.node.serial] = made.fresh("index")
        made.bindings[name] = slot.node.value
    return f"{name}[{', '.join(letter[k] for k in slot.labels)}]"


def _value(made: Program, t: Term) -> str:
    """The Term's core over all wiring labels: broadcasting where nothing is summed, else einsum."""
    wiring = t.wiring
    coefficient = "" if t.coefficient == 1 else f"{number_text(t.coefficient)} * "
    if not t.factors:
        return number_text(t.coefficient) if t.coefficient != 1 else "1.0"
    letters = {label: LETTERS[k] for k, label in enumerate(wiring)}
    rest = iter(LETTERS[len(wiring) :])
    for _, labels in t.factors:
        for label in labels:
            letters.setdefault(label, "")
            letters[label] = letters[label] or next(rest)
    if t.carried <= set(wiring) and all(len(set(ls)) == len(ls) for _, ls in t.factors):
        return coefficient + " * ".join(
            spread(made.names[n.serial], [wiring.index(k) for k in ls], len(wiring)) for n, ls in t.factors
        )
    given = ",".join("".join(letters[k] for k in ls) for _, ls in t.factors)
    carried = [k for k in wiring if k in t.carried]
    out = "".join(letters[k] for k in carried)
    inner = f"np.einsum('{given}->{out}', {', '.join(made.names[n.serial] for n, _ in t.factors)})"
    return coefficient + spread(inner, [wiring.index(k) for k in carried], len(wiring))


def header(made: Program) -> list[str]:
    """The import and the constants."""
    constants = [f"{name} = {_literal(value)}" for name, value in made.bindings.items()]
    return ["import numpy as np", *([""] if constants else []), *constants, "", ""]


def _literal(value: Any) -> str:
    array = np.asarray(value)
    if array.size > 1000:
        raise UnsupportedError(
            f"the function holds a constant array of {array.size} entries",
            "a program cannot spell it out",
            "make the array an argument of the function",
        )
    text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    kind = "" if array.dtype in (np.float64, np.int64, bool) else f", np.{array.dtype}"
    return f"np.array({text}{kind})"


def written_lines(made: Program, node: Node, names: Sequence[str], name: str) -> list[str]:
    """The lines of a node in a program to read: an assembly is zeros and writes, all else one expression."""
    if node.op != "assemble":
        return [f"{name} = {readable(node, names)}"]
    coded, shape = node.params
    lines = [f"{name} = np.zeros({shape})"]
    used = len(coded)
    for (coefficient, labels, slots, sizes, count), core in zip(coded, names, strict=False):
        tables = names[used : used + count]
        used += count
        value = spread(core, labels, len(sizes)) if not core[0].isdigit() else core
        value = value if coefficient == 1 else f"{number_text(coefficient)} * {value}"
        places = ", ".join(index_text(slot, len(sizes), sizes, tables) for slot in slots)
        if slots == tuple(range(len(sizes))) and slots:
            lines.append(f"{name} += {value}")
        elif any(isinstance(slot, tuple) for slot in slots):
            lines.append(f"np.add.at({name}, ({places},), {value})")
        else:
            lines.append(f"{name}[{places or '()'}] += {value}")
    return lines
