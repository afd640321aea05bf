"""Complex numbers of the loop language: pairs of real values, and the functions of them.

In come a builder (`expressions.ElementBuilder`) and `Complex` values; out come `Complex` values.
Every function is composed of real ones, with the branch cuts of the C standard (Annex G), after
W. Kahan, "Branch cuts for complex elementary functions" (1987). Read next: `expressions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.compiler.loops import Value

__all__ = ["Complex", "apply", "flattened", "from_real", "nested", "reduce", "running"]


class Complex:
    """A pair of real values."""

    __slots__ = ("imag_part", "real_part")

    def __init__(self, real_part: Value, imag_part: Value) -> None:
        self.real_part = real_part
        self.imag_part = imag_part

    @property
    def dtype(self) -> np.dtype[Any]:
        """complex64 or complex128."""
        return np.dtype(f"c{self.real_part.dtype.itemsize * 2}")


def apply(b: Any, op: str, *xs: Complex) -> Any:
    """An operation of the builder on complex operands.

    Raises
    ------
    TypeError
        The operation is not defined for complex numbers.
    """
    function = _FUNCTIONS.get(op)
    if function is None:
        raise TypeError(f"{op}: not defined for complex numbers")
    return function(b, *xs)


def from_real(b: Any, x: Value) -> Complex:
    """A real number as a complex one."""
    return Complex(x, b.constant(0, x.dtype))


def flattened(values: Sequence[Any]) -> tuple[list[Value], tuple[bool, ...]]:
    """The real values in a tuple, and which of its entries were complex."""
    flat: list[Value] = []
    for value in values:
        flat += [value.real_part, value.imag_part] if isinstance(value, Complex) else [value]
    return flat, tuple(isinstance(v, Complex) for v in values)


def nested(flat: Sequence[Value], shape: tuple[bool, ...]) -> tuple[Any, ...]:
    """The inverse of `flattened`."""
    values = iter(flat)
    return tuple(Complex(next(values), next(values)) if c else next(values) for c in shape)


def reduce(
    b: Any, operation: str, dtype: Any, extents: Sequence[int], body: Callable[..., Any]
) -> Any:
    """A reduction of complex numbers by one of the named operations."""
    init, combine = _combination(b, operation, dtype)
    return b.reduce_many(
        combine, (init,), extents, lambda *index: (b.convert(body(*index), dtype),)
    )[0]


def running(
    b: Any,
    operation: str,
    dtype: Any,
    at: Any,
    extent: int,
    body: Callable[[Any], Any],
    reverse: bool,
) -> Any:
    """A running reduction of complex numbers."""
    init, combine = _combination(b, operation, dtype)
    return b.running_many(
        combine, (init,), at, extent, lambda j: (b.convert(body(j), dtype),), reverse
    )[0]


def _combination(b: Any, operation: str, dtype: Any) -> tuple[Complex, Callable[..., Any]]:
    if operation not in ("add", "mul", "min", "max"):
        raise ValueError(f"reduce: no operation {operation!r} on complex numbers")
    edge = {"add": 0, "mul": 1, "min": complex(math.inf, math.inf)}
    init = b.constant(edge.get(operation, complex(-math.inf, -math.inf)), dtype)
    return init, lambda b, x, y: (b.combined(operation, x[0], y[0]),)


def _add(b: Any, x: Complex, y: Complex) -> Complex:
    return Complex(b.add(x.real_part, y.real_part), b.add(x.imag_part, y.imag_part))


def _sub(b: Any, x: Complex, y: Complex) -> Complex:
    return Complex(b.sub(x.real_part, y.real_part), b.sub(x.imag_part, y.imag_part))


def _neg(b: Any, x: Complex) -> Complex:
    return Complex(b.neg(x.real_part), b.neg(x.imag_part))


def _mul(b: Any, x: Complex, y: Complex) -> Complex:
    (a, c), (p, q) = _parts(x), _parts(y)
    return Complex(
        b.sub(b.mul(a, p), b.mul(c, q)),
        b.add(b.mul(a, q), b.mul(c, p)),
    )


def _div(b: Any, x: Complex, y: Complex) -> Complex:
    # Smith's division: scale by the larger part of the divisor, so that squares do not overflow.
    (a, c), (p, q) = _parts(x), _parts(y)
    flat = b.ge(b.abs(p), b.abs(q))
    zero = b.constant(0, p.dtype)
    large, small = b.select(flat, p, q), b.select(flat, q, p)
    ratio = b.select(b.eq(large, zero), zero, b.div(small, large))
    below = b.add(large, b.mul(small, ratio))
    real = b.select(flat, b.add(a, b.mul(c, ratio)), b.add(b.mul(a, ratio), c))
    imag = b.select(flat, b.sub(c, b.mul(a, ratio)), b.sub(b.mul(c, ratio), a))
    return Complex(b.div(real, below), b.div(imag, below))


def _sign(b: Any, x: Complex) -> Complex:
    size = b.abs(x)
    zero = b.eq(size, 0)
    below = b.select(zero, b.constant(1, size.dtype), size)
    return Complex(b.div(x.real_part, below), b.div(x.imag_part, below))


def _less(b: Any, x: Complex, y: Complex) -> Value:
    """The lexicographic order, as NumPy sorts."""
    (a, c), (p, q) = _parts(x), _parts(y)
    return b.or_(b.lt(a, p), b.and_(b.eq(a, p), b.lt(c, q)))


def _max(b: Any, x: Complex, y: Complex) -> Complex:
    return b.select(b.or_(_less(b, y, x), b.is_nan(x)), x, y)


def _min(b: Any, x: Complex, y: Complex) -> Complex:
    return b.select(b.or_(_less(b, x, y), b.is_nan(x)), x, y)


def _exp(b: Any, z: Complex) -> Complex:
    size, y = b.exp(z.real_part), z.imag_part
    return _at_infinity(b, z, size, Complex(b.mul(size, b.cos(y)), b.mul(size, b.sin(y))))


def _at_infinity(b: Any, z: Complex, limit: Value, w: Complex) -> Complex:
    """What `w`, made of exp(z), is on the real axis, and where no direction of z is known."""
    # f(-inf + i nan) is the limit, f(inf + i nan) infinite, f(x + 0i) real.
    x, y = _parts(z)
    edge = b.and_(b.eq(b.abs(x), math.inf), _unbounded(b, y))
    left = b.and_(edge, b.lt(x, 0))
    imag = b.select(left, b.constant(0, x.dtype), w.imag_part)
    return Complex(
        b.select(b.or_(edge, b.eq(y, 0)), limit, w.real_part), b.select(b.eq(y, 0), y, imag)
    )


def _unbounded(b: Any, x: Value) -> Value:
    """Whether a real number is infinite or NaN."""
    return b.not_(b.lt(b.abs(x), math.inf))


def _infinite(b: Any, z: Complex) -> Value:
    """Whether a part is infinite, whatever the other one is."""
    x, y = _parts(z)
    return b.or_(b.eq(b.abs(x), math.inf), b.eq(b.abs(y), math.inf))


def _log(b: Any, x: Complex) -> Complex:
    return Complex(_log_size(b, *_parts(x)), b.atan2(x.imag_part, x.real_part))


def _log_size(b: Any, x: Value, y: Value) -> Value:
    """log(hypot(x, y)), accurate near the unit circle."""
    large = b.max(b.abs(x), b.abs(y))
    small = b.min(b.abs(x), b.abs(y))
    near = b.mul(b.log1p(b.add(b.mul(b.sub(large, 1), b.add(large, 1)), b.mul(small, small))), 0.5)
    close = b.and_(b.gt(large, 0.5), b.lt(large, 2.0))
    return b.select(close, near, b.log(b.hypot(x, y)))


def _log1p(b: Any, z: Complex) -> Complex:
    x, y = _parts(z)
    # |1+z|^2 - 1 = x (2 + x) + y^2
    inside = b.add(b.mul(x, b.add(x, 2)), b.mul(y, y))
    shifted = b.add(x, 1)
    small = b.and_(b.lt(b.abs(x), 0.5), b.lt(b.abs(y), 0.5))
    real = b.select(small, b.mul(b.log1p(inside), 0.5), _log_size(b, shifted, y))
    return Complex(real, b.atan2(y, shifted))


def _expm1(b: Any, z: Complex) -> Complex:
    # exp(x) cos y - 1 = expm1(x) cos y - 2 sin(y/2)^2
    x, y = _parts(z)
    half = b.sin(b.mul(y, 0.5))
    real = b.sub(b.mul(b.expm1(x), b.cos(y)), b.mul(b.mul(half, half), 2))
    imag = b.mul(b.exp(x), b.sin(y))
    return _at_infinity(b, z, b.expm1(x), Complex(real, imag))


def _exp2(b: Any, x: Complex) -> Complex:
    scale = b.constant(math.log(2.0), x.real_part.dtype)
    return _exp(b, Complex(b.mul(x.real_part, scale), b.mul(x.imag_part, scale)))


def _sinh(b: Any, z: Complex) -> Complex:
    x, y = _parts(z)
    real, imag = b.mul(b.sinh(x), b.cos(y)), b.mul(b.cosh(x), b.sin(y))
    # What is 0 or infinite for every direction y stays so, if y is none.
    fixed = b.and_(_unbounded(b, y), b.or_(b.eq(x, 0), b.eq(b.abs(x), math.inf)))
    return Complex(b.select(fixed, x, real), b.select(b.eq(y, 0), y, imag))


def _cosh(b: Any, z: Complex) -> Complex:
    x, y = _parts(z)
    real, imag = b.mul(b.cosh(x), b.cos(y)), b.mul(b.sinh(x), b.sin(y))
    lost = _unbounded(b, y)
    infinite, nothing = b.and_(lost, b.eq(b.abs(x), math.inf)), b.and_(lost, b.eq(x, 0))
    flat = b.mul(b.copysign(b.constant(1, x.dtype), x), y)
    return Complex(
        b.select(infinite, b.abs(x), real),
        b.select(b.eq(y, 0), flat, b.select(nothing, x, imag)),
    )


def _cos(b: Any, z: Complex) -> Complex:
    return _cosh(b, Complex(b.neg(z.imag_part), z.real_part))


def _tanh(b: Any, z: Complex) -> Complex:
    # Kahan: with t = tan y, s = sinh x, rho = sqrt(1 + s^2), beta = 1 + t^2:
    #   tanh z = (beta rho s + i t) / (1 + beta s^2)
    x, y = _parts(z)
    tangent, s = b.tan(y), b.sinh(x)
    beta = b.add(b.mul(tangent, tangent), 1)
    rho = b.sqrt(b.add(b.mul(s, s), 1))
    below = b.add(b.mul(b.mul(beta, s), s), 1)
    real = b.div(b.mul(b.mul(beta, rho), s), below)
    imag = b.div(tangent, below)
    # Far away it is 1, and at infinity so without a direction y; on the axes it is x and iy.
    far = b.gt(b.abs(x), math.asinh(float(np.finfo(x.dtype).max)) / 4)
    far = b.and_(far, b.or_(b.eq(b.abs(x), math.inf), b.not_(_unbounded(b, y))))
    one = b.copysign(b.constant(1, x.dtype), x)
    flat = b.select(b.eq(y, 0), y, b.copysign(b.constant(0, x.dtype), y))
    return Complex(
        b.select(far, one, b.select(b.eq(x, 0), x, real)),
        b.select(b.or_(far, b.eq(y, 0)), flat, imag),
    )


def _turned(function: Callable[[Any, Complex], Complex]) -> Callable[[Any, Complex], Complex]:
    """f(z) = -i g(iz): the trigonometric function from the hyperbolic one."""

    def turned(b: Any, z: Complex) -> Complex:
        w = function(b, Complex(b.neg(z.imag_part), z.real_part))
        return Complex(w.imag_part, b.neg(w.real_part))

    return turned


def _sqrt(b: Any, z: Complex) -> Complex:
    x, y = _parts(z)
    zero = b.constant(0, x.dtype)
    # scale by 1/4 (and back by 2) so that the sum of the modulus and a part cannot overflow
    quarter = b.mul(b.abs(x), 0.25)
    size = b.mul(b.sqrt(b.add(b.hypot(quarter, b.mul(y, 0.25)), quarter)), math.sqrt(2.0))
    tiny = b.eq(size, 0)
    other = b.select(tiny, zero, b.mul(b.div(y, b.select(tiny, zero, size)), 0.5))
    right = b.ge(x, 0)
    real = b.select(right, size, b.abs(other))
    imag = b.select(right, other, b.copysign(size, y))
    infinite = b.eq(b.abs(y), math.inf)
    return Complex(
        b.select(infinite, b.abs(y), real), b.select(tiny, y, b.select(infinite, y, imag))
    )


def _rsqrt(b: Any, z: Complex) -> Complex:
    return _div(b, b.constant(1, z.dtype), _sqrt(b, z))


def _asinh(b: Any, z: Complex) -> Complex:
    # asinh(x + iy): real part asinh of a product that does not cancel (Kahan's CASINH)
    one = b.constant(1, z.dtype)
    rotated = Complex(b.neg(z.imag_part), z.real_part)  # iz
    s1, s2 = _sqrt(b, _add(b, one, rotated)), _sqrt(b, _sub(b, one, rotated))
    # asinh z = i * (-asin(iz)) with asin w = atan2(Re w, Re(s1 s2)) + i asinh(Im(conj(s2) s1))
    real = b.sub(b.mul(s2.real_part, s1.imag_part), b.mul(s2.imag_part, s1.real_part))
    below = b.sub(b.mul(s1.real_part, s2.real_part), b.mul(s1.imag_part, s2.imag_part))
    # At infinity the angle is that of z itself; on the real axis there is none.
    x, y = _parts(z)
    infinite = _infinite(b, z)
    angle = b.select(b.eq(y, 0), y, b.atan2(y, b.select(infinite, b.abs(x), below)))
    return Complex(
        b.select(infinite, b.copysign(b.constant(math.inf, x.dtype), x), b.asinh(real)), angle
    )


def _acos(b: Any, z: Complex) -> Complex:
    # Kahan's CACOS: 2 atan2(Re sqrt(1-z), Re sqrt(1+z)) + i asinh(Im(conj(sqrt(1+z)) sqrt(1-z)))
    one = b.constant(1, z.dtype)
    below, above = _sqrt(b, _sub(b, one, z)), _sqrt(b, _add(b, one, z))
    real = b.mul(b.atan2(below.real_part, above.real_part), 2)
    cross = b.sub(b.mul(above.real_part, below.imag_part), b.mul(above.imag_part, below.real_part))
    # At infinity the angle is that of z itself; on the imaginary axis it is a right one.
    x, y = _parts(z)
    infinite = _infinite(b, z)
    angle = b.select(infinite, b.atan2(b.abs(y), x), real)
    size = b.select(infinite, b.constant(math.inf, x.dtype), b.abs(b.asinh(cross)))
    right = b.constant(math.pi / 2, x.dtype)
    return Complex(b.select(b.eq(x, 0), right, angle), b.neg(b.copysign(size, y)))


def _acosh(b: Any, z: Complex) -> Complex:
    # i acos z above the real axis, -i acos z below
    w = _acos(b, z)
    return Complex(b.abs(w.imag_part), b.copysign(w.real_part, z.imag_part))


def _atanh(b: Any, z: Complex) -> Complex:
    # real: log1p(4x / ((1-x)^2 + y^2)) / 4; imaginary: atan2(2y, (1-x)(1+x) - y^2) / 2
    x, y = _parts(z)
    ahead = b.sub(1, b.abs(x))
    size = b.add(b.mul(ahead, ahead), b.mul(y, y))
    real = b.mul(b.log1p(b.div(b.mul(b.abs(x), 4), size)), 0.25)
    below = b.sub(b.mul(ahead, b.add(b.abs(x), 1)), b.mul(y, y))
    # At infinity it is a right angle; on the imaginary axis it has no real part.
    infinite, zero = _infinite(b, z), b.constant(0, x.dtype)
    real = b.select(b.or_(infinite, b.eq(x, 0)), zero, real)
    right = b.select(b.is_nan(y), y, b.copysign(b.constant(math.pi / 2, x.dtype), y))
    angle = b.mul(b.atan2(b.mul(y, 2), below), 0.5)
    return Complex(b.copysign(real, x), b.select(infinite, right, angle))


def _logistic(b: Any, z: Complex) -> Complex:
    one = b.constant(1, z.dtype)
    return _div(b, one, _add(b, one, _exp(b, _neg(b, z))))


def _pow(b: Any, x: Complex, y: Complex) -> Complex:
    # x^y = exp(y log x); 0^y is 0 for Re y > 0, and x^0 is 1
    power = _exp(b, _mul(b, y, _log(b, x)))
    nothing = b.and_(b.eq(x.real_part, 0), b.eq(x.imag_part, 0))
    trivial = b.and_(b.eq(y.real_part, 0), b.eq(y.imag_part, 0))
    zero, one = b.constant(0, x.dtype), b.constant(1, x.dtype)
    vanishes = b.and_(nothing, b.gt(y.real_part, 0))
    return b.select(trivial, one, b.select(vanishes, zero, power))


def _parts(x: Complex) -> tuple[Value, Value]:
    return x.real_part, x.imag_part


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "sign": _sign,
    "max": _max,
    "min": _min,
    "pow": _pow,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "sin": _turned(_sinh),
    "cos": _cos,
    "tan": _turned(_tanh),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "asinh": _asinh,
    "asin": _turned(_asinh),
    "acos": _acos,
    "acosh": _acosh,
    "atanh": _atanh,
    "atan": _turned(_atanh),
    "logistic": _logistic,
}
