"""The first result of a cold process, import included: one small Jacobian in a new Python for each library.

`first_results(libraries)` gives the seconds of whole processes, in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

CODE = {
    "ours": "import numpy as np, jacobians as jac\n"
    "A, x, b = np.ones((3, 2)), np.ones(2), np.ones(3)\n"
    "J = jac.jacobian(lambda A, x, b: np.tanh(A @ x + b))(A, x, b)\n"
    "[np.asarray(J[k]) for k in 'Axb']",
    "jax": "import jax, jax.numpy as np\n"
    "jax.config.update('jax_enable_x64', True)\n"
    "A, x, b = np.ones((3, 2)), np.ones(2), np.ones(3)\n"
    "f = jax.jit(jax.jacrev(lambda A, x, b: np.tanh(A @ x + b), argnums=(0, 1, 2)));"
    "jax.block_until_ready(f(A, x, b))",
    "torch": "import torch\n"
    "A, x, b = (torch.ones(s, dtype=torch.float64) for s in ((3, 2), 2, 3))\n"
    "torch.func.jacrev(lambda A, x, b: torch.tanh(A @ x + b), argnums=(0, 1, 2))(A, x, b)",
    "numpy": "import numpy",
}


def first_results(libraries: Sequence[str] = ("jax", "torch"), repeat: int = 3) -> dict[str, list[float]]:
    """Seconds from starting Python to its end, of ours, each library, and numpy's import alone."""
    names = ["ours", *libraries, "numpy"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def start(name: str) -> None:
        subprocess.run([sys.executable, "-c", CODE[name]], check=True, env=environment)

    for name in names:
        start(name)  # unmeasured: compiles the modules, as installing does
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeat):
        for name in names:
            began = time.perf_counter()
            start(name)
            found[name].append(time.perf_counter() - began)
    return found
