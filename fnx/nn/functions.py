"""Activations, softmax and their relatives (as `jax.nn`).

Derivatives at kinks are those of `jax.nn`: that of `relu` at 0 is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.control.custom_api import custom_jvp
from fnx.numpy.promotion import as_arrays, promote_inexact
from fnx.primitives.cast import stop_gradient
from fnx.primitives.exponential import logistic
from fnx.primitives.special import erfc

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "identity", "leaky_relu", "log_sigmoid", "log_softmax", "logsumexp", "mish", "one_hot", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_sign", "softmax", "softplus", "standardize", "swish",
    "tanh",
]  # fmt: skip


@custom_jvp
def relu(x: Any) -> Any:
    """``max(x, 0)``, with derivative 0 at 0.

    Parameters
    ----------
    x : array-like
        The operand.

    Examples
    --------
    >>> relu(-1.)
    Array(0., dtype=float32, weak_type=True)
    """
    return jnp.maximum(x, 0)


@relu.defjvp
def _relu_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return relu(x), jnp.where(x > 0, t, jnp.zeros_like(t))


def identity(x: Any) -> Any:
    """The operand.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return jnp.asarray(x)


@custom_jvp
def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``, with derivative 0 at 0 and 6.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return jnp.minimum(jnp.maximum(x, 0), 6.0)


@relu6.defjvp
def _relu6_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return relu6(x), jnp.where((x > 0) & (x < 6), t, jnp.zeros_like(t))


