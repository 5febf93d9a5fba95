"""torch: tensors on any device; writing through a wiring is `as_strided`, as in numpy."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from .base import Backend


def make() -> Backend:
    """The torch backend."""
    import torch

    def type_of(dtype: Any) -> Any:
        return getattr(torch, str(np.dtype(dtype)))

    def asarray(value: Any, like: Any) -> Any:
        return torch.as_tensor(np.array(value), device=getattr(like, "device", None))

    def zeros(shape: tuple[int, ...], dtype: Any, like: Any) -> Any:
        return torch.zeros(shape, dtype=type_of(dtype), device=like.device)

    def add_at(out: Any, sizes: tuple[int, ...], walk: Any, index: Any, value: Any) -> Any:
        value = torch.broadcast_to(torch.as_tensor(value, dtype=out.dtype, device=out.device), sizes)
        if walk is not None:
            offset, strides = walk
            back = [k for k, stride in enumerate(strides) if stride < 0 and sizes[k]]
            offset += sum(strides[k] * (sizes[k] - 1) for k in back)  # torch walks forwards alone
            value = torch.flip(value, back) if back else value
            torch.as_strided(out, sizes, [abs(stride) for stride in strides], offset).add_(value)
            return out
        return out.index_put_(tuple(torch.broadcast_to(i, sizes) for i in index), value, accumulate=True)

    def cast(array: Any, dtype: Any) -> Any:
        return array.to(type_of(dtype))

    def numpy(array: Any) -> Any:
        return array.detach().cpu().numpy()

    def compile(function: Any) -> Any:
        # under a code object of its own: of one, torch compiles eight programs and then gives up
        code, scope = function.__code__.replace(), function.__globals__
        own = FunctionType(code, scope, function.__name__, function.__defaults__, function.__closure__)
        return torch.compile(own)

    return Backend(
        "torch", torch, lambda x: isinstance(x, torch.Tensor), asarray, zeros, add_at, compile,
        cast, torch.clone, numpy,
    )  # fmt: skip
