"""Calls of `jax.numpy`, as text that runs with NumPy, JAX and fnx alike; needs NumPy only.

An expression names no module: ``sum(x, axis=0)`` is evaluated among the names of a `numpy`-like
module and the operands below. `make_jax_numpy_dtypes.py` stores the dtypes that JAX gives; the
tests compare these, and values with NumPy's.
"""

from __future__ import annotations

import re
from typing import Any

import ml_dtypes
import numpy as np

from tests.support.numpy_structure_cases import STRUCTURE_CASES

__all__ = ["CASES", "KINDS", "described", "evaluated", "expressions", "name_of", "operands"]

#: The dtypes of the operands.
KINDS = (
    "bool int8 uint8 int32 int64 uint32 uint64 bfloat16 float16 float32 float64 "
    "complex64 complex128"
).split()

_ONE = (
    "acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cbrt ceil cos "
    "cosh exp exp2 expm1 floor log log1p negative rint sin sinh sqrt square tan tanh trunc "
    "logical_not invert bitwise_invert bitwise_not"
).split()
_TWO = (
    "add subtract multiply divide true_divide maximum minimum arctan2 atan2 less less_equal "
    "greater greater_equal equal not_equal bitwise_and bitwise_or bitwise_xor logical_and "
    "logical_or logical_xor"
).split()
_SHIFTS = "left_shift bitwise_left_shift right_shift bitwise_right_shift".split()
_ONE_MADE = (
    "abs absolute angle conj conjugate deg2rad degrees imag isfinite isinf isnan log10 log2 "
    "rad2deg radians real reciprocal round sign signbit"
).split()
_TWO_MADE = "divmod floor_divide float_power fmod hypot logaddexp mod remainder".split()
_REDUCED = "sum prod max min amax amin mean".split()

