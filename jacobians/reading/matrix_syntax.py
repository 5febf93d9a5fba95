"""Matrix-calculus syntax: `parse("x'*A*x + tr(A*X*B)")` gives a `Program`.

`*` is the matrix product, `.*` `./` `.^` are elementwise, `'` transposes; vectors are columns.  Results
have their natural numpy rank: `x'*A*x` is 0-D, `A*x` and `x'*A` are 1-D, `x*y'` is 2-D.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np

from jacobians.errors import BudgetError, JacobiansError, did_you_mean
from jacobians.reading import matrix_values as values
from jacobians.reading.allowed import POINTWISE, POINTWISE_EXTRA
from jacobians.reading.costs import Cost, cost_of
from jacobians.reading.limits import factorial, pointwise_power
from jacobians.reading.program import Program, Step, Use, target_names
from jacobians.reading.source import MAX_NESTING, Statement, split_statements
from jacobians.reading.vocabulary import Entry, Vocabulary, numpy_function

Located = TypeVar("Located", ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.expr)

_VECTOR_FUNCTIONS = ("softmax", "log_softmax", "logsumexp")
_COSTS = {"inverse": "inv", "tr": "trace", "adj": "inv", "logdet": "det", "ones": "zeros"}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.(?![*/^'])\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\.\*|\./|\.\^|\.'|\*\*|[-+*/^'(),=@]))"
)


class ElementwiseMult(ast.operator):
    """The operator `.*`."""


class ElementwiseDiv(ast.operator):
    """The operator `./`."""


class ElementwisePow(ast.operator):
    """The operator `.^`."""


class Transposed(ast.unaryop):
    """The operator `'`."""


_SUMS: Mapping[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub}
_PRODUCTS: Mapping[str, type[ast.operator]] = {
    "*": ast.Mult,
    "/": ast.Div,
    ".*": ElementwiseMult,
    "./": ElementwiseDiv,
}
_POWERS: Mapping[str, type[ast.operator]] = {"^": ast.Pow, "**": ast.Pow, ".^": ElementwisePow}


def parse(text: str) -> Program:
    """The program that `text` writes in matrix-calculus syntax.

    Raises ReadingError (with a caret) for what cannot be read, BudgetError for a text too long or too deep.

    >>> program = parse("z = A*x; z'*z")
    >>> program.names
    ('A', 'x')
    >>> float(program.run({"A": np.eye(2), "x": np.array([3.0, 4.0])}))
    25.0
    """
    free: dict[str, Use] = {}
    steps: list[Step] = []
    for statement in split_statements(text, strings=False):
        known = {name for step in steps for name in target_names(step)}
        steps.append(_Parser(statement, known, free).step())
    assigned = tuple(dict.fromkeys(name for step in steps for name in target_names(step)))
    return Program(text, tuple(steps), free, assigned, MATRIX)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def _tokens(statement: Statement) -> list[_Token]:
    found: list[_Token] = []
    at, text = 0, statement.text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            what = f"{text[at]!r} is not read in matrix-calculus syntax"
            raise statement.error(what, at, None, "+ - * / ^ .* ./ .^ ' ( )")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match.group(kind), match.start(kind), match.end(kind)))
        at = match.end()
    return [*found, _Token("end", "", len(text), len(text))]


@dataclass(slots=True)
class _Parser:
    """Reads one statement, operators by their precedence: sums, products, signs, powers and transposes."""

    statement: Statement
    known: set[str]
    free: dict[str, Use]
    tokens: list[_Token] = field(default_factory=list)
    place: int = 0
    depth: int = 0

    def step(self) -> Step:
        """The statement as a step of a program."""
        self.tokens = _tokens(self.statement)
        targets: tuple[ast.expr, ...] = ()
        if len(self.tokens) > 2 and self.tokens[0].kind == "name" and self.tokens[1].text == "=":
            targets = (self.located(ast.Name(self.tokens[0].text, ast.Store()), 0, self.tokens[0].end),)
            self.place = 2
        elif self.statement.number < self.statement.count:
            what = f"statement {self.statement.number} is computed and not used"
            raise self.statement.error(
                what, 0, len(self.statement.text), f"give it a name: z = {self.statement.text}"
            )
        node = self.sum()
        if self.now.kind != "end":
            raise self.fail(self.now)
        return Step(self.statement, targets, node)

    @property
    def now(self) -> _Token:
        """The token to be read next."""
        return self.tokens[self.place]

    def take(self, *signs: str) -> _Token | None:
        """The next token if it is one of `signs`, which is then passed."""
        token = self.now
        if token.kind != "sign" or token.text not in signs:
            return None
        self.place += 1
        return token

    def fail(self, token: _Token) -> JacobiansError:
        """The error for a token that cannot stand where it does."""
        if token.kind == "end":
            return self.statement.error("the statement ends too early", token.start, None, "A*x + b")
        hints = {"@": "* is the matrix product", "=": "one = in a statement: z = A*x", "'": "x' after a name"}
        hint = hints.get(token.text, "an operator between two values: 2*x")
        return self.statement.error(f"'{token.text[:40]}' cannot stand here", token.start, token.end, hint)

    def located(self, node: Located, start: int, end: int) -> Located:
        """`node` with its place, as `ast` counts it."""
        node.lineno = node.end_lineno = 1
        text = " ".join(self.statement.text.split("\n"))
        node.col_offset = len(text[:start].encode("utf-8", "replace"))
        node.end_col_offset = len(text[:end].encode("utf-8", "replace"))
        return node

    def binary(self, signs: Mapping[str, type[ast.operator]], operand: Callable[[], ast.expr]) -> ast.expr:
        """A left-leaning chain of operators of one precedence."""
        start = self.now.start
        node = operand()
        while token := self.take(*signs):
            right = operand()
            end = self.tokens[self.place - 1].end
            node = self.located(ast.BinOp(node, signs[token.text](), right), start, end)
        return node

    def sum(self) -> ast.expr:
        """Terms joined by + and -."""
        return self.binary(_SUMS, self.product)

    def product(self) -> ast.expr:
        """Factors joined by * / .* ./ ."""
        return self.binary(_PRODUCTS, self.sign)

    def sign(self) -> ast.expr:
        """A factor with its sign; a power binds more tightly."""
        token = self.take("-", "+")
        if token is None:
            return self.power()
        self.deeper(token)
        operand = self.sign()
        self.depth -= 1
        sign = ast.USub() if token.text == "-" else ast.UAdd()
        node = ast.UnaryOp(sign, operand)
        return self.located(node, token.start, self.tokens[self.place - 1].end)

    def deeper(self, token: _Token) -> None:
        """Count one more level of nesting."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            what = f"the expression nests deeper than {MAX_NESTING}"
            raise self.statement.error(what, token.start, token.end, "name inner parts", kind=BudgetError)

    def power(self) -> ast.expr:
        """A value with its transposes and powers."""
        start = self.now.start
        node = self.atom()
        turns = 0
        while token := self.take("'", ".'", *_POWERS):
            if token.text in _POWERS:
                node = ast.BinOp(node, _POWERS[token.text](), self.exponent())
            else:
                turns += 1
                if turns > MAX_NESTING:
                    raise self.statement.error(
                        f"more than {MAX_NESTING} transposes", token.start, None, "one '"
                    )
                node = ast.UnaryOp(Transposed(), node)
            node = self.located(node, start, self.tokens[self.place - 1].end)
        return node

    def exponent(self) -> ast.expr:
        """What stands after ^: a value, with a sign if there is one."""
        token = self.take("-", "+")
        if token is None:
            return self.atom()
        node = ast.UnaryOp(ast.USub() if token.text == "-" else ast.UAdd(), self.atom())
        return self.located(node, token.start, self.tokens[self.place - 1].end)

    def atom(self) -> ast.expr:
        """A number, a name, a call, or an expression in brackets."""
        token = self.now
        if token.kind == "end" or (token.kind == "sign" and token.text != "("):
            raise self.fail(token)
        self.place += 1
        if token.kind == "number":
            return self.number(token)
        if token.kind == "name":
            return self.call(token) if self.now.text == "(" else self.name(token)
        self.deeper(token)
        node = self.sum()
        if not self.take(")"):
            raise self.fail(self.now)
        self.depth -= 1
        return node

    def number(self, token: _Token) -> ast.expr:
        """A number: whole where it is written so."""
        if len(token.text) > 40:
            raise self.statement.error("a number of more than 40 digits", token.start, token.end, "1e50")
        value = int(token.text) if token.text.isdecimal() else float(token.text)
        return self.located(ast.Constant(value), token.start, token.end)

    def name(self, token: _Token) -> ast.expr:
        """A variable, or a constant such as `eye` and `pi`."""
        node = self.located(ast.Name(token.text, ast.Load()), token.start, token.end)
        if token.text not in self.known and token.text not in ("eye", "pi"):
            self.free.setdefault(token.text, Use(self.statement, token.start, token.end))
        return node

    def call(self, token: _Token) -> ast.expr:
        """A function of its arguments in brackets."""
        if matrix_function(token.text) is None:
            names = matrix_names()
            close = did_you_mean(token.text, names)
            hint = (
                close
                if close in names
                else f"a product: {token.text}*( )"
                if len(token.text) == 1
                else "tr, det, inv"
            )
            raise self.statement.error(f"'{token.text}' is not an operation", token.start, token.end, hint)
        self.deeper(token)
        self.take("(")
        args = [self.sum()] if self.now.text != ")" else []
        while self.take(","):
            args.append(self.sum())
        if not self.take(")"):
            raise self.fail(self.now)
        self.depth -= 1
        function = self.located(ast.Name(token.text, ast.Load()), token.start, token.end)
        node = ast.Call(function, args, [])
        return self.located(node, token.start, self.tokens[self.place - 1].end)


