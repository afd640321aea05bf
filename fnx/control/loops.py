"""Control flow as users call it: `cond`, `switch`, `scan`, `while_loop`, `fori_loop`, `map`.

Functions of pytrees are staged here to the programs that the primitives hold (`bodies`).  What
they capture becomes leading operands.  Carries must keep their types; a weak one is made strong
where the body asks for it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.blocked_scan import blocked_scan
from fnx.control.bodies import staged_body
from fnx.control.calls import merge_captured
from fnx.control.cond import cond_p
from fnx.control.python_loops import known_value, runs_in_python, scan_in_python, while_in_python
from fnx.control.while_loop import while_p
from fnx.core.array import adopt
from fnx.core.types import ShapedArray
from fnx.dtypes import lattice_result_type
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.arithmetic import add
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import clamp, lt, ne
from fnx.primitives.shaping import full
from fnx.transforms.trees import (
    aliased,
    argument_path,
    as_values,
    check_callable,
    described,
    function_name,
    structure_difference,
    users_name,
)

__all__ = ["cond", "fori_loop", "map", "scan", "switch", "while_loop"]


# ------------------------------------------------------------------------------------- cond, switch

_NONE_GIVEN: Any = object()


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = _NONE_GIVEN,
    linear: Any = None,
) -> Any:
    """Apply one of two functions, chosen by a boolean scalar.

    Both are traced, so that they are known to give equal types; one runs.

    Parameters
    ----------
    pred : bool or 0-d array
        Which one; of any numeric dtype, true if not zero.
    true_fun, false_fun : callable
        Take the operands; give pytrees of equal structure and types.
    *operands : pytrees
        What they're applied to.
    operand : pytree, optional
        A single operand by keyword; it may be None.
    linear : ignored
        Accepted for programs written for JAX.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.cond(True, lambda x: x + 1, lambda x: x - 1, 3)
    Array(4, dtype=int32, weak_type=True)
    """
    if not callable(true_fun) and len(operands) == 2 and callable(operands[1]):
        # The older form: pred, x, function of x, y, function of y.
        check_callable("cond", false_fun)
        of_true, of_false = false_fun, operands[1]
        return cond(pred, lambda x, y: of_true(x), lambda x, y: of_false(y), true_fun, operands[0])
    if not (callable(true_fun) and callable(false_fun)):
        raise ArgumentTypeError(
            "cond: expected cond(pred, true_fun, false_fun, *operands); "
            f"true_fun is {type(true_fun).__name__}, false_fun is {type(false_fun).__name__}."
        )
    if operand is not _NONE_GIVEN:
        operands = (*operands, operand)
    (value,) = as_values("cond", [pred], tree_util.tree_structure(0), "pred")
    if value.shape != ():
        raise ArgumentTypeError(
            f"cond: pred must be a scalar, got {value.aval!r}. "
            "Use jnp.where for a choice element by element, or vmap."
        )
    if value.dtype != np.bool_:
        value = _not_zero(value)
    index = convert_element_type(value, "int32")
    return _branch("cond", index, (false_fun, true_fun), operands)


def _not_zero(value: Any) -> Any:
    return ne(value, full((), 0, value.dtype))


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Apply one of several functions, chosen by an integer scalar that is clamped to their number.

    Parameters
    ----------
    index : int or 0-d integer array
        Which one.
    branches : sequence of callable
        Take the operands; give pytrees of equal structure and types.
    *operands : pytrees
        What they're applied to.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.switch(1, [lambda x: x, lambda x: -x], 3.)
    Array(-3., dtype=float32, weak_type=True)
    """
    branches = tuple(branches)
    if not branches:
        raise ArgumentValueError("switch: branches is empty; give at least one function.")
    for k, b in enumerate(branches):
        check_callable(f"switch, branches[{k}]", b)
    (value,) = as_values("switch", [index], tree_util.tree_structure(0), "index")
    if value.shape != () or value.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"switch: index must be an integer scalar, got {value.aval!r}. Convert it with "
            "astype(int)."
        )
    value = convert_element_type(value, "int32")
    if len(branches) == 1:
        return branches[0](*operands)
    value = clamp(full((), 0, np.int32), value, full((), len(branches) - 1, np.int32))
    return _branch("switch", value, branches, operands)


