"""The one mechanism behind the modules of distributions: `Law`.

A law is given in its standard form: functions of ``z = (x - loc) / scale`` and its shapes, valid
inside of its support.  What is the same for all of them is here: promotion, location and scale,
what holds outside of the support (without NaN in derivatives), and the forms that follow from
others, such as ``pdf = exp(logpdf)`` and ``sf = 1 - cdf``.  Read next: `norm`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.errors import ArgumentTypeError
from fnx.numpy.promotion import broadcast_operands, promote_inexact

__all__ = ["Law", "log1mexp"]

Function = Callable[..., Any]

#: What each function is, and its values below and above the support.
_FORMS: dict[str, tuple[str, float, float]] = {
    "pdf": ("The density", 0, 0),
    "logpdf": ("The logarithm of the density", -np.inf, -np.inf),
    "pmf": ("The probability of a whole number", 0, 0),
    "logpmf": ("The logarithm of the probability of a whole number", -np.inf, -np.inf),
    "cdf": ("The probability of not more than x", 0, 1),
    "logcdf": ("The logarithm of the probability of not more than x", -np.inf, 0),
    "sf": ("The probability of more than x", 1, 0),
    "logsf": ("The logarithm of the probability of more than x", 0, -np.inf),
}
_QUANTILES = {
    "ppf": "The x that the probability q of not more than x belongs to",
    "isf": "The x that the probability q of more than x belongs to",
}


def log1mexp(x: Any) -> Any:
    """``log(1 - exp(-x))`` of a positive x, exact near zero and far from it.

    Parameters
    ----------
    x : Array
        Positive.
    """
    small = x < math.log(2)
    near = jnp.where(small, x, 1)
    far = jnp.where(small, 1, x)
    return jnp.where(small, jnp.log(-jnp.expm1(-near)), jnp.log1p(-jnp.exp(-far)))


@dataclass(frozen=True, slots=True)
class Law:
    """A family of distributions.

    Parameters
    ----------
    name : str
        Of the module, for errors.
    shapes : tuple of str
        Names of the parameters besides loc (and scale).
    forms : dict
        From names (``"logpdf"``, ``"sf"``, ``"ppf"``...) to functions of z (or q) and the shapes.
    low, high : callable
        Ends of the support, from the shapes; they belong to it.
    inside : callable
        A point within, from the shapes.
    discrete : bool
        Whole numbers, and no scale.
    """

    name: str
    shapes: tuple[str, ...]
    forms: dict[str, Function]
    low: Function = lambda *shapes: -np.inf
    high: Function = lambda *shapes: np.inf
    inside: Function = lambda *shapes: 0.5
    discrete: bool = False

    def function(self, form: str) -> Function:
        """One of the functions that users call.

        Parameters
        ----------
        form : str
            Which one.
        """
        quantile = form in _QUANTILES
        first = "q" if quantile else "k" if self.discrete else "x"
        names = (first, *self.shapes, "loc", *([] if self.discrete else ["scale"]))
        defaults = {"loc": 0, "scale": 1}
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        signature = inspect.Signature(
            [
                inspect.Parameter(n, kind, default=defaults.get(n, inspect.Parameter.empty))
                for n in names
            ]
        )
        title = f"{self.name}.{form}"
        value = self._quantile if quantile else self._value

        def call(*args: Any, **named: Any) -> Any:
            try:
                bound = signature.bind(*args, **named)
            except TypeError as error:
                raise ArgumentTypeError(
                    f"{title}: {error}. It takes ({', '.join(names)})."
                ) from None
            bound.apply_defaults()
            x, *rest = broadcast_operands(title, promote_inexact(title, *bound.args))
            if x.dtype.kind == "c":
                raise ArgumentTypeError(f"{title}: takes real numbers, got {x.aval!r}.")
            return value(form, x, *rest)

        what = _QUANTILES[form] if quantile else _FORMS[form][0]
        call.__name__, call.__qualname__, call.__module__ = form, form, __name__
        call.__doc__ = _DOCUMENT.format(
            what=what, name=self.name, names=", ".join(names), first=first
        )
        call.__signature__ = signature  # type: ignore[attr-defined]
        return call

    def _standard(self, form: str) -> Function:
        """The form on the support, given or made of another."""
        if form in self.forms:
            return self.forms[form]
        if form in ("pdf", "pmf") or "log" + form in self.forms:
            log_form = self._standard("log" + form)
            return lambda *args: jnp.exp(log_form(*args))
        if form.startswith("log"):
            plain = self._standard(form[3:])
            return lambda *args: jnp.log(plain(*args))
        other = self._standard("cdf" if form == "sf" else "sf")
        return lambda *args: 1 - other(*args)

    def _split(self, parameters: Any) -> tuple[Any, Any, Any]:
        if self.discrete:
            *shapes, loc = parameters
            return shapes, loc, jnp.ones_like(loc)
        *shapes, loc, scale = parameters
        return shapes, loc, scale

    def _value(self, form: str, x: Any, *parameters: Any) -> Any:
        shapes, loc, scale = self._split(parameters)
        z = (x - loc) / scale
        low, high = self.low(*shapes), self.high(*shapes)
        if self.discrete and form in ("cdf", "logcdf", "sf", "logsf"):
            z = jnp.floor(z)
        inside = (z >= low) & (z <= high)
        value = self._standard(form)(jnp.where(inside, z, self.inside(*shapes)), *shapes)
        if form == "logpdf":
            value = value - jnp.log(scale)
        elif form == "pdf":
            value = value / scale
        _, below, above = _FORMS[form]
        value = jnp.where(inside, value, jnp.where(z < low, below, above))
        if form in ("pmf", "logpmf"):
            value = jnp.where(z == jnp.floor(z), value, below)
        return jnp.where(jnp.isnan(z) | ~(scale > 0), np.nan, value)

    def _quantile(self, form: str, q: Any, *parameters: Any) -> Any:
        shapes, loc, scale = self._split(parameters)
        possible = (q >= 0) & (q <= 1) & (scale > 0)
        z = self.forms[form](jnp.where(possible, q, 0.5), *shapes)
        return jnp.where(possible, loc + scale * z, np.nan)


_DOCUMENT = """{what}: the distribution `{name}`.

    Parameters
    ----------
    {names} : array-like
        Real numbers of shapes that broadcast; `{first}` is where, the others are SciPy's
        parameters.
    """
