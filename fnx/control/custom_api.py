"""`custom_jvp`, `custom_vjp` and `custom_gradient` as users write them, on pytrees.

Read next: `jit`.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.config import CONTEXT
from fnx.control.custom_rules import custom_jvp_p, custom_vjp_p
from fnx.control.symbolic_zeros import (
    CustomVJPPrimal,
    SymbolicForward,
    SymbolicRule,
    SymbolicZero,
    full_tangent,
)
from fnx.core.primitive import Zero
from fnx.core.tracing import Tracer
from fnx.core.types import float0, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnexpectedTracerError, UnsetRuleError
from fnx.primitives.cast import convert_element_type
from fnx.transforms.trees import (
    Flat,
    argument_name,
    argument_path,
    as_values,
    check_callable,
    described,
    function_name,
    structure_difference,
)

__all__ = ["custom_gradient", "custom_jvp", "custom_vjp"]


class _WithRule(ABC):
    """What `custom_jvp` and `custom_vjp` share: binding arguments, keeping static ones aside."""

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        check_callable(type(self).__name__, fun)
        functools.update_wrapper(self, fun)
        self.fun = fun
        places = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else nondiff_argnums
        names = (nondiff_argnames,) if isinstance(nondiff_argnames, str) else nondiff_argnames
        self.nondiff_argnums = (*places, *[self._place(n) for n in names])

    def _place(self, name: str) -> int:
        parameters = list(inspect.signature(self.fun).parameters)
        if name not in parameters:
            raise ArgumentValueError(
                f"{type(self).__name__} of {function_name(self.fun)}: {name!r} in nondiff_argnames "
                f"is not a parameter. Its parameters are {', '.join(parameters)}."
            )
        return parameters.index(name)

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function, under its rule."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, defaults included."""
        try:
            signature = inspect.signature(self.fun)
        except ValueError:  # a built-in without a signature
            return args
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise ArgumentTypeError(
                f"{type(self).__name__} of {function_name(self.fun)}: keyword-only arguments "
                f"{sorted(bound.kwargs)} can't have a rule. Make them positional."
            )
        return bound.args

    def _split(self, args: tuple[Any, ...]) -> tuple[dict[int, Any], list[Any]]:
        fixed = {k % len(args): args[k] for k in self.nondiff_argnums}
        return fixed, [a for k, a in enumerate(args) if k not in fixed]

    def _join(self, fixed: dict[int, Any], rest: Sequence[Any]) -> list[Any]:
        it = iter(rest)
        return [fixed[k] if k in fixed else next(it) for k in range(len(fixed) + len(rest))]

    def _flat(self, fixed: dict[int, Any], rest: Sequence[Any], tree: Any) -> Flat:
        """The function of the leaves of the arguments that aren't static."""

        def of_rest(*xs: Any) -> Any:
            return self.fun(*self._join(fixed, xs))

        of_rest.__wrapped__ = self.fun  # type: ignore[attr-defined]  # for names
        positions = [k for k in range(len(fixed) + len(rest)) if k not in fixed]
        return Flat(of_rest, tree, positions=positions)


