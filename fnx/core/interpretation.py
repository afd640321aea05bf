"""What those use who write interpreters of their own: `eval_jaxpr` and small tools around a Jaxpr.

Names and arguments are those of `jax.core` and `jax.extend.core`: constants are apart from
arguments here, while inside of fnx they are a program's leading inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from fnx.core.check import check_jaxpr as _check
from fnx.core.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Var
from fnx.core.jaxpr import eval_jaxpr as _eval
from fnx.core.jaxpr import subjaxprs as _subjaxprs
from fnx.core.primitive import Primitive
from fnx.core.types import Effect

__all__ = [
    "check_jaxpr",
    "eval_jaxpr",
    "jaxpr_as_fun",
    "jaxprs_in_params",
    "new_jaxpr_eqn",
    "subjaxprs",
]


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """Run a program, equation by equation, under the current trace.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    consts : sequence
        Values of its ``constvars``.
    *args : Array, tracer or number
        One for each of its ``invars``.

    Returns
    -------
    list
        One value for each of its ``outvars``.

    Raises
    ------
    TypeError
        The numbers of constants or arguments don't fit.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> closed = fnx.make_jaxpr(lambda x: jnp.arange(3.) * x)(1.)
    >>> eval_jaxpr(closed.jaxpr, closed.consts, 2.)
    [Array([0., 2., 4.], dtype=float32)]
    """
    return _eval(jaxpr, *consts, *args)


def check_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> None:
    """Raise unless a program is well formed: every variable bound once, with its type, before use.

    Parameters
    ----------
    jaxpr : Jaxpr or ClosedJaxpr
        The program, and the programs that it holds.

    Raises
    ------
    JaxprTypeError
        Names the equation and both types.
    """
    _check(jaxpr.jaxpr, "the given")


def jaxpr_as_fun(closed: ClosedJaxpr) -> Callable[..., list[Any]]:
    """The function that a closed program is: of flat arguments, giving a list.

    Parameters
    ----------
    closed : ClosedJaxpr
        From `fnx.make_jaxpr`.
    """
    return closed.__call__


def jaxprs_in_params(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """The programs that the parameters of an equation hold.

    Parameters
    ----------
    params : dict
        An equation's.
    """
    for _, jaxpr in _subjaxprs(params):
        yield jaxpr


def subjaxprs(jaxpr: Jaxpr) -> Iterator[Jaxpr]:
    """The programs that the equations of a program hold, not those inside of these.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    """
    for eqn in jaxpr.eqns:
        yield from jaxprs_in_params(eqn.params)


def new_jaxpr_eqn(
    invars: Sequence[Atom],
    outvars: Sequence[Var],
    primitive: Primitive,
    params: dict[str, Any],
    effects: Iterable[Effect] = (),
    source_info: str = "",
) -> Eqn:
    """An equation.

    Parameters
    ----------
    invars, outvars : sequence of Var or Literal
        What it reads and binds.
    primitive : Primitive
        What it applies.
    params : dict
        Static parameters.
    effects : iterable of Effect
        What it does besides.
    source_info : str
        The user's line.
    """
    return Eqn(primitive, tuple(invars), tuple(outvars), params, frozenset(effects), source_info)