def _cost(name: str, args: Any, kwargs: Any) -> Cost:
    raw = [value.value if isinstance(value, values.Row | values.Lazy) else value for value in args]
    if name in ("vector", "ones", "matrix"):
        return (
            cost_of("ones", (list(raw[1:]) or 1,), {})
            if len(raw) < 3
            else cost_of("ones", (tuple(raw[1:]),), {})
        )
    if name == "eye" and not raw:
        return 1, 1
    return cost_of(_COSTS.get(name, name), raw, kwargs)


@cache
def matrix_function(name: str) -> Entry | None:
    """The function called `name` in matrix-calculus syntax, or None.

    >>> matrix_function("tr").name, matrix_function("reshape")
    ('tr', None)
    """
    cost = partial(_cost, name)
    if name in values.FUNCTIONS:
        return Entry(name, values.FUNCTIONS[name], cost)
    if name == "factorial":
        return Entry(name, factorial)
    entry = numpy_function(name)
    if entry is None:
        return None
    if name in _VECTOR_FUNCTIONS:
        return Entry(name, partial(values.inside, entry.call), cost)
    if name in POINTWISE or name in POINTWISE_EXTRA:
        call = np.abs if name == "abs" else np.power if name == "pow" else entry.call
        return Entry(name, partial(values.elementwise, call), cost)
    return None


