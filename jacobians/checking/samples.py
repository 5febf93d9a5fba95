"""Samples: points at which function, derivative and claim have been evaluated.

`Sampler(problem, seed)` draws them: `sampler.sample()` one more point (a domain where the function has
finite values is looked for), `sampler.at(point)` one at a given point.  `Sample.match(layout)` says whether
the claim fits there: "right", "wrong" or "unclear".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .placing import FAIL, PASS, ROUGH, arranged, gap
from .problem import Point, Problem, claim_values, draw_point
from .truth import Truth, truth, value_at

Array = np.ndarray[Any, Any]
MOODS = ("plain", "positive", "plain", "unit", "above", "plain", "positive", "unit")


@dataclass(frozen=True, slots=True)
class Sample:
    """A point with the true derivative and the claim's value there.

    `error` is what evaluating the claim raised, None where it has a value.
    """

    problem: Problem = field(repr=False)
    sizes: Mapping[str, int]
    point: Mapping[str, Any] = field(repr=False)
    truth: Truth
    claim: Array | None
    error: JacobiansError | None = None

    def expected(self, layout: str) -> Array | None:
        """The true derivative in a layout."""
        return arranged(self.truth.tensor, layout, self.truth.target, self.truth.inputs)

    def gap(self, layout: str) -> float:
        """How far the claim is from the truth, relative to the largest entry; inf where shapes differ."""
        expected = self.expected(layout)
        return (
            np.inf
            if expected is None or self.claim is None
            else gap(self.claim, expected, layout, self.truth.floor)
        )

    def match(self, layout: str) -> str:
        """Whether the claim fits here: `right`, `wrong` or `unclear`."""
        return self.graded(self.gap(layout))

    def graded(self, distance: float) -> str:
        """What a relative gap means, given how the truth was found."""
        low, high = ROUGH.get(self.truth.how, (PASS, FAIL))
        return "right" if distance <= low else "wrong" if distance >= high else "unclear"

    @property
    def finite(self) -> bool:
        """Whether the claim has only finite numbers here."""
        return self.claim is not None and bool(np.all(np.isfinite(self.claim)))


class Sampler:
    """Draws samples of a problem; the same seed gives the same ones."""

    def __init__(self, problem: Problem, seed: int, sizes: Mapping[str, int] | None = None) -> None:
        self.problem, self.rng = problem, np.random.default_rng(seed)
        self.fixed = sizes
        self.mood = ""  # the mood in which the function had finite values
        self.trial = 0

    def sizes(self) -> dict[str, int]:
        """The sizes of the next sample."""
        return dict(self.fixed) if self.fixed is not None else self.problem.trial_sizes(self.trial)

    def point(self, mood: str = "") -> Point:
        """A point where the function has finite values; raises what evaluating the function raises."""
        moods = [mood] if mood else [*filter(None, [self.mood]), *MOODS, *MOODS]
        error: Exception | None = None
        for name in moods:
            point = draw_point(self.problem, self.sizes(), self.rng, name)
            try:
                value = value_at(self.problem.function, point)
            except Exception as caught:  # a callable may raise anything
                error = caught
                continue
            if np.all(np.isfinite(np.asarray(value, dtype=float))):
                if name != "whole":
                    self.mood = name
                return point
        raise (
            error
            if error is not None
            else JacobiansError(
                "the function has no finite value",
                "at any point that was tried",
                "assume=, such as x=positive",
            )
        )

    def sample(self, compare: bool = False, mood: str = "") -> Sample:
        """One more sample; `compare` asks for the independent second derivative too."""
        error: Exception | None = None
        for _ in range(6):
            found = self.at(self.point(mood), compare)
            if np.all(np.isfinite(found.truth.tensor)):
                self.trial += 1
                return found
            error = JacobiansError("the derivative is not finite", "at the points that were tried", "assume=")
            self.mood = ""
        assert error is not None
        raise error

    def at(self, point: Mapping[str, Any], compare: bool = False) -> Sample:
        """The sample at a point."""
        found = truth(self.problem, point, self.rng, compare)
        claim, error = claimed(self.problem, point, found)
        return Sample(self.problem, self.sizes(), point, found, claim, error)


def points_text(problem: Problem, samples: Sequence[Sample]) -> str:
    """Where a claim was looked at: `3 random points`, or `the given point`."""
    if all(entry.value is not None for entry in problem.inputs):
        return "the given point"
    return f"{len(samples)} random point{'s' if len(samples) > 1 else ''}"


def claimed(
    problem: Problem, point: Mapping[str, Any], found: Truth
) -> tuple[Array | None, JacobiansError | None]:
    """The claim's value at a point, or the error it raised."""
    return evaluated(problem, problem.claim, point, found.tensor.shape)


def evaluated(
    problem: Problem, claim: Any, point: Mapping[str, Any], shape: tuple[int, ...]
) -> tuple[Array | None, JacobiansError | None]:
    """The value of a formula at a point as a float array, or the error it raised."""
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(claim.run(claim_values(problem, point), shape))
        if value.dtype.kind not in "biuf":
            raise JacobiansError("the claim is no array of real numbers", f"its type is {value.dtype}", "")
        return value.astype(float), None
    except JacobiansError as error:
        return None, error
    except Exception as error:  # a callable may raise anything
        return None, JacobiansError(f"the claim cannot be computed: {error}"[:300], "", "")