class custom_jvp(_WithRule):
    """A function with its own forward derivative.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    nondiff_argnums : sequence of int
        Positions of arguments that aren't arrays; rules get them first.
    nondiff_argnames : sequence of str
        Such arguments by their names.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> @fnx.custom_jvp
    ... def f(x):
    ...     return jnp.sin(x)
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return f(x), 2. * t
    >>> fnx.grad(f)(1.)
    Array(2., dtype=float32, weak_type=True)
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable[..., Any] | None = None
        self.symbolic_zeros = False

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule ``jvp(*nondiff, primals, tangents) -> (out, tangent_out)``; a decorator.

        Parameters
        ----------
        jvp : callable
            Linear in the tangents.
        symbolic_zeros : bool
            Whether it takes a `SymbolicZero` where a tangent is zero; it may give such.
        """
        self.jvp = jvp
        self.symbolic_zeros = bool(symbolic_zeros)
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Set the rule argument by argument: ``jvps[k](tangent, out, *primals)``; None is zero.

        Parameters
        ----------
        *jvps : callable or None
            One for each argument.
        """
        if self.nondiff_argnums:
            raise ArgumentTypeError("custom_jvp.defjvps: not with nondiff_argnums. Use defjvp.")

        def jvp(primals: Any, tangents: Any) -> Any:
            out = self(*primals)
            terms = [
                f(t, out, *primals) for f, t in zip(jvps, tangents, strict=True) if f is not None
            ]
            if not terms:
                return out, tree_util.tree_map(lambda o: o * 0, out)
            total = terms[0]
            for term in terms[1:]:
                total = tree_util.tree_map(lambda a, b: a + b, total, term)
            return out, total

        self.jvp = jvp

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        rule = self.jvp
        name = f"custom_jvp of {function_name(self.fun)}"
        if rule is None:
            raise UnsetRuleError(f"{name}: no rule was set. Call .defjvp(rule).")
        if CONTEXT.get().trace is None:
            return self.fun(*args, **kwargs)
        fixed, rest = self._split(self._bound(args, kwargs))
        leaves, tree = tree_util.tree_flatten(tuple(rest))
        flat = self._flat(fixed, rest, tree)
        values = flat.values(name, leaves)
        out_tree: list[Any] = []

        @functools.wraps(rule)
        def flat_rule(*both: Any) -> list[Any]:
            half = len(both) // 2
            primals = tree_util.tree_unflatten(tree, both[:half])
            moves = [SymbolicZero(t.aval) if type(t) is Zero else t for t in both[half:]]
            tangents = tree_util.tree_unflatten(tree, moves)
            given = rule(*[fixed[k] for k in sorted(fixed)], primals, tangents)
            if not isinstance(given, (tuple, list)) or len(given) != 2:
                raise ArgumentTypeError(
                    f"{name}: the rule must give a pair (out, tangent_out), it gave "
                    f"{described(given)}. Return `out, tangent_out`."
                )
            outs, out_structure = tree_util.tree_flatten(given[0])
            tangents_out, tangent_structure = tree_util.tree_flatten(given[1])
            if out_structure != tangent_structure:
                raise ArgumentTypeError(
                    f"{name}: the rule's tangent must have the structure of its result; "
                    f"{structure_difference('tangent_out', out_structure, tangent_structure)}."
                )
            out_tree[:] = [out_structure]
            outs = as_values(name, outs, out_structure)
            tangents_out = [
                full_tangent(Zero(t.aval)) if type(t) is SymbolicZero else t for t in tangents_out
            ]
            tangents_out = as_values(name, tangents_out, out_structure)
            for k, (o, t) in enumerate(zip(outs, tangents_out, strict=True)):
                expected = tangent_type(o.aval)
                if expected.dtype == float0 or expected.same_type(t.aval):
                    continue
                tangents_out[k] = _as_weak_numbers_allow(t, o.aval.strengthen())
                if tangents_out[k] is None:
                    raise ArgumentTypeError(
                        f"{name}: the rule's {argument_path(out_structure, k, 'tangent_out')} must "
                        f"be {expected!r} like its result, got {t.aval!r}. Sum or broadcast it, or "
                        "convert it with astype."
                    )
            return [*outs, *tangents_out]

        chosen: Any = SymbolicRule(flat_rule) if self.symbolic_zeros else flat_rule
        outs = custom_jvp_p(*values, fun=flat, rule=chosen, consts=0)
        structure = flat.out_tree if flat.out_tree is not None else out_tree[0]
        return tree_util.tree_unflatten(structure, outs)


class custom_vjp(_WithRule):
    """A function with its own reverse derivative.

    Forward mode and jet work, too: the rule's pullback is linear in the cotangent, and is
    transposed; or they follow the function itself, without the rule.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    nondiff_argnums : sequence of int
        Positions of arguments that aren't arrays; ``bwd`` gets them first.
    nondiff_argnames : sequence of str
        Such arguments by their names.
    forward : {"rule", "function"}
        What `jvp`, `jacfwd` and `jet` follow: the transposed rule, or the function.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> @fnx.custom_vjp
    ... def f(x):
    ...     return jnp.sin(x)
    >>> f.defvjp(lambda x: (f(x), x), lambda x, ct: (3. * ct,))
    >>> fnx.grad(f)(1.)
    Array(3., dtype=float32, weak_type=True)
    >>> fnx.jacfwd(f)(1.)
    Array(3., dtype=float32)
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
        *,
        forward: str = "rule",
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        if forward not in ("rule", "function"):
            raise ArgumentValueError(
                f'custom_vjp: forward must be "rule" or "function", got {forward!r}.'
            )
        self.forward = forward
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.symbolic_zeros = False

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set the rule.

        Parameters
        ----------
        fwd : callable
            Takes the arguments of the function, gives ``(out, residuals)``.
        bwd : callable
            ``bwd(*nondiff, residuals, ct)`` gives a tuple of cotangents, one for each argument;
            None is zero.
        symbolic_zeros : bool
            Whether ``fwd`` gets its arguments as trees of `CustomVJPPrimal`, which say what may be
            differentiated; ``bwd`` gets arrays, and may give a `SymbolicZero`.
        optimize_remat : bool
            Accepted for programs written for JAX.
        """
        check_callable("custom_vjp.defvjp", fwd)
        check_callable("custom_vjp.defvjp", bwd)
        self.fwd, self.bwd = fwd, bwd
        self.symbolic_zeros = bool(symbolic_zeros)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = f"custom_vjp of {function_name(self.fun)}"
        fwd, bwd = self.fwd, self.bwd
        if fwd is None or bwd is None:
            raise UnsetRuleError(f"{name}: no rule was set. Call .defvjp(fwd, bwd).")
        if CONTEXT.get().trace is None:
            return self.fun(*args, **kwargs)
        fixed, rest = self._split(self._bound(args, kwargs))
        for k, value in fixed.items():
            for leaf in tree_util.tree_leaves(value):
                if isinstance(leaf, Tracer):
                    raise UnexpectedTracerError(
                        f"{name}: {argument_name(self.fun, k)} is in nondiff_argnums, but it holds "
                        f"a tracer, {leaf.aval!r}. Make it an ordinary argument, and give it a "
                        "cotangent of None."
                    )
        leaves, tree = tree_util.tree_flatten(tuple(rest))
        flat = self._flat(fixed, rest, tree)
        values = flat.values(name, leaves)
        avals = [v.aval for v in values]
        found: dict[str, Any] = {}

        @functools.wraps(fwd)
        def flat_fwd(flags: Any, *xs: Any) -> tuple[list[Any], list[Any]]:
            if self.symbolic_zeros:
                xs = tuple([CustomVJPPrimal(x, f) for x, f in zip(xs, flags, strict=True)])
            given = fwd(*self._join(fixed, tree_util.tree_unflatten(tree, xs)))
            if not isinstance(given, tuple) or len(given) != 2:
                raise ArgumentTypeError(
                    f"{name}: fwd must give a pair (out, residuals), it gave {described(given)}. "
                    "Return `out, residuals`."
                )
            outs, found["out"] = tree_util.tree_flatten(given[0])
            residuals, found["residuals"] = tree_util.tree_flatten(given[1])
            return (
                as_values(name, outs, found["out"]),
                as_values(name, residuals, found["residuals"], "residuals"),
            )

        def flat_bwd(residuals: list[Any], cts: list[Any]) -> list[Any]:
            pulled = bwd(
                *[fixed[k] for k in sorted(fixed)],
                tree_util.tree_unflatten(found["residuals"], residuals),
                tree_util.tree_unflatten(found["out"], cts),
            )
            return _flat_cotangents(name, pulled, flat, avals)

        forward = SymbolicForward(flat_fwd)
        chosen = {} if self.forward == "rule" else {"forward": self.forward}
        outs = custom_vjp_p(*values, fun=flat, fwd=forward, bwd=flat_bwd, consts=0, **chosen)
        structure = flat.out_tree if flat.out_tree is not None else found["out"]
        return tree_util.tree_unflatten(structure, outs)


def _flat_cotangents(name: str, pulled: Any, flat: Flat, avals: Sequence[Any]) -> list[Any]:
    """What bwd gave, leaf by leaf; None where it is zero."""
    whole = tree_util.tree_unflatten(flat.tree, list(range(flat.tree.num_leaves)))
    if not isinstance(pulled, (tuple, list)) or len(pulled) != len(whole):
        raise ArgumentTypeError(
            f"{name}: bwd must give a tuple of {len(whole)} cotangents, one for each argument, "
            f"it gave {described(pulled)}"
            + (f" of {len(pulled)}" if isinstance(pulled, (tuple, list)) else "")
            + "."
        )
    result: list[Any] = []
    places = range(len(whole)) if flat.positions is None else flat.positions
    for place, ct, part in zip(places, pulled, whole, strict=True):
        count = tree_util.tree_structure(part).num_leaves
        if ct is None:
            result += [None] * count
            continue
        leaves, structure = tree_util.tree_flatten(ct, is_leaf=lambda x: x is None)
        if len(leaves) != count:
            raise ArgumentTypeError(
                f"{name}: the cotangent of {argument_name(flat.function, place)} must have the "
                f"structure of its argument, {tree_util.tree_structure(part)}, got {structure}. "
                "Give such a tree; None is zero."
            )
        for leaf in leaves:
            aval = avals[len(result)]
            expected = tangent_type(aval)
            if leaf is None or type(leaf) is SymbolicZero or expected.dtype == float0:
                result.append(None)
                continue
            (value,) = as_values(name, [leaf], tree_util.tree_structure(0), "cotangent")
            fitting = _as_weak_numbers_allow(value, aval)
            if fitting is None:
                raise ArgumentTypeError(
                    f"{name}: the cotangent of {flat.path(len(result))} must be {expected!r}, got "
                    f"{value.aval!r}. Sum or broadcast it, or convert it with astype."
                )
            result.append(fitting)
    return result


def _as_weak_numbers_allow(value: Any, primal: Any) -> Any:
    """A derivative in the dtype of its primal, or None if it doesn't fit.

    Where one of them is a Python number, whose dtype yields, dtypes of one kind fit.
    """
    expected = tangent_type(primal)
    if expected.same_type(value.aval):
        return value
    yields = value.weak_type or primal.weak_type
    one_kind = kind_of(value.dtype) == kind_of(expected.dtype)
    if value.shape == expected.shape and yields and one_kind:
        return convert_element_type(value, expected.dtype)
    return None


def custom_gradient(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives its value and its pullback, as a function with that derivative.

    Parameters
    ----------
    fun : callable
        Gives ``(out, pullback)``; the pullback takes a cotangent of `out` and gives cotangents of
        the arguments.

    Examples
    --------
    >>> import fnx
    >>> f = fnx.custom_gradient(lambda x: (x ** 2, lambda g: (g * x,)))
    >>> fnx.grad(f)(3.)
    Array(3., dtype=float32, weak_type=True)
    """
    check_callable("custom_gradient", fun)

    @functools.wraps(fun)
    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        keywords = dict(kwargs)

        @custom_vjp
        def value(*xs: Any) -> Any:
            return fun(*xs, **keywords)[0]

        def fwd(*xs: Any) -> Any:
            out, pull = fun(*xs, **keywords)
            return out, tree_util.Partial(lambda g: _as_tuple(pull(g)))

        def bwd(pull: Any, ct: Any) -> Any:
            return pull(ct)

        value.defvjp(fwd, bwd)
        value._bound = lambda args, kwargs: args  # type: ignore[method-assign]
        return value(*args)

    return with_gradient


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
