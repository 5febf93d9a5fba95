"""The value of a syntax tree, computed node by node: nothing is ever handed to Python's own evaluation.

`Interpreter.evaluate(node, scope)` calls numpy on whatever values the scope holds: float or complex arrays,
object arrays of fractions, traced values.  Values are never converted and never looked into, except that a
condition on plain numbers is decided and shapes are checked.  Every step and every array entry is paid for
from a `Meter`, before it is made.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.errors import BudgetError, ShapeError
from jacobians.reading import builtin_functions as plain
from jacobians.reading import costs
from jacobians.reading.allowed import ATTRIBUTES, KEYWORDS, METHODS
from jacobians.reading.limits import Meter, entries_of, items_of, power, whole_numbers
from jacobians.reading.placed import Placed
from jacobians.reading.vocabulary import DTYPES, NUMPY, Entry, Vocabulary, dotted_name
from jacobians.reading.wording import kind_of, mismatch

Scope = dict[str, Any]
MAX_CALLS = 8  # lambdas calling lambdas
_UNFOLDING = frozenset(["zip", "enumerate", "list", "tuple", "reversed", "sorted"])
_LISTS_WELCOME = frozenset([
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "einsum",
    "multi_dot", "array", "asarray",
])  # fmt: skip
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


@dataclass(frozen=True, slots=True)
class Lambda:
    """A small local function: its syntax tree and the names known where it was written."""

    node: ast.Lambda
    scope: Scope
    defaults: tuple[Any, ...]


class Interpreter(Placed):
    """Evaluates the nodes of one run; `number` turns decimal literals into exact numbers where given."""

    __slots__ = ("_calls", "meter", "number", "vocabulary")

    def __init__(
        self, vocabulary: Vocabulary, meter: Meter, number: Callable[[Any], Any] | None = None
    ) -> None:
        self.vocabulary, self.meter, self.number = vocabulary, meter, number
        super().__init__()
        self._calls = 0

    def evaluate(self, node: ast.AST, scope: Scope) -> Any:
        """The value of `node` where `scope` gives the values of names."""
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise self.error(f"{type(node).__name__} cannot be read here", node)
        self.pay(node, self.meter.step)
        return handler(self, node, scope)

    def _pay_items(self, node: ast.AST, *values: Any) -> None:
        """Pay a step for every item of lists that are gone through."""
        self.pay(node, self.meter.step, sum(items_of(value) for value in values))

    # -- names and constants --------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
        if isinstance(node.value, float) and self.number is not None:
            return self.number(node.value)
        return node.value

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        if node.id in scope:
            return scope[node.id]
        try:
            return self.vocabulary.constant(node.id)
        except KeyError:
            known = ", ".join(name for name in scope) or "nothing"
            what = f"unknown name '{node.id}' in statement {self.statement.number}"
            raise self.error(what, node, f"declare {node.id}", note=f"known: {known}") from None

    # -- operators ------------------------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp, scope: Scope) -> Any:
        spine: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            spine.append(first)
            first = first.left
        value = self.evaluate(first, scope)
        for step in reversed(spine):
            self.pay(step, self.meter.step)
            value = self._apply(step, value, self.evaluate(step.right, scope))
        return value

    def _apply(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        if type(node.op) not in self.vocabulary.binary:
            raise self.error(f"the operator {type(node.op).__name__} cannot be read", node)
        sign, function = self.vocabulary.binary[type(node.op)]
        for value in (left, right):
            if isinstance(value, str | Lambda | type | type(None)):
                raise self.error(f"{sign} takes numbers and arrays, not {kind_of(value)}", node)
        if isinstance(left, int) and isinstance(right, int):
            return self.guard(node, whole_numbers, sign, left, right, self.number)
        self._pay_items(node, left, right)
        amounts = self.vocabulary.cost(sign, left, right)
        self.pay(node, self.meter.charge, *amounts)
        if all(isinstance(value, list | tuple | int) for value in (left, right)):
            self.pay(node, self.meter.step, amounts[0])  # the result is a list
        self._check_shapes(node, sign, left, right)
        if sign in ("**", ".^", "^") and isinstance(left, int | float) and isinstance(right, int | float):
            return self.guard(node, power, left, right)
        return self.guard(node, function, left, right)

    def _check_shapes(self, node: ast.BinOp, sign: str, left: Any, right: Any) -> None:
        if self.vocabulary is not NUMPY:
            return  # the operators of the other syntax check their own shapes
        names = self.statement.segment(node.left), self.statement.segment(node.right)
        found = mismatch(sign, names, left, right)
        if found is not None:
            note, instead = found
            start, end = self.statement.span(node)
            what = f"shapes do not fit in {self.statement.segment(node)}"
            raise self.statement.error(what, start, end, instead, note=note, kind=ShapeError)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = self.evaluate(node.operand, scope)
        if isinstance(value, str | list | tuple | range | Lambda | type | type(None)):
            raise self.error(f"a sign takes numbers and arrays, not {kind_of(value)}", node)
        if isinstance(node.op, ast.Not):
            return not self._truth(node, value)
        self.pay(node, self.meter.charge, entries_of(value))
        return self.guard(node, self.vocabulary.unary[type(node.op)], value)

    def _compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.evaluate(node.left, scope)
        result: Any = True
        for place, (comparison, operand) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.evaluate(operand, scope)
            self._pay_items(node, left, right)
            self.pay(node, self.meter.charge, costs.elementwise((left, right)))
            result = self.guard(node, _COMPARISONS[type(comparison)], left, right)
            left = right
            last = place == len(node.ops) - 1
            if not last and not self._truth(node, result):
                return result
        return result

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Any:
        value: Any = None
        for part in node.values:
            value = self.evaluate(part, scope)
            if self._truth(node, value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _truth(self, node: ast.AST, value: Any) -> bool:
        if isinstance(value, str | Lambda):
            raise self.error(f"a condition takes numbers, not {kind_of(value)}", node)
        return bool(self.guard(node, bool, value))

    def _conditional(self, node: ast.IfExp, scope: Scope) -> Any:
        test = self.evaluate(node.test, scope)
        if plain.is_array(test) and not isinstance(test, np.ndarray | np.generic):
            # a traced condition: both sides are computed and np.where selects, so nothing is decided here
            return self.guard(
                node, np.where, test, self.evaluate(node.body, scope), self.evaluate(node.orelse, scope)
            )
        return self.evaluate(node.body if self._truth(node.test, test) else node.orelse, scope)

    # -- lists, comprehensions, indexing --------------------------------------------------------------------

    def _list(self, node: ast.List, scope: Scope) -> list[Any]:
        return list(self._parts(node.elts, scope))

    def _tuple(self, node: ast.Tuple, scope: Scope) -> tuple[Any, ...]:
        return tuple(self._parts(node.elts, scope))

    def _parts(self, nodes: list[ast.expr], scope: Scope) -> Iterator[Any]:
        for part in nodes:
            if isinstance(part, ast.Starred):
                yield from self._items(part, self.evaluate(part.value, scope))
            else:
                yield self.evaluate(part, scope)

    def _items(self, node: ast.AST, value: Any) -> Sequence[Any]:
        self.pay(node, self.meter.step, _first_size(value))
        items: Sequence[Any] = self.guard(node, plain.items, value)
        return items

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> list[Any]:
        found = list(self._loop(node, node.generators, dict(scope)))
        return plain.Generated(found) if isinstance(node, ast.GeneratorExp) else found

    def _loop(self, node: Any, loops: list[ast.comprehension], scope: Scope) -> Iterator[Any]:
        if not loops:
            yield self.evaluate(node.elt, scope)
            return
        loop, *inner = loops
        values = self._items(loop.iter, self.evaluate(loop.iter, scope))
        for value in values:
            self.pay(node, self.meter.step)
            self.assign(loop.target, value, scope)
            if all(self._truth(test, self.evaluate(test, scope)) for test in loop.ifs):
                yield from self._loop(node, inner, scope)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Bind the name, or the names of a tuple, that `target` stands for."""
        if isinstance(target, ast.Name):
            scope[target.id] = value
            return
        parts = getattr(target, "elts", [])
        values = self._items(target, value)
        if len(parts) != len(values):
            raise self.error(f"{len(parts)} names for {len(values)} values", target)
        for part, item in zip(parts, values, strict=True):
            self.assign(part, item, scope)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        value = self.evaluate(node.value, scope)
        index = self.evaluate(node.slice, scope)
        if isinstance(value, str | Lambda | type | int | float | type(None)):
            raise self.error(f"{kind_of(value)} has no entries to index", node)
        if not plain.is_list(value):
            self._pay_items(node, *(index if isinstance(index, tuple) else (index,)))
            self.pay(node, self.meter.charge, *costs.indexing(value, index))
        return self.guard(node, operator.getitem, value, index)

    def _slice(self, node: ast.Slice, scope: Scope) -> slice:
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self.evaluate(part, scope) for part in parts))

    # -- attributes and calls -------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        dotted = dotted_name(node, scope)
        if dotted is not None:
            try:
                return self.vocabulary.constant(dotted)
            except KeyError:
                raise self.error(f"'{dotted}' is not a value", node, "a call such as np.tanh(x)") from None
        value = self.evaluate(node.value, scope)
        if node.attr not in ATTRIBUTES:
            raise self.error(f"'.{node.attr}' is not an attribute that is read", node)
        return self.guard(node, getattr, value, node.attr)

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self._function(node, scope)
        args = list(self._parts(node.args, scope))
        kwargs = {str(pair.arg): self.evaluate(pair.value, scope) for pair in node.keywords}
        if isinstance(function, Lambda):
            return self._call_lambda(node, function, args, kwargs)
        self._check_keywords(node, kwargs)
        self._pay_items(node, *args, *kwargs.values())
        if isinstance(function, str):
            return self._call_method(node, scope, function, args, kwargs)
        return self._call_entry(node, function, args, kwargs)

    def _function(self, node: ast.Call, scope: Scope) -> Entry | Lambda | str:
        """What is called: an entry of the vocabulary, a lambda, or the name of a method."""
        called = node.func
        if isinstance(called, ast.Lambda):
            return self._lambda(called, scope)
        if isinstance(called, ast.Name) and called.id in scope:
            value = scope[called.id]
            if isinstance(value, Lambda):
                return value
            raise self.error(
                f"'{called.id}' is a variable here, not a function", called, f"np.{called.id}(...)"
            )
        dotted = dotted_name(called, scope)
        entry = self.vocabulary.function(dotted) if dotted is not None else None
        if entry is not None:
            return entry
        if dotted is None and isinstance(called, ast.Attribute) and called.attr in METHODS:
            return called.attr
        raise self.error(f"'{self.statement.segment(called)}' is not an operation", called)

    def _check_keywords(self, node: ast.Call, kwargs: Mapping[str, Any]) -> None:
        for name in kwargs:
            if name not in KEYWORDS and name != "dtype":
                raise self.error(f"the argument '{name}=' is not read", node)
        dtype = kwargs.get("dtype", float)
        if not any(dtype is known for known in DTYPES):
            raise self.error("dtype= takes float, int or bool", node, "dtype=float")

    def _call_entry(self, node: ast.Call, entry: Entry, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if any(isinstance(value, Lambda) for value in (*args, *kwargs.values())):
            raise self.error(f"{entry.name} takes numbers and arrays, not a lambda", node)
        if isinstance(entry.call, np.ufunc) and len(args) > entry.call.nin:
            takes = f"{entry.name} takes {entry.call.nin} argument{'s' if entry.call.nin > 1 else ''}"
            raise self.error(f"{takes}, not {len(args)}", node)
        if entry.cost is not None:
            amounts = self.guard(node, entry.cost, args, kwargs)
            self.pay(node, self.meter.charge, *amounts)
        else:
            self.pay(node, self.meter.charge, sum(entries_of(value) for value in args))
            if entry.name in _UNFOLDING:
                self.pay(node, self.meter.step, sum(_first_size(value) for value in args))
        if entry.numpy and entry.name not in _LISTS_WELCOME:
            args = [plain.stacked(v) if isinstance(v, list) and plain.holds_traced(v) else v for v in args]
        result = self.guard(node, entry.call, *args, **kwargs)
        if self.number is not None and entry.creates:
            return plain.exactly(result, self.number)
        return result

    def _call_method(
        self, node: ast.Call, scope: Scope, name: str, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        assert isinstance(node.func, ast.Attribute)
        value = self.evaluate(node.func.value, scope)
        if isinstance(value, str | Lambda | type):
            raise self.error(f"{kind_of(value)} has no methods", node)
        if name == "astype" and not (len(args) == 1 and any(args[0] is known for known in DTYPES)):
            raise self.error(".astype() takes float, int or bool", node, "x.astype(float)")
        if name == "astype" and args[0] in (float, np.float64) and _keeps_its_kind(value):
            return value
        self.pay(node, self.meter.charge, *self.guard(node, costs.cost_of, name, [value, *args], kwargs))
        if isinstance(value, int | float):
            value = np.asarray(value)
        method: Callable[..., Any] = self.guard(node, getattr, value, name)
        return self.guard(node, method, *args, **kwargs)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Lambda:
        return Lambda(node, dict(scope), tuple(self.evaluate(value, scope) for value in node.args.defaults))

    def _call_lambda(self, node: ast.Call, function: Lambda, args: list[Any], kwargs: dict[str, Any]) -> Any:
        names = [argument.arg for argument in function.node.args.args]
        missing = len(names) - len(args)
        filled = [*args, *function.defaults[len(function.defaults) - missing :]] if missing > 0 else args
        if kwargs or len(filled) != len(names):
            raise self.error(f"the lambda takes {len(names)} arguments by position, not {len(args)}", node)
        if self._calls >= MAX_CALLS:
            what = f"lambdas call one another more than {MAX_CALLS} deep"
            raise self.placed(BudgetError(what, "", "write the steps out"), node)
        self._calls += 1
        try:
            return self.evaluate(
                function.node.body, {**function.scope, **dict(zip(names, filled, strict=True))}
            )
        finally:
            self._calls -= 1


def _first_size(value: Any) -> int:
    size = len(value) if plain.is_list(value) else (getattr(value, "shape", None) or (1,))[0]
    return size if isinstance(size, int) else 1


def _keeps_its_kind(value: Any) -> bool:
    # a cast to float must not drop an imaginary part or a fraction
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "cO"


_HANDLERS: Mapping[type[ast.AST], Callable[[Interpreter, Any, Scope], Any]] = {
    ast.Constant: Interpreter._constant,
    ast.Name: Interpreter._name,
    ast.BinOp: Interpreter._binary,
    ast.UnaryOp: Interpreter._unary,
    ast.Compare: Interpreter._compare,
    ast.BoolOp: Interpreter._boolean,
    ast.IfExp: Interpreter._conditional,
    ast.List: Interpreter._list,
    ast.Tuple: Interpreter._tuple,
    ast.ListComp: Interpreter._comprehension,
    ast.GeneratorExp: Interpreter._comprehension,
    ast.Subscript: Interpreter._subscript,
    ast.Slice: Interpreter._slice,
    ast.Attribute: Interpreter._attribute,
    ast.Call: Interpreter._call,
    ast.Lambda: Interpreter._lambda,
}
