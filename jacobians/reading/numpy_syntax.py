"""Numpy syntax: `parse("z = A @ x + b; f = tanh(z)")` gives a `Program`.

The text is parsed by `ast` and held against an allow-list, node by node: assignments, arithmetic, numpy
calls with or without the `np.` prefix, indexing, list comprehensions, conditional expressions and small
lambdas.  Everything else is refused with its place and what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping

from jacobians.errors import BudgetError, JacobiansError, ReadingError, did_you_mean
from jacobians.reading.allowed import ATTRIBUTES, KEYWORDS, METHODS, STRING
from jacobians.reading.program import Program, Step, Use, target_names
from jacobians.reading.source import MAX_NESTING, Statement, check_numbers, split_statements
from jacobians.reading.vocabulary import NUMPY, dotted_name, is_module

MAX_DIGITS = 40

_ALLOWED = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Attribute, ast.Subscript),
    *(
        ast.Slice,
        ast.Name,
        ast.Constant,
        ast.List,
        ast.Tuple,
        ast.ListComp,
        ast.GeneratorExp,
        ast.Lambda,
        ast.Starred,
    ),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.comprehension, ast.keyword),
    *(ast.arguments, ast.arg),
)
_REFUSED: Mapping[type[ast.AST], tuple[str, str]] = {
    ast.AugAssign: ("an in-place update", "x = x + 1 in a new statement"),
    ast.AnnAssign: ("a type annotation", "x = ... without it"),
    ast.FunctionDef: ("a function definition", "g = lambda t: t**2"),
    ast.For: ("a loop", "a list comprehension, or sum(... for i in range(n))"),
    ast.While: ("a loop", "a list comprehension, or sum(... for i in range(n))"),
    ast.If: ("an if statement", "a if condition else b, or np.where"),
    ast.Return: ("a return", "the last statement is the value"),
    ast.Import: ("an import", "np, linalg, scipy.special and math are known already"),
    ast.ImportFrom: ("an import", "np, linalg, scipy.special and math are known already"),
    ast.Dict: ("a dictionary", "a list, or separate names"),
    ast.Set: ("a set", "a list"),
    ast.SetComp: ("a set", "a list"),
    ast.DictComp: ("a dictionary", "a list, or separate names"),
    ast.NamedExpr: ("an assignment inside an expression", "a statement of its own"),
    ast.JoinedStr: ("a formatted string", "a plain string, for einsum subscripts only"),
    ast.Delete: ("a deletion", "leave it out"),
}


def parse(text: str) -> Program:
    """The program that `text` writes in numpy syntax.

    Statements are separated by `;` or line ends; all but the last are assignments.  Raises ReadingError (with
    a caret) for what cannot be read, BudgetError for a text that is too long or too deep.

    >>> import numpy as np
    >>> program = parse("z = A @ x; np.tanh(z) * pi")
    >>> program.names, program.assigned
    (('A', 'x'), ('z',))
    >>> program.run({"A": np.zeros((2, 3)), "x": np.ones(3)})
    array([0., 0.])
    """
    statements = split_statements(text)
    analysis = _Analysis()
    steps = tuple(_step(statement, analysis) for statement in statements)
    assigned = tuple(dict.fromkeys(name for step in steps for name in target_names(step)))
    return Program(text, steps, analysis.free, assigned, NUMPY)


def _step(statement: Statement, analysis: _Analysis) -> Step:
    node = _statement_node(statement)
    analysis.statement = statement
    if isinstance(node, ast.Assign):
        targets, value = tuple(node.targets), node.value
        for target in targets:
            _check_target(statement, target)
    elif isinstance(node, ast.Expr):
        targets, value = (), node.value
        if statement.number < statement.count:
            what = f"statement {statement.number} is computed and not used"
            raise statement.error(
                what, 0, len(statement.text), f"give it a name: z = {statement.segment(value)}"
            )
    else:
        raise _refusal(statement, node)
    _check_nodes(statement, value)
    analysis.visit(value, frozenset())
    step = Step(statement, targets, value)
    for target in targets:
        _check_new(statement, target, value, analysis)
    analysis.bound.update(target_names(step))
    return step


def _statement_node(statement: Statement) -> ast.stmt:
    """The syntax tree of one statement, every failure of the parser told as a ReadingError."""
    check_numbers(statement)
    digits = re.search(rf"\d{{{MAX_DIGITS + 1},}}", statement.text)
    if digits:
        raise statement.error(f"a number of more than {MAX_DIGITS} digits", *digits.span(), "1e50")
    signs = re.search(rf"(?:(?:\bnot\b|[-+~])\s*){{{MAX_NESTING + 1},}}", statement.text)
    if signs:
        raise statement.error(
            f"more than {MAX_NESTING} signs in a row", *signs.span(), "one sign", kind=BudgetError
        )
    try:
        body = ast.parse(statement.text).body
    except SyntaxError as error:
        raise _syntax_error(statement, error) from None
    except (RecursionError, MemoryError):
        raise statement.error(
            "the statement nests too deep", 0, None, "name inner parts", kind=BudgetError
        ) from None
    except (ValueError, OverflowError) as error:
        raise statement.error(
            f"cannot read the statement: {error}"[:120], 0, None, "plain characters"
        ) from None
    if len(body) != 1:
        raise statement.error("there is no statement here", 0, None, "z = A @ x")
    return body[0]


def _syntax_error(statement: Statement, error: SyntaxError) -> JacobiansError:
    lines = statement.text.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    start = sum(len(before) + 1 for before in lines[: line - 1]) + max((error.offset or 1) - 1, 0)
    for pattern, what, instead in _SYNTAX_HINTS:
        found = re.search(pattern, statement.text)
        if found:
            return statement.error(what, found.start(), found.end(), instead)
    return statement.error(
        f"cannot read statement {statement.number}: {error.msg}"[:150], start, None, "z = A @ x + b"
    )


_SYNTAX_HINTS = (
    (
        r"\.[*/^]",
        "an operator with a dot is not numpy syntax",
        "* / ** are elementwise (or syntax='matrixcalculus')",
    ),
    (r"\blambda\b(?!\s*[\w,= ]*:)", "'lambda' is a word of the language", "another name, such as lam"),
    (r"[×·−⊙]", "this sign is not an operator here", "* for products, @ for matrix products, - for minus"),
    (r"[ᵀ²³]", "a raised sign is not read", "A.T for a transpose, x**2 for a power"),
    (r"\w\s*\\\s*\w", "a backslash is not an operator", "np.linalg.solve(A, b)"),
)


def _check_new(statement: Statement, target: ast.expr, value: ast.expr, analysis: _Analysis) -> None:
    """An argument keeps its name: a derivative "by x" would mean two things."""
    for part in ast.walk(target):
        if isinstance(part, ast.Name) and part.id in analysis.free:
            instead = f"another name: {part.id}_new = {statement.segment(value)}"
            raise _at(statement, part, f"{part.id} is an argument and is given a new value", instead)


def _check_target(statement: Statement, target: ast.expr) -> None:
    if isinstance(target, ast.Tuple | ast.List) and target.elts:
        if all(isinstance(part, ast.Name) for part in target.elts):
            return
        raise _at(
            statement,
            target,
            "only plain names can stand in a tuple of targets",
            "U, s, Vt = np.linalg.svd(A)",
        )
    if isinstance(target, ast.Subscript):
        raise _at(
            statement, target, "an entry cannot be written into", "np.where, np.concatenate or np.stack"
        )
    if not isinstance(target, ast.Name):
        raise _at(statement, target, "only a name can be assigned to", "z = ...")
    if is_module(target.id):
        raise _at(statement, target, f"'{target.id}' is a module and cannot be assigned to", "another name")


def _at(
    statement: Statement,
    node: ast.AST,
    what: str,
    instead: str = "",
    note: str = "",
    kind: type[JacobiansError] = ReadingError,
) -> JacobiansError:
    start, end = statement.span(node)
    return statement.error(what, start, end, instead, note=note, kind=kind)


def _refusal(statement: Statement, node: ast.AST) -> JacobiansError:
    what, instead = _REFUSED.get(
        type(node), (f"'{type(node).__name__}' syntax", "arithmetic and numpy calls")
    )
    return _at(statement, node, f"{what} cannot be read", instead)


def _check_nodes(statement: Statement, root: ast.AST) -> None:
    """Refuse node types that are not on the allow-list, and trees that nest too deep; no recursion."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if not isinstance(node, _ALLOWED):
            raise _refusal(statement, node)
        if depth > MAX_NESTING:
            what = f"the expression nests deeper than {MAX_NESTING}"
            raise _at(statement, node, what, "name the inner parts: z = ...; f = ...", kind=BudgetError)
        if isinstance(node, ast.Constant):
            _check_constant(statement, node)
        # a + b + c + ... leans left without being deep
        left = node.left if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp) else None
        waiting += [(child, depth if child is left else depth + 1) for child in ast.iter_child_nodes(node)]


