"""Letters for axes: target axes first (`i j k ...`), then input axes, then what is summed.

`place_letters` names the axes of a Jacobian, `label_letters` the labels of one of its Terms.  No letter
serves twice, and none is taken that is already the name of a value.

>>> place_letters(1, 2), place_letters(2, 1), place_letters(1, 2, axes=("H", "batch"))
((('i',), ('m', 'n')), (('i', 'j'), ('k',)), (('i',), ('h', 'b')))
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ..axes import Poly, Size
from ..terms import Term

TARGET = "ijklpqrstuvwmn"
MATRIX = "mnpqrstuvwijkl"
SUMMED = "klpqrstuvwijmn"
REST = "abcghxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def fresh(pool: str, used: Collection[str]) -> Iterator[str]:
    """Letters of `pool` that are not in `used`, then the other letters, then `i1, i2, ...` without end."""
    yield from (letter for letter in pool + REST if letter not in used)
    number = 1
    while True:
        if f"i{number}" not in used:
            yield f"i{number}"
        number += 1


def _take(pool: str, used: set[str]) -> str:
    letter = next(fresh(pool, used))
    used.add(letter)
    return letter


def place_letters(
    target: int,
    given: int,
    axes: Sequence[str] | None = None,
    avoid: Iterable[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Letters for `target` target axes and `given` input axes.

    `axes` are the names of the input's axes, where it has some: `M` and `N` give m and n.  Without names
    a matrix takes m n, a vector goes on after the target's letters.
    """
    used = set(avoid)
    first = tuple(_take(TARGET, used) for _ in range(target))
    second = []
    pool = MATRIX if given > 1 else TARGET
    for k in range(given):
        wanted = (axes[k][:1].lower() if axes and k < len(axes) else "") or ""
        if wanted.isalpha() and wanted not in used:
            used.add(wanted)
            second.append(wanted)
        else:
            second.append(_take(pool, used))
    return first, tuple(second)


def axis_names(shape: Sequence[Size]) -> tuple[str, ...]:
    """Names that the sizes suggest: the symbol of a symbolic axis, "" elsewhere.

    >>> from ..axes import symbol
    >>> axis_names((symbol("M"), 3))
    ('M', '')
    """
    found = tuple(size.symbols()[0] if _is_symbol(size) else "" for size in shape)  # type: ignore[union-attr]
    letters = [name[:1].lower() for name in found if name]
    if len(set(letters)) < len(letters):
        return ("",) * len(found)  # n, n: letters in order say more
    return found


def _is_symbol(size: Size) -> bool:
    return isinstance(size, Poly) and repr(size) in size.symbols()


def label_letters(
    term: Term, places: tuple[Sequence[str], Sequence[str]], avoid: Iterable[str] = ()
) -> dict[int, str]:
    """A letter for every label of `term`: that of the first axis it runs along, else one of its own."""
    letters: dict[int, str] = {}
    flat = (*places[0], *places[1])
    for slot, letter in zip((*term.target, *term.input), flat, strict=True):
        if isinstance(slot, int):
            letters.setdefault(slot, letter)
    used = {*avoid, *flat}
    for label in range(len(term.sizes)):
        if label not in letters:
            letters[label] = _take(SUMMED, used)
    return letters
