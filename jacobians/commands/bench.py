"""`jacobians bench "statements" NAME:SHAPE... SIZE=INT --wrt A`: flops, memory and seconds of every order.

Also `--problem NAME` for a shipped problem, `--graph file.json` for bare graphs (a search with `--seconds`),
and `--sweep M=10,100,1000` for growth.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from ..bench.comparing import LIMIT, Comparison, compare
from ..bench.problems import PROBLEMS, problem
from ..containers import flatten
from ..cost_table import PLAIN, show_size, text_table
from ..errors import BudgetError, JacobiansError, ReadingError
from ..orders import load_order, save_order
from ..prepared import MODES
from ..reading.shapes import Declarations, declarations
from ..shapetables import function_of
from ..tracing import name as name_value
from .bench_graphs import bench_graphs
from .bench_options import read_bytes, settled
from .output import add_output_arguments, print_json, use_ascii


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "statements", nargs="?", help='numpy assignments, such as "z = A @ x + b; f = tanh(z)"'
    )
    parser.add_argument("declared", nargs="*", metavar="NAME:SHAPE or SIZE=INT", help="A:M,N  x:N  s:  M=3")
    parser.add_argument("--syntax", choices=("numpy", "matrixcalculus"), help="of the statements (numpy)")
    parser.add_argument("--wrt", action="append", help="by this argument (may be given several times)")
    what = parser.add_argument_group("what to compare")
    what.add_argument("--problem", help=f"a shipped problem: {', '.join(PROBLEMS)}")
    what.add_argument("--graph", metavar="FILE", help="bare graphs in JSON: orders and a search on each")
    what.add_argument(
        "--peers", nargs="*", metavar="SUITE", help="JAX and PyTorch beside ours, by suite (all by default)"
    )
    what.add_argument("--sweep", metavar="M=10,100", help="one size after another: growth")
    what.add_argument("--order", action="append", help="only this order (may be given several times)")
    what.add_argument("--order-in", metavar="FILE", help="an order of your own: a JSON list of vertices")
    what.add_argument("--order-out", metavar="FILE", help="writes the cheapest order as JSON")
    what.add_argument("--against", metavar="jax,torch", help="peers on the same work in the same run")
    how = parser.add_argument_group("how to run")
    how.add_argument("--limit", help="rows that need more memory are costed, not run (1GB)")
    how.add_argument("--repeat", type=int, help="measurements of each, interleaved (5)")
    how.add_argument("--backend", help="numpy (as without it), torch or jax")
    how.add_argument("--batch", type=int, help="so many samples at once")
    how.add_argument("--seconds", type=float, help="for the search (0.3; on bare graphs 10)")
    how.add_argument("--seed", type=int, help="of inputs, search and random order (0)")
    how.add_argument("--rule", help="bare graphs: plain (as without it), unit-free or dense")
    files = parser.add_argument_group("files")
    files.add_argument("--csv", action="store_true", help="print the rows as CSV")
    files.add_argument("--plot", metavar="FILE", help="flop against memory and time (needs matplotlib)")
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints the comparison."""
    settled(args)
    if args.peers is not None:
        return _peers(args)
    if args.graph is not None:
        return bench_graphs(args, progress(args))
    if args.sweep is not None:
        return _sweep(args)
    found = _comparison(args, *_work(args))
    if args.plot:
        found.plot(args.plot)
        print(f"picture in {args.plot}", file=sys.stderr)
    if args.order_out:
        save_order(args.order_out, _cheapest(found))
    if args.json:
        print_json(found.to_dict())
    elif args.csv:
        print(found.csv(), end="")
    else:
        print(found.text(use_ascii(args)))
    return 0


def _peers(args: argparse.Namespace) -> int:
    """The suites beside JAX and PyTorch (`--against` names which); `--plot` draws curves of growth."""
    from ..bench.suites import libraries, peers_main

    chosen = [name for name in args.against.split(",") if name] or libraries.LIBRARIES
    named = [*args.peers, *([args.statements] if args.statements else []), *args.declared]
    peers_main(named, args.json, peers=chosen, repeat=args.repeat, plot=args.plot)
    return 0


