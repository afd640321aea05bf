"""How a primitive says what the compiler should make of it: the vocabulary of the ``lower`` slot.

A ``lower`` slot holds one of three things (a primitive that holds a Jaxpr, in ``fnx/control``, may
hold a function instead):

- ``Element(rule, kind)``: *one element of the result*, written as a scalar expression. Elementwise
  functions, re-indexing and reductions are all of this form, so the compiler fuses them as one
  case.
- ``Kernel(name)``: a named, hand-written kernel of ``fnx/kernels`` (contraction, convolution, ...).
- ``Host(reason)``: an explicit step in Python between kernels (LAPACK, FFT, callbacks).

What goes in: a primitive author's rule. What comes out: data that ``fnx/compiler/lower.py`` reads.
The words a rule may use are the methods of ``Builder`` below.

**Element rules.** ``rule(b, i, *operands, **params)`` returns the value of the output at index
``i`` (a tuple of ``Index``, one for each axis of the output). ``operands[k](*index)`` is the k-th
operand's element at an index; ``operands[k].aval`` is its type, ``b.out_aval`` the type of the
result. A primitive with several results returns a tuple (``b.out_avals`` are their types; all
have the same shape)::

    add:        lambda b, i, x, y: b.add(x(*i), y(*i))
    transpose:  lambda b, i, x, permutation: x(*(i[permutation.index(k)] for k in range(len(i))))
    rev (1-D):  lambda b, i, x, **_: x(x.aval.shape[0] - 1 - i[0])
    iota (1-D): lambda b, i, **_: b.from_index(i[0], b.out_aval.dtype)
    pad (1-D):  lambda b, i, x, value, low, **_: b.guarded(
                    b.inside(i[0] - low, x.aval.shape[0]), lambda: x(i[0] - low), value())
    sum, axis 1: lambda b, i, x, **_: b.reduce(
                    "add", b.out_aval.dtype, (x.aval.shape[1],), lambda j: x(i[0], j))

**Index** is symbolic integer arithmetic: ``+ - * // %`` between an ``Index`` and an ``Index`` or
a Python int (the divisor of ``//`` and ``%`` must be a positive Python int, and the dividend must
not be negative). The ints that enter it (sizes, starts, paddings) become arguments of the kernel,
so that another batch size is the same machine code. An axis of size 1 must be read at index 0
(write the int 0): broadcasting 1 against n is structure. Reading outside an operand is an error
of the rule, unless ``b.guarded`` protects the read.

**Scalar** is a typed value. All methods of ``b`` take and give scalars; an ``Index`` is taken
where a scalar is wanted, as an int64. Arithmetic wants operands of one dtype, as in the Jaxpr; a
Python number beside a scalar takes the scalar's dtype. bfloat16 and float16 are computed in
float32 and rounded after every operation; complex numbers are pairs of reals. All of it is strict
IEEE: nothing is contracted (``fma`` only where written), reassociated, or assumed finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

__all__ = ["Builder", "Element", "Host", "Index", "Kernel", "Operand", "Scalar"]

ElementKind = Literal["scalar", "index", "reduce", "running"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the result as a scalar expression; see the module's docstring.

    Parameters
    ----------
    rule
        ``rule(b, i, *operands, **params) -> Scalar`` or a tuple of them.
    kind
        ``"scalar"`` (reads every operand at the same index), ``"index"`` (rearranges), ``"reduce"``
        (``b.reduce``), ``"running"`` (``b.running``). The fuser's cost rules go by it.
    """

    rule: Callable[..., Any]
    kind: ElementKind = "scalar"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A named kernel of ``fnx/kernels``; the compiler calls it with operands and params.

    Parameters
    ----------
    name : str
        The name in the table of kernels.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Host:
    """An explicit step in Python between compiled segments.

    Parameters
    ----------
    reason : str
        Why it isn't compiled; users see it.
    """

    reason: str


class Index(Protocol):
    """A symbolic non-negative position; see the module's docstring for what it can do."""

    def __add__(self, other: Index | int) -> Index: ...
    def __radd__(self, other: int) -> Index: ...
    def __sub__(self, other: Index | int) -> Index: ...
    def __rsub__(self, other: int) -> Index: ...
    def __mul__(self, other: int) -> Index: ...
    def __rmul__(self, other: int) -> Index: ...
    def __floordiv__(self, other: int) -> Index: ...
    def __mod__(self, other: int) -> Index: ...


class Scalar(Protocol):
    """A typed value of the element expression; made only by a ``Builder``."""

    @property
    def dtype(self) -> np.dtype[Any]: ...


