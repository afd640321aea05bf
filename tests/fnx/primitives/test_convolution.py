"""Convolutions against the sum that defines them and against SciPy; their other names; shapes;
errors."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
import scipy.signal

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.array import as_array
from fnx.primitives.arithmetic import mul
from fnx.primitives.convolution import (
    NATIVE_FROM,
    conv_general_dilated,
    conv_general_dilated_p,
)
from fnx.primitives.convolution_evaluate import GATHERED, dilate_and_pad, evaluate_convolution
from fnx.primitives.convolution_forms import conv, conv_transpose, conv_with_general_padding
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.window_shapes import (
    ConvDimensionNumbers,
    conv_dimension_numbers,
    conv_shape_tuple,
    padtype_to_pads,
)
from fnx.transforms.grad import grad
from fnx.transforms.vmap import vmap


def conv_params(**changes):
    """The parameters of conv_general_dilated over two spatial axes."""
    plain = (0, 1, 2, 3)
    return {
        "window_strides": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (1, 1),
        "dimension_numbers": ConvDimensionNumbers(plain, plain, plain),
        "feature_group_count": 1,
        "batch_group_count": 1,
        "precision": None,
        "preferred_element_type": None,
        **changes,
    }


def by_definition(x, w, strides, padding, base, spacing, groups):
    """The sum, element by element, of (batch, feature, y, x) images and (out, in, y, x) windows."""
    n, c, *size = x.shape
    k, inner, *window = w.shape
    spread = [(s - 1) * b + 1 for s, b in zip(size, base, strict=True)]
    extents = [
        (s + lo + hi - (q - 1) * d - 1) // t + 1
        for s, (lo, hi), q, d, t in zip(spread, padding, window, spacing, strides, strict=True)
    ]
    out = np.zeros((n, k, *extents))
    for i, o, *p in itertools.product(range(n), range(k), *map(range, extents)):
        for f, *q in itertools.product(range(inner), *map(range, window)):
            at = [
                a * t + b * d - lo
                for a, t, b, d, (lo, _) in zip(p, strides, q, spacing, padding, strict=True)
            ]
            if all(0 <= a < s and a % b == 0 for a, s, b in zip(at, spread, base, strict=True)):
                feature = o // (k // groups) * inner + f
                place = tuple(a // b for a, b in zip(at, base, strict=True))
                out[(i, o, *p)] += x[(i, feature, *place)] * w[(o, f, *q)]
    return out


@pytest.mark.parametrize(
    ("strides", "padding", "base", "spacing", "groups"),
    [
        ((1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1), 1),
        ((2, 1), ((1, 2), (0, 3)), (1, 1), (2, 1), 1),
        ((1, 3), ((2, 0), (1, 1)), (2, 3), (1, 2), 1),
        ((1, 2), ((-1, 1), (0, -2)), (1, 1), (1, 1), 2),
        ((1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1), 4),
    ],
)
def test_against_the_definition(rng, strides, padding, base, spacing, groups):
    x = rng.standard_normal((2, 4, 6, 7))
    w = rng.standard_normal((4, 4 // groups, 3, 2))
    out = conv_general_dilated(
        as_array(x), as_array(w), strides, padding, base, spacing, feature_group_count=groups
    )
    expected = by_definition(x, w, strides, padding, base, spacing, groups)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-12, atol=1e-13)


def test_against_scipy(rng):
    x, w = rng.standard_normal((1, 1, 9, 8, 7)), rng.standard_normal((1, 1, 3, 2, 4))
    out = conv_general_dilated(as_array(x), as_array(w), (1, 1, 1), "VALID")
    expected = scipy.signal.correlate(x[0, 0], w[0, 0], "valid")
    np.testing.assert_allclose(np.asarray(out)[0, 0], expected, rtol=1e-11, atol=1e-12)


def test_batch_groups_are_groups_of_images(rng):
    x, w = rng.standard_normal((6, 3, 5)), rng.standard_normal((4, 3, 2))
    out = conv_general_dilated(as_array(x), as_array(w), (1,), "VALID", batch_group_count=2)
    assert out.shape == (3, 4, 4)
    for g in range(2):
        part = by_definition(
            x[3 * g : 3 * g + 3, :], w[2 * g : 2 * g + 2], (1,), ((0, 0),), (1,), (1,), 1
        )
        np.testing.assert_allclose(np.asarray(out)[:, 2 * g : 2 * g + 2], part, rtol=1e-12)


def test_images_larger_than_what_is_gathered_at_once(rng):
    # Both ways to cut the work: several images at a time, and rows of one image.
    for shape in ((5, 16, 60, 60), (2, 32, 200, 200)):
        x, w = rng.standard_normal(shape), rng.standard_normal((2, shape[1], 3, 3))
        assert x.size * 9 > GATHERED
        params = conv_params(padding=((1, 1), (1, 1)))
        out = evaluate_convolution(x, w, **params)
        for n, o, y in ((0, 0, 0), (shape[0] - 1, 1, shape[2] - 1), (1, 1, 30)):
            rows = np.pad(x[n], ((0, 0), (1, 1), (1, 1)))[:, y : y + 3]
            expected = sum(
                scipy.signal.correlate(rows[f], w[o, f], "valid")[0] for f in range(shape[1])
            )
            np.testing.assert_allclose(out[n, o, y], expected, rtol=1e-9, atol=1e-10)


def test_large_eager_convolutions_use_the_kernel(rng):
    x, w = rng.standard_normal((1, 16, 64, 64)), rng.standard_normal((60, 16, 3, 3))
    params = conv_params(padding=((1, 1), (2, 0)))
    assert conv_general_dilated_p.work(as_array(x).aval, as_array(w).aval, **params) >= NATIVE_FROM
    out = conv_general_dilated_p(as_array(x), as_array(w), **params)
    expected = evaluate_convolution(x, w, **params)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "dtype",
    [np.float32, np.complex128, np.int8, np.uint32, np.bool_, np.float16, ml_dtypes.bfloat16],
)
@pytest.mark.parametrize("groups", [1, 2])
def test_dtypes(rng, dtype, groups):
    x, w = (
        rng.integers(0, 3, (1, 2, 5)).astype(dtype),
        rng.integers(0, 3, (2, 2 // groups, 2)).astype(dtype),
    )
    out = conv_general_dilated(as_array(x), as_array(w), (1,), "VALID", feature_group_count=groups)
    assert out.dtype == dtype
    wide = np.complex128 if dtype is np.complex128 else np.float64
    exact = by_definition(
        x.astype(wide).real, w.astype(wide).real, (1,), ((0, 0),), (1,), (1,), groups
    )
    np.testing.assert_array_equal(np.asarray(out).astype(wide), exact.astype(dtype).astype(wide))


def test_preferred_element_type_and_gradient_dtypes():
    x, w = (as_array(np.ones(s, ml_dtypes.bfloat16)) for s in ((1, 1, 6), (1, 1, 3)))

    def loss(x, w):
        out = conv_general_dilated(x, w, (1,), "VALID", preferred_element_type=np.float32)
        assert out.dtype == np.float32
        return reduce_sum(out, (0, 1, 2))

    gradients = grad(loss, (0, 1))(x, w)
    assert [g.dtype.name for g in gradients] == ["bfloat16", "bfloat16"]
    np.testing.assert_array_equal(
        np.asarray(gradients[0]).astype(np.float32)[0, 0], [1, 2, 3, 3, 2, 1]
    )


def test_third_derivative_mixes_both_operands(rng):
    # conv(x, w)**2 summed: differentiated in x twice and once in w, against finite differences.
    x, w, u, v = (rng.standard_normal(s) for s in ((1, 2, 5), (2, 2, 3), (1, 2, 5), (1, 2, 5)))

    def energy(x, w):
        y = conv_general_dilated(x, w, (2,), ((1, 1),))
        return reduce_sum(mul(y, mul(y, y)), (0, 1, 2))

    def along(function, direction):
        d = as_array(direction)
        return lambda x, w: reduce_sum(mul(grad(function)(x, w), d), (0, 1, 2))

    third = np.asarray(grad(along(along(energy, u), v), 1)(as_array(x), as_array(w)))

    def second(w):
        a, b = (
            np.asarray(conv_general_dilated(as_array(d), as_array(w), (2,), ((1, 1),)))
            for d in (u, v)
        )
        y = np.asarray(conv_general_dilated(as_array(x), as_array(w), (2,), ((1, 1),)))
        return 6 * (y * a * b).sum()

    step = 1e-5
    for place in ((0, 0, 0), (1, 0, 2), (0, 1, 1)):
        e = np.zeros_like(w)
        e[place] = step
        numeric = (second(w + e) - second(w - e)) / (2 * step)
        np.testing.assert_allclose(third[place], numeric, rtol=1e-6)


def test_per_example_gradients_of_windows(rng):
    x, w = as_array(rng.standard_normal((3, 1, 2, 6))), as_array(rng.standard_normal((4, 2, 3)))

    def loss(w, x):
        y = conv_general_dilated(x, w, (1,), "SAME")
        return reduce_sum(mul(y, y), (0, 1, 2))

    out = vmap(grad(loss), (None, 0))(w, x)
    for k in range(3):
        one = grad(loss)(w, as_array(np.asarray(x)[k]))
        np.testing.assert_allclose(np.asarray(out)[k], np.asarray(one), rtol=1e-12)


# ------------------------------------------------------------------------------ other names, shapes


def test_transposed_convolution_is_the_gradient(rng):
    # With transpose_kernel it is the adjoint of the convolution with the same strides and padding.
    w = rng.standard_normal((3, 3, 3, 4))
    numbers = ("NHWC", "HWIO", "NHWC")
    for padding, size in (("SAME", (8, 6)), ("VALID", (7, 9))):
        x = rng.standard_normal((2, *size, 3))
        y = conv_general_dilated(
            as_array(x), as_array(w), (2, 2), padding, dimension_numbers=numbers
        )
        ct = rng.standard_normal(y.shape)

        def loss(x, padding=padding, ct=ct):
            out = conv_general_dilated(x, as_array(w), (2, 2), padding, dimension_numbers=numbers)
            return reduce_sum(mul(out, as_array(ct)), (0, 1, 2, 3))

        back = conv_transpose(as_array(ct), as_array(w), (2, 2), padding, transpose_kernel=True)
        gradient = np.asarray(grad(loss)(as_array(x)))
        np.testing.assert_allclose(np.asarray(back), gradient, rtol=1e-10, atol=1e-12)


def test_short_names_choose_parameters(rng):
    x, w = as_array(rng.standard_normal((1, 2, 6, 6))), as_array(rng.standard_normal((3, 2, 3, 3)))
    full = conv_general_dilated(x, w, (2, 2), "SAME")
    np.testing.assert_array_equal(np.asarray(conv(x, w, (2, 2), "SAME")), np.asarray(full))
    dilated = conv_general_dilated(x, w, (1, 1), ((1, 1), (2, 2)), (2, 1), (1, 2))
    out = conv_with_general_padding(x, w, (1, 1), ((1, 1), (2, 2)), (2, 1), (1, 2))
    np.testing.assert_array_equal(np.asarray(out), np.asarray(dilated))


def test_shape_arithmetic_is_laxs():
    assert padtype_to_pads((10, 11), (3, 4), (2, 3), "SAME") == [(0, 1), (1, 1)]
    assert padtype_to_pads((10, 11), (3, 4), (2, 3), "SAME_LOWER") == [(1, 0), (1, 1)]
    assert padtype_to_pads((10,), (3,), (2,), "VALID") == [(0, 0)]
    numbers = conv_dimension_numbers((1, 2, 3, 4), (5, 6, 7, 8), ("NHWC", "HWIO", "NHWC"))
    assert numbers == ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    plain = (0, 1, 2, 3)
    assert conv_dimension_numbers((1,) * 4, (1,) * 4, None) == (plain, plain, plain)
    assert conv_shape_tuple((1, 2, 3, 4), (5, 2, 3, 2), (1, 1), [(1, 1), (0, 0)]) == (1, 5, 3, 3)


def test_dilate_and_pad_cuts_where_padding_is_negative():
    x = np.arange(1, 5)
    np.testing.assert_array_equal(dilate_and_pad(x, (2,), ((1, 0),), 0), [0, 1, 0, 2, 0, 3, 0, 4])
    np.testing.assert_array_equal(dilate_and_pad(x, (2,), ((-1, -2),), 0), [0, 2, 0, 3])
    np.testing.assert_array_equal(dilate_and_pad(x, (2,), ((-2, 1),), 0), [2, 0, 3, 0, 4, 0])
    np.testing.assert_array_equal(dilate_and_pad(x, (1,), ((-4, 0),), 0), [])
    np.testing.assert_array_equal(dilate_and_pad(x, (1,), ((-5, 3),), 7), [7, 7])


def test_errors_name_operands_and_remedy():
    x, w = as_array(np.ones((1, 3, 8), np.float32)), as_array(np.ones((4, 2, 3), np.float32))
    with pytest.raises(
        TypeError,
        match=r"f32\[1,3,8\] has 3 features, but f32\[4,2,3\] takes 2 in each of 1",
    ):
        conv_general_dilated(x, w, (1,), "VALID")
    w = as_array(np.ones((4, 3, 3), np.float32))
    with pytest.raises(TypeError, match=r"window_strides=\(1, 1\) has 2 entries for 1 spatial"):
        conv_general_dilated(x, w, (1, 1), ((0, 0),))
    with pytest.raises(TypeError, match="dtypes must be equal"):
        conv_general_dilated(x, as_array(np.ones((4, 3, 3))), (1,), "VALID")
    with pytest.raises(ValueError, match=r"padding must be 'SAME', 'SAME_LOWER', 'VALID' or pairs"):
        conv_general_dilated(x, w, (1,), "FULL")
    with pytest.raises(ValueError, match="says nothing with lhs_dilation"):
        conv_general_dilated(x, w, (1,), "SAME", lhs_dilation=(2,))
    with pytest.raises(ValueError, match="1 batch can't be divided into 2 groups"):
        conv_general_dilated(x, w, (1,), "VALID", batch_group_count=2)
    with pytest.raises(TypeError, match="'NWC' must name 4 axes"):
        conv_dimension_numbers((1,) * 4, (1,) * 4, ("NWC", "HWIO", "NHWC"))


def test_the_setting_for_precision_reaches_the_program():
    x, w = jnp.ones((1, 1, 4, 4)), jnp.ones((1, 1, 3, 3))

    def precisions(**given):
        jaxpr = fnx.make_jaxpr(
            lambda x, w: lax.conv_general_dilated(x, w, (1, 1), "VALID", **given)
        )(x, w)
        return [str(p) for p in jaxpr.jaxpr.eqns[0].params["precision"] or ()]

    assert precisions() == []
    with fnx.default_matmul_precision("highest"):
        assert precisions() == ["highest", "highest"]
        assert precisions(precision="default") == ["default", "default"]
