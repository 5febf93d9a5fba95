"""Index notation of a Jacobian: the sum, the einsum, the wiring, and the form that claims are written in.

`index_form(terms)` is readable text (`δ_im (1 − f_i²) x_n`), `einsum_call(term)` numpy's einsum for one Term,
`core_wiring(term, labels)` says how a compressed array stands in the tensor, `claim_form(terms)` prints what
`parse.parse_term` reads back (`i|m n: delta[i,m] * x[n]`), and `where_lines(names)` explains the letters that
stand for long values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..axes import Poly
from ..expr import Factor, Node
from ..layouts import plain_shape
from ..terms import Term, TermSum
from ..wiring import Table
from .arrays import Arrays, flatten
from .broadcasting import array_text
from .entries import Expr, index_of, letter, tidy
from .forms import POWER, TEXT, Form, ascii_form
from .letters import label_letters, place_letters
from .naming import CLEAR, Names, is_integer, is_plain, name_values
from .numpy_forms import NUMPY
from .printers import ASCII, CODE, UNICODE, Printer, number_text
from .reader import Places, Reader, applied, factor_nodes, read_terms, term_nodes


def default_places(terms: TermSum, names: Names | None = None, axes: Sequence[str] | None = None) -> Places:
    """Letters for the axes of a Jacobian, avoiding the names of its values."""
    avoid = names.taken() if names else ()
    return place_letters(len(terms.target_shape), len(terms.input_shape), axes, avoid)


def index_form(
    terms: TermSum,
    places: Places | None = None,
    names: Names | None = None,
    printer: Printer = UNICODE,
) -> str:
    """The entry of a Jacobian at its letters: `δ_im (1 − f_i²) x_n`; `0` where it is zero.

    >>> from ..expr import variable
    >>> from ..terms import term
    >>> dz_dA = term(1, [(variable("x", (4,)), "n")], "i", "in", {"i": 3, "n": 4})
    >>> index_form(TermSum((3,), (3, 4), (dz_dA,)))
    'δ_im x_n'
    """
    names = names or name_values(factor_nodes(terms))
    return printer.print(read_terms(terms, places or default_places(terms, names), names))


def core_wiring(term: Term, labels: Sequence[int]) -> str:
    """The wiring of a core array as text: `letters of the array: target axes|input axes`.

    The array has one axis for each letter before the colon; after it every axis of the tensor has one
    index, separated by blanks, `|` standing between target and input axes: it reads
    `J[target, input] += array[letters]` for every value of the letters.  A letter that stands twice after
    the colon is a Kronecker delta, one that stands only there is a vector of ones, `i+1` is a selection.

    >>> from ..expr import variable
    >>> from ..terms import term
    >>> core_wiring(term(1, [(variable("x", (4,)), "n")], "i", "in", {"i": 3, "n": 4}), (1,))
    'n: i|i n'
    """
    letters = label_letters(term, place_letters(len(term.target), len(term.input)))
    along = {label: letter(name) for label, name in letters.items()}
    sides = [" ".join(str(index_of(slot, along)) for slot in side) for side in (term.target, term.input)]
    return f"{' '.join(letters[label] for label in labels)}: {sides[0]}|{sides[1]}"


@dataclass(frozen=True, slots=True)
class Einsum:
    """One Term as numpy's einsum: its result stands at `at` in the tensor J (empty: it is J itself)."""

    subscripts: str
    operands: tuple[str, ...]
    coefficient: Any
    at: str
    compound: bool = False  # whether the only operand is a formula that a number in front needs in brackets

    @property
    def text(self) -> str:
        """The call as source, with a comment that says where a Kronecker delta puts it."""
        size = "" if self.coefficient == 1 else f"{number_text(self.coefficient)} * "
        taken, _, given = self.subscripts.partition("->")
        if len(self.operands) == 1 and taken == given:
            call = size + (f"({self.operands[0]})" if size and self.compound else self.operands[0])
        elif not self.operands:
            call = repr(self.coefficient) if not isinstance(self.coefficient, Poly) else size[:-3]
        else:
            call = f'{size}np.einsum("{self.subscripts}", {", ".join(self.operands)})'
        if not self.at:
            return call
        seen = list(dict.fromkeys(re.findall(r"[^\W\d]\w*", self.at[2:-1])))
        broadcast = not given or seen[-len(given) :] == list(given)  # as numpy does, from the right
        alone = len(self.operands) == 1 and taken == given
        which = f"[{', '.join(given)}] " if alone and not broadcast else ""
        return f"{call}   # {which}at {self.at}"


def einsum_call(
    term: Term,
    places: Places | None = None,
    names: Names | None = None,
) -> Einsum:
    """A Term's product as one `np.einsum` over the letters that its factors carry.

    numpy has no repeated output letter, so a delta is told apart: `np.einsum("i,n->in", 1 - f**2, x)`
    stands at `J[i, i, n]`.
    """
    names = names or name_values(term_nodes(term))
    places = places or place_letters(len(term.target), len(term.input), avoid=names.taken())
    coefficient, atoms, sizes = flatten(term, names)
    coefficient, atoms = _numbers_out(coefficient, atoms, names)
    opened = Term(coefficient, tuple(atoms), term.target, term.input, tuple(sizes))
    letters = label_letters(opened, places, names.taken())
    carried = {label for _, labels in atoms for label in labels}
    output = [label for label in term.wiring if label in carried]
    groups = ["".join(letters[label] for label in labels) for _, labels in atoms]
    subscripts = f"{','.join(groups)}->{''.join(letters[label] for label in output)}"
    along = {label: letter(name) for label, name in letters.items()}
    slots = (*term.target, *term.input)
    tables = {slot.node.serial: names.of(slot.node) or "T" for slot in slots if isinstance(slot, Table)}
    at = "" if list(slots) == output else f"J[{', '.join(str(index_of(s, along, tables)) for s in slots)}]"
    operands = tuple(array_text(node, names) for node, _ in atoms)
    form = Arrays(names).form(atoms[0][0]) if len(atoms) == 1 else None
    compound = NUMPY.at(form, POWER) != operands[0] if form is not None else len(atoms) == 1
    return Einsum(subscripts, operands, coefficient, at, compound)