class Operand(Protocol):
    """An operand of the primitive: call it with an index to get an element."""

    @property
    def aval(self) -> Any: ...
    def __call__(self, *index: Index | int) -> Scalar: ...


Value = Scalar | Index | int | float | bool | complex
Truth = Scalar


class Builder(Protocol):
    """What a rule can say. Implemented by ``fnx/compiler/expressions.py``.

    Reductions are over commutative, associative operations: the order in which elements are
    combined is fixed by the loop nest (so results are repeatable), but it is not the order of the
    index.
    """

    out_avals: tuple[Any, ...]

    @property
    def out_aval(self) -> Any: ...

    # Values.
    def constant(self, value: Any, dtype: Any) -> Scalar: ...  # part of the code
    def parameter(self, value: Any, dtype: Any) -> Scalar: ...  # an argument of the kernel
    def from_index(self, index: Index | int, dtype: Any) -> Scalar: ...
    def to_index(self, value: Scalar) -> Index: ...  # from data: integers of any width
    def clamp_index(self, index: Index, low: int, high: int) -> Index: ...  # low <= result <= high

    # Structure.
    def guarded(self, condition: Truth, read: Callable[[], Scalar], otherwise: Value) -> Scalar: ...
    def inside(self, index: Index, size: int) -> Truth: ...  # 0 <= index < size
    def piecewise(
        self, index: Index, stops: Sequence[int], reads: Sequence[Callable[[], Scalar]]
    ) -> Scalar: ...  # reads[k] for the first k with index < stops[k] (the last stop is the extent)

    # ``operation`` is add, mul, min, max, and, or, xor. For and/or/xor of integers: bitwise.
    def reduce(
        self, operation: str, dtype: Any, extents: Sequence[int], body: Callable[..., Scalar]
    ) -> Scalar: ...

    # ``combine(b, left, right)`` of tuples; ``inits`` are its identity, one for each component.
    def reduce_many(
        self,
        combine: Callable[..., tuple[Scalar, ...]],
        inits: Sequence[Scalar],
        extents: Sequence[int],
        body: Callable[..., tuple[Scalar, ...]],
    ) -> tuple[Scalar, ...]: ...

    # The value at position ``at`` of the running reduction of body(0), body(1), ..., in that order
    # (``reverse``: from body(extent - 1) down). ``at`` must be the bare index of the output's axis.
    def running(
        self,
        operation: str,
        dtype: Any,
        at: Index,
        extent: int,
        body: Callable[[Index], Scalar],
        reverse: bool = False,
    ) -> Scalar: ...

    # ``combine(b, before, value)`` as in ``reduce_many``, in the order of the index.
    def running_many(
        self,
        combine: Callable[..., tuple[Scalar, ...]],
        inits: Sequence[Scalar],
        at: Index,
        extent: int,
        body: Callable[[Index], tuple[Scalar, ...]],
        reverse: bool = False,
    ) -> tuple[Scalar, ...]: ...

    # Arithmetic. Integers wrap. Integer div truncates; x / 0 is -1 (all ones), x rem 0 is x, and
    # min / -1 is min, as in XLA. rem takes the sign of the dividend. min and max give NaN
    # if either is NaN, and order -0 below +0. fma(x, y, z) is x*y + z rounded once.
    def add(self, x: Value, y: Value) -> Scalar: ...
    def sub(self, x: Value, y: Value) -> Scalar: ...
    def mul(self, x: Value, y: Value) -> Scalar: ...
    def div(self, x: Value, y: Value) -> Scalar: ...
    def rem(self, x: Value, y: Value) -> Scalar: ...
    def min(self, x: Value, y: Value) -> Scalar: ...
    def max(self, x: Value, y: Value) -> Scalar: ...
    def pow(self, x: Value, y: Value) -> Scalar: ...  # y of x's dtype; integers: y >= 0
    def atan2(self, y: Value, x: Value) -> Scalar: ...
    def nextafter(self, x: Value, y: Value) -> Scalar: ...
    def hypot(self, x: Value, y: Value) -> Scalar: ...
    def copysign(self, x: Value, y: Value) -> Scalar: ...
    def mulhi(self, x: Value, y: Value) -> Scalar: ...  # high half of an integer product
    def fma(self, x: Value, y: Value, z: Value) -> Scalar: ...
    def clamp(self, low: Value, x: Value, high: Value) -> Scalar: ...
    def integer_pow(self, x: Value, exponent: int) -> Scalar: ...
    def neg(self, x: Value) -> Scalar: ...
    def abs(self, x: Value) -> Scalar: ...  # of a complex number: real
    def sign(self, x: Value) -> Scalar: ...
    def square(self, x: Value) -> Scalar: ...
    def reciprocal(self, x: Value) -> Scalar: ...

    # Rounding of reals.
    def floor(self, x: Value) -> Scalar: ...
    def ceil(self, x: Value) -> Scalar: ...
    def trunc(self, x: Value) -> Scalar: ...
    def round_half_even(self, x: Value) -> Scalar: ...
    def round_half_away(self, x: Value) -> Scalar: ...
    def reduce_precision(self, x: Value, exponent_bits: int, mantissa_bits: int) -> Scalar: ...

    # Functions of reals (those marked c also of complex numbers).
    def sqrt(self, x: Value) -> Scalar: ...  # c
    def rsqrt(self, x: Value) -> Scalar: ...  # c
    def cbrt(self, x: Value) -> Scalar: ...
    def exp(self, x: Value) -> Scalar: ...  # c
    def exp2(self, x: Value) -> Scalar: ...  # c
    def expm1(self, x: Value) -> Scalar: ...  # c
    def log(self, x: Value) -> Scalar: ...  # c
    def log2(self, x: Value) -> Scalar: ...
    def log10(self, x: Value) -> Scalar: ...
    def log1p(self, x: Value) -> Scalar: ...  # c
    def sin(self, x: Value) -> Scalar: ...  # c
    def cos(self, x: Value) -> Scalar: ...  # c
    def tan(self, x: Value) -> Scalar: ...  # c
    def asin(self, x: Value) -> Scalar: ...  # c
    def acos(self, x: Value) -> Scalar: ...  # c
    def atan(self, x: Value) -> Scalar: ...  # c
    def sinh(self, x: Value) -> Scalar: ...  # c
    def cosh(self, x: Value) -> Scalar: ...  # c
    def tanh(self, x: Value) -> Scalar: ...  # c
    def asinh(self, x: Value) -> Scalar: ...  # c
    def acosh(self, x: Value) -> Scalar: ...  # c
    def atanh(self, x: Value) -> Scalar: ...  # c
    def logistic(self, x: Value) -> Scalar: ...  # c
    def erf(self, x: Value) -> Scalar: ...
    def erfc(self, x: Value) -> Scalar: ...
    def erf_inv(self, x: Value) -> Scalar: ...
    def lgamma(self, x: Value) -> Scalar: ...
    def digamma(self, x: Value) -> Scalar: ...
    def is_finite(self, x: Value) -> Truth: ...
    def is_nan(self, x: Value) -> Truth: ...

    # Comparisons: bool scalars. Of complex numbers, only eq and ne.
    def eq(self, x: Value, y: Value) -> Truth: ...
    def ne(self, x: Value, y: Value) -> Truth: ...
    def lt(self, x: Value, y: Value) -> Truth: ...
    def le(self, x: Value, y: Value) -> Truth: ...
    def gt(self, x: Value, y: Value) -> Truth: ...
    def ge(self, x: Value, y: Value) -> Truth: ...
    def select(self, condition: Truth, then: Value, otherwise: Value) -> Scalar: ...

    # Bits. and_, or_, xor, not_ also of bool. A shift by the width or more (or by a negative
    # number) gives 0, and shift_right_arithmetic of a negative number -1, as in XLA.
    def and_(self, x: Value, y: Value) -> Scalar: ...
    def or_(self, x: Value, y: Value) -> Scalar: ...
    def xor(self, x: Value, y: Value) -> Scalar: ...
    def not_(self, x: Value) -> Scalar: ...
    def shift_left(self, x: Value, y: Value) -> Scalar: ...
    def shift_right_logical(self, x: Value, y: Value) -> Scalar: ...
    def shift_right_arithmetic(self, x: Value, y: Value) -> Scalar: ...
    def rotate_left(self, x: Value, y: int) -> Scalar: ...
    def population_count(self, x: Value) -> Scalar: ...
    def clz(self, x: Value) -> Scalar: ...
    def bitcast(self, x: Value, dtype: Any) -> Scalar: ...  # of the same width

    # Conversion, as XLA converts: to bool is x != 0; float to integer truncates, saturates, and
    # takes NaN to 0; complex to real drops the imaginary part; integers wrap.
    def convert(self, x: Value, dtype: Any) -> Scalar: ...

    # Complex numbers.
    def complex(self, real: Value, imag: Value) -> Scalar: ...
    def real(self, x: Value) -> Scalar: ...
    def imag(self, x: Value) -> Scalar: ...
    def conj(self, x: Value) -> Scalar: ...

    # One block of the counter-based generator: two words of key, two of counter, two out (uint32).
    def threefry2x32(
        self, key0: Value, key1: Value, x0: Value, x1: Value
    ) -> tuple[Scalar, Scalar]: ...
