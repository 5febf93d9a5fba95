"""Declarations of shapes and sizes: `A:M,N x:N s: M=3 N=4`, or the keywords A="M,N", x="N", M=3.

- `declarations(words)`: from the words of a command line, or one string of them.
- `declarations_from_keywords(A="M,N", M=3)`: from keyword arguments.
- `bindings_from_values(declarations, arrays)`: the sizes that arrays give to the symbols, checked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.errors import JacobiansError, ReadingError, ShapeError, UnknownNameError, caret
from jacobians.reading.wording import words as shape_words

Size = int | str
MAX_SIZE = 10**12
MAX_WORDS = 500

_NAME = r"[^\W\d]\w*"
_SIZE_EXPRESSION = re.compile(r"[\w\s+*()-]{1,60}")


@dataclass(frozen=True, slots=True)
class Declarations:
    """Shapes of names and sizes of symbols, in the order they were declared.

    `shapes` gives every name its sizes: whole numbers, symbols such as `N`, or sums and products such as
    `N+1`.  `sizes` gives symbols their numbers, `constants` other numbers, `assumptions` the words after a
    second colon (`A:n,n:symmetric`).
    """

    shapes: Mapping[str, tuple[Size, ...]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    assumptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The declared names, in order."""
        return tuple(self.shapes)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that stand in shapes or have a size, in order."""
        found = [name for shape in self.shapes.values() for size in shape for name in symbols_of(size)]
        return tuple(dict.fromkeys([*found, *self.sizes]))

    def shape_of(self, name: str, require_numbers: bool = False, purpose: str = "") -> tuple[Size, ...]:
        """The declared shape of `name`; with `require_numbers` every size as a number.

        Raises UnknownNameError for a name without declaration, ReadingError where a symbol has no size.

        >>> found = declarations("A:M,N+1 M=3 N=4")
        >>> found.shape_of("A"), found.shape_of("A", require_numbers=True)
        (('M', 'N+1'), (3, 5))
        """
        if name not in self.shapes:
            raise UnknownNameError(f"{name} has no shape", "", f"declare {name}:rows,cols")
        shape = self.shapes[name]
        if not require_numbers:
            return shape
        for size in shape:
            for symbol in symbols_of(size):
                if symbol not in self.sizes:
                    raise _no_size(name, shape, symbol, purpose)
        return tuple(size_value(size, self.sizes) for size in shape)

    def with_sizes(self, sizes: Mapping[str, int]) -> Declarations:
        """The same declarations with these sizes set, in place of those of the same names."""
        return Declarations(self.shapes, {**self.sizes, **sizes}, self.constants, self.assumptions)


def written(name: str, shape: Iterable[Size]) -> str:
    """A declaration as it is written: `A:M,N`."""
    return f"{name}:{','.join(str(size) for size in shape)}"


def _no_size(name: str, shape: tuple[Size, ...], symbol: str, purpose: str) -> ReadingError:
    need = f", and {purpose} needs one" if purpose else ""
    return ReadingError(f"{written(name, shape)} – {symbol} has no size yet{need}", "", f"add {symbol}=4")


def declarations(text: str | Iterable[str]) -> Declarations:
    """The declarations in `text`: words such as `A:M,N`, `s:`, `M=3`, separated by spaces or `;`.

    Raises ReadingError, with the word and what to write instead.

    >>> found = declarations(["A:M,N", "x:N", "s:", "M=3"])
    >>> dict(found.shapes), dict(found.sizes)
    ({'A': ('M', 'N'), 'x': ('N',), 's': ()}, {'M': 3})
    """
    parts = [text] if isinstance(text, str) else list(text)
    split = [
        word for part in parts for word in re.split(r"[;\s]+", re.sub(r"\s*([,+*])\s*", r"\1", part)) if word
    ]
    if len(split) > MAX_WORDS:
        raise ReadingError(f"there are {len(split)} declarations, the limit is {MAX_WORDS}", "", "fewer")
    shapes: dict[str, tuple[Size, ...]] = {}
    sizes: dict[str, int] = {}
    assumptions: dict[str, tuple[str, ...]] = {}
    for word in split:
        name, sign, rest = _halves(word)
        if name in shapes or name in sizes:
            raise ReadingError(
                f"{name} is declared twice", caret(word[:60], 0, len(name)), "one declaration for each name"
            )
        if sign == "=":
            sizes[name] = _number(word, rest)
        else:
            shape, _, assumed = rest.partition(":")
            shapes[name] = parse_shape(name, shape)
            if assumed:
                assumptions[name] = tuple(filter(None, assumed.split(",")))
    return Declarations(shapes, sizes, {}, assumptions)


def declarations_from_keywords(**keywords: Any) -> Declarations:
    """The declarations that keyword arguments make: a string or a tuple is a shape, a whole number a size.

    Another number is a constant of that value.

    >>> found = declarations_from_keywords(A="M,N", x=(4,), M=3)
    >>> dict(found.shapes), dict(found.sizes)
    ({'A': ('M', 'N'), 'x': (4,)}, {'M': 3})
    """
    shapes: dict[str, tuple[Size, ...]] = {}
    sizes: dict[str, int] = {}
    constants: dict[str, float] = {}
    for name, value in keywords.items():
        if isinstance(value, str):
            shapes[name] = parse_shape(name, value)
        elif isinstance(value, tuple | list):
            shapes[name] = tuple(size for part in value for size in parse_shape(name, str(part)))
        elif isinstance(value, bool | float | np.floating):
            constants[name] = float(value)
        elif isinstance(value, int | np.integer):
            sizes[name] = int(value)
        else:
            kind = type(value).__name__
            raise ReadingError(
                f"{name}= takes a shape or a size, not {kind}", "", f'{name}="M,N" or {name}=3'
            )
    return Declarations(shapes, sizes, constants)


def _halves(word: str) -> tuple[str, str, str]:
    match = re.fullmatch(rf"({_NAME})([:=])(.*)", word)
    if match is None:
        shown = word if len(word) <= 60 else word[:57] + "..."
        bare = re.fullmatch(_NAME, word)
        hint = (
            f"{word}: for a scalar, {word}:M,N for a shape, {word}=3 for a size" if bare else "A:M,N or M=3"
        )
        raise ReadingError(f"cannot read the declaration {shown}", caret(shown, 0, len(shown)), hint)
    return match.group(1), match.group(2), match.group(3)


def _number(word: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,13}", text) or not 0 <= int(text) <= MAX_SIZE:
        shown, start = word[:60], word.index("=") + 1
        hint = f"{word[: start - 1]}:{text}" if "," in text else f"{word[:start]}3"
        raise ReadingError(f"{shown} – a size is a whole number", caret(shown, start, len(shown)), hint)
    return int(text)


def parse_shape(name: str, text: str) -> tuple[Size, ...]:
    """The sizes in `text`, separated by commas: `M,N`, `3,4`, `N+1,2*N`; nothing for a scalar.

    >>> parse_shape("A", "3x4")
    Traceback (most recent call last):
        ...
    jacobians.errors.ReadingError: A:3x4 – sizes are separated by commas
      A:3x4
        ^^^
      try: A:3,4
    """
    bare = re.sub(r"^[(\[](.*)[)\]]$", r"\1", text.strip())
    parts = [part.strip() for part in bare.split(",")]
    if parts[-1] == "":
        parts.pop()
    if len(parts) > 30:
        raise ReadingError(f"{name} has {len(parts)} axes, the limit is 30", "", "fewer axes")
    return tuple(_size(name, text, part) for part in parts)


def _size(name: str, text: str, part: str) -> Size:
    if re.fullmatch(r"\d{1,13}", part):
        return int(part)
    if not _SIZE_EXPRESSION.fullmatch(part) or not _is_size(part):
        raise _bad_size(name, text, part)
    return part.replace(" ", "")


def _bad_size(name: str, text: str, part: str) -> JacobiansError:
    word = f"{name}:{text}"[:60]
    start = min(max(word.find(part, len(name) + 1), 0), len(word))
    where = caret(word, start, min(start + max(len(part), 1), len(word)))
    pieces = re.split(r"\s*[x×X*;/ ]\s*", part)
    if len(pieces) > 1 and all(re.fullmatch(rf"\d+|{_NAME}", piece) for piece in pieces):
        return ReadingError(f"{word} – sizes are separated by commas", where, f"{name}:{','.join(pieces)}")
    what = "a size is missing" if not part else f"{part[:30]!r} is not a size"
    return ReadingError(f"{word} – {what}", where, f"{name}:M,N or {name}:3,4")


def _is_size(part: str) -> bool:
    try:
        _size_tree(part)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _size_tree(part: str) -> ast.expr:
    """The syntax tree of a size: whole numbers, symbols, + - *."""
    tree = ast.parse(part.strip(), mode="eval").body
    for node in ast.walk(tree):
        whole = isinstance(node, ast.Constant) and isinstance(node.value, int) and 0 <= node.value <= MAX_SIZE
        grammar = isinstance(node, ast.BinOp | ast.Name | ast.Add | ast.Sub | ast.Mult | ast.Load)
        if not whole and not grammar:
            raise ValueError(part)
    return tree


def symbols_of(size: Size) -> tuple[str, ...]:
    """The symbols in a size, in order.

    >>> symbols_of("2*N+M"), symbols_of(3)
    (('N', 'M'), ())
    """
    found = re.findall(_NAME, size) if isinstance(size, str) else []
    return tuple(dict.fromkeys(found))


def size_value(size: Size, sizes: Mapping[str, int]) -> int:
    """The number that a size is, its symbols taken from `sizes`.

    >>> size_value("2*N+1", {"N": 4})
    9
    """
    return size if isinstance(size, int) else _value(_size_tree(size), sizes)


def _value(node: ast.expr, sizes: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant):
        return int(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        if node.id not in sizes:
            raise ReadingError(f"{node.id} has no size yet", "", f"add {node.id}=4")
        return sizes[node.id]
    assert isinstance(node, ast.BinOp)
    left, right = _value(node.left, sizes), _value(node.right, sizes)
    if isinstance(node.op, ast.Mult):
        return left * right
    return left + right if isinstance(node.op, ast.Add) else left - right


def bindings_from_values(declared: Declarations, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of all symbols, from the declared sizes and the shapes of `arrays`.

    Raises ShapeError naming the axis and both sizes where an array does not fit its declaration.

    >>> import numpy as np
    >>> bindings_from_values(declarations("A:M,N x:N"), {"A": np.ones((3, 4)), "x": np.ones(4)})
    {'M': 3, 'N': 4}
    """
    sizes = dict(declared.sizes)
    source = dict.fromkeys(sizes, "its declaration")
    later: list[tuple[str, int, str, int]] = []
    for name, shape in declared.shapes.items():
        if name not in arrays:
            continue
        found = _shape(name, arrays[name], shape)
        for axis, (size, actual) in enumerate(zip(shape, found, strict=True)):
            if isinstance(size, int) and size != actual:
                raise _misfit(name, axis, shape, actual, str(size))
            if isinstance(size, str) and size.isidentifier():
                _bind(size, actual, name, sizes, source)
            elif isinstance(size, str):
                later.append((size, actual, name, axis))
    for size, actual, name, axis in later:
        _solve(size, actual, name, sizes, source)
        if size_value(size, sizes) != actual:
            raise _misfit(name, axis, declared.shapes[name], actual, f"{size} = {size_value(size, sizes)}")
    return sizes


