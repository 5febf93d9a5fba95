"""Products of tensors: counted, ordered, lowered to numpy calls, and run.

- `Product`: operands' labels, output labels, sizes. `reference`: the generic way to compute one.
- `find_path`, `portfolio`, `all_orders`: contraction paths with their counted `Cost`.
- `compile_product`: the product as a fast callable on numpy arrays, with `.cost` and `.source(names)`.
- `lower` and `run_steps`: the same steps as data, for any array library.

>>> import numpy as np
>>> product = Product.parse("ij,j,jk->ik", (3, 4), (4,), (4, 5))
>>> run = compile_product(product)
>>> run.source(["A", "d", "B"], "C")
['t1 = A * d', 'C = t1 @ B']
>>> run(np.ones((3, 4)), np.arange(4.0), np.ones((4, 5))).shape
(3, 5)
"""

from jacobians.contraction.compiled import CompiledProduct, compile_product
from jacobians.contraction.cost import Cost, Count, cost, count
from jacobians.contraction.lowering import lower
from jacobians.contraction.paths import OPTIMIZERS, Path, all_orders, find_path, portfolio
from jacobians.contraction.product import Product, reference
from jacobians.contraction.steps import Step, View, run_steps

__all__ = [
    "OPTIMIZERS",
    "CompiledProduct",
    "Cost",
    "Count",
    "Path",
    "Product",
    "Step",
    "View",
    "all_orders",
    "compile_product",
    "cost",
    "count",
    "find_path",
    "lower",
    "portfolio",
    "reference",
    "run_steps",
]
