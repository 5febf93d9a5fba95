"""The shipped problems: plain numpy functions with the inputs that they are known by.

`PROBLEMS` by name; `problem(name)` finds one and says what there is.  A `Problem` gives its function `f`, its
arguments `inputs(seed)` by name, what it is differentiated by (`wrt`), and `derivative`, the function whose
Jacobian is meant: f itself, or its gradient where the Hessian is.

>>> problem("rosenbrock").inputs()
{'x': -1.2, 'y': 1.0}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UnknownNameError, did_you_mean
from ..traces import Wrt
from . import scalar_problems as scalar
from . import tensor_problems as tensor

Make = Callable[[np.random.Generator], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A function, how its inputs are made, and what it is differentiated by (None: by all it can be).

    `second` says that the Hessian is meant; `batched` that every argument may be an array of one length.
    """

    name: str
    about: str
    f: Callable[..., Any]
    make: Make
    wrt: Wrt = None
    second: bool = False
    batched: bool = False

    def inputs(self, seed: int = 0) -> dict[str, Any]:
        """The arguments by name; where they are random, decided by `seed`."""
        return self.make(np.random.default_rng(seed))

    def batch(self, size: int, seed: int = 0, spread: float = 0.02) -> dict[str, Any]:
        """Arguments with a batch axis: the known inputs, each entry varied by a relative `spread`."""
        rng = np.random.default_rng(seed)
        return {
            name: np.asarray(value) * (1 + spread * rng.uniform(-1, 1, size=(size,)))
            for name, value in self.inputs(seed).items()
        }

    @property
    def derivative(self) -> Callable[..., Any]:
        """The function whose Jacobian the problem is: f, or its gradient."""
        if not self.second:
            return self.f
        from ..verbs import jacobian

        return jacobian(self.f, self.wrt)


def _fixed(**values: float) -> Make:
    return lambda rng: dict(values)


def _scalars(names: str, values: list[float]) -> Make:
    return _fixed(**dict(zip(names.split(), values, strict=True)))


