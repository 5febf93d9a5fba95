"""Index notation of a Jacobian.

`core_wiring(term, labels)` says which axis of a compressed array runs along which axes of the tensor.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..terms import Term
from .letters import label_letters, place_letters, slot_text


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
    places = place_letters(len(term.target), len(term.input))
    letters = label_letters(term, places)
    sides = [" ".join(slot_text(slot, letters) for slot in side) for side in (term.target, term.input)]
    return f"{' '.join(letters[label] for label in labels)}: {sides[0]}|{sides[1]}"
