"""Solutions of ordinary differential equations (as `jax.experimental.ode`).

The solver is in `fnx.control.dormand_prince`, the derivatives of solutions in `fnx.control.ode`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fnx import tree_util
from fnx.control.dormand_prince import Control
from fnx.control.jit import jit
from fnx.control.ode import ode_p
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.dtypes import kind_of, lattice_result_type
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.cast import convert_element_type
from fnx.transforms.trees import argument_path, as_values, check_callable, function_name

__all__ = ["odeint"]

#: Steps are counted in int32.
_MOST_STEPS = 2**31 - 1


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    *args: Any,
    rtol: float = 1.4e-8,
    atol: float = 1.4e-8,
    mxstep: float = math.inf,
    hmax: float = math.inf,
) -> Any:
    """Solve ``dy/dt = func(y, t, *args)`` from ``y(t[0]) = y0`` by adaptive steps.

    The method is Dormand and Prince's of order 5, with a polynomial of order 4 between steps; it is
    compiled.  Every transform applies, to any order, with respect to y0, t, `args` and what `func`
    captures.  Derivatives are solutions of their own equations (forward mode and `jet` of the
    variational one, reverse mode of the adjoint), with the same tolerances; so a value that is
    computed with its derivative differs from the plain one by an error within the tolerance.

    Parameters
    ----------
    func : callable
        ``func(y, t, *args)`` gives a pytree like y.
    y0 : pytree of float or complex arrays
        The first state.
    t : (n,) float array
        The times, rising; the state at the first one is y0.
    *args : pytrees of arrays
        What else `func` depends on.
    rtol, atol : float
        The error allowed to a step, relative and absolute: the root of the mean square of
        ``error / (atol + rtol * abs(y))``.
    mxstep : int
        How many steps may lead from one time to the next.
    hmax : float
        The longest step.

    Returns
    -------
    pytree of (n, ...) arrays
        The states at all times; NaN from where the solver didn't get on: after `mxstep` steps,
        where steps became too short to move the time, or where times don't rise.

    Raises
    ------
    TypeError
        A state that isn't float or complex, times that aren't float, or a result of `func` that
        isn't like y.
    ValueError
        Times that aren't one array of at least one.

    Notes
    -----
    Steps, values between them and the choice of lengths are those of J. R. Dormand and P. J. Prince
    (1980), L. F. Shampine (1986), and E. Hairer, S. P. Norsett and G. Wanner (1993), II.4.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.experimental.ode import odeint
    >>> def decay(y, t, rate):
    ...     return -rate * y
    >>> odeint(decay, 1., jnp.array([0., 1., 2.]), 0.5)
    Array([1.        , 0.60653067, 0.36787945], dtype=float32)
    >>> fnx.grad(lambda rate: odeint(decay, 1., jnp.array([0., 2.]), rate)[1])(0.5)
    Array(-0.7357589, dtype=float32, weak_type=True)
    """
    check_callable("odeint", func)
    name = f"odeint of {function_name(func)}"
    leaves, y_tree = tree_util.tree_flatten(y0)
    state = [_strong(v) for v in as_values(name, leaves, y_tree, "y0")]
    for k, part in enumerate(state):
        if kind_of(part.dtype) not in "fc":
            raise ArgumentTypeError(
                f"{name}: {argument_path(y_tree, k, 'y0')} is {part.aval!r}; a state is made of "
                "float or complex arrays. Convert it with astype."
            )
    (times,) = [_strong(v) for v in as_values(name, [t], tree_util.tree_structure(0), "t")]
    if kind_of(times.dtype) != "f":
        raise ArgumentTypeError(f"{name}: t must be an array of floats, got {times.aval!r}.")
    if times.ndim != 1 or times.size == 0:
        raise ArgumentValueError(
            f"{name}: t must be an array of one axis and at least one time, got {times.aval!r}."
        )
    arg_leaves, arg_tree = tree_util.tree_flatten(args)
    others = as_values(name, arg_leaves, arg_tree, "args")
    n_args = len(others)

    def flat_field(*given: Any) -> list[Any]:
        y = tree_util.tree_unflatten(y_tree, given[n_args:-1])
        slopes = func(y, given[-1], *tree_util.tree_unflatten(arg_tree, given[:n_args]))
        return _like(name, slopes, y_tree, state)

    avals = [*[v.aval for v in (*others, *state)], times.aval.update(shape=())]
    field, captured = stage(flat_field, avals, function_name(func))
    most = _MOST_STEPS if mxstep > _MOST_STEPS else int(mxstep)
    params = {
        "field": simplify(field),
        "num_consts": len(captured) + n_args,
        "count": times.size,
        "control": Control(float(rtol), float(atol), most, float(hmax), (0,) * len(state)),
    }
    solve = jit(lambda *operands: ode_p(*operands, **params))
    return tree_util.tree_unflatten(y_tree, solve(*captured, *others, *state, times))


def _strong(value: Any) -> Any:
    return convert_element_type(value, value.dtype) if value.weak_type else value


def _like(name: str, slopes: Any, tree: Any, state: list[Any]) -> list[Any]:
    """The derivative of a state in the types of the state."""
    leaves, found = tree_util.tree_flatten(slopes)
    if found != tree:
        raise ArgumentTypeError(
            f"{name}: func must give the structure of y0, {tree}, it gives {found}."
        )
    results = []
    for k, (slope, part) in enumerate(zip(as_values(name, leaves, found), state, strict=True)):
        if slope.shape != part.shape or lattice_result_type(slope, part)[0] != part.dtype:
            raise ArgumentTypeError(
                f"{name}: func must give the types of y0; {argument_path(tree, k, 'y0')} is "
                f"{part.aval!r}, its derivative {slope.aval!r}. Broadcast it, or convert y0, t or "
                "args with astype, so that nothing is narrowed."
            )
        results.append(convert_element_type(slope, part.dtype))
    return results
