"""`fwd_and_bwd`: reverse mode as two functions, between which residuals travel as a pytree.

So each half can be jitted, or run at another time, by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fnx import tree_util
from fnx.control.calls import has_tangent, spread
from fnx.control.jit import jit
from fnx.control.symbolic_zeros import full_tangent
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentValueError
from fnx.primitives.cast import convert_element_type
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr
from fnx.transforms.trees import Flat, argument_path, as_values, check_callable, function_name

__all__ = ["fwd_and_bwd"]


@dataclass(frozen=True, eq=False, slots=True)
class _Pullback:
    """The backward half: from residuals and a cotangent to cotangents of the chosen arguments."""

    name: str
    program: Jaxpr
    out_tree: Any
    out_avals: tuple[ShapedArray, ...]
    nonzero_out: tuple[bool, ...]
    in_tree: Any
    in_avals: tuple[ShapedArray, ...]

    def __call__(self, residuals: Sequence[Any], cotangent: Any) -> Any:
        leaves, tree = tree_util.tree_flatten(cotangent)
        if tree != self.out_tree:
            raise ArgumentValueError(
                f"{self.name}: the cotangent must have the structure of the result, "
                f"{self.out_tree}, got {tree}."
            )
        given = []
        for k, (leaf, aval) in enumerate(zip(leaves, self.out_avals, strict=True)):
            if not self.nonzero_out[k]:
                continue
            (ct,) = as_values(self.name, [leaf], tree_util.tree_structure(0), "cotangent")
            expected = tangent_type(aval)
            if ct.weak_type and ct.shape == expected.shape:
                ct = convert_element_type(ct, expected.dtype)
            if not expected.same_type(ct.aval):
                raise ArgumentValueError(
                    f"{self.name}: {argument_path(tree, k, 'cotangent')} must be {expected!r} "
                    f"like the result, got {ct.aval!r}."
                )
            given.append(ct)
        # Results beyond these are aux, which has no cotangent.
        rest = [
            full_tangent(Zero(a.strengthen()))
            for a in self.program.in_avals[len(residuals) + len(given) :]
        ]
        pulled = eval_jaxpr(self.program, *residuals, *given, *rest)
        found = spread(
            pulled,
            [has_tangent(a) for a in self.in_avals],
            lambda k: full_tangent(Zero(tangent_type(self.in_avals[k]))),
        )
        typed = [
            convert_element_type(ct, a.dtype, True) if a.weak_type and has_tangent(a) else ct
            for ct, a in zip(found, self.in_avals, strict=True)
        ]
        return tree_util.tree_unflatten(self.in_tree, typed)


def fwd_and_bwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool = False,
    jitted: bool = True,
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The two halves of reverse mode, each a function of arrays.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    argnums : int or sequence of int
        With respect to which positional arguments.
    has_aux : bool
        Whether `fun` gives ``(out, aux)``; aux is not differentiated.
    jitted : bool
        Whether both halves are jitted.

    Returns
    -------
    fwd : callable
        Takes the arguments, gives ``(out, residuals)``, or ``(out, residuals, aux)``.
    bwd : callable
        ``bwd(residuals, ct)`` gives the cotangent of the chosen argument, or a tuple of them.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fwd, bwd = fnx.fwd_and_bwd(lambda x, y: jnp.sin(x) * y, argnums=(0, 1))
    >>> out, residuals = fwd(0., 2.)
    >>> bwd(residuals, 1.)
    (Array(2., dtype=float32, weak_type=True), Array(0., dtype=float32, weak_type=True))
    """
    check_callable("fwd_and_bwd", fun)
    name = f"fwd_and_bwd of {function_name(fun)}"
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def fwd(*args: Any, **kwargs: Any) -> Any:
        places = [n + len(args) if n < 0 else n for n in chosen]
        beyond = [n for n, p in zip(chosen, places, strict=True) if not 0 <= p < len(args)]
        if beyond:
            raise ArgumentValueError(
                f"{name}: argnums {beyond} are not among the {len(args)} positional arguments."
            )
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        flat = Flat(fun, tree, keywords=True, aux=has_aux)
        values = flat.values(name, leaves)
        jaxpr, consts = stage(flat, [v.aval for v in values], name)
        jaxpr = simplify(jaxpr)
        numbered = tree_util.tree_unflatten(tree, list(range(len(values))))[0]
        parts = tuple([numbered[p] for p in places])
        order, in_tree = tree_util.tree_flatten(parts)
        moving = {k for k in order if has_tangent(values[k].aval)}
        nonzero = (*[False] * len(consts), *[k in moving for k in range(len(values))])
        split = linearize_jaxpr(jaxpr, nonzero)
        results = eval_jaxpr(split.primal, *consts, *values)
        total = len(jaxpr.outs)
        count = total - flat.aux_count
        # The tangent program has its inputs in the order of all arguments.
        positions = sorted(moving)
        tangent = split.tangent
        wanted = [split.residuals + positions.index(k) for k in order if k in moving]
        in_vars = [*tangent.in_vars[: split.residuals], *[tangent.in_vars[k] for k in wanted]]
        program = Jaxpr(in_vars, tangent.eqns, tangent.outs, name)
        pull = _Pullback(
            name,
            transpose_jaxpr(program, split.residuals),
            flat.out_tree,
            tuple(jaxpr.out_avals[:count]),
            tuple(split.nonzero_out[:count]),
            in_tree,
            tuple([values[k].aval for k in order]),
        )
        out = tree_util.tree_unflatten(flat.out_tree, results[:count])
        residuals = tree_util.Partial(pull, results[total:])
        if has_aux:
            return out, residuals, flat.aux(results[count:total])
        return out, residuals

    def bwd(residuals: Any, cotangent: Any) -> Any:
        pulled = residuals(cotangent)
        return pulled[0] if isinstance(argnums, int) else pulled

    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
