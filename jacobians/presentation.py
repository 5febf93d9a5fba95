"""What a Jacobian shows of itself: layouts, notation, chain, costs, sparse matrices, pictures.

`Presented` is the abstract half of `Jacobian` that never touches how its numbers are held; every method is a
thin call into the notation and its neighbours, loaded when first used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .axes import Shape
from .errors import UnsupportedError, missing_extra
from .terms import TermSum

if TYPE_CHECKING:
    from .checking import Verdict
    from .cost_table import CostTable
    from .counting import Tally
    from .derivative import Jacobian
    from .notation.records import ChainView
    from .shapetables import ShapeTable


class NoTranspose(UnsupportedError, AttributeError):
    """Asked for the transpose of a tensor."""


def kind_of(order: int) -> str:
    """What a derivative of this order is called.

    >>> kind_of(2)
    'Hessian'
    """
    return {1: "Jacobian", 2: "Hessian", 3: "Third derivative"}.get(order, "Derivative")


class Presented(ABC):
    """The notation of a Jacobian: its Terms, names and context are all that is needed."""

    __slots__ = ("context", "dtype", "input_name", "target_name", "terms")

    terms: TermSum
    target_name: str | None
    input_name: str | None
    context: Any

    @property
    @abstractmethod
    def target_shape(self) -> Shape:
        """The shape of what is differentiated."""

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """The shape of what it is differentiated by."""

    @abstractmethod
    def materialize(self) -> np.ndarray:
        """The dense tensor."""

    @property
    def title(self) -> str:
        """`∂z/∂A`."""
        from .shapetables import link_of

        return link_of(self._whole).title

    def _kind(self) -> tuple[str, str, str]:
        """What it is, of what and by what, as a repr says it: `Hessian`, ` of f`, ` by x`."""
        from .verbs import derived

        name, earlier = derived(self._whole)
        name = name if earlier else self.target_name or ""
        kind = kind_of(len(earlier) + 1)
        inputs = [*reversed(earlier), *filter(None, [self.input_name])]
        by = inputs[:1] if len(set(inputs)) == 1 else inputs
        return kind, f" of {name}" * bool(name), f" by {', '.join(by)}" * bool(by)

    @property
    def _whole(self) -> Jacobian:
        """The Jacobian that this is the half of: its only concrete class."""
        return cast("Jacobian", self)

    # ---- layouts

    def layout(self, name: str) -> np.ndarray:
        """The dense array in a layout: tensor, numerator, denominator, gradient, vec or vec-row.

        Raises LayoutError, saying why, where the layout has no place for the object; UnknownNameError for
        what is no layout; UnsupportedError where there are no numbers; BudgetError as `materialize` does.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> J.layout("tensor").shape, J.layout("vec").shape
        ((2, 2, 3), (2, 6))
        """
        from .layouts import layout_shape, to_layout

        layout_shape(
            name, self.target_shape, self.input_shape, self.target_name or "f", self.input_name or "x"
        )
        return to_layout(self.materialize(), name, self.target_shape, self.input_shape)

    def layouts(self) -> ShapeTable:
        """The shape in every layout, side by side, with who uses which; no numbers are needed.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> print(str(J.layouts()).splitlines()[1])
          ∂f/∂A  2 × (2 × 3)  none, rank 3  none, rank 3  2 × 6  xᵀ⊗I_2  2 × 6  I_2⊗xᵀ
        """
        from .shapetables import table_of

        return table_of(self._whole, "all")

    def shapes(self) -> ShapeTable:
        """One row: shape `target × input`, number of entries, index form, number of nonzeros.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> print(str(J.shapes()).splitlines()[1])
          ∂f/∂A            2 × (2 × 3)      12        δ_im x_n      6
        """
        from .shapetables import table_of

        return table_of(self._whole, "tensor")

    @property
    def T(self) -> Any:
        """An error that names the layouts: transposing a tensor says nothing until a layout says it."""
        raise NoTranspose(
            "a Jacobian has no .T",
            f"{self.title} has {len(self.target_shape)} target axes and {len(self.input_shape)} input axes",
            'J.layout("denominator"), or J.vjp(u) for products with the transpose',
        )

    # ---- notation

    def view(self) -> ChainView:
        """What the notation prints: the Terms, with the names of the function's own variables where known.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> [(link.target_name, link.input_name, link.input_shape) for link in J.view().links]
        [('f', 'A', (2, 3))]
        """
        from .derivations import view_of

        return view_of(self._whole)

    def index_form(self) -> str:
        """The entry at its letters, target's first, then the input's: `δ_im (1 − f_i²) x_n`.

        >>> import numpy as np, jacobians as jac
        >>> jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3)).index_form()
        'δ_im x_n'
        """
        from .notation.index import index_form
        from .notation.records import names, places

        view = self.view()
        known = names(view)
        return index_form(view.whole.terms, places(view, known)[1], known)

    def claim_form(self) -> str:
        """The entry as a claim, `target letters | input letters: entry`, which `jac.check` reads.

        A factor that is no argument has a letter (`u`) and not its formula, which `index_form` writes out.

        >>> import numpy as np, jacobians as jac
        >>> jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3)).claim_form()
        'i|m n: delta[i,m] * x[n]'
        """
        from .notation.index import claim_form

        return claim_form(self.terms).text

    def einsum(self) -> str:
        """The product of the factors as `np.einsum` calls, one line a Term: the values of `J[target, input]`.

        >>> import numpy as np, jacobians as jac
        >>> jac.jacobian(lambda A, x: np.exp(A @ x), wrt="A")(np.ones((2, 3)), np.ones(3)).einsum()
        'np.einsum("i,n->in", f, x)   # at J[i, i, n]'
        """
        from .notation.index import einsum_text
        from .notation.records import names, places

        view = self.view()
        known = names(view)
        letters = places(view, known)[1]
        return einsum_text(view.whole.terms, letters, known)

    def matrix_form(self, layout: str | None = None) -> str | None:
        """The matrix form where one exists, `xᵀ ⊗ I_3` in the vec layouts; None where there is none.

        Raises UnknownNameError for what is no layout.

        >>> import numpy as np, jacobians as jac
        >>> jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3)).matrix_form("vec")
        'xᵀ ⊗ I_2'
        """
        from .notation.matrix import matrix_form
        from .notation.records import names

        view = self.view()
        found = matrix_form(view.whole.terms, layout, names(view))
        return None if found is None else found.text

    def latex(self) -> str:
        """LaTeX: the derivative, its shape `target x input` under a brace, the index form, the matrix form.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> print(J.latex().splitlines()[1])
        \\underbrace{\\frac{\\partial f}{\\partial A}}_{2 \\times (2 \\times 3)} \\\\
        """
        from .notation.latex import view_latex

        return view_latex(self.view())

    def chain(self) -> Any:
        """The product of links between named values with shapes under braces (prints itself).

        `∂f[i]/∂A[m n] = sum_j ∂f[i]/∂z[j] ∂z[j]/∂A[m n]`: names are those of `jac.name` and of the function's
        own local variables.

        >>> import numpy as np, jacobians as jac
        >>> f = lambda A, x: np.tanh(jac.name(A @ x, "z"))
        >>> chain = jac.jacobian(f, wrt="A")(np.ones((2, 3)), np.ones(3)).chain()
        >>> print(str(chain).splitlines()[-2].strip())
        2×(2×3)    2×2    2×(2×3)
        """
        from .derivations import chain_of

        return chain_of(self._whole)

    def _repr_html_(self) -> str:
        from .report.fragments import jacobian_html

        return jacobian_html(self._whole)

    # ---- costs and neighbours

    def cost(self) -> Tally:
        """What the factors cost on top of evaluating the function: counted, nothing is run.

        `flop` are scalar multiplications and additions, `largest` is in entries, `peak_bytes` in bytes.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: np.tanh(A @ x), wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> J.cost().flop, J.cost().largest
        (4, 2)
        """
        from .counting import accumulation_cost

        target = getattr(self.context, "target", None)
        return accumulation_cost([[self.terms]], [] if target is None else [target])

    def orders(self, orders: Sequence[str | Sequence[str]] | None = None, **options: Any) -> CostTable:
        """What this Jacobian costs in every elimination order, counted: the table of `jac.costs`.

        `orders` and `options` are those of `jac.costs`.  Raises what that raises, UnsupportedError where the
        function behind is not known.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: np.sum(np.tanh(A @ x)), wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> [(row.name, row.multiplications) for row in J.orders(["reverse", "forward"], modes=["lazy"]).rows]
        [('reverse', 8), ('forward', 8)]
        """
        from .questions import orders_of

        return orders_of(self._whole, orders, **options)

    def check(self, claim: Any, **options: Any) -> Verdict:
        """Whether a claim is this derivative: `jac.check` with the function and the shapes of the call.

        `options` are those of `jac.check` (layout, assume, structure, seed, ...).  Raises what that raises,
        UnsupportedError where the function behind is not known.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> J.check("i|m n: delta[i,m] * x[n]").verdict, bool(J.check("n i m: delta[i,m] * x[n]"))
        ('true', False)
        """
        from .questions import check_of

        return check_of(self._whole, claim, **options)

    def to_scipy(self, vec: str = "rows") -> Any:
        """The sparse CSR matrix, target entries x input entries, flattened by "rows" or by "columns".

        Its dense equals are `J.layout("vec-row")` and `J.layout("vec")`.  Raises MissingExtraError without
        the extra `scipy`, UnsupportedError for another `vec` or where there are no numbers.
        """
        from .sparse import to_scipy

        return to_scipy(self._whole, vec)

    def as_linear_operator(self, vec: str = "rows") -> Any:
        """A scipy LinearOperator, target entries x input entries: `matvec` is a JVP, `rmatvec` a VJP.

        Vectors are flattened by "rows" or by "columns".  Raises MissingExtraError without the extra `scipy`,
        UnsupportedError for another `vec`; its products raise that where there are no numbers.
        """
        from .sparse import as_linear_operator

        return as_linear_operator(self._whole, vec)

    def plot(self, ax: Any = None) -> Any:
        """A structure picture, target entries down and input entries across (extra `plot`); returns the axes.

        Raises MissingExtraError without matplotlib, UnsupportedError where sizes are symbolic.

        >>> import numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> J.plot().figure.savefig("structure.png")  # doctest: +SKIP
        """
        try:
            from .plots import structure
        except ImportError:
            raise missing_extra("matplotlib", "plot", "plots") from None
        return structure(self._whole, ax=ax)

    def report(self, path: str) -> str:
        """Writes one self-contained page about this Jacobian and returns its path.

        Raises JacobiansError where the folder cannot be written to.

        >>> import os, tempfile, numpy as np, jacobians as jac
        >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.ones(3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     os.path.basename(J.report(os.path.join(folder, "page.html")))
        'page.html'
        """
        from .report.page import report_of

        return report_of(self._whole, path)


def check_vec(vec: str) -> str:
    """numpy's name for an order of flattening: "C" for rows, "F" for columns."""
    orders = {"rows": "C", "columns": "F"}
    if vec not in orders:
        raise UnsupportedError(
            f"vec={vec!r} is not known",
            "a flattening must say which",
            'vec="rows" (numpy ravel) or vec="columns" (Magnus & Neudecker)',
        )
    return orders[vec]
