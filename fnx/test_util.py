"""Derivatives against finite differences (as `jax.test_util`).

Each check goes along one random direction, from a fixed seed, so that it costs a few evaluations
whatever the size of the arguments; then the derivative itself is checked, to the order asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.conversion import as_value
from fnx.dtypes import float0
from fnx.errors import ArgumentValueError
from fnx.transforms.grad import jvp, vjp

__all__ = ["check_grads", "check_jvp", "check_vjp"]

#: Tolerances of the comparison, by the type of the results.
_TOLERANCES = {"float16": 5e-1, "bfloat16": 5e-1, "float32": 2e-2, "float64": 1e-5}
_TOLERANCES |= {"complex64": 2e-2, "complex128": 1e-5}


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Compare derivatives of a function, up to an order, with finite differences.

    Parameters
    ----------
    f : callable
        From pytrees of arrays to one.
    args : tuple
        Where; floating-point leaves are varied. float64 is best.
    order : int
        The highest order of derivative.
    modes : sequence of {"fwd", "rev"}
        Forward mode, reverse mode, or both, and then all mixtures of the two.
    atol, rtol : float, optional
        Tolerances; by default by the dtype.
    eps : float, optional
        The step of the difference.

    Raises
    ------
    AssertionError
        Names the order and the mode, and shows both numbers.

    Examples
    --------
    >>> import numpy as np, fnx.numpy as jnp
    >>> check_grads(lambda x: jnp.sin(x) * x, (np.array([0.3, 1.2]),), order=2)
    """
    chosen = [modes] if isinstance(modes, str) else list(modes)
    for mode in chosen:
        if mode not in ("fwd", "rev"):
            raise ArgumentValueError(f"check_grads: modes are 'fwd' and 'rev', not {mode!r}.")
    _check(f, tuple(args), order, chosen, atol, rtol, 1e-4 if eps is None else eps, ())


def check_jvp(
    f: Callable[..., Any],
    f_jvp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float = 1e-4,
    err_msg: str = "",
) -> None:
    """Compare a forward derivative with a finite difference, along one direction.

    Parameters
    ----------
    f : callable
        The function.
    f_jvp : callable
        ``f_jvp(args, tangents) -> (f(*args), tangent)``.
    args : tuple
        Where.
    atol, rtol : float, optional
        Tolerances; by default by the dtype.
    eps : float
        The step of the difference.
    err_msg : str
        What the error begins with.

    Raises
    ------
    AssertionError
        They differ.
    """
    args = _arrays(args)
    direction = _direction(args, 0)
    value, tangent = f_jvp(args, direction)
    _same(value, f(*args), atol, rtol, f"{err_msg} value")
    _same(tangent, _difference(f, args, direction, eps), atol, rtol, f"{err_msg} jvp")


def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float = 1e-4,
    err_msg: str = "",
) -> None:
    """Compare a reverse derivative with a finite difference, along one direction.

    Parameters
    ----------
    f : callable
        The function.
    f_vjp : callable
        ``f_vjp(*args) -> (f(*args), pullback)``.
    args : tuple
        Where.
    atol, rtol : float, optional
        Tolerances; by default by the dtype.
    eps : float
        The step of the difference.
    err_msg : str
        What the error begins with.

    Raises
    ------
    AssertionError
        They differ.
    """
    args = _arrays(args)
    direction = _direction(args, 0)
    value, pullback = f_vjp(*args)
    _same(value, f(*args), atol, rtol, f"{err_msg} value")
    cotangent = _direction(value, 1)
    pulled = pullback(cotangent)
    # <w, J v> = <J' w, v>
    forward = _product(cotangent, _difference(f, args, direction, eps))
    backward = _product(pulled, direction)
    _same(backward, forward, atol, rtol, f"{err_msg} vjp")


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    modes: Sequence[str],
    atol: float | None,
    rtol: float | None,
    eps: float,
    path: tuple[str, ...],
) -> None:
    if order < 1:
        return
    for mode in modes:
        here = (*path, mode)
        words = f"check_grads: order {len(here)} ({' of '.join(reversed(here))}):"
        if mode == "fwd":
            check_jvp(f, lambda xs, ts: jvp(f, xs, ts), args, atol, rtol, eps, words)
            derivative = _forward(f, _direction(_arrays(args), 0))
        else:
            check_vjp(f, lambda *xs: vjp(f, *xs)[:2], args, atol, rtol, eps, words)
            derivative = _backward(f, _direction(f(*_arrays(args)), 1))
        _check(derivative, args, order - 1, modes, atol, rtol, eps, here)


def _forward(f: Callable[..., Any], direction: Any) -> Callable[..., Any]:
    """The derivative along a direction, as a function of the point."""
    return lambda *xs: jvp(f, xs, direction)


def _backward(f: Callable[..., Any], cotangent: Any) -> Callable[..., Any]:
    """The pullback of a cotangent, as a function of the point."""

    def derivative(*xs: Any) -> Any:
        value, pullback = vjp(f, *xs)[:2]
        return value, _varied_only(pullback(cotangent))

    return derivative


def _arrays(tree: Any) -> Any:
    return tree_util.tree_map(lambda x: as_value(x, "check_grads", "argument"), tree)


def _varied(x: Any) -> bool:
    return x.dtype.kind in "fcV" and x.dtype != float0


def _varied_only(tree: Any) -> list[Any]:
    return [x for x in tree_util.tree_leaves(tree) if _varied(x)]


def _direction(tree: Any, seed: int) -> Any:
    """A random tangent for a tree; that of an integer is of the type float0."""
    rng = np.random.default_rng(seed)

    def one(x: Any) -> Any:
        if not _varied(x):
            return np.zeros(x.shape, float0)
        numbers = rng.standard_normal(x.shape)
        if x.dtype.kind == "c":
            numbers = numbers + 1j * rng.standard_normal(x.shape)
        return as_value(np.asarray(numbers).astype(x.dtype), "check_grads", "direction")

    return tree_util.tree_map(one, tree)


def _difference(f: Callable[..., Any], args: Any, direction: Any, eps: float) -> Any:
    """The central difference of a function along a direction."""

    def moved(step: float) -> Any:
        return f(
            *tree_util.tree_map(
                lambda x, d: x + (step * d).astype(x.dtype) if _varied(x) else x, args, direction
            )
        )

    return tree_util.tree_map(
        lambda high, low: (high - low) / (2 * eps) if _varied(high) else np.zeros(high.shape),
        moved(eps),
        moved(-eps),
    )


def _product(left: Any, right: Any) -> Any:
    total: Any = 0.0
    pairs = zip(tree_util.tree_leaves(left), tree_util.tree_leaves(right), strict=True)
    for x, y in pairs:
        if _varied(x):
            # Not conjugated: the pullback is the transpose. It's one over the real numbers, so of
            # complex products the real part is what agrees.
            total = total + np.sum(np.asarray(x).astype(np.complex128) * np.asarray(y)).real
    return np.asarray(total)


def _same(got: Any, expected: Any, atol: float | None, rtol: float | None, words: str) -> None:
    for x, y in zip(tree_util.tree_leaves(got), tree_util.tree_leaves(expected), strict=True):
        a, b = np.asarray(x), np.asarray(y)
        if a.dtype == float0:
            continue
        default = _TOLERANCES.get(a.dtype.name, 1e-5)
        np.testing.assert_allclose(
            a,
            b,
            atol=default if atol is None else atol,
            rtol=default if rtol is None else rtol,
            err_msg=words.strip(),
        )