#: By the module of `fnx.numpy` that they test.
CASES: dict[str, str] = {
    "ufuncs": "\n".join(
        [f"{f}(x); {f}(s); {f}(e); {f}(True); {f}(3)" for f in _ONE]
        + [f"{f}(x, y); {f}(x, v); {f}(e, s); {f}(2, x); {f}(x, True); {f}(1, 2)" for f in _TWO]
        + [f"{f}(x, x); {f}(x, 2); {f}(4, x)" for f in _SHIFTS]
    )
    + """
add(x, 1.5); multiply(x, 2j); maximum(x, 0.5); minimum(1.5, v); less(x, 0.5); equal(x, 1.0)
divide(1.5, 2); exp(0.5); sqrt(2); square(3); negative(2.5); sin(1j); floor(2.5); trunc(-2.5)
where(m, x, y); where(m, x, 1); where(m, 1.5, x); where(x, 1, 2); where(m[0], x, s)
where(True, x, y); where(e, e, e)
""",
    "elementwise": "\n".join(
        [f"{f}(x); {f}(s); {f}(e); {f}(True); {f}(3); {f}(2.5)" for f in _ONE_MADE]
        + [f"{f}(x, y); {f}(x, v); {f}(e, s); {f}(7, y); {f}(x, 2); {f}(7, 2)" for f in _TWO_MADE]
    )
    + """
floor_divide(x, 1.5); mod(x, 1.5); mod(-7.5, 2); divmod(x, 2.5); fmod(-7, 3)
positive(x); positive(s); positive(e); positive(3); power(x, 2); power(x, 3); power(x, y)
power(x, s); power(x, 2.5); power(2, x); power(2, 3)
pow(x, 2); pow(x, v); power(x, 0); power(2.5, 2); power(e, 2); power(x, True)
round(x, 1); round(x, -1); round(s, 2); round(2.567, 2)
clip(x, 1, 2); clip(x, y, None); clip(x, None, 1.5); clip(x, s, v); clip(e, 0, 1)
isclose(x, y); isclose(x, x); isclose(x, v, rtol=0.5); isclose(e, e); isclose(x, 1)
angle(x, True)
""",
    "reductions": "\n".join(
        f"{f}(x); {f}(x, axis=0); {f}(x, axis=-1, keepdims=True); {f}(c, axis=(0, 2)); "
        f"{f}(c, axis=(-1, 0), keepdims=True); {f}(s); {f}(x, axis=())"
        for f in [*_REDUCED, "all", "any", "count_nonzero", "var", "std", "ptp"]
    )
    + """
sum(e); sum(e, axis=0); prod(e); prod(e, axis=1); all(e); any(e); all(e, axis=0); max(e, axis=0)
sum(x, axis=0, where=m); sum(x, where=m[0]); prod(x, where=m); mean(x, where=m)
mean(x, axis=1, where=m, keepdims=True); var(x, where=m); std(x, axis=0, where=m)
all(x, where=m); any(x, where=m, axis=1); max(x, initial=2, where=m); min(x, initial=2, where=m)
sum(x, initial=2); prod(x, initial=2); max(e, initial=1); min(x, axis=0, initial=0)
sum(x, dtype='float32'); sum(x, dtype='int8'); prod(x, dtype='float64'); mean(x, dtype='float32')
var(x, dtype='float64'); std(x, axis=0, dtype='float32'); var(x, ddof=1); std(x, 0, ddof=1)
var(x, correction=1); mean(2); sum(2.5); max(3); var(4); sum(True); ptp(2.5)
argmax(x); argmin(x); argmax(x, axis=0); argmin(x, axis=-1); argmax(x, axis=1, keepdims=True)
argmin(x, keepdims=True); argmax(s); argmin(c, axis=-2); argmax(e, axis=0); argmax(3)
cumsum(x); cumsum(x, axis=0); cumsum(x, axis=-1); cumprod(x); cumprod(x, axis=1); cumsum(s)
cumsum(e); cumprod(e, axis=0); cumsum(x, dtype='float32'); cumprod(x, axis=0, dtype='int32')
average(x); average(x, axis=0); average(x, weights=p); average(x, 1, v, keepdims=True)
average(x, axis=-1, weights=v, returned=True); average(x, returned=True)
allclose(x, x); allclose(x, y); allclose(e, e); allclose(x, v, rtol=9.0)
array_equal(x, x); array_equal(x, y); array_equal(x, v); array_equal(e, e)
array_equal(x, x, equal_nan=True)
""",
    "sorting": """
sort(x); sort(x, axis=0); sort(x, axis=None); sort(e); sort(w)
argsort(x, stable=True); argsort(x, axis=0, stable=True); argsort(x, axis=None, stable=True)
argsort(e); argsort(w, stable=True)
median(x); median(x, axis=0); median(x, axis=-1, keepdims=True); median(s); median(v)
median(x, keepdims=True); median(c, axis=(0, 2))
median(c, axis=(0, -1), keepdims=True)
""",
    "manipulation": """
reshape(x, (4, 3)); reshape(x, -1); reshape(x, (2, -1, 2)); reshape(x, (4, 3), order='F')
reshape(e, (0, 5)); reshape(s, (1, 1)); reshape(s, ()); reshape(3, (1,))
ravel(x); ravel(s); ravel(c, order='F'); ravel(e)
transpose(x); transpose(c, (1, 0, 2)); transpose(c, (-1, 0, 1)); transpose(s)
permute_dims(c, (2, 0, 1))
matrix_transpose(c); moveaxis(c, 0, -1); moveaxis(c, (0, 1), (-1, -2)); rollaxis(c, 2)
rollaxis(c, 0, 3); rollaxis(c, -1, 1); rollaxis(c, 1, -1); swapaxes(c, 0, -1); swapaxes(c, 1, 1)
expand_dims(x, 0); expand_dims(x, (0, -1)); expand_dims(s, -1); expand_dims(x, 2)
squeeze(o); squeeze(o, axis=0); squeeze(o, axis=(0, -1)); squeeze(s); squeeze(x)
flip(x); flip(c, 1); flip(c, (0, -1)); flip(s); flip(e); flipud(x); fliplr(x)
""",
    "joining": """
concatenate([x, y]); concatenate([x, y], axis=-1); concatenate([x, v], axis=None)
concatenate([x, e.T.reshape(0, 4)]); concatenate((x,)); concatenate([x, [[1, 2, 3, 4]]])
concatenate(c); concatenate([x, y], dtype='float32'); concat([x, y], axis=1)
stack([x, y]); stack([x, y], axis=-1); stack([s, s]); stack([s, 2]); stack(c, axis=1)
stack([x, y], dtype='float64'); stack([1, 2.5]); vstack([x, v]); vstack([s, s]); vstack(c)
hstack([x, y]); hstack([v, v]); hstack([s, 1]); hstack(c); vstack([v, v], dtype='float32')
append(x, y); append(x, y, axis=0); append(v, 2); append(v, [1, 2])
split(x, 3); split(x, 2, axis=1); split(x, [1, 2]); split(c, [1], axis=-1); split(v, [1, 9])
split(v, [-1]); array_split(x, 2); array_split(v, 3); array_split(x, [1, 3], axis=1)
array_split(v, 6); unstack(x); unstack(c, axis=-1); unstack(e)
roll(x, 1); roll(x, -1, axis=0); roll(x, (1, 2), axis=(0, 1)); roll(c, 1, axis=(0, 2)); roll(e, 1)
roll(x, (1, 2), axis=0); roll(x, 9, axis=1); roll(v, (1, 1), axis=(0, 0)); roll(s, 1)
tile(x, 2); tile(x, (2, 1, 3)); tile(v, (2, 2)); tile(s, 3); tile(x, 0); tile(e, 2); tile(x, ())
repeat(x, 2); repeat(x, 2, axis=0); repeat(x, [1, 0, 2], axis=0); repeat(x, 0, axis=-1)
repeat(s, 3); repeat(v, [1, 2, 3, 0]); repeat(3, 2); repeat(v, [2])
atleast_1d(s); atleast_1d(x); atleast_2d(s); atleast_2d(v); atleast_3d(s); atleast_3d(v)
atleast_3d(x); atleast_3d(c); atleast_1d(2.5); atleast_2d(1, v); atleast_1d([1, 2])
""",
    "indexing": """
take(x, i); take(x, i, axis=0); take(x, i, axis=-1); take(x, 1, axis=1); take(c, j, axis=1)
take(x, 2); take(v, -1); take(e, i[:0], axis=0); take(x, i, mode='clip')
take(x, 7 * i, axis=0, mode='wrap'); take(x, 5 * i, axis=0, mode='clip')
take_along_axis(x, k, axis=0); take_along_axis(x, l, axis=-1); take_along_axis(x, i, axis=None)
take_along_axis(x, k[:, :1], 0); take_along_axis(x, l[:1], 1)
nonzero(x); nonzero(v); nonzero(e); nonzero(m); nonzero(m & (x != 0))
""",
    "products": """
dot(x, y.T); dot(v, v); dot(x, v); dot(s, x); dot(c, x.T); dot(2, x); dot(v, 1.5); dot(e, e.T)
matmul(x, y.T); matmul(v, v); matmul(x, v); matmul(v, y.T); matmul(c, x.T);
matmul(e, e.T); matmul(e.T, e); matmul(c, c.reshape(2, 4, 3)); matmul(c[:, None], x.T[None])
matmul(v, c.reshape(2, 4, 3)); matmul(c, v)
inner(x, y); inner(v, v); inner(s, x); inner(c, v); outer(v, v); outer(x, v); outer(s, 2)
vdot(x, y); vdot(v, v); vdot(s, s); vecdot(x, y); vecdot(x, v); vecdot(c, x); vecdot(x, y, axis=0)
tensordot(x, y.T, 1); tensordot(x, y); tensordot(x, y, 0); tensordot(c, y, ((1, 2), (0, 1)))
tensordot(c, c, ((0, -1), (0, -1))); tensordot(x, y, (1, 1)); tensordot(x, y, ([0], [0]))
einsum('ij,kj->ik', x, y); einsum('ij->i', x); einsum('ij->ji', x); einsum('ij,ij', x, y)
einsum('...j,j', c, v); einsum('i,j->ij', v, v); einsum('ii->i', x[:, :3]); einsum('ii', x[:, :3])
einsum('bij,bkj->bik', c, c); einsum('ij,jk,kl->il', x, y.T, x); einsum('ij,j->', x, v)
einsum(' i j , k j -> i k ', x, y); einsum('...ij->...ji', c); einsum(',i->i', s, v)
einsum('ij,ij->ij', x, y); einsum('ij->', x); einsum(x, [0, 1], y, [2, 1], [0, 2])
einsum(x, [0, 1], [1]); einsum(x, [0, 1], v, [1]); einsum(c, [Ellipsis, 0], v, [0])
diag(v); diag(x); diag(v, 1); diag(v, -2); diag(x, 1); diag(x, -1); diag(x, 9)
diagonal(x); diagonal(c, 1); diagonal(c, -1, 1, 2); diagonal(c, 0, -1, 0); diagonal(x, -5)
trace(x); trace(c); trace(c, 1, 1, 2); trace(x, dtype='float32'); trace(c, axis1=-1, axis2=0)
tril(x); tril(x, 1); tril(c, -1); triu(x); triu(x, -1); triu(c, 2); tril(x, -9); triu(x, 9)
kron(v, v); kron(x, v); kron(v, x); kron(s, x); kron(x, 2); kron(e, v)
""",
    "creation": """
array(x); array(s); array([x, y]); array([s, 2]); array([v[0], v[1]]); array([1, 2.5]); array(3)
array([True, 2]); array([[1, 2], [3, 4]], dtype='float64'); array(x, dtype='float32'); array([])
array(v, ndmin=3); array(2.5); array(True); array(1j); array([1, 2j]); array(())
array([[], []]); array(range(3)); asarray(x); asarray(s); asarray(3); asarray([1, 2])
asarray(x, dtype='int32'); asarray([s, s]); asarray(3.7, dtype='int32')
asarray([2.5, 1], 'float16')
astype(x, 'float32'); astype(x, 'int8'); astype(x, 'bool'); astype(x, 'complex64')
astype(s, 'uint8'); astype(x, 'float16'); astype(e, 'int64')
copy(x); copy(s); zeros(3); zeros((2, 0)); zeros((), 'int8'); zeros([2, 3]); ones(3)
ones((2, 2), 'bool')
ones((), 'complex64'); full(3, 7); full((2, 2), 2.5); full((2,), s); full((3, 4), v)
full(2, 7, 'float32')
full((), True); full((0,), 1j); full(2, s, 'float64')
zeros_like(x); zeros_like(s); zeros_like(x, shape=(2,)); zeros_like(x, 'int8'); zeros_like(3)
zeros_like(2.5); ones_like(x); ones_like(e); ones_like(x, dtype='float32'); ones_like(x, shape=())
ones_like(True); full_like(x, 2); full_like(x, 2, 'float64'); full_like(x, s); full_like(x, v)
full_like(x, 1, shape=(2, 2)); full_like(3, 2.7); full_like(x, 2, dtype='int8', shape=3)
arange(3); arange(2, 5); arange(0, 7, 2); arange(5, 0, -2); arange(0); arange(-1); arange(2.5)
arange(1, 4, dtype='float32'); arange(0.5, 3); arange(3, dtype='int8'); arange(0, 1, 0.25)
arange(0.0, 1.0, 0.1); arange(1, 2.2, 0.3); arange(3, 0); arange(4, dtype='complex64')
linspace(0, 1, 5); linspace(0, 1, 4, endpoint=False); linspace(0, 1, 1); linspace(0, 1, 0)
linspace(0, 10, 3, dtype='int32'); linspace(s, v, 3); linspace(v, s, 3, axis=-1); linspace(2, 3)
linspace(0, 1, 5, retstep=True); linspace(-3, 0, 4, dtype='int32'); linspace(x, y, 2, axis=1)
linspace(0, 1, 3, False, True); linspace(-1.0, 1.0, 7); linspace(0, 5, 4, dtype='float16')
eye(3); eye(2, 3); eye(3, k=1); eye(3, 4, -1); eye(2, dtype='int8'); eye(0); eye(3, k=7)
identity(2)
identity(3, 'bool'); tri(3); tri(2, 4); tri(3, 3, 1); tri(3, k=-1, dtype='int32'); tri(3, 2, -7)
""",
    "promotion": """
broadcast_to(x, (2, 3, 4)); broadcast_to(s, (2,)); broadcast_to(v, (0, 4)); broadcast_to(3, 2)
broadcast_arrays(x, v); broadcast_arrays(s, e); broadcast_arrays(2, v); broadcast_arrays(x)
""",
}
CASES |= STRUCTURE_CASES