def _work(args: argparse.Namespace, **sizes: int) -> tuple[Callable[..., Any], dict[str, Any], Any]:
    """The function, its arguments by name, and what it is differentiated by."""
    wrt = tuple(args.wrt) if args.wrt and len(args.wrt) > 1 else args.wrt[0] if args.wrt else None
    if args.problem is not None:
        if args.statements is not None:
            raise JacobiansError(
                "--problem has its own function", f"statements: {args.statements}", "one of the two"
            )
        one = problem(args.problem)
        return one.derivative, one.inputs(args.seed), wrt or one.wrt
    if args.statements is None:
        raise JacobiansError(
            "nothing to compare", "no statements", '--problem NAME, or "z = A @ x" A:M,N x:N M=3 N=4'
        )
    declared = declarations(args.declared)
    if not declared.shapes:
        raise JacobiansError("no input has a shape", f"statements: {args.statements}", "A:M,N x:N M=3 N=4")
    declared = declared.with_sizes(sizes)
    values = random_inputs(declared, args.seed, read_bytes(args.limit), args.batch or 1)
    f = function_of(args.statements, declared, args.syntax)
    return getattr(f, "with_name_value")(name_value), values, wrt  # noqa: B009  the read function's own method


def random_inputs(
    declared: Declarations, seed: int, limit: int = LIMIT, samples: int = 1
) -> dict[str, np.ndarray]:
    """A normal array for every declared name; raises ReadingError where a size is missing.

    Where they (so many samples of them) take more than `limit` bytes they are one entry, repeated: enough to
    count with, and no memory.
    """
    rng = np.random.default_rng(seed)
    shapes = {
        label: tuple(map(int, declared.shape_of(label, require_numbers=True, purpose="bench")))
        for label in declared.names
    }
    if samples * size_in_bytes(shapes.values()) > limit:
        return {label: np.broadcast_to(0.5, shape) for label, shape in shapes.items()}
    return {label: rng.normal(size=shape) for label, shape in shapes.items()}


def size_in_bytes(shapes: Iterable[tuple[int, ...]]) -> int:
    """What float64 arrays of these shapes take together."""
    return sum(8 * prod(shape) for shape in shapes)


def _comparison(
    args: argparse.Namespace, f: Callable[..., Any], values: dict[str, Any], wrt: Any
) -> Comparison:
    orders: list[Any] | None = list(args.order) if args.order else None
    if args.order_in is not None:
        orders = [*(orders or ["reverse", "forward", "auto"]), [str(v) for v in load_order(args.order_in)]]
    say = progress(args)
    limit, samples = read_bytes(args.limit), args.batch or 1
    shapes = [
        leaf.shape for value in values.values() for _, leaf in flatten(value)[0] if hasattr(leaf, "shape")
    ]
    taken = samples * size_in_bytes(shapes)
    if args.batch and taken > limit:
        raise BudgetError(
            f"the inputs of a batch of {args.batch} take {show_size(taken)}",
            f"over --limit {show_size(limit)}",
            "smaller sizes, or without --batch: that counts and makes no inputs",
        )
    try:
        return compare(
            f,
            wrt,
            orders=orders,
            modes=MODES,
            repeat=args.repeat,
            limit=limit,
            seconds=0.3 if args.seconds is None else args.seconds,
            seed=args.seed,
            backend=args.backend,
            batch=args.batch,
            run=taken <= limit,
            against=tuple(word for word in args.against.split(",") if word),
            say=say,
        )(**values)
    finally:
        say("")


def progress(args: argparse.Namespace) -> Callable[[str], None]:
    """A line on the terminal that says what is going on; nothing where the errors go to a file."""
    if not sys.stderr.isatty() or args.json or args.csv:
        return lambda text: None
    return lambda text: print(f"\r\x1b[K{text[:78]}", end="", file=sys.stderr, flush=True)


def _cheapest(found: Comparison) -> tuple[str, ...]:
    rows = [one.row for one in found.rows if one.row.mode == "lazy" and one.row.order is not None]
    return min(rows, key=lambda row: row.flop).order or ()