def _branch(name: str, index: Any, functions: Sequence[Callable[..., Any]], operands: Any) -> Any:
    leaves, tree = tree_util.tree_flatten(tuple(operands))
    values = as_values(name, leaves, tree, "operands")
    known = known_value(index)
    if known is not None and runs_in_python():
        chosen = functions[int(known)](*tree_util.tree_unflatten(tree, values))
        chosen_leaves, chosen_tree = tree_util.tree_flatten(chosen)
        return tree_util.tree_unflatten(chosen_tree, as_values(name, chosen_leaves, chosen_tree))
    avals = [v.aval for v in values]
    staged = [staged_body(f, tree, avals, function_name(f)) for f in functions]
    first = staged[0]
    for k, (jaxpr, _, out_tree) in enumerate(staged[1:], 1):
        if out_tree != first[2]:
            raise ArgumentTypeError(
                f"{name}: branches must give one structure; branch {k} gives {out_tree}, branch 0 "
                f"gives {first[2]}: {structure_difference('the result', first[2], out_tree)}."
            )
        for j, (a, b) in enumerate(zip(first[0].out_avals, jaxpr.out_avals, strict=True)):
            if not a.same_type(b):
                raise ArgumentTypeError(
                    f"{name}: branches must give equal types; result "
                    f"{argument_path(out_tree, j) or '0'} is {a!r} in branch 0 and {b!r} in branch "
                    f"{k}. Convert with astype or broadcast."
                )
    consts, programs = merge_captured([(j, c) for j, c, _ in staged])
    outs = cond_p(index, *consts, *values, branches=tuple(programs))
    return tree_util.tree_unflatten(first[2], outs)


# -------------------------------------------------------------------------------------------- loops


def _check_carry(
    name: str, fun: Any, tree: Any, init: Sequence[ShapedArray], out_tree: Any, out: Any
) -> None:
    if out_tree != tree:
        raise ArgumentTypeError(
            f"{name}: the body changes the structure of the carry; on output "
            f"{users_name(fun, structure_difference('carry', tree, out_tree))}. Return a carry "
            f"like the input, {tree}."
        )
    for k, (a, b) in enumerate(zip(init, out, strict=True)):
        if not a.same_type(b):
            place = users_name(fun, argument_path(tree, k, "carry"))
            raise ArgumentTypeError(
                f"{name}: the carry must keep its types; {place} is {a!r} on input and {b!r} on "
                "output. Convert one of them, e.g. with astype."
            )


def _promoted(
    values: list[Any], make: Callable[[list[ShapedArray]], Any], outs_of: Callable[[Any], Any]
) -> tuple[list[Any], Any]:
    """Stage a body; a weak carry that comes out with a wider dtype is converted to it first."""
    made = make([v.aval for v in values])
    outs = outs_of(made)
    if outs is None:
        return values, made
    changed = False
    for k, (value, out) in enumerate(zip(values, outs, strict=False)):
        if (
            value.aval.weak_type
            and value.shape == out.shape
            and (value.dtype != out.dtype or not out.weak_type)
            and lattice_result_type(value, out)[0] == out.dtype  # nothing is narrowed
        ):
            values[k] = convert_element_type(value, out.dtype)
            changed = True
    return (values, make([v.aval for v in values])) if changed else (values, made)


def while_loop(cond_fun: Callable[..., Any], body_fun: Callable[..., Any], init_val: Any) -> Any:
    """Repeat ``val = body_fun(val)`` while ``cond_fun(val)`` holds.

    Differentiable in both modes, to any order; see `fnx.control.while_loop`.

    Parameters
    ----------
    cond_fun : callable
        From the carry to a boolean scalar.
    body_fun : callable
        From the carry to a carry of the same structure and types.
    init_val : pytree
        The first carry.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.while_loop(lambda x: x < 10, lambda x: 2 * x, 1)
    Array(16, dtype=int32, weak_type=True)
    """
    check_callable("while_loop", cond_fun)
    check_callable("while_loop", body_fun)
    name = f"while_loop of {function_name(body_fun)}"
    leaves, tree = tree_util.tree_flatten(init_val)
    values = as_values(name, leaves, tree, "init_val")
    if runs_in_python():
        so_far, done = while_in_python(cond_fun, body_fun, tree_util.tree_unflatten(tree, values))
        if done:
            return so_far
        leaves, tree = tree_util.tree_flatten(so_far)
        values = as_values(name, leaves, tree, "init_val")
    wrapped = tree_util.tree_structure((tree_util.tree_unflatten(tree, [0] * len(leaves)),))

    def make(avals: list[ShapedArray]) -> Any:
        return staged_body(body_fun, wrapped, avals, function_name(body_fun))

    values, (body, body_consts, out_tree) = _promoted(
        values, make, lambda m: m[0].out_avals if m[2] == tree else None
    )
    avals = [v.aval for v in values]
    _check_carry(name, body_fun, tree, avals, out_tree, body.out_avals)
    predicate, cond_consts, cond_tree = staged_body(
        cond_fun, wrapped, avals, function_name(cond_fun)
    )
    if cond_tree != tree_util.tree_structure(0) or not predicate.out_avals[0].same_type(
        ShapedArray((), np.dtype(bool))
    ):
        given = ", ".join([repr(a) for a in predicate.out_avals])
        raise ArgumentTypeError(
            f"{name}: cond_fun must give a boolean scalar, it gave {given}. Compare, or reduce "
            "with all() or any()."
        )
    outs = while_p(
        *cond_consts,
        *body_consts,
        *values,
        cond_jaxpr=predicate,
        body_jaxpr=body,
        cond_nconsts=len(cond_consts),
        body_nconsts=len(body_consts),
    )
    return tree_util.tree_unflatten(tree, outs)


