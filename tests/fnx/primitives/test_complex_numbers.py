"""Parts of complex numbers: values, the convention of cotangents, folds."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.comparison import abs, sign
from fnx.primitives.complex_numbers import complex, conj, imag, real
from fnx.transforms.jvp import jvp_flat
from fnx.transforms.linearize import linearize_flat
from fnx.transforms.transpose import backward

Z = np.array([1 + 2j, -3 - 0.5j, 0.25j])


def test_parts():
    np.testing.assert_array_equal(real(as_array(Z))._data, Z.real)
    np.testing.assert_array_equal(imag(as_array(Z))._data, Z.imag)
    np.testing.assert_array_equal(conj(as_array(Z))._data, Z.conj())
    whole = complex(as_array(Z.real.astype(np.float32)), as_array(Z.imag.astype(np.float32)))
    assert whole.dtype == np.complex64
    np.testing.assert_array_equal(whole._data, Z.astype(np.complex64))
    np.testing.assert_array_equal(conj(as_array(Z.real))._data, Z.real.astype(np.complex128))


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (real, [1.0, 1.0, 1.0]),
        (imag, [-1j, -1j, -1j]),  # Re(ct t) = Im(t) for ct = -i
        (abs, Z.conj() / np.abs(Z)),
    ],
)
def test_cotangents_pair_without_conjugation(function, wanted):
    _, linearized = linearize_flat(lambda z: [function(z)], [as_array(Z)])
    (ct,) = backward(linearized, [as_array(np.ones(3))])
    np.testing.assert_allclose(ct._data, wanted, rtol=1e-15)


def test_derivative_of_the_direction_of_a_complex_number():
    dz = np.array([0.3 - 1j, 2 + 1j, 1 + 1j])
    _, (tangent,) = jvp_flat(lambda z: [sign(z)], [as_array(Z)], [as_array(dz)])
    h = 1e-6
    forward, back = Z + h * dz, Z - h * dz
    wanted = (forward / np.abs(forward) - back / np.abs(back)) / (2 * h)
    np.testing.assert_allclose(tangent._data, wanted, rtol=1e-8)


def test_parts_of_what_was_put_together_are_found_again():
    def f(x, y):
        z = conj(conj(complex(x, y)))
        return [add(mul(real(z), x), imag(z))]

    kind = ShapedArray((2,), np.dtype(np.float64))
    jaxpr, _ = stage(f, [kind, kind])
    assert [e.primitive.name for e in simplify(jaxpr).eqns] == ["square", "add"]


def test_parts_are_of_single_or_double_width():
    half = as_array(np.zeros(2, np.float16))
    with pytest.raises(TypeError, match=r"parts must be float32 or float64, got f16\[2\]"):
        complex(half, half)
