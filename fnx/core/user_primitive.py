"""`UserPrimitive`: a primitive that a user defines, in one call or rule by rule.

It is a primitive like all others: under `grad`, `vmap`, `jet` and `jit` its own rules are asked.
Its evaluation gets and gives arrays and may use any function of fnx; a compiled program calls it as
a step in Python.  The names are those of `jax.extend.core.Primitive`; `fnx.interpreters` has the
tables in which programs written for JAX put rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.lowering import Host
from fnx.core.primitive import HigherOrderPrimitive
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, MissingRuleError

__all__ = ["UserPrimitive"]


class UserPrimitive(HigherOrderPrimitive):
    """An operation that a user defines, with its rules.

    Parameters
    ----------
    name : str
        What printed programs show; need not be unique.
    infer : callable, optional
        ``infer(*avals, **params)`` gives the type of the result (a list with several results).
    evaluate : callable, optional
        ``evaluate(*arrays, **params)`` gives the result: what becomes an array of that type.
    jvp : callable, Derived or Undefined, optional
        ``jvp(primals, tangents, **params)`` gives the result and its tangent, made with
        operations; a tangent may be a `Zero`.
    transpose : callable or Undefined, optional
        ``transpose(ct, *operands, **params)`` gives a cotangent or None for each operand; those
        that the operation is linear in come as `Linear`.
    vmap : callable or Undefined, optional
        ``vmap(size, args, dims, **params)`` gives the result and its mapped axis.
    jet : callable, Derived or Undefined, optional
        ``jet(primals, series, **params)``; by default derived from `jvp`.
    multiple_results : bool
        Whether rules give lists.

    See Also
    --------
    fnx.custom_jvp, fnx.custom_vjp : for a function that needs another derivative, and no more.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.core import Primitive
    >>> double_p = Primitive("double", infer=lambda x: x, evaluate=lambda x: 2 * x)
    >>> double_p.jvp = lambda primals, tangents: (double_p(*primals), double_p(*tangents))
    >>> fnx.jit(lambda x: double_p(x) + 1)(3.)
    Array(7., dtype=float32, weak_type=True)
    >>> fnx.jvp(double_p, (3.,), (1.,))
    (Array(6., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """

    __slots__ = ("impl",)

    def __init__(
        self,
        name: str,
        *,
        infer: Callable[..., Any] | None = None,
        evaluate: Callable[..., Any] | None = None,
        jvp: Any = None,
        transpose: Any = None,
        vmap: Any = None,
        jet: Any = None,
        multiple_results: bool = False,
    ) -> None:
        super().__init__(
            name,
            infer=None,
            evaluate=self._evaluate,
            jvp=jvp,
            transpose=transpose,
            vmap=vmap,
            jet=jet,
            lower=Host(f"`{name}` is a primitive of the user's, a Python function"),
            multiple_results=multiple_results,
        )
        self.impl = evaluate
        self.def_abstract_eval(infer if infer is not None else self._no_type)

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply to arrays, tracers, NumPy arrays or numbers, under the current trace."""
        operands = [as_value(a, self.name, f"operand {k}") for k, a in enumerate(args)]
        return super().__call__(*operands, **params)

    def def_impl(self, impl: Callable[..., Any]) -> Callable[..., Any]:
        """Set how it is evaluated; may be used as a decorator.

        Parameters
        ----------
        impl : callable
            ``impl(*arrays, **params)``.
        """
        self.impl = impl
        return impl

    def def_abstract_eval(self, infer: Callable[..., Any]) -> Callable[..., Any]:
        """Set how types of results follow from types of operands; may be used as a decorator.

        Parameters
        ----------
        infer : callable
            ``infer(*avals, **params)``.
        """

        def normalized(*avals: ShapedArray, **params: Any) -> Any:
            found = infer(*avals, **params)
            if not self.multiple_results:
                return self._type(found)
            if not isinstance(found, (list, tuple)):
                raise ArgumentTypeError(
                    f"{self.name}: it has several results, so its type rule must give a list, it "
                    f"gave {type(found).__name__}."
                )
            return [self._type(a) for a in found]

        self.infer = normalized
        return infer

    def _type(self, aval: Any) -> ShapedArray:
        if not (hasattr(aval, "shape") and hasattr(aval, "dtype")):
            raise ArgumentTypeError(
                f"{self.name}: its type rule must give a ShapedArray, it gave {aval!r}. Write "
                "core.ShapedArray(shape, dtype)."
            )
        weak = bool(getattr(aval, "weak_type", False))
        return ShapedArray(tuple(aval.shape), np.dtype(aval.dtype), weak)

    def _no_type(self, *avals: ShapedArray, **params: Any) -> Any:
        raise MissingRuleError(
            f"`{self.name}` has no type rule, so it can't be traced. Give Primitive(..., "
            "infer=rule), or call def_abstract_eval(rule): the types of results from those of "
            "operands."
        )

    def _evaluate(self, *args: Array, **params: Any) -> Any:
        if self.impl is None:
            raise MissingRuleError(
                f"`{self.name}` has no evaluation rule. Give Primitive(..., evaluate=rule), or "
                "call def_impl(rule): arrays from arrays."
            )
        outs = self.impl(*args, **params)
        types = self.infer(*[a.aval for a in args], **params)
        if not self.multiple_results:
            return self._as_array(outs, types)
        if not isinstance(outs, (list, tuple)) or len(outs) != len(types):
            raise ArgumentTypeError(
                f"{self.name}: its evaluation must give a list of {len(types)} results, it gave "
                f"{type(outs).__name__}."
            )
        return [self._as_array(o, t) for o, t in zip(outs, types, strict=True)]

    def _as_array(self, out: Any, expected: ShapedArray) -> Array:
        value = as_value(out, self.name, "the result of its evaluation")
        if value.weak_type and value.dtype != expected.dtype:  # a Python number
            value = adopt(value._data.astype(expected.dtype), True)
        if not value.aval.same_type(expected):
            raise ArgumentTypeError(
                f"{self.name}: its evaluation gave {value.aval!r}, its type rule said "
                f"{expected!r}. Make them agree."
            )
        same: Array = value
        if value.weak_type != expected.weak_type:
            same = adopt(value._data, expected.weak_type)
        return same
