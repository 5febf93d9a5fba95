"""A product of tensors as plain data: which axes carry which label, and what is left.

- `Product(operands, output, sizes)` is the record that everything in this package takes.
- `Product.parse("ij,jk->ik", (2, 3), (3, 4))` and `Product.of(operands, output, shapes)` make one
  from shapes, checking every size: size 1 against size n is an error, nothing is broadcast.
- `reference(product, *arrays)` computes it in one `np.einsum`: generic, what all else is tested against.

Labels are integers, local to one product; `sizes[label]` is the size of its axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from jacobians.errors import JacobiansError, ReadingError, ShapeError

Labels = tuple[int, ...]

_LETTERS = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"


def letter(label: int) -> str:
    """The letter a label is written with: i, j, k, ... and beyond 52 labels any other character.

    >>> letter(0), letter(1), letter(51)
    ('i', 'j', 'H')
    """
    return _LETTERS[label] if label < len(_LETTERS) else chr(0x100 + label)


@dataclass(frozen=True, slots=True)
class Product:
    """The sum over all labels outside `output` of the product of the operands.

    The meaning is einsum's: `result[output] = sum_(labels not in output) prod_k operand_k[labels_k]`.
    An operand that repeats a label stands for its diagonal. An output label that no operand carries is a
    broadcast axis of ones; a summed label that no operand carries is the factor n, its size.
    Operands may be scalars (an empty tuple), and there may be none. `sizes` holds ints; to count with
    symbolic sizes (`cost.count`) it may hold any objects with + and *.

    Raises `ShapeError` for a label without a size, a negative size or a repeated output label.

    >>> p = Product(operands=((0, 1), (1,)), output=(0,), sizes=(2, 3))
    >>> p.equation(), p.shapes, p.output_shape
    ('ij,j->i', ((2, 3), (3,)), (2,))
    """

    operands: tuple[Labels, ...]
    output: Labels
    sizes: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(set(self.output)) != len(self.output):
            raise ShapeError(
                f"the output repeats a label: {self.equation()}",
                "a repeated label on the output side is a Kronecker delta, which is never multiplied",
                "keep the delta in the wiring and let the product carry the label once",
            )
        known = range(len(self.sizes))
        for labels in (*self.operands, self.output):
            if missing := [x for x in labels if x not in known]:
                raise ShapeError(
                    f"label {missing[0]} has no size", f"sizes are given for 0 to {len(known) - 1}"
                )
        if negative := [n for n in self.sizes if isinstance(n, int) and n < 0]:
            raise ShapeError(f"an axis cannot have size {negative[0]}", self.equation())

    @classmethod
    def of(
        cls,
        operands: Sequence[Labels],
        output: Labels,
        shapes: Sequence[Sequence[int]],
        *,
        names: Sequence[str] = (),
        axis_names: Sequence[str] = (),
        extra: dict[int, int] | None = None,
    ) -> Product:
        """The product of operands with these shapes; `extra` gives sizes of labels that no operand carries.

        `names` of operands and `axis_names` of labels are used in messages. Raises `ShapeError` where a
        shape has another number of axes than its labels, or where two axes of one label differ in size.

        >>> Product.of([(0, 1), (1,)], (0,), [(3, 4), (1,)], names=["A", "x"], axis_names="mn")
        Traceback (most recent call last):
        jacobians.errors.ShapeError: axis n is 4 in A and 1 in x
          Sizes must be equal; nothing is broadcast in a contraction
        """
        sizes: dict[int, int] = dict(extra or {})
        owner = {label: "the sizes given" for label in sizes}
        for k, (labels, shape) in enumerate(zip(operands, shapes, strict=True)):
            name = names[k] if k < len(names) else f"operand {k}"
            if len(labels) != len(shape):
                raise ShapeError(
                    f"{name} has {len(shape)} axes and {len(labels)} labels", f"its shape is {tuple(shape)}"
                )
            for label, n in zip(labels, shape, strict=True):
                if sizes.setdefault(label, n) != n:
                    axis = axis_names[label] if label < len(axis_names) else letter(label)
                    raise ShapeError(
                        f"axis {axis} is {sizes[label]} in {owner[label]} and {n} in {name}",
                        "Sizes must be equal; nothing is broadcast in a contraction",
                    )
                owner.setdefault(label, name)
        if absent := [x for x in range(max((*sizes, *output), default=-1) + 1) if x not in sizes]:
            raise ShapeError(f"label {absent[0]} ({letter(absent[0])}) has no size", "", "give it in `extra`")
        return cls(tuple(map(tuple, operands)), tuple(output), tuple(sizes[x] for x in range(len(sizes))))

    @classmethod
    def parse(cls, equation: str, *shapes: Sequence[int], **sizes: int) -> Product:
        """The product written as an einsum string with an arrow; `sizes` are for letters no operand carries.

        Raises `ReadingError` for anything else than letters, commas and one arrow.

        >>> Product.parse("ij,j->ik", (2, 3), (3,), k=5).output_shape
        (2, 5)
        """
        left, arrow, right = equation.replace(" ", "").partition("->")
        terms = left.split(",") if shapes else []
        letters = list(dict.fromkeys("".join(terms) + right + "".join(sizes)))
        if not arrow or any(not x.isalpha() for x in letters) or (not shapes and left):
            raise ReadingError(
                f"cannot read the product {equation!r}", "", "letters, commas and an arrow: 'ij,jk->ik'"
            )
        if len(terms) != len(shapes):
            raise ShapeError(f"{equation!r} has {len(terms)} operands and {len(shapes)} shapes were given")
        number = {x: k for k, x in enumerate(letters)}
        operands = [tuple(number[x] for x in term) for term in terms]
        extra = {number[x]: n for x, n in sizes.items()}
        output = tuple(number[x] for x in right)
        return cls.of(operands, output, shapes, axis_names=letters, extra=extra)

    @property
    def shapes(self) -> tuple[tuple[Any, ...], ...]:
        """The shape of each operand."""
        return tuple(tuple(self.sizes[x] for x in labels) for labels in self.operands)

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """The shape of the result."""
        return tuple(self.sizes[x] for x in self.output)

    @property
    def carried(self) -> frozenset[int]:
        """The labels that some operand carries."""
        return frozenset(x for labels in self.operands for x in labels)

    @property
    def scale_labels(self) -> Labels:
        """The summed labels that no operand carries; each is a factor n, its size."""
        held = self.carried.union(self.output)
        return tuple(x for x in range(len(self.sizes)) if x not in held)

    @property
    def scale(self) -> int:
        """The number that the labels in no operand and no output contribute (1 where there is none)."""
        return prod(self.sizes[x] for x in self.scale_labels)

    def equation(self) -> str:
        """The product as an einsum string; broadcast axes of ones appear on the right alone."""
        return ",".join(map(spell, self.operands)) + "->" + spell(self.output)


def spell(labels: Iterable[int]) -> str:
    """Labels as letters: `spell((0, 1)) == "ij"`."""
    return "".join(map(letter, labels))


def check_shapes(product: Product, arrays: Sequence[Any]) -> None:
    """Raises `ShapeError` unless the arrays have exactly the shapes of the product's operands."""
    if len(arrays) != len(product.operands):
        raise ShapeError(f"{len(arrays)} operands given, {len(product.operands)} needed", product.equation())
    for k, (array, shape) in enumerate(zip(arrays, product.shapes, strict=True)):
        if tuple(array.shape) != shape:
            raise ShapeError(
                f"operand {k} has shape {tuple(array.shape)}; this product is for {shape}",
                f"{product.equation()}: sizes must be equal; nothing is broadcast in a contraction",
                "make a new product for other shapes",
            )


def reference(product: Product, *arrays: Any) -> np.ndarray[Any, Any]:
    """The product in one `np.einsum`, the generic path that every other way is tested against.

    Takes at most 52 labels and as many operands as numpy's einsum does. Raises `ShapeError` on other shapes.

    >>> reference(Product.parse("ij,j->ik", (2, 3), (3,), k=2), np.ones((2, 3)), np.arange(3.0))
    array([[3., 3.],
           [3., 3.]])
    """
    arrays = tuple(map(np.asarray, arrays))
    check_shapes(product, arrays)
    if len(product.sizes) > len(_LETTERS):
        raise JacobiansError(
            "the reference takes at most 52 labels", "", "compile_product, which has no such limit"
        )
    core = [x for x in product.output if x in product.carried]
    equation = ",".join(map(spell, product.operands)) + "->" + spell(core)
    value = np.einsum(equation, *arrays) if arrays else np.ones(())
    if product.scale != 1:
        value = np.multiply(value, product.scale)
    place = tuple(slice(None) if x in product.carried else None for x in product.output)
    result = np.empty(product.output_shape, np.result_type(*arrays) if arrays else np.float64)
    result[...] = np.asarray(value)[place]
    return result
