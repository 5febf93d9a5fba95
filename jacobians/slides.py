"""The lecture's own style of program: dense local Jacobians, contracted with einsum strings.

`slides(graph)` prints a function like the slide's `NN(x, A, b)`, corrected: every link between named values
is a full array (`np.diag` of a vector where the slide has the vector), and every gradient is `np.einsum` over
the chain.
"""

from __future__ import annotations

from .codegen import Program, program
from .derivative import show_shape
from .errors import UnsupportedError
from .expression import Graph
from .standalone import dense_lines, header, written_lines
from .terms import TermSum

LETTERS = "ijklmnpqrstuvwxyzabcdegh"


def slides(graph: Graph, target: str | None = None, wrt: list[str] | None = None) -> str:
    """A numpy function that returns the target and its gradients by every argument, dense, step by step."""
    for label, node in graph.named.items():
        node.name = node.name or label
    if target is None and len(graph.trace.targets) > 1:
        raise UnsupportedError(
            "slides print one target",
            f"the function returns {len(graph.trace.targets)} values",
            'style="structured", or a function of one value',
        )
    target = target or graph.target
    given = wrt or [n for n in graph.nodes if n in {w.name for w in graph.trace.wrt}]
    chains = [graph.chain(target, label) for label in given]
    links = {(k.target_name, k.input_name): k for chain in chains for path in chain.paths for k in path}
    factors = [n for link in links.values() for t in link.terms.terms for n in t.nodes]
    values = [graph.named[label] for label in graph.nodes]
    made = program([*values, *factors], graph.trace.variables, write=written_lines)
    body = [*made.lines, "", "# partial derivatives, target axes x input axes"]
    named: dict[tuple[str | None, str | None], str] = {}
    for key, link in links.items():
        named[key] = made.fresh(f"d{key[0]}d{key[1]}")
        body += _partial(made, named[key], link.terms)
    body += ["", "# gradients: the chain rule, one einsum for each path"]
    results = []
    for label, chain in zip(given, chains, strict=True):
        result = (
            named[target, label]
            if len(chain.paths) == 1 and len(chain.paths[0]) == 1
            else made.fresh(f"d{target}d{label}_total" if (target, label) in named else f"d{target}d{label}")
        )
        parts = [
            _product([(named[k.target_name, k.input_name], k.terms) for k in path]) for path in chain.paths
        ]
        if not parts:
            shape = (*graph.named[target].shape, *graph.named[label].shape)
            body.append(f"{result} = np.zeros({shape})  # {target} does not depend on {label}")
        elif parts != [result]:
            body.append(f"{result} = {' + '.join(parts)}")
        results.append(result)
    arguments = ", ".join(made.names[node.serial] for node in graph.trace.variables)
    name = target if target.isidentifier() and target not in made.taken else "NN"
    lines = [*body, "", f"return {', '.join([made.names[graph.named[target].serial], *results])}"]
    return (
        "\n".join([*header(made), f"def {name}({arguments}):", *(("    " + line).rstrip() for line in lines)])
        + "\n"
    )


def _partial(made: Program, name: str, terms: TermSum) -> list[str]:
    """One dense local Jacobian: `np.diag`, `np.eye`, plain arrays where they say it, else zeros, written."""
    note = f"  # {show_shape(terms.target_shape, terms.input_shape)}"
    if len(terms.terms) == 1:
        (t,) = terms.terms
        if t.target == t.input == (0,) and t.coefficient == 1 and len(t.factors) <= 1:
            inner = f"np.diag({made.names[t.factors[0][0].serial]})" if t.factors else f"np.eye({t.sizes[0]})"
            return [f"{name} = {inner}{note}"]
        plain = (*t.target, *t.input)
        if len(t.factors) == 1 and t.coefficient == 1 and t.factors[0][1] == plain == t.wiring:
            return [f"{name} = {made.names[t.factors[0][0].serial]}{note}"]
    lines = dense_lines(made, name, terms)
    return [lines[0] + note, *lines[1:]]


def _product(links: list[tuple[str, TermSum]]) -> str:
    """The einsum of one path: letters run from the target axes through every middle axis to the input's."""
    if len(links) == 1:
        return links[0][0]
    letters = iter(LETTERS)
    left = "".join(next(letters) for _ in links[0][1].target_shape)
    first, groups = left, []
    for _, terms in links:
        right = "".join(next(letters) for _ in terms.input_shape)
        groups.append(left + right)
        left = right
    return f"np.einsum('{','.join(groups)}->{first + left}', {', '.join(name for name, _ in links)})"
