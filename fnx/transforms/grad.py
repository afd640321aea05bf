"""Reverse and forward mode as users call them: `vjp`, `jvp`, `linearize`, `grad`, `value_and_grad`.

Reverse mode is linearize + transpose.  Under a staging trace the whole of it is done program to
program: the function is staged once, its derivative is made and simplified, and the result is
inlined, so that nested derivatives grow with the program and not with the nesting.  Read next:
`batching`, `jacobian`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.config import CONTEXT
from fnx.core.array import adopt
from fnx.core.conversion import as_value
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import Zero
from fnx.core.simplify import drop_dead, simplify
from fnx.core.staging import stage
from fnx.core.tracing import traces_abstractly
from fnx.core.types import float0, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError, MissingRuleError, ShapeError
from fnx.primitives.cast import convert_element_type
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import jvp_flat
from fnx.transforms.linearize import linearize_flat, linearize_jaxpr, replay
from fnx.transforms.transpose import backward, transpose_jaxpr
from fnx.transforms.trees import (
    Flat,
    argument_path,
    as_values,
    check_callable,
    described,
    function_name,
    structure_difference,
)

__all__ = ["grad", "jvp", "linearize", "linear_transpose", "value_and_grad", "vjp"]


def float0_zeros(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The only tangent of an array of integers."""
    return np.zeros(shape, float0)


# ---------------------------------------------------------------------------------------- pullbacks


