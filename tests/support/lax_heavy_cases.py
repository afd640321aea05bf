"""Calls of what `lax` contracts, slides, sorts, gathers, reduces and controls; see `lax_calls`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.lax_calls import Call, Table, complexes, floats, integers

__all__ = ["CONTROL", "CONVOLUTIONS", "GATHERING", "PRODUCTS", "REDUCTIONS"]

X = floats(3, 4)
T = floats(2, 3, 4)
N = integers(3, 4)
EYE = np.eye(3)


def _named(name: str, *operands: Any, order: int = 2, **options: Any) -> Call:
    return Call(lambda j, *xs: getattr(j.lax, name)(*xs, **options), operands, order)


def _fft(kind: str, lengths: tuple[int, ...], operand: Any) -> Call:
    return Call(lambda j, x: j.lax.fft(x, getattr(j.lax.FftType, kind), lengths), (operand,), 1)


GROUPS = np.array([2, 0, 1], np.int32)

PRODUCTS: Table = {
    "DotDimensionNumbers": [Call(lambda j: int(hasattr(j.lax, "DotDimensionNumbers")), ())],
    "batch_matmul": [_named("batch_matmul", floats(2, 3, 4), floats(2, 4, 2))],
    "dot": [
        _named("dot", floats(3), floats(3, salt=1)), _named("dot", X, floats(4, 2)),
        _named("dot", complexes(2, 3), complexes(3, 2)),
        _named("dot", T, floats(2, 4, 5), dimension_numbers=(((2,), (1,)), ((0,), (0,)))),
    ],
    "dot_general": [
        _named("dot_general", T, floats(4, 2, 5), dimension_numbers=(((2,), (0,)), ((0,), (1,)))),
        _named("dot_general", X.astype("f4"), floats(3, 4, salt=1).astype("f4"), order=0,
               dimension_numbers=(((0, 1), (0, 1)), ((), ())), preferred_element_type="float64"),
        _named("dot_general", N, N + 1, dimension_numbers=(((1,), (1,)), ((), ()))),
    ],
    "ragged_dot": [
        Call(lambda j, x, y: j.lax.ragged_dot(x, y, GROUPS), (floats(4, 2), floats(3, 2, 5))),
    ],
    "RaggedDotDimensionNumbers": [
        Call(lambda j: list(j.lax.RaggedDotDimensionNumbers((([1], [1]), ([], [])), [0], [0])
                            .lhs_ragged_dimensions), ()),
    ],
    "ragged_dot_general": [
        Call(lambda j, x, y: j.lax.ragged_dot_general(
            x, y, GROUPS,
            j.lax.RaggedDotDimensionNumbers((((2,), (2,)), ((0,), (0,))), (1,), (1,))),
            (floats(2, 4, 3), floats(2, 3, 3, 2))),
        Call(lambda j, x, y: j.lax.ragged_dot_general(
            x, y, np.array([[2, 0, 1], [1, 1, 2]], np.int32),
            j.lax.RaggedDotDimensionNumbers((((2,), (2,)), ((0,), (0,))), (1,), (1,))),
            (floats(2, 4, 3), floats(2, 3, 3, 2))),
        Call(lambda j, x, y: j.lax.ragged_dot_general(
            x, y, GROUPS, j.lax.RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), (0,), ())),
            (floats(4, 2), floats(4, 3))),
        Call(lambda j, x, y: j.lax.ragged_dot_general(
            x, y, np.array([[2, 0, 1], [1, 1, 2]], np.int32),
            j.lax.RaggedDotDimensionNumbers((((1,), (2,)), ((2,), (0,))), (1,), ())),
            (floats(3, 4, 2), floats(2, 5, 4))),
        Call(lambda j, x, y: j.lax.ragged_dot_general(
            x, y, GROUPS, j.lax.RaggedDotDimensionNumbers((((2,), (1,)), ((0,), (0,))), (0,), ())),
            (floats(4, 2, 3), floats(4, 3, 2))),
    ],
    "scaled_dot": [
        Call(lambda j, x, y, a, b: j.lax.scaled_dot(
            x, y, lhs_scale=a, rhs_scale=b, preferred_element_type=np.float32),
            (integers(2, 3, 4).astype("f4"), integers(2, 4, 5).astype("f4"),
             np.array([0.5, 2.0] * 6, "f4").reshape(2, 3, 2),
             np.array([4.0] * 10, "f4").reshape(2, 1, 5)), 0),
        Call(lambda j, x, y: j.numpy.asarray(
            j.lax.scaled_dot(x, y), dtype="float32"), (N.astype("f4"), N.T.astype("f4")), 0),
    ],
    "FftType": [Call(lambda j: [int(m) for m in j.lax.FftType], ())],
    "fft": [
        _fft("FFT", (4,), complexes(3, 4)), _fft("IFFT", (3, 5), complexes(2, 3, 5)),
        _fft("RFFT", (4,), X), _fft("RFFT", (3, 5), floats(2, 3, 5)),
        _fft("RFFT", (2, 3, 4), T), _fft("IRFFT", (6,), complexes(3, 4)),
        _fft("IRFFT", (3, 5), complexes(2, 3, 3)), _fft("IRFFT", (2, 3, 4), complexes(2, 3, 3)),
    ],
}  # fmt: skip


def _conv(x: Any, w: Any, *sizes: Any, **options: Any) -> Call:
    return Call(lambda j, x, w: j.lax.conv_general_dilated(x, w, *sizes, **options), (x, w))


NHWC = ("NHWC", "HWIO", "NHWC")

CONVOLUTIONS: Table = {
    "ConvGeneralDilatedDimensionNumbers": [
        Call(lambda j: int(hasattr(j.lax, "ConvGeneralDilatedDimensionNumbers")), ())
    ],
    "ConvDimensionNumbers": [
        Call(lambda j: list(j.lax.ConvDimensionNumbers((0, 1), (1, 0), (0, 1))), ())
    ],
    "conv_dimension_numbers": [
        Call(lambda j: list(j.lax.conv_dimension_numbers((1,) * 4, (1,) * 4, NHWC)), ())
    ],
    "conv_general_permutations": [Call(lambda j: j.lax.conv_general_permutations(NHWC), ())],
    "conv_general_shape_tuple": [
        Call(lambda j, padding=padding: j.lax.conv_general_shape_tuple(
            (8, 9, 7, 3), (3, 2, 3, 16), (2, 1), padding, NHWC), ())
        for padding in ("VALID", "SAME", ((1, 0), (2, -1)))
    ],
    "conv_shape_tuple": [
        Call(lambda j: j.lax.conv_shape_tuple(
            (8, 3, 9, 7), (16, 3, 3, 2), (2, 1), ((1, 0), (2, -1))), ())
    ],
    "conv_transpose_shape_tuple": [
        Call(lambda j, padding=padding: j.lax.conv_transpose_shape_tuple(
            (8, 9, 7, 3), (3, 2, 3, 16), (2, 1), padding, NHWC), ())
        for padding in ("VALID", "SAME", ((1, 0), (2, 1)))
    ],
    "padtype_to_pads": [
        Call(lambda j, padding=padding: j.lax.padtype_to_pads((9, 7), (3, 2), (2, 1), padding), ())
        for padding in ("VALID", "SAME", "SAME_LOWER")
    ],
    "conv": [_named("conv", floats(2, 3, 5), floats(4, 3, 2), window_strides=(2,), padding="SAME")],
    "conv_with_general_padding": [
        _named("conv_with_general_padding", floats(1, 2, 4, 5), floats(3, 2, 2, 2),
               window_strides=(1, 2), padding=((1, 0), (-1, 2)), lhs_dilation=(2, 1),
               rhs_dilation=(1, 2)),
    ],
    "conv_transpose": [
        _named("conv_transpose", floats(2, 4, 3), floats(3, 3, 2), strides=(2,), padding="SAME"),
        _named("conv_transpose", floats(1, 3, 4, 2), floats(2, 3, 3, 2), strides=(2, 3),
               padding="VALID", transpose_kernel=True),
        _named("conv_transpose", floats(2, 4, 3), floats(3, 3, 2), strides=(2,),
               padding=((1, 2),), rhs_dilation=(2,)),
        _named("conv_transpose", floats(2, 4, 3), floats(3, 3, 2), strides=(2,),
               padding=((1, 0),), use_consistent_padding=True),
    ],
    "conv_general_dilated": [
        _conv(floats(2, 3, 7), floats(4, 3, 3), (2,), ((-1, 3),), (2,), (2,)),
        _conv(floats(2, 4, 6), floats(6, 2, 2), (1,), ((1, -2),), (1,), (3,),
              feature_group_count=2),
        _conv(floats(4, 3, 6), floats(4, 3, 2), (2,), "SAME", batch_group_count=2),
        _conv(floats(1, 4, 5, 4), floats(4, 1, 2, 3), (1, 2), ((2, 0), (-1, 1)), (2, 3), (2, 1),
              feature_group_count=4),
        _conv(floats(2, 5, 4, 3), floats(2, 3, 3, 4), (2, 1), "SAME_LOWER", None, (2, 1), NHWC),
        _conv(floats(4, 3, 4, 2), floats(2, 2, 2, 6), (1, 2), ((0, 1), (1, 1)), (2, 1), (1, 2),
              ("NHWC", "HWIO", "CNHW"), batch_group_count=2),
        _conv(floats(1, 2, 3, 4, 3), floats(4, 1, 2, 2, 2), (1, 2, 1), ((1, 0), (-1, 0), (0, 2)),
              (2, 1, 1), (1, 1, 2), feature_group_count=2),
        _conv(floats(2, 2, 2, 3, 3), floats(2, 2, 2, 1, 2), (2, 1, 1), ((0, 0),) * 3, (1, 2, 1),
              (1, 1, 2), batch_group_count=2),
        _conv(complexes(1, 2, 5), complexes(3, 2, 2), (1,), ((1, 0),)),
        _conv(integers(1, 2, 5), integers(3, 2, 2), (1,), "VALID"),
        _conv(floats(2, 3), floats(4, 3), (), ()),
        _conv(floats(0, 3, 5), floats(4, 3, 2), (1,), "VALID"),
        _conv(floats(1, 1, 2), floats(1, 1, 4), (1,), "VALID"),
    ],
    "conv_general_dilated_patches": [
        _named("conv_general_dilated_patches", floats(2, 3, 5), filter_shape=(3,),
               window_strides=(2,), padding=((1, 2),), lhs_dilation=(2,), rhs_dilation=(2,)),
        _named("conv_general_dilated_patches", floats(1, 4, 5, 2), filter_shape=(2, 3),
               window_strides=(1, 2), padding="SAME", dimension_numbers=("NHWC", "HWIO", "CWNH")),
        _named("conv_general_dilated_patches", floats(1, 2, 3, 3), filter_shape=(2, 2),
               window_strides=(1, 1), padding="VALID", dimension_numbers=("NCHW", "OIWH", "NCHW")),
    ],
    "conv_general_dilated_local": [
        _named("conv_general_dilated_local", floats(2, 3, 5), floats(4, 6, 4),
               window_strides=(1,), padding="VALID", filter_shape=(2,)),
        _named("conv_general_dilated_local", floats(2, 4, 5, 1), floats(3, 2, 6, 2),
               window_strides=(1, 2), padding=((0, 0), (0, 1)), filter_shape=(2, 3),
               dimension_numbers=("NHWC", "HWIO", "CWNH")),
    ],
}  # fmt: skip


def _window(name: str, x: Any, init: float, *sizes: Any, order: int = 2) -> Call:
    """reduce_window by one of the functions of lax."""
    return Call(
        lambda j, x: j.lax.reduce_window(
            x, np.asarray(init, x.dtype), getattr(j.lax, name), *sizes), (x,), order,
    )  # fmt: skip


DISTINCT = np.round(floats(1, 5, 6) + 0.01 * np.arange(30).reshape(1, 5, 6), 3)
SIZES = ((1, 2, 3), (1, 2, 1), ((0, 0), (1, 0), (2, -1)), (1, 2, 1), (1, 1, 2))
TIES = np.array([[2, 1, 2, 0], [1, 1, 3, 3], [0, 2, 2, 0]], np.int32)
SPECIAL = np.array([[1.0, np.nan, -0.0, 0.0, -np.inf, np.inf], [0.0, -0.0, 3.0, np.nan, 2.0, 2.0]])

REDUCTIONS: Table = {
    **{n: [_named(n, T, axis=a, reverse=r, order=1 if n != "cumsum" else 2)
           for a in (0, 2) for r in (False, True)]
       for n in ("cumsum", "cumprod", "cumlogsumexp", "cummax", "cummin")},
    **{n: [_named(n, T, axes=(0, 2)), _named(n, T, axes=()), _named(n, T[:, :0], axes=(1,))]
       for n in ("reduce_sum", "reduce_prod")},
    **{n: [_named(n, T, axes=(0, 2)), _named(n, SPECIAL, axes=(1,), order=0),
           _named(n, N, axes=(0,))]
       for n in ("reduce_max", "reduce_min")},
    **{n: [_named(n, N, axes=(1,)), _named(n, N > 0, axes=(0,))]
       for n in ("reduce_and", "reduce_or", "reduce_xor")},
    **{n: [_named(n, TIES, axis=1, index_dtype=np.int32), _named(n, SPECIAL, axis=1, order=0,
                                                                index_dtype=np.int16)]
       for n in ("argmax", "argmin")},
    "reduce": [
        Call(lambda j, x: j.lax.reduce(x, np.float64(0.5), j.lax.add, (0,)), (X,)),
        Call(lambda j, x: j.lax.reduce(x, np.float64(1.0), j.lax.mul, (0, 1)), (X,), 1),
        Call(lambda j, x: j.lax.reduce(x, np.float64(-9.0), j.lax.max, (1,)), (X,)),
        Call(lambda j, x: j.lax.reduce(x, np.float64(0.0), lambda a, b: j.lax.add(a, b) + 0 * a,
                                       (0,)), (X,)),
        Call(lambda j, x, y: j.lax.reduce(
            (x, y), (np.float64(0.0), np.float64(1.0)),
            lambda a, b: (j.lax.add(a[0], b[0]), j.lax.mul(a[1], b[1])), (0,)),
            (X, floats(3, 4, salt=1)), 0),
        Call(lambda j, x: j.lax.reduce(x, np.int32(1), j.lax.bitwise_xor, (0,)), (N,)),
    ],
    "reduce_window": [
        _window("add", DISTINCT, 0.0, *SIZES), _window("max", DISTINCT, -np.inf, *SIZES),
        _window("min", DISTINCT, np.inf, *SIZES), _window("mul", DISTINCT, 1.0, *SIZES, order=0),
        _window("add", DISTINCT, 0.5, (1, 2, 2), order=0),
        _window("max", DISTINCT, 0.25, (1, 2, 2), (1, 1, 1), "SAME", order=0),
        _window("add", N, 0, (2, 2), (1, 1), "SAME"),
        Call(lambda j, x, y: j.lax.reduce_window(
            (x, y), (np.float64(0.0), np.float64(-np.inf)),
            lambda a, b: (j.lax.add(a[0], b[0]), j.lax.max(a[1], b[1])),
            (1, 2, 3), (1, 1, 2), "SAME", None, (1, 2, 1)), (DISTINCT, DISTINCT), 0),
    ],
    "reduce_window_shape_tuple": [
        Call(lambda j: j.lax.reduce_window_shape_tuple(
            (1, 5, 6), SIZES[0], SIZES[1], SIZES[2], SIZES[3], SIZES[4]), ())
    ],
    "sort": [
        _named("sort", X), _named("sort", X, dimension=0), _named("sort", SPECIAL, order=0),
        _named("sort", complexes(2, 5), order=1), _named("sort", TIES, dimension=-2),
        Call(lambda j, k, x: j.lax.sort((k, x), dimension=0), (TIES, X)),
        Call(lambda j, k, x, y: j.lax.sort((k, x, y), dimension=1, num_keys=2),
             (TIES, np.round(X), floats(3, 4, salt=1))),
        Call(lambda j, k, x: j.lax.sort((k, x), num_keys=1, is_stable=False)[0], (TIES, X)),
        Call(lambda j, a, b, i: j.lax.sort((a, b, i), dimension=1, num_keys=2),
             (SPECIAL > 0, SPECIAL, np.arange(12).reshape(2, 6)), 0),
    ],
    "sort_key_val": [Call(lambda j, k, x: j.lax.sort_key_val(k, x, 0), (TIES, X))],
    "top_k": [
        _named("top_k", X, k=2), _named("top_k", X, k=2, axis=0), _named("top_k", TIES, k=3),
        _named("top_k", SPECIAL[:, [0, 1, 3, 4, 5]], k=4, order=0), _named("top_k", X, k=0),
    ],
    "approx_max_k": [_named("approx_max_k", X, k=2),
                     _named("approx_max_k", X, k=2, reduction_dimension=0, recall_target=0.5)],
    "approx_min_k": [_named("approx_min_k", X, k=2),
                     _named("approx_min_k", X, k=1, reduction_dimension=-2)],
}  # fmt: skip

CORNERS = [(np.int32(i), np.int32(k)) for i, k in ((0, 1), (9, -1), (-2, 5))]
PLACES = np.array([[2, 0], [0, 1], [5, 1]], np.int32)


def _gather(j: Any, x: Any, **options: Any) -> Any:
    numbers = j.lax.GatherDimensionNumbers(
        offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0, 1)
    )
    return j.lax.gather(x, PLACES, numbers, (1, 2), **options)


def _scatter(name: str, unique: bool = False) -> list[Call]:
    def call(mode: str) -> Call:
        def function(j: Any, x: Any, u: Any) -> Any:
            numbers = j.lax.ScatterDimensionNumbers((1,), (0,), (0, 1))
            return getattr(j.lax, name)(x, PLACES, u, numbers, mode=mode, unique_indices=unique)

        # JAX's rule of the extrema forgets the mode "clip"; its product has one for unique indices.
        order = 0 if mode == "clip" and name in ("scatter_min", "scatter_max") else 2
        return Call(function, (X, floats(3, 2)), order)

    return [call(mode) for mode in ("drop", "clip")]


GATHERING: Table = {
    "GatherDimensionNumbers": [
        Call(lambda j: list(j.lax.GatherDimensionNumbers((1,), (0,), (0,)).offset_dims), ())
    ],
    "ScatterDimensionNumbers": [
        Call(lambda j: list(j.lax.ScatterDimensionNumbers((1,), (0,), (0,)).update_window_dims), ())
    ],
    "GatherScatterMode": [
        Call(lambda j: [int(j.lax.GatherScatterMode.from_any(m) is getattr(
            j.lax.GatherScatterMode, n)) for m, n in (
                ("clip", "CLIP"), ("fill", "FILL_OR_DROP"), ("drop", "FILL_OR_DROP"),
                ("promise_in_bounds", "PROMISE_IN_BOUNDS"), (None, "FILL_OR_DROP"))], ())
    ],
    "gather": [
        Call(lambda j, x: _gather(j, x, mode="clip"), (X,)),
        Call(lambda j, x: _gather(j, x, mode="fill", fill_value=7.5), (X,)),
        Call(lambda j, x: _gather(j, x), (X,), 0),
        Call(lambda j, x: _gather(j, x), (N,)),
    ],
    **{n: _scatter(n) for n in ("scatter", "scatter_add", "scatter_sub")},
    **{n: _scatter(n) for n in ("scatter_min", "scatter_max")},
    "scatter_mul": _scatter("scatter_mul", True),
    "scatter_apply": [
        Call(lambda j, x, mode=mode: j.lax.scatter_apply(
            x, PLACES, lambda v: v * v + 1, j.lax.ScatterDimensionNumbers((1,), (0,), (0, 1)),
            update_shape=(3, 2), mode=mode), (X,), 0)
        for mode in ("drop", "clip")
    ],
    "dynamic_slice": [
        Call(lambda j, x, at=at: j.lax.dynamic_slice(x, at, (2, 3)), (X,)) for at in CORNERS
    ],
    "dynamic_slice_in_dim": [
        _named("dynamic_slice_in_dim", X, np.int32(i), slice_size=2, axis=-1) for i in (1, -3, 9)
    ],
    "dynamic_index_in_dim": [
        _named("dynamic_index_in_dim", X, np.int32(-1), axis=0),
        _named("dynamic_index_in_dim", X, np.int32(2), axis=1, keepdims=False),
        _named("dynamic_index_in_dim", X, np.int32(-1), axis=0, allow_negative_indices=False),
    ],
    "dynamic_update_slice": [
        Call(lambda j, x, u, at=at: j.lax.dynamic_update_slice(x, u, at), (X, floats(2, 2)))
        for at in CORNERS
    ],
    "dynamic_update_slice_in_dim": [
        _named("dynamic_update_slice_in_dim", X, floats(3, 2), np.int32(i), axis=1)
        for i in (1, -1)
    ],
    "dynamic_update_index_in_dim": [
        _named("dynamic_update_index_in_dim", X, floats(3), np.int32(-1), axis=1),
        _named("dynamic_update_index_in_dim", X, floats(1, 4), np.int32(-1), axis=0,
               allow_negative_indices=False),
    ],
}  # fmt: skip


def _collective(name: str, x: Any, *args: Any, order: int = 1, **options: Any) -> Call:
    def function(j: Any, x: Any) -> Any:
        return j.vmap(lambda v: getattr(j.lax, name)(v, "i", *args, **options), axis_name="i")(x)

    return Call(function, (x,), order)


CYCLE = [(0, 1), (1, 2), (2, 0)]

CONTROL: Table = {
    "cond": [
        Call(lambda j, x, b=b: j.lax.cond(b, j.lax.sin, lambda x: x * x, x), (X,))
        for b in (True, False)
    ],
    "switch": [
        Call(lambda j, x, k=k: j.lax.switch(k, [j.lax.sin, j.lax.cos, lambda x: x * x], x), (X,))
        for k in (-5, 1, 7)
    ],
    "scan": [
        Call(lambda j, c, xs: j.lax.scan(lambda c, x: (c * x, c + x), c, xs), (floats(4), X)),
        Call(lambda j, c, xs: j.lax.scan(lambda c, x: (j.lax.sin(c) + x, c), c, xs, reverse=True),
             (floats(4), X)),
    ],
    "while_loop": [
        Call(lambda j, x: j.lax.while_loop(
            lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * s[1]), (np.int32(0), x))[1], (X,), 0)
    ],
    "fori_loop": [Call(lambda j, x: j.lax.fori_loop(0, 3, lambda i, v: j.lax.sin(v) + i, x), (X,))],
    "map": [Call(lambda j, x: j.lax.map(lambda r: r * r.sum(), x), (X,))],
    "associative_scan": [
        Call(lambda j, x, r=r: j.lax.associative_scan(j.lax.mul, x, reverse=r, axis=1), (X,))
        for r in (False, True)
    ],
    "custom_linear_solve": [
        Call(lambda j, a, b: j.lax.custom_linear_solve(
            lambda v: a @ v, b, lambda _, b: j.numpy.linalg.solve(a, b),
            lambda _, b: j.numpy.linalg.solve(a.T, b)), (floats(3, 3) + 4 * EYE, floats(3)))
    ],
    "custom_root": [
        Call(lambda j, a: j.lax.custom_root(
            lambda x: x * x - a, np.float64(1.0), lambda f, _: j.lax.sqrt(a),
            lambda g, y: y / g(1.0)), (np.float64(2.5),), 1)
    ],
    "psum": [_collective("psum", X), _collective("psum", N)],
    "pmean": [_collective("pmean", X)],
    "pmax": [_collective("pmax", X, order=0)],
    "pmin": [_collective("pmin", X, order=0)],
    "all_gather": [_collective("all_gather", X), _collective("all_gather", X, axis=1),
                   _collective("all_gather", X, tiled=True)],
    "all_to_all": [_collective("all_to_all", floats(3, 3, 2), 0, 0),
                   _collective("all_to_all", floats(3, 6, 2), 0, 1, tiled=True)],
    "ppermute": [_collective("ppermute", X, CYCLE)],
    "pbroadcast": [_collective("pbroadcast", X, 1)],
    "pshuffle": [_collective("pshuffle", X, [1, 2, 0])],
    "psum_scatter": [_collective("psum_scatter", floats(3, 3, 2)),
                     _collective("psum_scatter", floats(3, 6), tiled=True)],
    "pswapaxes": [_collective("pswapaxes", floats(3, 2, 3), 1)],
    "axis_index": [Call(lambda j, x: j.vmap(
        lambda v: v * j.lax.axis_index("i"), axis_name="i")(x), (X,))],
    "axis_size": [Call(lambda j, x: j.vmap(
        lambda v: v * j.lax.axis_size("i"), axis_name="i")(x), (X,))],
    "linalg": [Call(lambda j, a: j.lax.linalg.cholesky(a), (floats(3, 3) * 0.1 + 2 * EYE,), 1)],
    "rng_bit_generator": [
        Call(lambda j, k: j.lax.rng_bit_generator(
            k, (3,), algorithm=j.lax.RandomAlgorithm.RNG_THREE_FRY),
             (np.array([1, 2, 3, 4], np.uint32),), 0)
    ],
    "RandomAlgorithm": [Call(lambda j: [int(m) for m in (
        j.lax.RandomAlgorithm.RNG_DEFAULT, j.lax.RandomAlgorithm.RNG_THREE_FRY,
        j.lax.RandomAlgorithm.RNG_PHILOX)], ())],
}  # fmt: skip
