"""`custom_vmap`: a function with its own rule for a mapped axis; `sequential_vmap` maps by a loop.

The rule is kept beside the function until `vmap` asks for it.  Derivatives keep it, too: the jvp of
such a function is one whose rule is the jvp of its rule.  Reverse mode and series follow the
function itself where they meet it before `vmap` does, and its rule where they meet it after.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.config import CONTEXT
from fnx.control.calls import front, spread, zeros_of
from fnx.control.loops import map as loop_map
from fnx.control.pushforward import linear_program_p
from fnx.control.samplers import custom_vmap_samples
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Zero
from fnx.core.primitive import rule as rule_of
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsetRuleError
from fnx.transforms.batching import to_axis
from fnx.transforms.jet import jet_flat
from fnx.transforms.jvp import instantiate, jvp_flat
from fnx.transforms.linearize import linearize_flat, replay
from fnx.transforms.trees import Flat, as_values, check_callable, function_name

__all__ = ["custom_vmap", "custom_vmap_p", "sequential_vmap"]

FlatFunction = Callable[..., list[Any]]

#: From size, which arguments are mapped, and these (mapped in front) to results, and which of them
#: are mapped.
FlatRule = Callable[[int, tuple[bool, ...], Sequence[Any]], tuple[list[Any], list[bool]]]


def _as_function(fun: Any) -> FlatFunction:
    return (lambda *args: eval_jaxpr(fun, *args)) if isinstance(fun, Jaxpr) else fun


def _staged(fun: Any, avals: Sequence[ShapedArray]) -> tuple[Jaxpr, list[Any]]:
    if isinstance(fun, Jaxpr):
        return fun, []
    jaxpr, captured = stage(fun, avals, getattr(fun, "__name__", "function"))
    return simplify(jaxpr), captured


def _stage(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    jaxpr, captured = _staged(params["fun"], avals)
    consts = params["consts"] + len(captured)
    return {**params, "fun": jaxpr, "consts": consts, "captured": captured}


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, fun: Any, rule: FlatRule, consts: int
) -> Any:
    function = _as_function(fun)
    if any(type(t) is not Zero for t in tangents[:consts]):
        return jvp_flat(function, primals, tangents)  # the rule doesn't see what is captured
    types = [tangent_type(p.aval) for p in primals]
    nonzero = [type(t) is not Zero for t in tangents]
    count = len(primals)
    counts: list[int] = []

    def both(function: FlatFunction, points: Sequence[Any], moves: Sequence[Any]) -> list[Any]:
        outs, out_tangents = jvp_flat(function, points, moves)
        counts[:] = [len(outs)]
        return [*outs, *[instantiate(t) for t in out_tangents if t.aval.dtype != float0]]

    def pushed(*args: Any) -> list[Any]:
        return both(function, args[:count], spread(args[count:], nonzero, lambda k: Zero(types[k])))

    def pushed_rule(
        size: int, mapped: tuple[bool, ...], args: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        n = count - consts
        moving = nonzero[consts:]
        moves = spread(args[n:], moving, lambda k: None)
        moves_mapped = spread(mapped[n:], moving, lambda k: False)
        together = tuple([a or b for a, b in zip(mapped[:n], moves_mapped, strict=True)])
        points = [
            to_axis(a, None, size, 0) if both_have and not has else a
            for a, has, both_have in zip(args[:n], mapped[:n], together, strict=True)
        ]
        directions = [
            Zero(tangent_type(p.aval))
            if t is None
            else (to_axis(t, None, size, 0) if both_have and not has else t)
            for p, t, has, both_have in zip(points, moves, moves_mapped, together, strict=True)
        ]
        outs_mapped: list[bool] = []

        def values(*xs: Any) -> list[Any]:
            outs, found = rule(size, together, xs)
            outs_mapped[:] = found
            return outs

        results = both(values, points, directions)
        outs = results[: counts[0]]
        moved = [
            m
            for o, m in zip(outs, outs_mapped, strict=True)
            if tangent_type(o.aval).dtype != float0
        ]
        return results, [*outs_mapped, *moved]

    given = [t for t in tangents if type(t) is not Zero]
    results = custom_vmap_p(*primals, *given, fun=pushed, rule=pushed_rule, consts=consts)
    outs = results[: counts[0]]
    has = [tangent_type(o.aval).dtype != float0 for o in outs]
    return outs, spread(results[counts[0] :], has, lambda k: zeros_of(outs[k]))


def _linearize(
    nonzeros: Sequence[bool], primals: Sequence[Any], *, fun: Any, rule: FlatRule, consts: int
) -> Any:
    function = _as_function(fun)
    moving = [p for p, n in zip(primals, nonzeros, strict=True) if n]

    def of_moving(*given: Any) -> list[Any]:
        it = iter(given)
        return function(*[next(it) if n else p for p, n in zip(primals, nonzeros, strict=True)])

    outs, linearized = linearize_flat(of_moving, moving, "custom_vmap")
    if CONTEXT.get().trace is not None:  # vmap may be around: then its values are the rule's
        outs = custom_vmap_p(*primals, fun=fun, rule=rule, consts=consts)

    def linear(given: Sequence[Any]) -> list[Any]:
        return [t for t in replay(linearized, given) if t is not None]

    return outs, [t is not None for t in linearized.outputs], linear


def _transpose(cts: Sequence[Any], *operands: Any, fun: Any, **params: Any) -> list[Any]:
    jaxpr, captured = _staged(fun, [a.aval for a in operands])
    pulled = rule_of(linear_program_p, "transpose")(cts, *captured, *operands, jaxpr=jaxpr)
    return pulled[len(captured) :]


def _vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    fun: Any,
    rule: FlatRule,
    consts: int,
) -> Any:
    for value, dim in zip(args[:consts], dims[:consts], strict=True):
        if dim is not None:
            raise ArgumentTypeError(
                f"custom_vmap: the function captures a mapped value of type {value.aval!r} (axis "
                f"{dim}); its rule can't see it. Pass it as an argument."
            )
    mapped = tuple([d is not None for d in dims[consts:]])
    outs, outs_mapped = rule(int(size), mapped, front(args[consts:], dims[consts:]))
    return outs, [0 if m else None for m in outs_mapped]


def _jet(
    primals: Sequence[Any], series: Sequence[Sequence[Any]], *, fun: Any, **params: Any
) -> Any:
    return jet_flat(_as_function(fun), primals, series, len(series[0]), "custom_vmap")


def _infer(*avals: ShapedArray, fun: Any, **params: Any) -> list[ShapedArray]:
    return list(_staged(fun, avals)[0].out_avals)


def _evaluate(*args: Any, fun: Any, **params: Any) -> list[Any]:
    return _as_function(fun)(*args)


custom_vmap_p = HigherOrderPrimitive(
    "custom_vmap_call",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="call",
    stage=_stage,
    sample=custom_vmap_samples,
    inline=lambda params: params["fun"],
    inline_at="compile",
    effects=lambda params: getattr(params["fun"], "effects", frozenset()),
)


class custom_vmap:
    """A function with its own rule for `vmap`.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.custom_batching import custom_vmap
    >>> @custom_vmap
    ... def f(x):
    ...     return x + 1
    >>> @f.def_vmap
    ... def f_rule(axis_size, in_batched, xs):
    ...     return xs + 10, in_batched[0]
    >>> fnx.vmap(f)(jnp.arange(3))
    Array([10, 11, 12], dtype=int32)
    """

    def __init__(self, fun: Callable[..., Any]) -> None:
        check_callable("custom_vmap", fun)
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.vmap_rule: Callable[..., Any] | None = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def def_vmap(self, vmap_rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule; a decorator.

        Parameters
        ----------
        vmap_rule : callable
            ``vmap_rule(axis_size, in_batched, *args)`` gives ``(out, out_batched)``: trees of bools
            like args and out, which say what has a leading mapped axis.
        """
        check_callable("custom_vmap.def_vmap", vmap_rule)
        self.vmap_rule = vmap_rule
        return vmap_rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = f"custom_vmap of {function_name(self.fun)}"
        rule = self.vmap_rule
        if rule is None:
            raise UnsetRuleError(f"{name}: no rule was set. Call .def_vmap(rule).")
        if CONTEXT.get().trace is None:
            return self.fun(*args, **kwargs)
        args = self._bound(name, args, kwargs)
        leaves, tree = tree_util.tree_flatten(args)
        flat = Flat(self.fun, tree)
        values = flat.values(name, leaves)
        trees: list[Any] = []

        def flat_rule(
            size: int, mapped: tuple[bool, ...], given: Sequence[Any]
        ) -> tuple[list[Any], list[bool]]:
            outs, outs_mapped, structure = _applied(name, rule, tree, size, mapped, given)
            trees[:] = [structure]
            return outs, outs_mapped

        outs = custom_vmap_p(*values, fun=flat, rule=flat_rule, consts=0)
        structure = flat.out_tree if flat.out_tree is not None else trees[0]
        return tree_util.tree_unflatten(structure, outs)

    def _bound(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, defaults included."""
        try:
            signature = inspect.signature(self.fun)
        except ValueError:  # a built-in without a signature
            return args
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise ArgumentTypeError(
                f"{name}: keyword-only arguments {sorted(bound.kwargs)} can't be mapped by a rule. "
                "Make them positional."
            )
        return bound.args


def _applied(
    name: str, rule: Callable[..., Any], tree: Any, size: int, mapped: Any, given: Sequence[Any]
) -> tuple[list[Any], list[bool], Any]:
    """What a user's rule gives, flat and checked."""
    result = rule(
        size, tree_util.tree_unflatten(tree, mapped), *tree_util.tree_unflatten(tree, given)
    )
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ArgumentTypeError(
            f"{name}: the rule must give a pair (out, out_batched), it gave "
            f"{type(result).__name__}."
        )
    leaves, structure = tree_util.tree_flatten(result[0])
    flags, flag_structure = tree_util.tree_flatten(result[1])
    if flag_structure != structure:
        raise ArgumentValueError(
            f"{name}: out_batched must have the structure of the rule's result, {structure}, got "
            f"{flag_structure}."
        )
    outs = as_values(name, leaves, structure, "out")
    for k, (out, flag) in enumerate(zip(outs, flags, strict=True)):
        if not isinstance(flag, bool):
            raise ArgumentTypeError(
                f"{name}: out_batched must hold bools, entry {k} is {type(flag).__name__}."
            )
        if flag and (not out.shape or out.shape[0] != size):
            raise ArgumentValueError(
                f"{name}: the rule says that result {k} is mapped, but it is {out.aval!r}, without "
                f"a leading axis of size {size}."
            )
    return outs, flags, structure


def sequential_vmap(f: Callable[..., Any]) -> custom_vmap:
    """A function that `vmap` maps by a loop, one lane after the other.

    Parameters
    ----------
    f : callable
        Takes and gives pytrees of arrays.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.custom_batching import sequential_vmap
    >>> fnx.vmap(sequential_vmap(lambda x: jnp.sum(x)))(jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    mapped = custom_vmap(f)

    @mapped.def_vmap
    def by_loop(size: int, in_batched: Any, *args: Any) -> Any:
        flags, tree = tree_util.tree_flatten(tuple(in_batched))
        leaves = tree_util.tree_leaves(args)

        def one(lanes: Sequence[Any]) -> Any:
            whole = spread(lanes, flags, lambda k: leaves[k])
            return mapped(*tree_util.tree_unflatten(tree, whole))

        out = loop_map(one, [x for x, m in zip(leaves, flags, strict=True) if m])
        return out, tree_util.tree_map(lambda _: True, out)

    return mapped