def _perceptron(rng: np.random.Generator) -> dict[str, Any]:
    shapes = {"W1": (5, 4), "b1": (5,), "W2": (3, 5), "b2": (3,), "x": (4,), "y": (3,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def _layers(rng: np.random.Generator, widths: tuple[int, ...] = (7, 6, 5, 8, 4)) -> dict[str, Any]:
    A = tensor.random_layers(widths, rng)
    return {"x": rng.normal(size=widths[0]), "A": A, "b": [rng.normal(size=m.shape[0]) for m in A]}


def _logistic(rng: np.random.Generator) -> dict[str, Any]:
    X, w = rng.normal(size=(60, 7)), rng.normal(size=7)
    return {"w": w, "X": X, "y": np.sign(rng.normal(size=60))}


def _factorization(rng: np.random.Generator) -> dict[str, Any]:
    return {"U": rng.normal(size=(9, 2)), "V": rng.normal(size=(7, 2)), "T": rng.normal(size=(9, 7))}


def _relu(rng: np.random.Generator) -> dict[str, Any]:
    matrices = tensor.random_layers((5, 6, 7, 6, 7, 6, 7, 6, 7, 6, 4), rng)
    return {"W1": matrices[0], "rest": [m * 1.4 for m in matrices[1:]], "x": rng.normal(size=5)}


ROE_3D = [1.0, 0.3, 0.1, -0.2, 2.5, 0.8, -0.1, 0.2, 0.1, 2.0]
DIPOLE = [0.299, 0.186, -0.0273, 0.0254, -0.474, 0.474, -0.0892, 0.0892]
PROPANE = [5.0, 2.5, 5.0, 0.1, 9.65e-3, 4.106e-4, 2.726e-2, 4.4975e-4, 1.7037e-2, 4.8075e-2, 20.0]

# fmt: off
_ALL = (
    Problem("roe-flux-1d", "Roe's flux for the Euler equations, 6 scalars to 3", scalar.roe_flux_1d,
            _scalars("ul0 ul1 ul2 ur0 ur1 ur2", [0.01, 0.02, 0.02, 0.01, 0.03, 0.03]), batched=True),
    Problem("roe-flux-3d", "Roe's flux in three dimensions, 10 scalars to 5", scalar.roe_flux_3d,
            _scalars("l0 l1 l2 l3 l4 r0 r1 r2 r3 r4", ROE_3D), batched=True),
    Problem("robot-arm", "the pose of an arm with six joints, 6 scalars to 6", scalar.robot_arm,
            _scalars("t1 t2 t3 t4 t5 t6", [0.02] * 6), batched=True),
    Problem("heart-dipole", "the human heart dipole (MINPACK-2), 8 scalars to 8", scalar.heart_dipole,
            _scalars("a b c d t u v w", DIPOLE), batched=True),
    Problem("propane", "combustion of propane (MINPACK-2), 11 scalars to 11", scalar.propane,
            _scalars("x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11", PROPANE), batched=True),
    Problem("black-scholes", "the Greeks of a call; their Jacobian is all second derivatives",
            scalar.black_scholes,
            _scalars("spot strike rate volatility years", [1.0, 1.1, 0.03, 0.2, 0.75]), batched=True),
    Problem("rosenbrock", "Rosenbrock's valley, 2 residuals", scalar.rosenbrock,
            _fixed(x=-1.2, y=1.0), batched=True),
    Problem("powell", "Powell's singular function, 4 residuals", scalar.powell,
            _fixed(a=3.0, b=-1.0, c=0.5, d=1.0), batched=True),
    Problem("beale", "Beale's function, 3 residuals", scalar.beale, _fixed(x=1.0, y=1.5), batched=True),
    Problem("himmelblau", "Himmelblau's function, its Hessian", scalar.himmelblau,
            _fixed(x=1.0, y=1.5), wrt=("x", "y"), second=True),
    Problem("perceptron", "one hidden layer and a squared error, by all weights", tensor.perceptron,
            _perceptron, wrt=("W1", "b1", "W2", "b2")),
    Problem("encoder", "a transformer encoder block with cross-entropy, by all weights", tensor.encoder,
            tensor.encoder_inputs, wrt="p"),
    Problem("layers", "the lecture's network of K layers, by x and all A_k, b_k", tensor.layers, _layers),
    Problem("chain-narrowing", "matrices and diagonals, widths 1000-500-250-100-10", tensor.width_chain,
            tensor.chain_inputs((1000, 500, 250, 100, 10)), wrt="x"),
    Problem("chain-widening", "matrices and diagonals, widths 10-100-250-500-1000", tensor.width_chain,
            tensor.chain_inputs((10, 100, 250, 500, 1000)), wrt="x"),
    Problem("chain-600", "matrices and diagonals, widths 600 five times", tensor.width_chain,
            tensor.chain_inputs((600,) * 5), wrt="x"),
    Problem("chain-waist", "matrices and diagonals, widths 800-10-800-800-10-800", tensor.width_chain,
            tensor.chain_inputs((800, 10, 800, 800, 10, 800)), wrt="x"),
    Problem("logistic", "the Hessian of logistic regression, X^T D X", tensor.logistic, _logistic,
            wrt="w", second=True),
    Problem("factorization", "the Hessian of |T - U V^T|^2 by U", tensor.factorization, _factorization,
            wrt="U", second=True),
    Problem("relu-hessian", "the Hessian of a 10-layer relu network by its first layer", tensor.relu_network,
            _relu, wrt="W1", second=True),
)
# fmt: on

PROBLEMS: Mapping[str, Problem] = {one.name: one for one in _ALL}


def problem(name: str) -> Problem:
    """The shipped problem of that name; raises UnknownNameError with the names there are."""
    if name not in PROBLEMS:
        raise UnknownNameError(
            f"problem {name!r} is not known", f"problems: {', '.join(PROBLEMS)}", did_you_mean(name, PROBLEMS)
        )
    return PROBLEMS[name]