def _sweep(args: argparse.Namespace) -> int:
    """One comparison for each size, as a table of growth."""
    symbol, sizes = read_sweep(args.sweep)
    declared = declarations(args.declared)
    given = declared.sizes
    if args.statements is not None and declared.shapes:
        _check_swept(args, declared, symbol)
    if symbol in given:
        raise ReadingError(
            f"{symbol} has a size and is swept",
            f"{symbol}={given[symbol]} and --sweep {args.sweep}",
            f"leave {symbol}={given[symbol]} out, or sweep it too: "
            f"--sweep {symbol}={given[symbol]},{','.join(map(str, sizes))}",
        )
    args.order = args.order or ["auto"]
    found = [_comparison(args, *_work(args, **{symbol: n})) for n in sizes]
    series = {
        f"{one.row.name.split(':')[0]}, {one.row.mode}": [each.rows[k].seconds for each in found]
        for k, one in enumerate(found[0].rows)
    }
    if args.plot:
        from ..bench.pictures import growth_figure

        growth_figure(symbol, sizes, series, args.plot)
        print(f"picture in {args.plot}", file=sys.stderr)
    if args.json:
        print_json({"symbol": symbol, "sizes": sizes, "comparisons": [one.to_dict() for one in found]})
        return 0
    if args.csv:
        print(growth_csv(symbol, sizes, found), end="")
        return 0
    text = growth_table(symbol, sizes, found)
    print(text.translate(PLAIN) if use_ascii(args) else text)
    return 0


def _check_swept(args: argparse.Namespace, declared: Declarations, symbol: str) -> None:
    """Raises a ReadingError where no shape and no statement has the symbol."""
    if symbol in declared.symbols or symbol in re.findall(r"\w+", args.statements):
        return
    known = declared.symbols
    free = [name for name in known if name not in declared.sizes]
    sizes = args.sweep.partition("=")[2]
    instead = "a letter in a shape: A:N,4 and --sweep N=10,100"
    if known:
        one = [*free, *known][0]
        instead = f"--sweep {one}={sizes}" + (f", without {one}={declared.sizes[one]}" if not free else "")
    raise ReadingError(
        f"--sweep {args.sweep}: no shape and no statement has the size {symbol}",
        f"sizes: {', '.join(known) or 'none, all are numbers'}",
        instead,
    )


def growth_csv(symbol: str, sizes: list[int], found: list[Comparison]) -> str:
    """The rows of all comparisons as CSV, the size in the first column."""
    lines: list[str] = []
    for n, one in zip(sizes, found, strict=True):
        head, *rows = one.csv().splitlines()
        lines += [*([] if lines else [f"{symbol},{head}"]), *(f"{n},{row}" for row in rows)]
    return "\n".join(lines) + "\n"


def growth_table(symbol: str, sizes: list[int], found: list[Comparison]) -> str:
    """Flop, peak bytes and time of every row for every size."""
    from ..cost_table import show_flop, show_size

    head = [symbol, "elimination order", "local", "flop", "peak", "time"]
    cells = [
        [
            str(n),
            one.row.name,
            one.row.mode,
            show_flop(one.row.flop),
            show_size(one.row.peak_bytes),
            one.shown,
        ]
        for n, each in zip(sizes, found, strict=True)
        for one in each.rows
    ]
    return found[-1].title + "\n\n" + text_table(head, cells, 6, left=3)


def read_sweep(text: str) -> tuple[str, list[int]]:
    """The symbol and its sizes of `M=10,100,1000`.

    >>> read_sweep("M=10,100")
    ('M', [10, 100])
    """
    symbol, sign, sizes = text.partition("=")
    try:
        found = [int(float(n)) for n in sizes.split(",")]
    except (ValueError, OverflowError):
        found = []
    if not sign or not symbol.strip().isidentifier() or not found or min(found) < 1:
        raise ReadingError(f"--sweep {text!r} names no sizes", "SIZE=INT,INT,...", "--sweep M=10,100,1000")
    return symbol.strip(), found


__all__ = ["add_arguments", "main", "read_bytes", "read_sweep"]
