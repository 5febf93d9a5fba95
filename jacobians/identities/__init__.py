"""The shipped library of textbook identities: search, show and check them.

`library()` are the identities, each with its source; `search("det")` those that mention a word;
`identity.record()` is one as a record of a claims table, so that `judge(identity)` (or `jacobians check
--file`) judges it.  Known errors that circulate are in it too, marked false, with what is right.

>>> search("Cholesky")[0].id
'logdet-by-cholesky'
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ..checking.tables import Row, judge_record
from ..errors import UnknownNameError, did_you_mean
from ..reading.shapes import declarations


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity: a function, its claimed derivative and where it is from.

    `inputs` declares the names (`X:n,n:invertible`), `structure` ties entries of the input, `truth` is what
    is known of it ("true", or "false" for an error that circulates), `note` explains.
    """

    id: str
    section: str
    source: str
    ref: str
    func: str
    wrt: tuple[str, ...]
    claim: str
    layout: str
    inputs: str
    structure: str = "none"
    truth: str = "true"
    note: str = ""
    sizes: dict[str, int] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The identity as a record of a claims table."""
        declared = declarations(self.inputs)
        return {
            "id": self.id,
            "source": self.source,
            "ref": self.ref,
            "kind": self.section,
            "inputs": [
                {"name": name, "shape": list(shape), "assumptions": list(declared.assumptions.get(name, ()))}
                for name, shape in declared.shapes.items()
            ],
            "sizes": dict(self.sizes),
            "consts": {},
            "func": self.func,
            "wrt": list(self.wrt),
            "layout": self.layout,
            "claim": self.claim,
            "structure": self.structure,
        }


@cache
def library() -> tuple[Identity, ...]:
    """Every identity that is shipped, in the order of its sections."""
    text = files(__package__).joinpath("library.json").read_text(encoding="utf-8")
    made = []
    for row in json.loads(text):
        wrt = row.pop("wrt")
        made.append(Identity(wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt), **row))
    return tuple(made)


def search(words: str | Iterable[str]) -> tuple[Identity, ...]:
    """The identities that mention every word, those that do so in themselves before those of such a source.

    Searched are the id, section, reference, formula and note, and then the source.
    """
    wanted = [word.lower() for word in (words.split() if isinstance(words, str) else words)]
    found = [one for one in library() if all(word in _text(one) + one.source.lower() for word in wanted)]
    return tuple(sorted(found, key=lambda one: not all(word in _text(one) for word in wanted)))


def _text(one: Identity) -> str:
    return " ".join((one.id, one.section, one.ref, one.func, one.claim, one.note, "")).lower()


def find(id: str) -> Identity:
    """The identity of that id; raises UnknownNameError with the closest one."""
    known = {one.id: one for one in library()}
    if id not in known:
        raise UnknownNameError(
            f"no identity is called {id!r}",
            f"{len(known)} identities: jacobians identities",
            did_you_mean(id, known),
        )
    return known[id]


def judge(one: Identity, seed: int = 0) -> Row:
    """The checker's verdict on an identity, computed now."""
    return judge_record(one.record(), seed=seed)


__all__ = ["Identity", "find", "judge", "library", "search"]