def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """x where positive, ``negative_slope * x`` elsewhere.

    Parameters
    ----------
    x : array-like
        The operand.
    negative_slope : float
        Of the left half.
    """
    (x,) = promote_inexact("leaky_relu", x)
    return jnp.where(x >= 0, x, negative_slope * x)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return logistic(promote_inexact("sigmoid", x)[0])


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (x,) = promote_inexact("log_sigmoid", x)
    return -softplus(-x)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` without overflow.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return jnp.logaddexp(x, 0.0)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return jnp.tanh(x)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``.

    Parameters
    ----------
    x : array-like
        The operand.

    References
    ----------
    Elfwing, Uchibe and Doya, *Sigmoid-weighted linear units* (2018).
    """
    (x,) = promote_inexact("silu", x)
    return x * sigmoid(x)


swish = silu


def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))``.

    Parameters
    ----------
    x : array-like
        The operand.

    References
    ----------
    Misra, *Mish: a self regularized non-monotonic activation function* (2019).
    """
    (x,) = promote_inexact("mish", x)
    return x * jnp.tanh(softplus(x))


def gelu(x: Any, approximate: bool = True) -> Any:
    """``x * Phi(x)``, with Phi the normal distribution's cdf.

    Parameters
    ----------
    x : array-like
        The operand.
    approximate : bool
        By tanh instead of erf.

    References
    ----------
    Hendrycks and Gimpel, *Gaussian error linear units* (2016).
    """
    (x,) = promote_inexact("gelu", x)
    if approximate:
        # Beyond 10 the tangent is 1 in every dtype; its cube would overflow, and give NaN slopes.
        near = jnp.clip(x, -10.0, 10.0)
        inner = np.sqrt(2 / np.pi).item() * (near + 0.044715 * (near * near * near))
        return x * (0.5 * (1.0 + jnp.tanh(inner)))
    return x * (0.5 * erfc(x * -np.sqrt(0.5).item()))  # 1 + erf would cancel far to the left


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    x : array-like
        The operand.
    alpha : float
        Scale of the left half.
    """
    (x,) = promote_inexact("elu", x)
    safe = jnp.where(x > 0, 0.0, x)
    return jnp.where(x > 0, x, alpha * jnp.expm1(safe))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere.

    Parameters
    ----------
    x : array-like
        The operand.
    alpha : float
        Scale of the left half.
    """
    (x,) = promote_inexact("celu", x)
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


def selu(x: Any) -> Any:
    """`elu` scaled so that activations keep mean 0 and variance 1.

    Parameters
    ----------
    x : array-like
        The operand.

    References
    ----------
    Klambauer, Unterthiner, Mayr and Hochreiter, *Self-normalizing neural networks* (2017).
    """
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half times the sigmoid of the second half.

    Parameters
    ----------
    x : array-like
        Of even size along the axis.
    axis : int
        The axis.
    """
    a, b = jnp.split(promote_inexact("glu", x)[0], 2, axis)
    return a * sigmoid(b)


def hard_tanh(x: Any) -> Any:
    """x limited to [-1, 1].

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (x,) = as_arrays("hard_tanh", x)
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


def hard_sigmoid(x: Any) -> Any:
    """``relu6(x + 3) / 6``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return relu6(jnp.add(x, 3.0)) / 6.0


def hard_silu(x: Any) -> Any:
    """``x * hard_sigmoid(x)``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (x,) = promote_inexact("hard_silu", x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def soft_sign(x: Any) -> Any:
    """``x / (|x| + 1)``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (x,) = promote_inexact("soft_sign", x)
    return x / (jnp.abs(x) + 1)


def logsumexp(
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Any:
    """``log(sum(b * exp(a)))`` without overflow.

    Parameters
    ----------
    a : array-like
        Logarithms.
    axis : int, sequence of int or None
        Along which axes; all by default.
    b : array-like, optional
        Factors.
    keepdims : bool
        Keep the reduced axes, with size 1.
    return_sign : bool
        Give the logarithm of the absolute value, and the sign.
    where : array-like, optional
        Which elements count.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> logsumexp(jnp.array([1000., 1000.]))
    Array(1000.6932, dtype=float32)
    """
    (x,) = promote_inexact("logsumexp", a)
    if b is not None:
        (factor,) = promote_inexact("logsumexp", b)
        x = jnp.where(factor != 0, x, -np.inf)
    if where is not None:
        x = jnp.where(where, x, -np.inf)
    largest = _largest(x, axis)
    terms = jnp.exp(x - largest)
    if b is not None:
        terms = terms * factor
    total = jnp.sum(terms, axis, keepdims=keepdims)
    sign = jnp.sign(total)
    shift = largest if keepdims else jnp.reshape(largest, total.shape)
    if return_sign:
        return jnp.log(jnp.abs(total)) + shift, sign
    return jnp.log(total) + shift


def _largest(x: Any, axis: Any, where: Any = None) -> Any:
    """What exponents are measured from: the largest element, a constant; 0 if it isn't finite."""
    initial = None if where is None and x.size else -np.inf  # unneeded, `debug_infs` would see it
    largest = jnp.max(x, axis, keepdims=True, initial=initial, where=where)
    return stop_gradient(jnp.where(jnp.isfinite(largest), largest, 0.0))


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    x : array-like
        Logits.
    axis : int or sequence of int
        Along which axes.
    where : array-like, optional
        Which elements count; others give 0.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> softmax(jnp.zeros(2))
    Array([0.5, 0.5], dtype=float32)
    """
    (x,) = promote_inexact("softmax", x)
    largest = _largest(x, axis, where)
    terms = jnp.exp(x - largest)
    if where is not None:
        terms = jnp.where(where, terms, 0.0)
    return terms / jnp.sum(terms, axis, keepdims=True)


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """``log(softmax(x))``.

    Parameters
    ----------
    x : array-like
        Logits.
    axis : int or sequence of int
        Along which axes.
    where : array-like, optional
        Which elements count; others give -inf.
    """
    (x,) = promote_inexact("log_softmax", x)
    result = x - logsumexp(x, axis, keepdims=True, where=where)
    return result if where is None else jnp.where(where, result, -np.inf)


def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
) -> Any:
    """Mean 0 and variance 1 along an axis.

    Parameters
    ----------
    x : array-like
        The operand.
    axis : int or sequence of int
        Along which axes.
    mean, variance : array-like, optional
        In place of the computed ones.
    epsilon : float
        Added to the variance.
    where : array-like, optional
        Which elements count.
    """
    (x,) = promote_inexact("standardize", x)
    mean = jnp.mean(x, axis, keepdims=True, where=where) if mean is None else mean
    if variance is None:
        variance = jnp.mean(jnp.square(x), axis, keepdims=True, where=where) - jnp.square(mean)
    # The sum with an array first: a Python number alone would be rounded to float32.
    return (x - mean) / jnp.sqrt(jnp.add(jnp.asarray(variance, x.dtype), epsilon))


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Integers as unit vectors; zeros for those out of range.

    Parameters
    ----------
    x : array-like of int
        Classes.
    num_classes : int
        Length of the vectors.
    dtype : dtype, optional
        float32 by default.
    axis : int
        Where the new axis stands.

    Examples
    --------
    >>> one_hot(1, 3)
    Array([0., 1., 0.], dtype=float32)
    """
    (x,) = as_arrays("one_hot", x)
    wanted = dtypes.default_dtype("f") if dtype is None else dtypes.check_user_dtype(dtype)
    place = axis % (x.ndim + 1)
    shape = [1] * (x.ndim + 1)
    shape[place] = num_classes
    classes = jnp.reshape(jnp.arange(num_classes, dtype=x.dtype), tuple(shape))
    return jnp.equal(jnp.expand_dims(x, place), classes).astype(wanted)