def _shape(name: str, value: Any, declared: tuple[Size, ...]) -> tuple[int, ...]:
    shape = value.shape if hasattr(value, "shape") else np.shape(value)
    if len(shape) != len(declared):
        axes = f"{len(declared)} ax{'i' if len(declared) == 1 else 'e'}s"
        what = f"{name} is declared with {axes} ({written(name, declared)}) and its value has {len(shape)}"
        raise ShapeError(what, f"the value is {shape_words(tuple(shape))}", "a value of the declared shape")
    return tuple(shape)


def _bind(symbol: str, actual: int, name: str, sizes: dict[str, int], source: dict[str, str]) -> None:
    if sizes.setdefault(symbol, actual) != actual:
        what = f"size {symbol} is {sizes[symbol]} from {source[symbol]} and {actual} from {name}"
        raise ShapeError(what, "", "one letter, one size")
    source.setdefault(symbol, name)


def _solve(size: str, actual: int, name: str, sizes: dict[str, int], source: dict[str, str]) -> None:
    """Find the one symbol of `size` that is not known yet, where it stands in it linearly."""
    unknown = [symbol for symbol in symbols_of(size) if symbol not in sizes]
    if not unknown:
        return
    if len(unknown) > 1:
        raise ReadingError(
            f"{name}: {size} is {actual}, {' and '.join(unknown)} have no size yet", "", f"add {unknown[0]}=4"
        )
    at = [size_value(size, {**sizes, unknown[0]: trial}) for trial in (0, 1)]
    slope = at[1] - at[0]
    found = (actual - at[0]) // slope if slope else 0
    _bind(unknown[0], max(found, 0), name, sizes, source)


def _misfit(name: str, axis: int, shape: tuple[Size, ...], actual: int, wanted: str) -> ShapeError:
    what = f"axis {axis} of {name} is {actual}, its declaration says {wanted}"
    return ShapeError(what, written(name, shape), "a value of the declared shape, or another declaration")