def _numbers_out(coefficient: Any, atoms: Sequence[Factor], names: Names) -> tuple[Any, list[Factor]]:
    """The coefficient with the factors that are numbers multiplied in, and the others."""
    kept: list[Factor] = []
    for node, labels in atoms:
        form = Arrays(names).form(node) if node.shape == () else None
        if form is not None and form.op == "number":
            coefficient = tidy(coefficient * form.value)
        else:
            kept.append((node, labels))
    return coefficient, kept


def einsum_text(terms: TermSum, places: Places, names: Names) -> str:
    """All Terms as einsum calls, a line each, then what their letters stand for: `# u = A x`."""
    calls = [einsum_call(term, places, names).text for term in terms.terms] or ["0"]
    return "\n".join([*calls, *(f"# {line}" for line in where_lines(names))])


@dataclass(frozen=True, slots=True)
class ClaimForm:
    """A Jacobian as text that can be read back, and the nodes that the names in it stand for."""

    text: str
    nodes: Mapping[str, Node]


def claim_form(terms: TermSum, places: Places | None = None) -> ClaimForm:
    """A Jacobian as `i|m n: delta[i,m] * x[n]`, one name for each factor; see `parse.parse_term`.

    Letters before the colon are the target and input axes.  `delta[i,m]` says that two axes are equal,
    `delta[j,i+1]` that one is index arithmetic of others; letters that stand before no colon are summed,
    `sum[k:3]` gives one its size where no factor carries it.
    """
    known: dict[str, Node] = {}
    spelled: dict[int, str] = {}
    for node in factor_nodes(terms):
        if node.serial not in spelled:
            spelled[node.serial] = name = _atom(node, known)
            known[name] = node
    names = Names(
        {node.serial: node.serial for node in known.values()},
        {node.serial: name for name, node in known.items()},
    )
    places = places or default_places(terms, names)
    body = ""
    for term in terms.terms:
        text = _claimed(term, places, names)
        body += (" - " + text[1:] if text.startswith("-") else " + " + text) if body else text
    return ClaimForm(f"{' '.join(places[0])}|{' '.join(places[1])}: {body or '0'}", known)


def _atom(node: Node, known: Mapping[str, Node]) -> str:
    stem = node.name if node.name and node.name.isidentifier() else "T" if is_integer(node) else "u"
    if stem not in known and stem not in ("delta", "sum"):
        return stem
    return next(f"{stem}{k}" for k in range(2, len(known) + 3) if f"{stem}{k}" not in known)


def _claimed(term: Term, places: Places, names: Names) -> str:
    reader = Reader(names, (*places[0], *places[1]))
    at = [letter(name) for name in (*places[0], *places[1])]
    slots = (*term.target, *term.input)
    along, deltas, hidden = reader.along(term, slots, at)
    sums = [
        f"sum[{along[label]}:{term.sizes[label]!r}]"
        for label in range(len(term.sizes))
        if str(along[label]) in hidden and label not in term.carried
    ]
    coefficient = tidy(term.coefficient) if not isinstance(term.coefficient, Poly) else term.coefficient
    number = f"({coefficient!r})" if isinstance(coefficient, Poly) else repr(coefficient)
    parts = [*sums, *(CODE.print(delta) for delta in deltas)]
    parts += [CODE.entry(names.of(node) or "", [along[k] for k in labels]) for node, labels in term.factors]
    if coefficient == -1 and parts:
        return "-" + " * ".join(parts)
    return " * ".join(parts if coefficient == 1 and parts else [number, *parts])


def where_lines(names: Names, printer: Printer = UNICODE) -> list[str]:
    """What the letters made for long values stand for: `u = tanh(A x + b)`, one line each."""

    def line(name: str, node: Node) -> str:
        match meaning(name, node, names):
            case str(said):
                return said
            case Form() as form:
                return ascii_form(form) if printer is ASCII else TEXT.print(form)
            case entry, places:
                return f"[{printer.print(entry)}] over {' '.join(places)}"

    return [f"{name} = {line(name, node)}" for name, node in names.where]


def meaning(name: str, node: Node, names: Names) -> str | Form | tuple[Expr, Sequence[str]]:
    """What a letter stands for: words, a matrix form, or one entry at its letters."""
    if node.op == "constant":
        return f"a constant, {plain_shape(node.shape)}"
    if node.op == "variable":
        return f"a value, {plain_shape(node.shape)}"
    if node.op not in CLEAR and not is_plain(node):
        return f"{applied(node, names)} with {(node.args[0] if node.op == 'output' else node).params}"
    form = Arrays(names).form(node, written=True)
    if form is not None:
        return form
    hidden = Names(names.classes, {k: v for k, v in names.known.items() if v != name})
    places = place_letters(node.ndim, 0, avoid=names.taken())[0]
    try:
        return Reader(hidden, places).entry(node, [letter(place) for place in places]), places
    except (ValueError, KeyError):
        return applied(node, names)
