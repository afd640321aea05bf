"""More of the table of `random_operations`: shapes, reductions, contractions, control flow.

Read next: `random_matrices`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.random_operations import OPERATIONS, Rejected, forms, operation

__all__ = ["OPERATIONS"]


# ------------------------------------------------------------------------------------------- shapes


@operation
def reshape(g: Any) -> None:
    x = g.real()
    n = int(np.prod(g.shape(x)))
    splits = [(n,), (1, n), (n, 1)]
    splits += [(k, n // k) for k in (2, 3) if n % k == 0]
    splits += [(2, n // 4, 2) for _ in range(n % 4 == 0 and n > 0)]
    g.emit(f"lax.reshape({x}, {splits[int(g.rng.integers(len(splits)))]})")


@operation
def transpose(g: Any) -> None:
    found = g.names("f", None, lambda n: len(g.shape(n)) > 1)
    x = g.pick(found) if found else g.emit(g.shaped((2, 3)))
    g.emit(f"lax.transpose({x}, {tuple(range(len(g.shape(x))))[::-1]})")


@operation
def broadcast_in_dim(g: Any) -> None:
    x = g.real(where=lambda n: len(g.shape(n)) <= 2)
    at = int(g.rng.integers(len(g.shape(x)) + 1))
    shape = (*g.shape(x)[:at], 2, *g.shape(x)[at:])
    axes = tuple([k for k in range(len(shape)) if k != at])
    g.emit(f"lax.broadcast_in_dim({x}, {shape}, {axes})")


@operation
def pad(g: Any) -> None:
    x = g.real(1)
    config = [
        (int(g.rng.integers(-1, 2)) if n > 2 else 1, int(g.rng.integers(2)), int(g.rng.integers(2)))
        for n in g.shape(x)
    ]
    g.emit(f"fnx.jit(lambda x: lax.pad(x, jnp.mean(x), {config}))({x})")


@operation
def slice(g: Any) -> None:
    x = g.real(1, lambda n: max(g.shape(n)) >= 2)
    starts = [int(g.rng.integers(n)) for n in g.shape(x)]
    strides = [1 + int(g.rng.integers(2)) for _ in starts]
    g.emit(f"lax.slice({x}, {starts}, {list(g.shape(x))}, {strides})")


@operation
def concatenate(g: Any) -> None:
    x = g.real(1)
    g.emit(f"lax.concatenate([{x}, {g.like(x)}], {g.axis(x)})")


@operation
def rev(g: Any) -> None:
    x = g.real(1)
    g.emit(f"lax.rev({x}, ({g.axis(x)},))")


@operation
def split(g: Any) -> None:
    even = g.names("f", None, lambda n: any(k % 2 == 0 for k in g.shape(n)))
    x = g.pick(even) if even else g.emit(g.shaped((2, 3)))
    axis = [k % 2 for k in g.shape(x)].index(0)
    half = g.shape(x)[axis] // 2
    g.emit(f"lax.split({x}, ({half}, {half}), {axis})", 2)


@operation
def squeeze(g: Any) -> None:
    x = g.real(1)
    g.emit(f"lax.squeeze(lax.slice_in_dim({x}, 0, 1, axis={(axis := g.axis(x))}), ({axis},))")


@operation
def dynamic_slice(g: Any) -> None:
    x = g.real(1)
    axis = g.axis(x)
    size = max(1, g.shape(x)[axis] - 1)
    cut = f"lambda x, i: lax.dynamic_slice_in_dim(x, jnp.sum(i), {size}, {axis})"
    g.emit(f"fnx.jit({cut})({x}, {g.whole('i')})")


@operation
def dynamic_update_slice(g: Any) -> None:
    x = g.real(1)
    axis = g.axis(x)
    part = f"lax.slice_in_dim(y, 0, 1, axis={axis})"
    put = f"lambda x, y, i: lax.dynamic_update_slice_in_dim(x, {part}, jnp.sum(i), {axis})"
    g.emit(f"fnx.jit({put})({x}, {g.like(x)}, {g.whole('i')})")


@operation
def gather(g: Any) -> None:
    x = g.real(1)
    index = g.whole("i")
    form = f"{x}[{index} % {g.shape(x)[0]}]"
    if len(g.shape(index)) + len(g.shape(x)) > 4 or g.rng.random() < 0.4:
        axis = g.axis(x)
        rows = (g.rng.integers(0, g.shape(x)[axis], 3)).tolist()
        form = f"jnp.take({x}, jnp.asarray({rows}), axis={axis})"
    g.emit(form)


@forms("scatter_set", "scatter_add", "scatter_mul", "scatter_min", "scatter_max")
def scatter(g: Any, name: str) -> None:
    name = name.removeprefix("scatter_")
    x = g.distinct() if name in ("min", "max") else g.real(1)
    n = g.shape(x)[0]
    rows = [int(r) for r in g.rng.integers(0, n, 1 if name == "set" else 2)]
    if name in ("min", "max"):
        rows = sorted(set(rows))
    shape = (len(rows), *g.shape(x)[1:])
    updates = g.emit(g.shaped(shape, g.dtype(x)))
    if name in ("min", "max"):
        for a, u in zip(g.values(x), g.values(updates), strict=True):
            together = np.concatenate([a[rows], u])
            gaps = np.abs(together[:, None] - together[None]) + np.eye(len(together)).reshape(
                (len(together),) * 2 + (1,) * (a.ndim - 1)
            )
            if np.any(gaps < 0.01):
                raise Rejected
    g.emit(f"{x}.at[jnp.asarray({rows})].{name}({updates})")


# ---------------------------------------------------------------- reductions, running ones, sorting


@forms("reduce_sum", "jnp.mean", "jnp.var")
def reduction(g: Any, name: str) -> None:
    x = g.real(1)
    if name == "jnp.var":
        x = g.distinct()
    axes = g.one_of(("None", f"{g.axis(x)}"))
    if name != "reduce_sum":
        g.emit(f"{name}({x}, axis={axes})")
    else:
        g.emit(f"lax.reduce_sum({x}, ({axes},))" if axes != "None" else f"jnp.sum({x})")


@operation
def reduce_prod(g: Any) -> None:
    x = g.within(0.2, 2.5, rank=1)
    g.emit(f"lax.reduce_prod({x}, ({g.axis(x)},))")


@forms("reduce_max", "reduce_min")
def reduce_extreme(g: Any, name: str) -> None:
    x = g.distinct()
    g.emit(f"lax.{name}({x}, ({g.axis(x)},))")


@forms("cumsum", "cumprod", "cumlogsumexp", "cummax", "cummin")
def running(g: Any, name: str) -> None:
    if name == "cumprod":
        x = g.within(0.3, 1.8, rank=1)
    else:
        x = g.distinct() if name in ("cummax", "cummin") else g.real(1)
    g.emit(f"lax.{name}({x}, axis={g.axis(x)}, reverse={bool(g.rng.integers(2))})")


@operation
def sort(g: Any) -> None:
    x = g.distinct()
    if g.rng.random() < 0.5:
        g.emit(f"lax.sort({x}, dimension={g.axis(x)})")
    else:
        g.emit(f"lax.sort(({x}, {g.like(x)}), dimension={g.axis(x)})", 2)


@operation
def top_k(g: Any) -> None:
    x = g.distinct()
    g.emit(f"lax.top_k({x}, {min(2, g.shape(x)[-1])})", 2)


@operation
def argsort(g: Any) -> None:
    x = g.distinct()
    axis = g.axis(x)
    order = g.emit(f"fnx.jit(lambda x: jnp.argsort(x, axis={axis}))({x})")
    g.emit(f"jnp.take_along_axis({g.like(x)}, {order}, axis={axis})")


# ------------------------------------------------------------------- contractions, windows, softmax


@operation
def matmul(g: Any) -> None:
    x = g.real(1)
    k = g.shape(x)[-1]
    shape = (k, 2) if len(g.shape(x)) < 3 or g.rng.random() < 0.5 else (g.shape(x)[0], k, 3)
    g.emit(f"jnp.matmul({x}, {g.shaped(shape, g.dtype(x))})")


@operation
def dot_general(g: Any) -> None:
    x = g.real(2)
    first, second = (int(k) for k in g.rng.permutation(len(g.shape(x)))[:2])
    shape = (g.shape(x)[second], g.shape(x)[first], 2)
    numbers = f"((({first},), (1,)), (({second},), (0,)))"
    g.emit(f"lax.dot_general({x}, {g.shaped(shape, g.dtype(x))}, {numbers})")


@operation
def einsum(g: Any) -> None:
    x = g.real(2)
    a, b = g.shape(x)[-2:]
    form, shape = (("...ab,bc->...ac", (b, 2)), ("...ab,ab->...a", (a, b)), ("...ab,b->...", (b,)))[
        int(g.rng.integers(3))
    ]
    g.emit(f"jnp.einsum({form!r}, {x}, {g.shaped(shape, g.dtype(x))})")


@operation
def conv_general_dilated(g: Any) -> None:
    channels = 1 + int(g.rng.integers(2))
    dtype = g.dtype(g.real())
    groups = channels if g.rng.random() < 0.3 else 1
    stride, spacing = 1 + int(g.rng.integers(2)), 1 + int(g.rng.integers(2))
    if g.rng.random() < 0.6:  # one axis: a batch of signals
        x, w = g.shaped((2, channels, 5), dtype), g.shaped((2, channels // groups, 2), dtype)
        g.emit(
            f"lax.conv_general_dilated({x}, {w}, ({stride},), [(1, {int(g.rng.integers(2))})], "
            f"rhs_dilation=({spacing},), feature_group_count={groups})"
        )
    else:  # two axes: one picture
        x, w = g.shaped((1, channels, 4, 3), dtype), g.shaped((2, channels // groups, 3, 2), dtype)
        g.emit(
            f"lax.conv_general_dilated({x}, {w}, ({stride}, 1), [(1, 1), (0, 1)], "
            f"lhs_dilation=(1, {spacing}), feature_group_count={groups})[0]"
        )


@forms("reduce_window_max", "reduce_window_min", "reduce_window_sum")
def window(g: Any, name: str) -> None:
    x = g.distinct()
    sizes = [1 + int(g.rng.integers(min(n, 3))) for n in g.shape(x)]
    sizes[-1] = min(2, g.shape(x)[-1])
    strides = [1 + int(g.rng.integers(2)) for _ in sizes]
    padding = g.one_of(("'VALID'", "'SAME'"))
    g.emit(f"windows.{name}({x}, {sizes}, {strides}, {padding})")


@forms("softmax", "log_softmax", "gelu", "silu", "softplus", "logsumexp", "elu")
def network(g: Any, name: str) -> None:
    x = g.real(1, lambda n: all(np.all(np.abs(v) > 0.01) for v in g.values(n)))
    g.emit(f"fnx.jit(nn.{name})({x})")


# ------------------------------------------------------------------------------------- control flow


@operation
def cond(g: Any) -> None:
    x = g.real()
    flags = g.names("b", None, lambda n: g.shape(n) == ())
    flag = g.pick(flags) if flags else g.emit(f"jnp.sum({g.real()}) > {g.number(-0.5, 0.5)}")
    names = [x, g.like(x)]
    g.emit(f"lax.cond({flag}, {g.function(names)}, {g.function(names)}, {x})")


@operation
def switch(g: Any) -> None:
    x = g.real()
    branches = ", ".join(g.function([x]) for _ in range(3))
    g.emit(f"lax.switch(jnp.sum({g.whole('i')}) % 3, [{branches}], {x})")


@operation
def counted_while(g: Any) -> None:
    x = g.real()
    u = g.fresh()
    body = g.expression([u, x])
    g.emit(
        f"lax.while_loop(lambda s: s[0] < {int(g.rng.integers(1, 4))}, "
        f"lambda s: (s[0] + 1, (lambda {u}: lax.tanh({body}))(s[1])), (0, {x}))[1]"
    )


@operation
def data_while(g: Any) -> None:
    x = g.real()
    u = g.fresh()
    limit = g.number(0.5, 2.0)
    g.emit(
        f"lax.while_loop(lambda {u}: jnp.sum({u} * {u}) > {limit}, "
        f"lambda {u}: lax.sin({u}) * 0.75, {x})"
    )


@operation
def fori(g: Any) -> None:
    x = g.real()
    u = g.fresh()
    body = g.expression([u, x])
    g.emit(
        f"lax.fori_loop(0, {int(g.rng.integers(1, 4))}, "
        f"lambda i, {u}: {u} * 0.5 + lax.sin({body}) * (1.0 / (i + 2.0)), {x})"
    )


@operation
def dynamic_fori(g: Any) -> None:
    x = g.real()
    u = g.fresh()
    g.emit(f"lax.fori_loop(0, jnp.sum({g.whole('i')}) % 4, {_counted(g, u, x)}, {x})")


def _counted(g: Any, u: str, x: str) -> str:
    return f"lambda i, {u}: lax.sin({g.expression([u, x], 1)}) + 0.25 * {u}"


@operation
def scan(g: Any) -> None:
    xs = g.real(1)
    u, y = g.fresh(), g.fresh()
    carry = g.emit(f"lax.sin({xs}[0])")
    body = g.expression([u, y])
    output = g.expression([u, y], 1)
    g.emit(
        f"lax.scan(lambda {u}, {y}: (lax.tanh({body}), {output}), {carry}, {xs}, "
        f"reverse={bool(g.rng.integers(2))})",
        2,
    )


@operation
def map(g: Any) -> None:
    xs = g.real(1)
    g.emit(f"lax.map({g.function([f'{xs}[0]'])}, {xs})")


@operation
def nested_jit(g: Any) -> None:
    x = g.real()
    g.emit(f"fnx.jit({g.function([x], 2)})({x})")


@operation
def checkpoint(g: Any) -> None:
    x = g.real()
    g.emit(f"fnx.checkpoint({g.function([x], 2)})({x})")


@operation
def named(g: Any) -> None:
    g.emit(f"checkpoint_name({g.real()}, 'kept')")


@operation
def linear_solve(g: Any) -> None:
    d = g.within(0.5, 3)
    g.emit(f"quotient({g.like(d)}, {d})")


@operation
def linear_call(g: Any) -> None:
    x = g.real()
    g.emit(f"scaled({x}, {g.like(x)})")


@operation
def callback(g: Any) -> None:
    g.emit(f"looked_at({g.real()}) * called({1 + int(g.rng.integers(6))})")


@forms("swish", "bent", "mapped")
def custom(g: Any, name: str) -> None:
    x = g.real()
    g.emit(f"{name}({g.expression([x, g.like(x)], 1)})")


@operation
def inner_grad(g: Any) -> None:
    x = g.real()
    u = g.fresh()
    g.emit(f"fnx.grad(lambda {u}: jnp.sum({g.expression([u, x])}))({x})")


@operation
def inner_vmap(g: Any) -> None:
    xs = g.real(1)
    g.emit(f"fnx.vmap({g.function([f'{xs}[0]'])})({xs})")
