"""Benchmarks: orders counted and measured, peers beside them, and the problems they are known by.

- `compare(f, wrt="A")(A, x, b)`: every order, lazy and materialized: cost, seconds, peak memory, agreement.
- `problems.PROBLEMS` and `problem(name)`: the shipped problems.
"""

from __future__ import annotations

from .comparing import compare
from .comparison import Comparison, Measured
from .peers import PeerTime
from .problems import PROBLEMS, Problem, problem

__all__ = ["PROBLEMS", "Comparison", "Measured", "PeerTime", "Problem", "compare", "problem"]