def expressions(section: str) -> list[str]:
    """The calls of a section, one by one."""
    parts = [part.strip() for line in CASES[section].split("\n") for part in line.split(";")]
    return list(dict.fromkeys(part for part in parts if part))


def name_of(expression: str) -> str:
    """The function that an expression calls."""
    return expression.partition("(")[0]


def operands(kind: str) -> dict[str, Any]:
    """The operands of a dtype, by the names that expressions use.

    Of that dtype: ``x``, ``y`` (3, 4), ``v`` (4,), ``c`` (2, 3, 4), ``o`` (1, 3, 1), ``e`` (3, 0),
    ``s`` (), ``w`` (8,) with repeated numbers. Of others: ``m`` (3, 4) bool, ``p`` (3, 4) float64
    weights, and ``i``, ``j``, ``k``, ``l`` of indices.
    """
    dtype = np.dtype(getattr(ml_dtypes, kind, kind))
    rng = np.random.default_rng(7)

    def numbers(*shape: int) -> Any:
        if dtype.kind == "b":
            return rng.integers(0, 2, shape).astype(bool)
        lowest = 0 if dtype.kind == "u" else -3
        whole = rng.integers(lowest, 4, shape)
        if dtype.kind in "iu":
            return whole.astype(dtype)
        parts = whole + rng.integers(1, 8, shape) / 8
        if dtype.kind == "c":
            parts = parts + 1j * rng.integers(-8, 9, shape) / 8
        return parts.astype(dtype)

    return {
        "x": numbers(3, 4),
        "y": np.abs(numbers(3, 4)) + numbers(3, 4).dtype.type(1),
        "v": np.abs(numbers(4)) + numbers(4).dtype.type(1),
        "c": numbers(2, 3, 4),
        "o": numbers(1, 3, 1),
        "e": numbers(3, 0),
        "s": np.asarray(np.abs(numbers()) + numbers().dtype.type(1), dtype),
        "w": np.concatenate([numbers(4), numbers(4)[[0, 0, 1, 2]]]),
        "m": rng.integers(0, 2, (3, 4)).astype(bool) | (np.arange(4) == np.arange(3)[:, None]),
        "p": rng.integers(1, 9, (3, 4)) / 8,
        "i": np.array([2, 0, 1, 1], np.int32),
        "j": np.array([[1], [-1]], np.int32),
        "k": np.array([[2, 1, 0, 1], [0, 0, -1, 1]], np.int32),
        "l": np.array([[3, 0], [1, 1], [-1, 2]], np.int32),
    }


def evaluated(module: Any, expression: str, values: dict[str, Any]) -> Any:
    """What an expression gives among the names of a module."""
    name = name_of(expression)
    return eval(expression, {name: getattr(module, name), **values})


def described(result: Any) -> str:
    """The dtypes of a result in short (b16 is bfloat16), with a star if weak, joined by commas."""
    if isinstance(result, (tuple, list)):
        return ",".join(described(part) for part in result)
    if not hasattr(result, "dtype"):
        return type(result).__name__
    name = re.sub("[a-z]+(?=[0-9])", lambda word: word[0][0], result.dtype.name)
    return name + "*" * bool(getattr(result, "weak_type", False))
