"""Ten lines on each idea: what `jacobians explain TERM` prints."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "delta": """\
The Kronecker delta δ_ij is 1 where i = j and 0 elsewhere: the entries of the identity matrix.

It appears whenever an entry of the target depends on the entry with the same index of the input. For z = A x,
z_i uses row i of A alone, so ∂z_i/∂A_mn = δ_im x_n: x_n if m is i, else 0.

Multiplying by δ and summing only renames an index: Σ_i u_i δ_im = u_m. So a delta never has to be multiplied.
Here it is kept as a *shared index*: a label that stands in two places of the wiring, as i does in
(i | i n) x[n]. The dense tensor has M·M·N entries, of which the M·N on the diagonal i = m can be nonzero.""",
    "jacobian": """\
The Jacobian of a target with respect to an input holds every partial derivative of every target entry by
every input entry. Its axes are the target's axes, then the input's axes:

  z in R^M, A in R^(M x N)   ∂z/∂A in R^(M x (M x N))   ∂z/∂A[i, m, n] = ∂z_i/∂A_mn

A scalar target has no axes, so ∂L/∂A has the shape of A. Nothing is flattened, nothing transposed: those are
layouts, applied at the end if a book wants them.
The local Jacobian is that of one operation by one of its arguments; the chain rule composes local ones.""",
    "layout": """\
A layout says where a book puts the axes of a Jacobian. The numbers are the same, the places differ.

  tensor       target axes, then input axes: any rank; this package, PyTorch, JAX, the lecture
  numerator    vector by vector m x n, scalar by vector 1 x n, scalar by matrix n x m \
(the "Jacobian" formulation)
  denominator  the transpose of numerator (the "Hessian" formulation)
  gradient     scalar targets only: the shape of the input
  vec          d vec F / d vec(X)^T with columns stacked: Magnus & Neudecker
  vec-row      the same with rows stacked: numpy's ravel

The chain rule runs left to right in tensor, numerator and vec layouts, right to left in denominator layout.
Two books can both be right and differ by a transpose: ask for `--layout all` before calling one wrong.""",
    "vec": """\
vec(X) stacks the columns of X into one long vector: vec(X)[i + m j] = X[i, j]. numpy's X.ravel() stacks the
rows instead (order="C"); X.ravel(order="F") is vec.

With vec, the derivative of a matrix by a matrix becomes a matrix, d vec F / d vec(X)^T, and products become
Kronecker products: vec(A X B) = (B^T ⊗ A) vec(X). For z = A x, the Jacobian by A is x^T ⊗ I with columns
stacked and I ⊗ x^T with rows stacked. Both are the same tensor δ_im x_n with its last two axes merged in one
or the other order. Say which vec you use: mixing them up is the commonest error with Kronecker products.""",
    "einsum": """\
np.einsum("il,ljk->ijk", P, Q) multiplies arrays whose axes are named by letters: a letter in both operands is
paired, and a letter that the output lacks is summed. It is the chain rule's index form, executable:

  ∂f/∂A[i,j,k] = Σ_l ∂f/∂z[i,l] ∂z/∂A[l,j,k]    np.einsum("il,ljk->ijk", df_dz, dz_dA)

Two cautions. Without "->" the output letters are sorted alphabetically. And an axis of size 1 is broadcast in
silence: np.einsum("il,lj", v, A) with v of shape (M, 1) gives sums over l, not an error. That is the bug in a
well-known slide. Here sizes must be equal; 1 against n is an error.""",
    "chain": """\
The chain rule: the Jacobian of a composition is the composition of the Jacobians,

  ∂L/∂A = ∂L/∂f · ∂f/∂z · ∂z/∂A        1 x M,  M x M,  M x (M x N)

The input axes of each factor meet the target axes of the next, and are summed. Where a value is used twice,
the paths from the target to the input add up. The product is associative: which neighbours are multiplied
first changes the cost, never the result. See: elimination order.""",
    "elimination-order": """\
The derivative graph has one vertex for each value and one local Jacobian on each edge. Eliminating a vertex
composes every edge into it with every edge out of it, and adds the result. When only inputs and targets are
left, the edges between them are the Jacobians, whatever the order was.

  reverse     from the target back: backpropagation; cheap for few targets
  forward     from the input on; cheap for few inputs
  markowitz   always the vertex with the fewest products next
  search      a search for a cheaper order, with a lower bound that says how good it is

On a chain an elimination order is a bracketing of the product. It is not a contraction path.""",
    "contraction-path": """\
A product of several arrays, such as einsum("ij,jk,k->i", A, B, x), is computed two at a time. The contraction
path says which two come next: (A B) x costs a matrix product, A (B x) two matrix-vector products.

The path lives inside one product; the elimination order lives on the graph of local Jacobians. A path may
also multiply two arrays that share no index (an outer product), which no elimination does. `jacobians bench`
shows the cost of each, with the two in columns of their own.""",
    "flop": """\