def scan(
    f: Callable[..., Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    *,
    checkpoint: int | bool = 0,
) -> tuple[Any, Any]:
    """Loop over the leading axis of arrays with a carry.

    Parameters
    ----------
    f : callable
        ``f(carry, x) -> (carry, y)``; the carry keeps its structure and types.
    init : pytree
        The first carry.
    xs : pytree, optional
        Arrays whose leading axis is looped over.
    length : int, optional
        Number of steps, when `xs` is None.
    reverse : bool
        From the last to the first.
    unroll : int or bool
        Accepted for programs written for JAX; loops are native here.
    checkpoint : int or bool
        How often reverse mode may compute each step again (True is once): it then keeps about
        ``(checkpoint + 1) * length ** (1 / (checkpoint + 1))`` steps instead of all. With 0 it
        keeps what every step leaves for the derivative.

    Returns
    -------
    carry : pytree
        The last one.
    ys : pytree
        The y of every step, stacked.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.scan(lambda c, x: (c + x, c), 0., jnp.arange(3.))
    (Array(3., dtype=float32), Array([0., 0., 1.], dtype=float32))
    """
    check_callable("scan", f)
    name = f"scan of {function_name(f)}"
    init_leaves, init_tree = tree_util.tree_flatten(init)
    xs_leaves, xs_tree = tree_util.tree_flatten(xs)
    carry = as_values(name, init_leaves, init_tree, "init")
    arrays = as_values(name, xs_leaves, xs_tree, "xs")
    steps = _scan_length(name, arrays, xs_tree, length)
    try:
        again = operator.index(checkpoint)
    except TypeError:
        raise ArgumentTypeError(
            f"{name}: checkpoint must be a bool or an integer, got {checkpoint!r}. Pass how often "
            "a step may be computed again."
        ) from None
    if again < 0:
        raise ArgumentValueError(f"{name}: checkpoint must not be negative, got {checkpoint}.")
    x_avals = [a.aval.update(shape=a.shape[1:]) for a in arrays]
    tree = tree_util.tree_structure(
        (
            tree_util.tree_unflatten(init_tree, [0] * len(carry)),
            tree_util.tree_unflatten(xs_tree, [0] * len(arrays)),
        )
    )

    def make(avals: list[ShapedArray]) -> Any:
        jaxpr, consts, out_tree = staged_body(_pair, tree, [*avals, *x_avals], function_name(f))
        children = out_tree.children()
        return jaxpr, consts, children[0], children[1]

    @functools.wraps(f)
    def _pair(c: Any, x: Any) -> Any:
        out = f(c, x)
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise ArgumentTypeError(
                f"{name}: the body must give a pair (carry, y), it gave {described(out)}. "
                "Return `carry, None` without y."
            )
        return tuple(out)

    if runs_in_python() and steps > 0:
        first = tree_util.tree_unflatten(init_tree, carry)
        return scan_in_python(_pair, first, arrays, xs_tree, steps, bool(reverse))
    carry, (jaxpr, consts, carry_tree, y_tree) = _promoted(
        carry, make, lambda m: m[0].out_avals if m[2] == init_tree else None
    )
    n = len(carry)
    _check_carry(
        name,
        f,
        init_tree,
        [c.aval for c in carry],
        carry_tree,
        jaxpr.out_avals[: carry_tree.num_leaves],
    )
    outs = blocked_scan(
        [*consts, *carry, *arrays],
        again,
        jaxpr=jaxpr,
        length=steps,
        reverse=bool(reverse),
        num_consts=len(consts),
        num_carry=n,
    )
    return (
        tree_util.tree_unflatten(init_tree, outs[:n]),
        tree_util.tree_unflatten(y_tree, outs[n:]),
    )


def _scan_length(name: str, arrays: Sequence[Any], tree: Any, length: int | None) -> int:
    if length is not None and operator.index(length) < 0:
        raise ArgumentValueError(f"{name}: length must not be negative, got {length}.")
    sizes: dict[int, str] = {} if length is None else {int(length): "length"}
    for k, a in enumerate(arrays):
        if a.ndim == 0:
            raise ArgumentValueError(
                f"{name}: {argument_path(tree, k, 'xs')} is {a.aval!r}, which has no axis to loop "
                "over. Let the body capture it, or repeat it."
            )
        sizes.setdefault(a.shape[0], f"xs{argument_path(tree, k)} ({a.aval!r})")
    if len(sizes) > 1:
        found = ", ".join(f"{n} from {where}" for n, where in sizes.items())
        raise ArgumentValueError(
            f"{name}: leading axes must have one size, got {found}. Slice or pad them to one "
            "length."
        )
    if not sizes:
        raise ArgumentValueError(f"{name}: give xs, or length.")
    return next(iter(sizes))


#: Steps from which on a `fori_loop` doesn't keep what each of them leaves for its derivative.
_LONG = 1 << 16


def fori_loop(
    lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any, *, unroll: Any = None
) -> Any:
    """Apply ``val = body_fun(i, val)`` for i in ``range(lower, upper)``.

    Parameters
    ----------
    lower, upper : int or 0-d integer array
        The range. Where it is known the loop is a `scan`, from 65,536 steps on with
        ``checkpoint=1``.
    body_fun : callable
        From index and carry to a carry of the same structure and types.
    init_val : pytree
        The first carry.
    unroll : ignored
        Accepted for programs written for JAX.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.fori_loop(0, 4, lambda i, s: s + i, 0)
    Array(6, dtype=int32, weak_type=True)
    """
    check_callable("fori_loop", body_fun)
    lo, hi = as_values("fori_loop", [lower, upper], tree_util.tree_structure((0, 0)), "bounds")
    for which, bound in (("lower", lo), ("upper", hi)):
        if bound.shape != () or bound.dtype.kind not in "iu":
            raise ArgumentTypeError(
                f"fori_loop: {which} must be an integer scalar, got {bound.aval!r}. Convert it "
                "with astype(int)."
            )
    if lo.dtype != hi.dtype and not (lo.aval.weak_type or hi.aval.weak_type):
        raise ArgumentTypeError(
            f"fori_loop: lower and upper must have one dtype, got {lo.aval!r} and {hi.aval!r}. "
            "Convert one of them with astype."
        )
    dtype = lo.dtype if not lo.aval.weak_type else hi.dtype
    weak = lo.aval.weak_type and hi.aval.weak_type
    lo = convert_element_type(lo, dtype, weak)
    hi = convert_element_type(hi, dtype, weak)
    known_lo, known_hi = known_value(lo), known_value(hi)
    one = adopt(np.ones((), dtype), weak)

    if known_lo is not None and known_hi is not None:

        def step(carry: Any, _: Any) -> Any:
            i, val = carry
            return (add(i, one), body_fun(i, val)), None

        step = aliased(step, body_fun, "carry[0]", "carry[1]")
        steps = max(int(known_hi) - int(known_lo), 0)
        (_, result), _ = scan(step, (lo, init_val), None, steps, checkpoint=steps >= _LONG)
        return result

    def body(carry: Any) -> Any:
        i, end, val = carry
        return add(i, one), end, body_fun(i, val)

    body = aliased(body, body_fun, "carry[0]", "carry[2]")
    return while_loop(lambda c: lt(c[0], c[1]), body, (lo, hi, init_val))[2]


def map(f: Callable[..., Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply a function to each element along the leading axis, one after the other.

    Parameters
    ----------
    f : callable
        Of one element.
    xs : pytree
        Arrays with one leading size.
    batch_size : int, optional
        Accepted for programs written for JAX.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.map(lambda x: x * x, jnp.arange(3.))
    Array([0., 1., 4.], dtype=float32)
    """
    check_callable("map", f)

    def step(_: Any, x: Any) -> Any:
        return None, f(x)

    return scan(aliased(step, f, "x"), None, xs)[1]
