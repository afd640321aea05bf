"""Calls of what `lax` does element by element and with shapes; see `lax_calls`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.lax_calls import Call, Table, complexes, floats, integers

__all__ = ["ELEMENTS", "SHAPES"]

X, Y = floats(2, 3), floats(2, 3, salt=1)
UNIT = floats(2, 3, low=-0.9, high=0.9)
POSITIVE = floats(2, 3, low=0.2, high=3.0)
ABOVE_ONE = floats(2, 3, low=1.1, high=3.0)
Z = complexes(2, 2)
N, M = integers(2, 3), integers(2, 3, salt=1)
BITS = integers(2, 3, low=0, high=1000)
TRUE = np.array([[True, False, True], [False, False, True]])


def _named(name: str, *operands: Any, order: int = 2, **options: Any) -> Call:
    """``lax.name(*operands, **options)``."""
    return Call(lambda j, *xs: getattr(j.lax, name)(*xs, **options), operands, order)


def _rows(names: str, *cases: tuple[Any, ...], order: int = 2) -> Table:
    return {n: [_named(n, *case, order=order) for case in cases] for n in names.split()}


ELEMENTS: Table = {
    **_rows("sin cos tan sinh cosh tanh exp expm1 logistic", (X,), (Z,)),
    **_rows("atan asinh", (X,)),
    **_rows("neg square", (X,), (Z,), (N,)),
    # JAX takes the derivative of a complex sign to be zero.
    "sign": [_named("sign", X), _named("sign", N), _named("sign", Z, order=0)],
    **_rows("abs", (X,), (Z,), (N,)),
    **_rows("asin acos", (UNIT,)),
    **_rows("atanh erf_inv", (UNIT,)),
    **_rows("acosh", (ABOVE_ONE,)),
    **_rows("log sqrt rsqrt", (POSITIVE,), (Z,)),
    **_rows("log1p cbrt exp2 erf erfc lgamma digamma", (POSITIVE,)),
    **_rows("bessel_i0e bessel_i1e", (X,)),
    **_rows("reciprocal", (POSITIVE,)),
    **_rows("ceil floor is_finite stop_gradient optimization_barrier", (X,)),
    "round": [
        _named("round", 2 * X),
        Call(lambda j, x: j.lax.round(x, j.lax.RoundingMethod.TO_NEAREST_EVEN),
             (np.array([0.5, 1.5, -2.5]),)),
    ],
    **_rows("real imag conj", (Z,)),
    **_rows("complex", (X, Y)),
    **_rows("add sub mul div", (X, Y), (Z, Z[::-1]), (N, M + 20)),
    **_rows("max min", (X, Y), (N, M)),
    **_rows("atan2", (X, Y)),
    **_rows("rem", (X, Y), (N, M + 20)),
    **_rows("pow", (POSITIVE, Y)),
    "nextafter": [_named("nextafter", X, Y, order=0)],
    **_rows("eq ne", (N, M), (X, X), (Z, Z)),
    **_rows("ge gt le lt", (N, M), (X, Y)),
    **_rows("bitwise_and bitwise_or bitwise_xor", (N, M), (TRUE, TRUE[::-1])),
    **_rows("bitwise_not", (N,), (TRUE,)),
    **_rows("shift_left shift_right_arithmetic shift_right_logical", (N, M % 5)),
    **_rows("mulhi", (N * 100_000_000, M * 100_000_000)),
    **_rows("clz population_count", (BITS,)),
    "clamp": [
        _named("clamp", X, Y, X + 1.0), _named("clamp", np.float64(-0.5), X, np.float64(0.7))
    ],
    "integer_pow": [_named("integer_pow", X, y=y) for y in (-2, 0, 3)],
    "polygamma": [
        Call(lambda j, x: j.lax.polygamma(np.full((2, 3), 1.0), x), (POSITIVE,), 1)
    ],
    "zeta": [Call(lambda j, x: j.lax.zeta(x, np.full((2, 3), 2.0)), (ABOVE_ONE,), 0)],
    "igamma": [Call(lambda j, a, x: j.lax.igamma(a, x), (POSITIVE, ABOVE_ONE), 1)],
    "igammac": [Call(lambda j, a, x: j.lax.igammac(a, x), (POSITIVE, ABOVE_ONE), 1)],
    "igamma_grad_a": [_named("igamma_grad_a", POSITIVE, ABOVE_ONE, order=0)],
    "random_gamma_grad": [_named("random_gamma_grad", POSITIVE, ABOVE_ONE, order=0)],
    "betainc": [
        Call(lambda j, x: j.lax.betainc(POSITIVE, ABOVE_ONE, x), (np.abs(UNIT),), 1)
    ],
    "reduce_precision": [
        # JAX rounds the derivative, too.
        _named("reduce_precision", X, exponent_bits=e, mantissa_bits=m, order=0)
        for e, m in ((5, 10), (8, 3), (3, 2), (11, 52))
    ] + [
        _named("reduce_precision", X.astype("f4"), exponent_bits=5, mantissa_bits=4, order=0),
        _named("reduce_precision", np.array([1e30, -1e-30, np.inf, np.nan, 65519.0, 65520.0]),
               exponent_bits=5, mantissa_bits=10, order=0),
    ],
    "convert_element_type": [
        _named("convert_element_type", X, new_dtype="float32", order=0),
        _named("convert_element_type", X.astype("f4"), new_dtype="float64", order=1),
        _named("convert_element_type", 3 * X, new_dtype="int32"),
        _named("convert_element_type", X, new_dtype="complex128"),
    ],
    "bitcast_convert_type": [
        _named("bitcast_convert_type", X.astype("f4"), new_dtype="int32", order=0),
        _named("bitcast_convert_type", X.astype("f4"), new_dtype="uint8", order=0),
        _named("bitcast_convert_type", BITS.astype("u1").reshape(3, 2), new_dtype="uint16"),
    ],
    "select": [_named("select", TRUE, X, Y)],
    "select_n": [
        _named("select_n", TRUE, X, Y), _named("select_n", np.abs(N) % 3, X, Y, X * 2.0)
    ],
}  # fmt: skip

T = floats(2, 3, 4)

SHAPES: Table = {
    "RoundingMethod": [Call(lambda j: [int(m.value) for m in j.lax.RoundingMethod], ())],
    "Precision": [Call(lambda j: [int(hasattr(j.lax.Precision, n))
                                  for n in ("DEFAULT", "HIGH", "HIGHEST")], ())],
    "PrecisionLike": [Call(lambda j: int(hasattr(j.lax, "PrecisionLike")), ())],
    "dtype": [Call(lambda j, x: np.zeros(2, j.lax.dtype(x)), (X.astype("f4"),), 0)],
    "stage": [_named("stage", X)],
    "shape_as_value": [Call(lambda j: [j.lax.shape_as_value((2, 3)), j.lax.shape_as_value(())],
                            ())],
    "create_token": [Call(lambda j: [len(j.tree.leaves(j.lax.create_token()))], ())],
    "after_all": [Call(lambda j: [len(j.tree.leaves(
        j.lax.after_all(j.lax.create_token(), j.lax.create_token())))], ())],
    "platform_dependent": [
        Call(lambda j, x: j.lax.platform_dependent(
            x, cpu=lambda x: x * x, default=lambda x: x), (X,)),
        Call(lambda j, x: j.lax.platform_dependent(
            x, tpu=lambda x: x, default=lambda x: x * x), (X,)),
    ],
    "composite": [
        Call(lambda j, x: j.lax.composite(lambda x, *, k: j.lax.sin(x) * k, "wave", 1)(x, k=2.0),
             (X,), 0),
    ],
    "with_sharding_constraint": [Call(lambda j, x: j.lax.with_sharding_constraint(
        x, j.sharding.SingleDeviceSharding(j.devices()[0])), (X,))],
    "broadcast": [_named("broadcast", X, sizes=(2, 1))],
    "broadcast_in_dim": [
        _named("broadcast_in_dim", X, shape=(2, 4, 3), broadcast_dimensions=(0, 2)),
        _named("broadcast_in_dim", X[:, :1], shape=(2, 5), broadcast_dimensions=(0, 1)),
    ],
    "broadcast_like": [Call(lambda j, x, y: j.lax.broadcast_like(x, y), (X[:1], X), 1)],
    "broadcast_shapes": [Call(lambda j: j.lax.broadcast_shapes((2, 1), (3,), ()), ())],
    "broadcast_to_rank": [_named("broadcast_to_rank", X, rank=4)],
    "broadcasted_iota": [
        Call(lambda j: j.lax.broadcasted_iota(np.int32, (2, 3), 1), ()),
        Call(lambda j: j.lax.broadcasted_iota(np.float32, (2, 3), 0), ()),
    ],
    "iota": [Call(lambda j: j.lax.iota(np.int16, 5), ())],
    "collapse": [
        _named("collapse", T, start_dimension=1), _named("collapse", T, start_dimension=0,
                                                         stop_dimension=2),
        _named("collapse", T, start_dimension=-3, stop_dimension=-1),
    ],
    "concatenate": [
        Call(lambda j, x, y: j.lax.concatenate([x, y, x], 1), (X, Y[:, :1])),
        Call(lambda j, x, y: j.lax.concatenate([x, y], 0), (N, M[:1])),
    ],
    "empty": [Call(lambda j: np.shape(j.lax.empty((2, 0), np.float32)), ())],
    "expand_dims": [_named("expand_dims", X, dimensions=(0, 3)),
                    _named("expand_dims", X, dimensions=(-1,))],
    "full": [Call(lambda j: j.lax.full((2, 3), 7, np.float32), ())],
    "full_like": [
        Call(lambda j, x: j.lax.full_like(x, 2.5), (X,)),
        Call(lambda j, x: j.lax.full_like(x, 2, dtype=np.int32, shape=(3,)), (X,)),
    ],
    "index_in_dim": [_named("index_in_dim", T, index=-1, axis=1),
                     _named("index_in_dim", T, index=0, axis=-1, keepdims=False)],
    "index_take": [
        Call(lambda j, x: j.lax.index_take(x, (np.array([0, -1, 3]), np.array([5, 2, 0])), (0, 2)),
             (T,)),
    ],
    "pad": [
        _named("pad", X, np.float64(0.5), padding_config=config)
        for config in (((1, 2, 0), (0, 1, 2)), ((-1, 3, 1), (2, -2, 0)), ((0, -1, 2), (-2, -1, 3)))
    ] + [_named("pad", N, np.int32(7), padding_config=((0, 0, 1), (-1, -1, 0)))],
    "reshape": [
        _named("reshape", T, new_sizes=(4, 6)),
        Call(lambda j, x: j.lax.reshape(x, (6, 4), dimensions=(1, 0, 2)), (T,)),
    ],
    "rev": [_named("rev", T, dimensions=(0, 2))],
    "slice": [
        _named("slice", T, start_indices=(0, 1, 0), limit_indices=(2, 3, 4), strides=(1, 2, 3)),
        _named("slice", T, start_indices=(0, 1, 0), limit_indices=(1, 3, 2)),
    ],
    "slice_in_dim": [
        _named("slice_in_dim", T, start_index=None, limit_index=None, stride=2, axis=2),
        _named("slice_in_dim", T, start_index=-3, limit_index=-1, axis=-1),
    ],
    "split": [_named("split", T, sizes=(1, 0, 2, 1), axis=2)],
    "squeeze": [_named("squeeze", T[:1, :, :1], dimensions=(0, 2)),
                _named("squeeze", T[:1], dimensions=(-3,))],
    "stack": [Call(lambda j, x, y: j.lax.stack([x, y], 1), (X, Y))],
    "unstack": [Call(lambda j, x: j.lax.unstack(x, 1), (X,))],
    "tile": [_named("tile", X, reps=(2, 1))],
    "transpose": [_named("transpose", T, permutation=(2, 0, 1))],
}  # fmt: skip