def _check_constant(statement: Statement, node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, str) and not STRING.fullmatch(value):
        raise _at(
            statement, node, "this string is not read", "strings are einsum subscripts such as 'ij,j->i'"
        )
    if isinstance(value, complex | bytes):
        what = "complex numbers" if isinstance(value, complex) else "bytes"
        raise _at(statement, node, f"{what} are not read", "real numbers")
    if isinstance(value, int) and value.bit_length() > 140:
        raise _at(statement, node, "a whole number of more than 140 bits", "a float such as 1e50")


class _Analysis:
    """Walks expressions in order: collects free names, and refuses calls that no vocabulary knows."""

    def __init__(self) -> None:
        self.free: dict[str, Use] = {}
        self.bound: set[str] = set()
        self.statement = Statement("", 1, 1)

    def visit(self, node: ast.AST, local: frozenset[str]) -> None:
        """Visit `node` where the names in `local` are bound by a lambda or a comprehension."""
        special: Callable[..., None] | None = _VISITORS.get(type(node))
        if special is not None:
            special(self, node, local)
        else:
            self.visit_all(ast.iter_child_nodes(node), local)

    def visit_all(self, nodes: Iterable[ast.AST], local: frozenset[str]) -> None:
        """Visit each of `nodes`."""
        for node in nodes:
            self.visit(node, local)

    def known(self, name: str, local: frozenset[str]) -> bool:
        """Whether `name` has a value given in the text itself."""
        return name in local or name in self.bound

    def binary(self, node: ast.BinOp, local: frozenset[str]) -> None:
        """A left-leaning chain of operators, without recursion."""
        rights: list[ast.expr] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            if isinstance(first.op, ast.BitXor):
                raise _at(self.statement, first, "'^' is not a power", "** (matrixcalculus.org syntax has ^)")
            if isinstance(first.op, ast.LShift | ast.RShift):
                raise _at(self.statement, first, "shifts cannot be read", "* or //")
            rights.append(first.right)
            first = first.left
        self.visit_all([first, *reversed(rights)], local)

    def name(self, node: ast.Name, local: frozenset[str]) -> None:
        """A name that is read: bound, a constant, or free."""
        if self.known(node.id, local) or node.id in self.free:
            return
        if node.id in ("np", "numpy", "scipy"):
            raise _at(self.statement, node, f"'{node.id}' is a module", f"a call such as {node.id}.tanh(x)")
        if node.id.startswith("__"):
            raise _at(
                self.statement, node, f"'{node.id}' is not a name that is read", "a name without underscores"
            )
        try:
            NUMPY.constant(node.id)
        except KeyError:
            self.free[node.id] = Use(self.statement, *self.statement.span(node))

    def attribute(self, node: ast.Attribute, local: frozenset[str]) -> None:
        """`value.T`, or a constant such as `np.pi`."""
        dotted = dotted_name(node, dict.fromkeys([*local, *self.bound, *self.free]))
        if dotted is not None:
            try:
                NUMPY.constant(dotted)
            except KeyError:
                raise self.not_known(node, dotted) from None
            return
        if node.attr not in ATTRIBUTES:
            raise self.bad_attribute(node)
        self.visit(node.value, local)

    def bad_attribute(self, node: ast.Attribute) -> JacobiansError:
        """The error for an attribute or method that is not on the allow-list."""
        if node.attr in METHODS:
            shown = self.statement.segment(node)
            return _at(self.statement, node, f"'.{node.attr}' is a method", f"{shown}()")
        known = ATTRIBUTES | METHODS
        hint = did_you_mean(node.attr, known)
        meant = hint in known and hint[0] == node.attr[:1]  # system is no misspelled item
        instead = f"x.{hint}" if meant else "a function such as np.sum(x)"
        return _at(self.statement, node, f"'.{node.attr[:40]}' is not an attribute that is read", instead)

    def call(self, node: ast.Call, local: frozenset[str]) -> None:
        """A call of a known operation, a lambda or a method on the allow-list."""
        self.called(node.func, local)
        for pair in node.keywords:
            if pair.arg is None:
                raise _at(self.statement, pair, "'**' arguments cannot be read", "name=value")
            if pair.arg not in KEYWORDS and pair.arg != "dtype":
                raise _at(
                    self.statement, pair, f"the argument '{pair.arg}=' is not read", _keyword_hint(pair.arg)
                )
        self.visit_all(node.args, local)
        self.visit_all((pair.value for pair in node.keywords), local)

    def called(self, called: ast.expr, local: frozenset[str]) -> None:
        """What stands before the bracket of a call."""
        scope = dict.fromkeys([*local, *self.bound])
        dotted = dotted_name(called, scope)
        if isinstance(called, ast.Name) and called.id in scope:
            return
        if dotted is not None:
            if NUMPY.function(dotted) is None and dotted not in self.free:
                raise self.not_known(called, dotted)
        elif isinstance(called, ast.Lambda):
            self.visit(called, local)
        elif isinstance(called, ast.Attribute):
            if called.attr not in METHODS:
                raise self.bad_attribute(called)
            self.visit(called.value, local)
        else:
            raise _at(self.statement, called, "only the name of a function can be called", "np.tanh(x)")

    def not_known(self, node: ast.AST, dotted: str) -> JacobiansError:
        """The error for a function that no vocabulary has."""
        name = dotted.rpartition(".")[2]
        if NUMPY.function(dotted) is not None:
            return _at(self.statement, node, f"'{dotted}' is a function, not a value", f"{dotted}(x)")
        known = [*NUMPY.names(), *self.bound]
        close = did_you_mean(name, known)
        listed = "(operations: jacobians ops)"
        instead = f"{close} {listed}" if close in known else f"an operation that is known {listed}"
        return _at(self.statement, node, f"'{dotted[:60]}' is not an operation", instead)

    def lambda_(self, node: ast.Lambda, local: frozenset[str]) -> None:
        """A lambda with plain arguments."""
        taken = node.args
        if taken.vararg or taken.kwarg or taken.kwonlyargs or taken.posonlyargs:
            raise _at(self.statement, node, "a lambda takes plain arguments here", "lambda t: t**2")
        self.visit_all(taken.defaults, local)
        self.visit(node.body, local | {argument.arg for argument in taken.args})

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp, local: frozenset[str]) -> None:
        """A list comprehension or generator: each loop binds names for what follows."""
        for loop in node.generators:
            if loop.is_async:
                raise _at(self.statement, node, "async cannot be read", "a plain comprehension")
            self.visit(loop.iter, local)
            local = local | _loop_names(self.statement, loop.target)
            self.visit_all(loop.ifs, local)
        self.visit(node.elt, local)


def _keyword_hint(name: str) -> str:
    close = did_you_mean(name, KEYWORDS)
    return f"{close}=" if close in KEYWORDS else "leave it out"


def _loop_names(statement: Statement, target: ast.expr) -> frozenset[str]:
    if isinstance(target, ast.Name):
        return frozenset([target.id])
    if isinstance(target, ast.Tuple | ast.List):
        return frozenset[str]().union(*(_loop_names(statement, part) for part in target.elts))
    raise _at(statement, target, "only names can stand after 'for'", "for i in range(n)")


_VISITORS: Mapping[type[ast.AST], Callable[..., None]] = {
    ast.BinOp: _Analysis.binary,
    ast.Name: _Analysis.name,
    ast.Attribute: _Analysis.attribute,
    ast.Call: _Analysis.call,
    ast.Lambda: _Analysis.lambda_,
    ast.ListComp: _Analysis.comprehension,
    ast.GeneratorExp: _Analysis.comprehension,
}
