"""Records of a table of claims: `problem_of(record)` makes a `Problem` of one.

A record is a mapping with `func` (or `text`, the same in matrix-calculus syntax), `claim`, `inputs` (name,
shape, assumptions), `sizes`, `consts`, `wrt`, `order`, `layout`, `structure`.  Answers that a table may hold
(truth, reason, fix, true_if, false_mode, difficulty) are never read.  `TEMPLATE` is an empty table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import JacobiansError, ReadingError
from ..reading.shapes import Size, parse_shape
from .formulas import Formula, formula
from .placing import known_layout, order_of
from .points import known_word
from .problem import Input, Problem
from .structure import known_structure

Record = Mapping[str, Any]
ANSWERS = ("truth", "reason", "fix", "true_if", "false_mode", "difficulty")
TEMPLATE: dict[str, Any] = {
    "about": "claims about derivatives: func and claim are numpy code; vectors are 1-D, matrices 2-D",
    "records": [
        {
            "id": "example-1",
            "source": "my book",
            "ref": "equation 1",
            "kind": "scalar-by-vector",
            "inputs": [
                {"name": "A", "shape": ["n", "n"], "assumptions": []},
                {"name": "x", "shape": ["n"], "assumptions": []},
            ],
            "sizes": {"n": 3},
            "consts": {},
            "func": "x @ A @ x",
            "text": None,
            "wrt": ["x"],
            "order": 1,
            "layout": "gradient",
            "claim": "(A + A.T) @ x",
            "structure": "none",
        }
    ],
}


def records_in(table: Any) -> list[Any]:
    """The records of a table: a list, or a mapping that holds them under `records`.

    Raises ReadingError for anything else.
    """
    found = table.get("records") if isinstance(table, Mapping) else table
    if not isinstance(found, list):
        raise ReadingError(
            "the table holds no list of records", "", "jacobians check --template > claims.json"
        )
    return found


def identity(record: Any, place: int) -> str:
    """The record's id, or its place in the table.

    >>> identity({"id": "eq-3"}, 0), identity(None, 4)
    ('eq-3', 'record 5')
    """
    found = record.get("id") if isinstance(record, Mapping) else None
    return str(found) if found not in (None, "") else f"record {place + 1}"


def problem_of(record: Record) -> Problem:
    """The problem that a record states; raises JacobiansError, naming the field, where it states none."""
    if not isinstance(record, Mapping):
        raise ReadingError(
            f"a record is a mapping, not a {type(record).__name__}", "", '{"id": ..., "func": ...}'
        )
    function = _function(record)
    sizes = {str(name): _whole("sizes", value) for name, value in _mapping(record, "sizes").items()}
    constants = {str(name): _constant(value) for name, value in _mapping(record, "consts").items()}
    wrt = _names(record)
    layout = known_layout(_text(record, "layout", required=False))
    order = _whole("order", record.get("order") or order_of(layout) or 1) if wrt else 0
    if not 0 <= order <= 3:
        raise ReadingError(f"order {order} is not judged", "orders: 1, 2, 3", "order: 1")
    structure = _structure(record, wrt)
    inputs = tuple(_input(entry, structure) for entry in _sequence(record, "inputs"))
    claim = formula(_text(record, "claim"), [entry.name for entry in inputs])
    return Problem(function, claim, inputs, wrt, order, layout, sizes, constants)


def _function(record: Record) -> Formula:
    given = record.get("func")
    if isinstance(given, str) and given.strip():
        return formula(given)
    if isinstance(record.get("text"), str) and str(record["text"]).strip():
        return formula(str(record["text"]), syntax="matrixcalculus")
    raise ReadingError("the record has neither func nor text", "", 'func: "A @ x"')


def _names(record: Record) -> tuple[str, ...]:
    given = record.get("wrt") or ()
    return (given,) if isinstance(given, str) else tuple(str(name) for name in given)


def _text(record: Record, field: str, required: bool = True) -> str:
    found = record.get(field)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    if found is None and not required:
        return ""
    if not isinstance(found, str) or not found.strip():
        raise ReadingError(f"the record has no {field}", "", f'{field}: "..."')
    return found


def _mapping(record: Record, field: str) -> Mapping[str, Any]:
    found = record.get(field) or {}
    if not isinstance(found, Mapping):
        raise ReadingError(f"{field} is a mapping, not a {type(found).__name__}", "", f"{field}: {{}}")
    return found


def _sequence(record: Record, field: str) -> Sequence[Any]:
    found = record.get(field)
    if isinstance(found, Mapping):
        return [{"name": name, "shape": shape} for name, shape in found.items()]
    if not isinstance(found, list) or not found:
        raise ReadingError(f"the record has no {field}", "", '[{"name": "x", "shape": ["n"]}]')
    return found


def _whole(field: str, value: Any) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or int(value) != value
        or not 0 <= value <= 10**6
    ):
        raise ReadingError(f"{field}: {str(value)[:40]!r} is no whole number", "", f"{field}: 3")
    return int(value)


def _constant(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ReadingError("a constant is a number or a list of numbers", str(error), "consts: {}") from error
    if array.dtype.kind not in "biuf" or array.size > 10_000:
        raise ReadingError(
            f"a constant is a number or a list of numbers, not {str(value)[:40]!r}", "", "consts: {}"
        )
    return array


def _structure(record: Record, wrt: tuple[str, ...]) -> dict[str, str]:
    """Structures by input: one word is about the inputs differentiated by."""
    given = record.get("structure")
    if isinstance(given, Mapping):
        return {str(name): known_structure(str(word)) for name, word in given.items()}
    found = known_structure(None if given is None else str(given))
    return dict.fromkeys(wrt, found)


def _input(entry: Any, structure: Mapping[str, str]) -> Input:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ReadingError("an input has no name", str(entry)[:60], '{"name": "x", "shape": ["n"]}')
    name = entry["name"]
    given = entry.get("shape", [])
    listed = [given] if isinstance(given, str | int) else list(given or [])
    shape: tuple[Size, ...] = tuple(size for part in listed for size in parse_shape(name, str(part)))
    words = entry.get("assumptions") or ()
    words = [words] if isinstance(words, str) else list(words)
    split = [part for word in words for part in str(word).replace("+", ",").split(",") if part.strip()]
    own = known_structure(entry.get("structure"))
    return Input(name, shape, tuple(known_word(word) for word in split), own or structure.get(name, ""))


def malformed(error: Exception) -> str:
    """Why a record cannot be judged, in one line."""
    if isinstance(error, JacobiansError):
        return error.what + (f" ({' '.join(error.where.split())[:100]})" if error.where else "")
    return f"{type(error).__name__}: {error}"[:200]