def pullback(
    flat: Callable[..., Sequence[Any]], primals: Sequence[Any], name: str
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Results of a flat function, and what pulls cotangents back (None and `Zero` allowed).

    Parameters
    ----------
    flat : callable
        Takes arrays, gives a list of arrays.
    primals : sequence
        The point.
    name : str
        For errors.
    """
    if not traces_abstractly(CONTEXT.get().trace):
        outs, linearized = linearize_flat(flat, primals, name)

        def pull(cts: Sequence[Any]) -> list[Any]:
            return backward(linearized, [None if type(c) is Zero else c for c in cts])

        return outs, pull
    jaxpr, consts = stage(flat, [p.aval for p in primals], name)
    jaxpr = simplify(jaxpr)
    nonzero = (False,) * len(consts) + tuple(_differentiable(p) for p in primals)
    split = linearize_jaxpr(jaxpr, nonzero)
    results = eval_jaxpr(split.primal, *consts, *primals)
    outs, residuals = results[: len(jaxpr.outs)], results[len(jaxpr.outs) :]

    def pull_staged(cts: Sequence[Any]) -> list[Any]:
        given = [c for c, n in zip(cts, split.nonzero_out, strict=True) if n]
        used = tuple([type(c) is not Zero for c in given])
        tangent = split.tangent
        wanted = tangent.derived(("used", used), lambda: drop_dead(tangent, used))
        transposed = transpose_jaxpr(wanted, split.residuals)
        present = [c for c in given if type(c) is not Zero]
        pulled = iter(eval_jaxpr(transposed, *residuals, *present))
        return [next(pulled) if n else None for n in nonzero[len(consts) :]]

    return outs, pull_staged


def _differentiable(value: Any) -> bool:
    return tangent_type(value.aval).dtype != float0


def vjp(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False
) -> tuple[Any, Callable[..., Any]] | tuple[Any, Callable[..., Any], Any]:
    """Evaluate a function, and give the function that pulls cotangents back through it.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    *primals : pytrees
        The point.
    has_aux : bool
        `fun` gives ``(out, aux)``; `aux` is not differentiated.

    Returns
    -------
    out : pytree
        ``fun(*primals)``.
    vjp_fun : callable
        From a cotangent of the structure of `out` to a tuple of cotangents, one for each primal.
        May be called often.
    aux : pytree
        With `has_aux`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> y, pull = fnx.vjp(jnp.sin, 0.)
    >>> pull(1.)
    (Array(1., dtype=float32, weak_type=True),)
    """
    check_callable("vjp", fun)
    name = f"vjp of {function_name(fun)}"
    leaves, tree = tree_util.tree_flatten(primals)
    flat = Flat(fun, tree, aux=has_aux)
    values = flat.values(name, leaves)
    outs, pull = pullback(flat, values, name)
    count = len(outs) - flat.aux_count
    out_tree = flat.out_tree
    aux_zeros = [Zero(tangent_type(o.aval)) for o in outs[count:]]

    def vjp_fun(cotangents: Any) -> Any:
        ct_leaves, ct_tree = tree_util.tree_flatten(cotangents)
        if ct_tree != out_tree:
            raise ArgumentValueError(
                f"{name}: a cotangent has the structure of the result, {out_tree}; "
                f"{structure_difference('the cotangent', out_tree, ct_tree)}."
            )
        cts = []
        for k, (ct, out) in enumerate(zip(ct_leaves, outs, strict=False)):
            expected = tangent_type(out.aval)
            if expected.dtype == float0:
                cts.append(Zero(expected))
                continue
            (ct,) = as_values(name, [ct], tree_util.tree_structure(0), "cotangent")
            if ct.aval.shape != expected.shape or not _dtype_fits(ct, expected):
                raise ArgumentValueError(
                    f"{name}: {argument_path(out_tree, k, 'cotangent')} must be {expected!r}, got "
                    f"{ct.aval!r}. A cotangent has the shape and dtype of the result."
                )
            cts.append(typed_as(out, ct))
        pulled = pull([*cts, *aux_zeros])
        return tree_util.tree_unflatten(tree, finish_cotangents(values, pulled))

    out = tree_util.tree_unflatten(out_tree, outs[:count])
    if has_aux:
        return out, vjp_fun, flat.aux(outs[count:])
    return out, vjp_fun


def _dtype_fits(ct: Any, expected: Any) -> bool:
    """Whether a tangent or cotangent has the dtype it should; a Python float takes any float's."""
    if ct.aval.dtype == expected.dtype:
        return True
    return bool(ct.aval.weak_type and kind_of(ct.aval.dtype) == kind_of(expected.dtype))


def finish_cotangents(primals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Arrays for the user: zeros where none came, float0 for integers; as weak as the primals."""
    result: list[Any] = []
    for primal, ct in zip(primals, cotangents, strict=True):
        expected = tangent_type(primal.aval)
        if expected.dtype == float0:
            result.append(float0_zeros(expected.shape))
        elif ct is None or type(ct) is Zero:
            result.append(typed_as(primal, zeros(expected)))
        else:
            result.append(typed_as(primal, ct))
    return result


def typed_as(primal: Any, ct: Any) -> Any:
    """A derivative with the dtype and weakness of its primal: a Python number's widens nothing."""
    if ct.dtype != primal.dtype or ct.weak_type != primal.weak_type:
        return convert_element_type(ct, primal.dtype, primal.weak_type)
    return ct


# ------------------------------------------------------------------------------------------ forward


def _match_tangents(name: str, primals: Any, tangents: Any) -> tuple[list[Any], list[Any], Any]:
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentTypeError(
            f"{name}: primals and tangents must be tuples or lists, one entry per argument, got "
            f"{described(primals)} and {described(tangents)}. Write (x,) for one argument x."
        )
    leaves, tree = tree_util.tree_flatten(tuple(primals))
    tangent_leaves, tangent_tree = tree_util.tree_flatten(tuple(tangents))
    if tree != tangent_tree:
        raise ArgumentTypeError(
            f"{name}: primals and tangents must have one structure; "
            f"{structure_difference('tangents', tree, tangent_tree)}."
        )
    values = as_values(name, leaves, tree, "primals")
    result: list[Any] = []
    for k, (value, tangent) in enumerate(zip(values, tangent_leaves, strict=True)):
        expected = tangent_type(value.aval)
        if expected.dtype == float0:
            if getattr(tangent, "dtype", None) != float0:
                raise ArgumentTypeError(
                    f"{name}: primals{argument_path(tree, k)} is {value.aval!r}, whose tangent "
                    "must have dtype float0, got "
                    f"{getattr(tangent, 'dtype', type(tangent).__name__)}. Differentiate with "
                    "respect to floats, or pass numpy.zeros(shape, fnx.float0)."
                )
            result.append(Zero(expected))
            continue
        (given,) = as_values(name, [tangent], tree_util.tree_structure(0), "tangent")
        if given.aval.shape != expected.shape or not _dtype_fits(given, expected):
            error = ArgumentTypeError if given.aval.shape == expected.shape else ShapeError
            raise error(
                f"{name}: tangents{argument_path(tree, k)} must be {expected!r}, got "
                f"{given.aval!r}. A tangent has the shape and dtype of its primal."
            )
        result.append(typed_as(value, given))
    return values, result, tree


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """Evaluate a function and its derivative along one direction.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    primals : tuple or list
        The point, an entry for each argument.
    tangents : tuple or list
        The direction, of the same structure.
    has_aux : bool
        `fun` gives ``(out, aux)``; `aux` is not differentiated.

    Returns
    -------
    primals_out, tangents_out : pytree
        ``fun(*primals)`` and the derivative.
    aux : pytree
        With `has_aux`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jvp(jnp.sin, (0.,), (2.,))
    (Array(0., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """
    check_callable("jvp", fun)
    name = f"jvp of {function_name(fun)}"
    values, directions, tree = _match_tangents(name, primals, tangents)
    flat = Flat(fun, tree, aux=has_aux)
    outs, out_tangents = jvp_flat(flat, values, directions, name)
    count = len(outs) - flat.aux_count
    finished = finish_cotangents(outs[:count], out_tangents[:count])
    out = tree_util.tree_unflatten(flat.out_tree, outs[:count])
    tangent = tree_util.tree_unflatten(flat.out_tree, finished)
    if has_aux:
        return out, tangent, flat.aux(outs[count:])
    return out, tangent


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Evaluate a function and give its derivative at that point as a linear function.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    *primals : pytrees
        The point.
    has_aux : bool
        `fun` gives ``(out, aux)``.

    Returns
    -------
    out : pytree
        ``fun(*primals)``.
    f_jvp : callable
        From tangents, one for each primal, to the tangent of `out`; costs no evaluation of `fun`.
    aux : pytree
        With `has_aux`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> y, f_jvp = fnx.linearize(jnp.sin, 0.)
    >>> f_jvp(3.)
    Array(3., dtype=float32, weak_type=True)
    """
    check_callable("linearize", fun)
    name = f"linearize of {function_name(fun)}"
    leaves, tree = tree_util.tree_flatten(primals)
    flat = Flat(fun, tree, aux=has_aux)
    values = flat.values(name, leaves)
    outs, linearized = linearize_flat(flat, values, name)
    count = len(outs) - flat.aux_count

    def f_jvp(*tangents: Any) -> Any:
        _, directions, _ = _match_tangents(name, tree_util.tree_unflatten(tree, values), tangents)
        given = [d if type(d) is not Zero else zeros_like_tangent(d) for d in directions]
        results = replay(linearized, given)[:count]
        finished = finish_cotangents(outs[:count], results)
        return tree_util.tree_unflatten(flat.out_tree, finished)

    out = tree_util.tree_unflatten(flat.out_tree, outs[:count])
    if has_aux:
        return out, f_jvp, flat.aux(outs[count:])
    return out, f_jvp


def zeros_like_tangent(zero: Zero) -> Any:
    """An array for a structural zero; of float0 for integers."""
    if zero.aval.dtype == float0:
        return adopt(float0_zeros(zero.aval.shape))
    return zeros(zero.aval)


def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[..., Any]:
    """The transpose of a function that is linear.

    Parameters
    ----------
    fun : callable
        Linear in all of its arguments together.
    *primals : pytrees of arrays or of what has shape and dtype
        Types of the arguments.

    Returns
    -------
    callable
        From a cotangent of the result to a tuple of cotangents of the arguments.

    Examples
    --------
    >>> import fnx
    >>> fnx.linear_transpose(lambda x: 3. * x, 1.)(2.)
    (Array(6., dtype=float32, weak_type=True),)
    """
    check_callable("linear_transpose", fun)
    name = f"linear_transpose of {function_name(fun)}"
    leaves, tree = tree_util.tree_flatten(primals)
    flat = Flat(fun, tree)
    avals = [
        getattr(x, "aval", None) or as_value(x, name, flat.path(k)).aval
        for k, x in enumerate(leaves)
    ]
    jaxpr, consts = stage(flat, avals, name)
    jaxpr = simplify(jaxpr)
    out_tree = flat.out_tree

    def transposed(cotangent: Any) -> Any:
        ct_leaves, ct_tree = tree_util.tree_flatten(cotangent)
        if ct_tree != out_tree:
            raise ArgumentTypeError(
                f"{name}: a cotangent has the structure of the result, {out_tree}; "
                f"{structure_difference('the cotangent', out_tree, ct_tree)}."
            )
        cts = as_values(name, ct_leaves, ct_tree, "cotangent")
        for k, (ct, aval) in enumerate(zip(cts, jaxpr.out_avals, strict=True)):
            if ct.shape != aval.shape or not _dtype_fits(ct, aval):
                raise ArgumentTypeError(
                    f"{name}: {argument_path(out_tree, k, 'cotangent')} must be {aval!r}, got "
                    f"{ct.aval!r}. A cotangent has the shape and dtype of the result."
                )
        cts = [typed_as(aval, ct) for ct, aval in zip(cts, jaxpr.out_avals, strict=True)]
        try:
            program: Jaxpr = transpose_jaxpr(jaxpr, len(consts))
        except MissingRuleError as error:
            raise MissingRuleError(
                f"{name}: the function must be linear; {error.message} For functions that aren't "
                "linear there is vjp."
            ) from error
        return tree_util.tree_unflatten(tree, eval_jaxpr(program, *consts, *cts))

    return transposed


# --------------------------------------------------------------------------------------------- grad


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that gives the value and the gradient of a scalar function.

    Parameters
    ----------
    fun : callable
        Gives a scalar (0-d) float, or ``(scalar, aux)`` with `has_aux`.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to; pytrees of floats.
    has_aux : bool
        `fun` gives ``(out, aux)``.
    holomorphic : bool
        `fun` is holomorphic, its arguments and result complex.  (Without it complex arguments of a
        real function have the conjugate convention: of ``u(x + iy)`` it is ``u_x - i u_y``.)
    allow_int : bool
        Allow integer arguments, whose gradient is trivial (float0).

    Returns
    -------
    callable
        Of the arguments of `fun`, gives ``(value, gradient)``, or ``((value, aux), gradient)``.

    Examples
    --------
    >>> import fnx
    >>> fnx.value_and_grad(lambda x: x ** 2)(3.)
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    check_callable("value_and_grad", fun)

    @functools.wraps(fun)
    def value_and_grad_fun(*args: Any, **kwargs: Any) -> Any:
        name = f"grad of {function_name(fun)}"
        numbers = _argnums(name, argnums, len(args))
        leaves, tree = tree_util.tree_flatten(tuple([args[k] for k in numbers]))
        chosen = of_chosen(fun, args, kwargs, numbers)
        flat = Flat(chosen, tree, aux=has_aux, positions=numbers, call=(args, kwargs))
        values = flat.values(name, leaves)
        for k, value in enumerate(values):
            _check_input(name, value, flat, k, holomorphic, allow_int)
        outs, pull = pullback(flat, values, name)
        count = len(outs) - flat.aux_count
        _check_output(name, outs[:count], flat.out_tree, holomorphic)
        ct = adopt(np.ones((), outs[0].aval.dtype), outs[0].aval.weak_type)
        pulled = pull([ct] + [Zero(tangent_type(o.aval)) for o in outs[count:]])
        gradients = tree_util.tree_unflatten(tree, finish_cotangents(values, pulled))
        gradient = gradients[0] if isinstance(argnums, int) else gradients
        if has_aux:
            aux = flat.aux(outs[count:])
            return (outs[0], aux), gradient
        return outs[0], gradient

    return value_and_grad_fun


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar function.

    Parameters
    ----------
    fun : callable
        Gives a scalar (0-d) float, or ``(scalar, aux)`` with `has_aux`.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to; pytrees of floats.
    has_aux : bool
        `fun` gives ``(out, aux)``.
    holomorphic : bool
        `fun` is holomorphic, its arguments and result complex.
    allow_int : bool
        Allow integer arguments, whose gradient is trivial (float0).

    Returns
    -------
    callable
        Of the arguments of `fun`, gives the gradient, or ``(gradient, aux)``; a tuple for a
        sequence of argnums.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.grad(fnx.grad(jnp.sin))(0.)
    Array(-0., dtype=float32, weak_type=True)
    """
    check_callable("grad", fun)
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int)

    @functools.wraps(fun)
    def grad_fun(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return grad_fun


def of_chosen(
    fun: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], numbers: Sequence[int]
) -> Callable[..., Any]:
    """A function of some of its positional arguments, the others as in a call."""

    def chosen(*new: Any) -> Any:
        whole = list(args)
        for k, x in zip(numbers, new, strict=True):
            whole[k] = x
        return fun(*whole, **kwargs)

    chosen.__wrapped__ = fun  # type: ignore[attr-defined]  # for names, as `functools.wraps`
    return chosen


def _argnums(name: str, argnums: int | Sequence[int], count: int) -> list[int]:
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    for n in numbers:
        if not isinstance(n, (int, np.integer)):
            raise ArgumentTypeError(
                f"{name}: argnums must be integers, got {type(n).__name__}. Give positions of "
                "arguments."
            )
        if not -count <= n < count:
            raise ArgumentTypeError(
                f"{name}: argnums={argnums} names a positional argument that was not given: "
                f"the call has {count}. Arguments to differentiate must be passed by position."
            )
    positions = [n % count for n in numbers]
    if len(set(positions)) < len(positions):
        raise ArgumentValueError(
            f"{name}: argnums={argnums} names an argument twice. Name it once."
        )
    return positions


def _check_input(
    name: str,
    value: Any,
    flat: Flat,
    index: int,
    holomorphic: bool,
    allow_int: bool,
) -> None:
    kind = kind_of(value.aval.dtype)
    if holomorphic and kind != "c":
        raise ArgumentTypeError(
            f"{name} with holomorphic=True: {flat.path(index)} is {value.aval!r}; arguments must "
            "be complex. Convert it with astype, or drop holomorphic=True."
        )
    if kind in "biu" and not allow_int:
        raise ArgumentTypeError(
            f"{name}: {flat.path(index)} is {value.aval!r}; gradients exist with respect "
            "to floats only. Convert it to a float (x.astype(float32)), choose other argnums, or "
            "pass allow_int=True."
        )


def _check_output(name: str, outs: Sequence[Any], tree: Any, holomorphic: bool) -> None:
    if len(outs) != 1 or tree != tree_util.tree_structure(0):
        raise ArgumentTypeError(
            f"{name}: the function must give one scalar, it gave {tree}. Return a 0-d array, "
            "pass has_aux=True for (out, aux), or use jacobian."
        )
    aval = outs[0].aval
    if aval.shape != ():
        raise ArgumentTypeError(
            f"{name}: the function must give a scalar, it gave {aval!r}. "
            "Reduce it (.sum(), .mean()), or use jacobian or vjp."
        )
    if aval.dtype.kind == "c" and not holomorphic:
        raise ArgumentTypeError(
            f"{name}: the function must give a real number, it gave {aval!r}. "
            "Take .real, or pass holomorphic=True."
        )
    if holomorphic and aval.dtype.kind != "c":
        raise ArgumentTypeError(
            f"{name} with holomorphic=True: the function must give a complex number, it gave "
            f"{aval!r}. Convert it with astype, or drop holomorphic=True."
        )
    if aval.dtype.kind in "biu":
        raise ArgumentTypeError(
            f"{name}: the function must give a float, it gave {aval!r}: integers have no "
            "derivative. Compute the loss in floating point."
        )
