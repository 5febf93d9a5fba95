"""Steps printed as numpy source that a student can read: one line a step, no import but numpy.

`source_lines(steps, names, result)` names the operands; intermediates are called t1, t2, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jacobians.contraction.steps import Shape, Step, View


def source_lines(
    steps: Sequence[Step],
    names: Sequence[str],
    result: str = "result",
    taken: Iterable[str] = (),
    running: bool = False,
) -> list[str]:
    """Lines of numpy that compute the steps on arrays with these names into the name `result`.

    Intermediates get names that are not `taken`.  Lines that are made for `running` call the method `dot`,
    which takes half a microsecond less than `@`.

    >>> step = Step("multiply", (0, 1), (View(shape=(3, 1), inserted=(1,)), View()), (3, 4))
    >>> source_lines([step], ["x", "A"], "y")
    ['y = x[:, None] * A']
    """
    texts = list(names)
    if not steps:
        return [f"{result} = {texts[0]}"]
    known, number, lines = {*names, result, *taken}, 0, []
    for k, step in enumerate(steps):
        name = result
        while k < len(steps) - 1 and name in known:
            number += 1
            name = f"t{number}"
        known.add(name)
        lines.append(f"{name} = {_step(step, [texts[i] for i in step.inputs], running)}")
        texts.append(name)
    return lines


def _step(step: Step, names: list[str], running: bool) -> str:
    looks = [_look(name, view) for name, view in zip(names, step.views, strict=True)]
    if step.kind == "ones":
        return f"np.broadcast_to({looks[0]}, {step.result_shape})"
    text = _expression(step, looks, running)
    if step.result_shape is not None:
        text = f"({text}).reshape({_inner(step.result_shape)})"
    if step.result_axes is None:
        return text
    return _transpose(text if text[-1] == ")" and step.result_shape else f"({text})", step.result_axes)


def _expression(step: Step, looks: list[str], running: bool) -> str:
    match step.kind:
        case "dot" if running:
            return f"{looks[0]}.dot({looks[1]})"
        case "view":
            return looks[0]
        case "sum":
            axes = step.axes[0] if len(step.axes) == 1 else step.axes
            return f"{looks[0]}.sum(axis={axes})"
        case "multiply":
            return " * ".join(looks)
        case "dot" | "matmul":
            return " @ ".join(looks)
        case "gram":
            a = looks[0]
            return f"{a}.T @ " + (a if len(looks) == 1 else f"({looks[1]}[:, None] * {a})")
        case "symmetric" if running:
            return f"symmetric({', '.join(looks)})"
        case "symmetric":
            return f"{looks[0]} @ ({looks[0]}[:, :, None] * {looks[1]})"
        case "einsum":
            return f'np.einsum("{step.equation}", {", ".join(looks)})'
        case "scale":
            return f"{step.number} * {looks[0]}"
        case _:
            return f"np.array({float(step.number)})"


def _look(name: str, view: View) -> str:
    for a, b in view.diagonals:
        name += ".diagonal()" if (a, b) == (0, 1) else f".diagonal(0, {a}, {b})"
    if view.axes is not None:
        name = _transpose(name, view.axes)
    if view.shape is not None:
        name += _reshape(view)
    return f"np.ascontiguousarray({name})" if view.contiguous else name


def _transpose(name: str, axes: Shape) -> str:
    return f"{name}.T" if axes == tuple(reversed(range(len(axes)))) else f"{name}.transpose({_inner(axes)})"


def _reshape(view: View) -> str:
    """Axes of size 1 as None, for those that only insert; else a reshape."""
    if not view.inserted or view.shape is None:
        return f".reshape({_inner(view.shape or ())})"
    places = ["None" if k in view.inserted else ":" for k in range(view.inserted[-1] + 1)]
    return f"[{', '.join(places)}]"


def _inner(numbers: Shape) -> str:
    return ", ".join(map(str, numbers)) if numbers else "()"