@cache
def matrix_names() -> tuple[str, ...]:
    """Every function of matrix-calculus syntax, sorted."""
    names = {*values.FUNCTIONS, *_VECTOR_FUNCTIONS, *POINTWISE, *POINTWISE_EXTRA}
    return tuple(sorted(name for name in names if matrix_function(name) is not None))


def _constant(name: str) -> Any:
    return {"eye": values.identity(), "pi": np.pi}[name]


MATRIX = Vocabulary(
    home="jacobians.reading.matrix_syntax:MATRIX",
    function=matrix_function,
    constant=_constant,
    names=matrix_names,
    binary={
        ast.Add: ("+", partial(values.elementwise, operator.add)),
        ast.Sub: ("-", partial(values.elementwise, operator.sub)),
        ast.Mult: ("*", values.times),
        ast.Div: ("/", values.over),
        ast.Pow: ("^", values.raised),
        ElementwiseMult: (".*", partial(values.elementwise, operator.mul)),
        ElementwiseDiv: ("./", partial(values.elementwise, operator.truediv)),
        ElementwisePow: (".^", partial(values.elementwise, pointwise_power)),
    },
    unary={ast.USub: values.negative, ast.UAdd: lambda value: value, Transposed: values.transposed},
    cost=values.operator_cost,
    finish=values.plain_value,
    inside=values.inside,
)
