"""The allow-list: every name a text may use, by family, and nothing else.

Functions of numpy (`NUMPY_FUNCTIONS`), of `np.linalg`, of `math`, and those numpy lacks (`EXTRA`); the
`ATTRIBUTES`, `METHODS` and `KEYWORDS` that are read; what a `STRING` may hold.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POINTWISE = _words("""
    add subtract multiply divide true_divide floor_divide power float_power negative positive mod
    remainder square sqrt cbrt exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 sin cos tan
    arcsin arccos arctan arctan2 asin acos atan atan2 sinh cosh tanh arcsinh arccosh arctanh asinh acosh
    atanh abs absolute fabs sign heaviside maximum minimum fmax fmin clip where hypot sinc reciprocal
    floor ceil trunc rint round around pow copysign degrees radians deg2rad rad2deg isfinite isnan isinf
    equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not logical_xor
    nan_to_num real
    """)
ALGEBRA = _words("""
    matmul dot vdot vecdot inner outer tensordot einsum kron sum mean average trace transpose
    matrix_transpose permute_dims swapaxes moveaxis diagonal diag broadcast_to expand_dims squeeze cross
    convolve
    """)
INDEXING = _words("""
    reshape ravel concatenate concat stack vstack hstack dstack column_stack block split array_split
    hsplit vsplit pad roll flip fliplr flipud rot90 repeat tile take take_along_axis sort argsort tril
    triu delete insert append atleast_1d atleast_2d ix_ diagflat diag_indices tril_indices triu_indices
    argmax argmin meshgrid flatnonzero
    """)
REDUCTIONS = _words("""
    max min amax amin prod cumsum cumprod var std all any ptp median count_nonzero diff
    """)
ARRAYS = _words("""
    array asarray eye identity zeros ones full arange linspace vander zeros_like ones_like full_like tri
    copy indices
    """)
LINALG = _words("""
    norm inv det slogdet solve cholesky eigvalsh eigh eig eigvals svd svdvals pinv matrix_power
    matrix_rank cond multi_dot lstsq qr trace diagonal outer matmul tensordot vector_norm matrix_norm
    matrix_transpose vecdot cross
    """)
EXTRA = _words("""
    relu leaky_relu sigmoid logistic softplus silu swish gelu elu softsign softmax log_softmax logsumexp
    layer_norm expm vec erf erfc erfinv expit logit log_expit xlogy xlog1py entr rel_entr kl_div gamma
    gammaln loggamma digamma psi polygamma beta betaln ndtr log_ndtr ndtri exprel binom i0 i1 j0 j1
    """)
MATH = _words("""
    sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh
    acosh atanh fabs hypot floor ceil trunc copysign degrees radians pow prod isfinite isnan isinf
    """)
MATH_SPECIAL = {"gamma": "gamma", "lgamma": "gammaln", "erf": "erf", "erfc": "erfc"}

NUMPY_FUNCTIONS = POINTWISE | ALGEBRA | INDEXING | REDUCTIONS | ARRAYS
POINTWISE_EXTRA = EXTRA - _words("softmax log_softmax logsumexp layer_norm expm vec")
CREATION = ARRAYS - _words("array asarray copy arange indices") | _words("diag_indices")

ATTRIBUTES = _words("T mT shape ndim size real sign logabsdet eigenvalues eigenvectors U S Vh Q R")
METHODS = _words("""
    sum mean reshape ravel flatten dot trace transpose copy astype diagonal prod max min cumsum cumprod
    swapaxes squeeze var std all any clip repeat take argmax argmin argsort round item conj
    """)
KEYWORDS = _words("""
    axis axes axis1 axis2 keepdims order ord dtype n N M k m num start stop step offset shape size
    initial ddof correction mode constant_values indexing repeats reps shift source destination
    fill_value a_min a_max min max hermitian rcond rtol UPLO upper full_matrices compute_uv increasing
    endpoint decimals optimize pad_width a b x y indices_or_sections obj values arr weights posinf
    neginf nan x1 x2 default strict copy negative_slope alpha beta eps approximate newshape
    """)
STRING = re.compile(r"[A-Za-z,.\->\s]{0,200}")