A flop is one multiplication or one addition of two numbers; costs here say "flop" for both together, as
opt_einsum does, and name multiplications and additions where they are counted apart.

A product of an M x K and a K x N matrix takes M K N multiplications and M (K - 1) N additions. Costs are
counted from shapes and deltas before anything runs: a delta costs nothing, since it is never multiplied.
Seconds depend on the machine and on memory, so they are measured, and shown beside the count.""",
    "jvp": """\
A JVP (Jacobian-vector product, pushforward) contracts the input axes of a Jacobian with a seed v of the
input's shape: (J v)[target] = Σ_input J[target, input] v[input], the change of the target in direction v.
`J.jvp(v)`.

A VJP (vector-Jacobian product, pullback) contracts the target axes with a seed u of the target's shape:
(u J)[input] = Σ_target u[target] J[target, input]. `J.vjp(u)`. For a scalar target, u = 1 gives the gradient:
that is backpropagation. Neither ever writes the dense tensor, and <u, J v> = <u J, v>.""",
    "wiring": """\
A Term is `coefficient * factors` with a wiring (target labels | input labels):

  z = A x          ∂z/∂A   (i | i k)  x[k]        ∂z/∂x   (i | j)  A[i,j]
  f = tanh z       ∂f/∂z   (i | i)    1 - f[i]²
  Y = X^-1         ∂Y/∂X   (i j | k l)  -Y[i,k] Y[l,j]

A label that the wiring repeats is a Kronecker delta. A wiring label that no factor carries is a vector of
ones. A label that only factors carry is summed. Composing two Terms says that the middle labels are equal,
pair by pair, and puts the factors side by side: that is all of the chain rule.""",
    "kink": """\
A kink is a point where the derivative from the left and from the right differ, so that a number there is a
convention: |x| at 0 (here 0), relu at 0 (0), max where two entries tie (split evenly), norm at 0 (0).

The convention of each operation is in `jacobians ops`. At a kink a textbook formula may disagree with another
and neither be wrong; a check therefore avoids kinks, and says so when it cannot.""",
    "batch": """\
A batch is an axis that a function treats row by row. Then row b of the result depends on row b of the input
alone: ∂y/∂x[b, i, c, j] has a delta δ_bc, and of B·B blocks only B can be nonzero.

Here nothing is assumed: if the rows do not interact, b is a shared label of the wiring, and `J.core()` is the
per-sample Jacobians, B x out x in. If they do interact (batch norm, a softmax over the batch) the label is
not shared, so nothing can be silently wrong.""",
    "hessian": """\
The Hessian is the Jacobian of the Jacobian: target axes, input axes, input axes. For a scalar L of x it is n
x n and symmetric: H[i, j] = ∂²L/∂x_i ∂x_j. For a matrix input it has four axes; `hessian-vec` flattens them.

Because a Jacobian's factors are expressions and not arrays, differentiating one needs no second mechanism:
`jac.hessian(f)` is `jac.jacobian(jac.jacobian(f))`, and deltas stay shared indices there too. `H.jvp(v)` is a
Hessian-vector product.""",
    "materialize": """\
A Jacobian here is lazy: it holds small arrays (the factors) and how they are wired. Materializing writes the
dense tensor: zeros, viewed through the wiring (a repeated label is a diagonal view), with the core put there.

Mathematically that is the identity: it changes cost, not meaning. dz/dA for M = N = 2000 has 64 GB dense and
16 kB lazy, so `materialize` refuses beyond a limit (4 GiB) and says what to use instead: J.jvp(v), J.vjp(u),
J[i], J.core().""",
    "selection": """\
A slice, a gather, a reshape across axes or a sort only moves entries. Its Jacobian holds ones and zeros, but
not as deltas over whole axes: y = x[1:] has ∂y_i/∂x_j = 1 where j = i + 1.

Such an index map is kept as a selection, an index that stands in the wiring: (i | i+1), or a table of
integers. It composes by integer indexing and is written by slices, never as a one-hot array: x[1:] - x[:-1]
has two Terms.""",
}
ALIASES = {
    "kronecker": "delta",
    "kronecker-delta": "delta",
    "identity": "delta",
    "layouts": "layout",
    "numerator": "layout",
    "denominator": "layout",
    "gradient": "layout",
    "order": "elimination-order",
    "reverse": "elimination-order",
    "forward": "elimination-order",
    "elimination": "elimination-order",
    "markowitz": "elimination-order",
    "path": "contraction-path",
    "flops": "flop",
    "cost": "flop",
    "vjp": "jvp",
    "pushforward": "jvp",
    "pullback": "jvp",
    "seed": "jvp",
    "term": "wiring",
    "factor": "wiring",
    "chain-rule": "chain",
    "compose": "chain",
    "relu": "kink",
    "tensor": "jacobian",
    "shape": "jacobian",
    "local-jacobian": "jacobian",
    "kron": "vec",
    "lazy": "materialize",
    "dense": "materialize",
    "index-map": "selection",
    "slice": "selection",
    "per-sample": "batch",
}
