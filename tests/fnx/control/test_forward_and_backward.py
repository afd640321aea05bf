"""Reverse mode in two halves, against `vjp`."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

W = jnp.asarray([[1.0, 2.0], [3.0, 4.0]], "float64")
X = {"x": jnp.asarray([0.5, -1.0], "float64"), "n": 3}
jitted = pytest.mark.parametrize("jitted", [False, True])


def layer(params, weights, shift=0.0):
    return {"out": jnp.tanh(weights @ params["x"] + shift), "n": params["n"] + 1}


@jitted
@pytest.mark.parametrize("argnums", [(0, 1), (1, 0), (1,), (-1, 0)])
def test_the_halves_are_vjp(jitted, argnums):
    fwd, bwd = fnx.fwd_and_bwd(layer, argnums, jitted=jitted)
    out, residuals = fwd(X, W)
    ct = {"out": jnp.asarray([1.0, -2.0], "float64"), "n": np.zeros((), fnx.float0)}
    args = (X, W)

    def of_chosen(*chosen):
        return layer(*[chosen[[a % 2 for a in argnums].index(k)] if k in
                       [a % 2 for a in argnums] else args[k] for k in range(2)])  # fmt: skip

    expected_out, pull = fnx.vjp(of_chosen, *[args[a] for a in argnums])
    np.testing.assert_allclose(out["out"], expected_out["out"], rtol=1e-15)
    assert int(out["n"]) == 4
    found = bwd(residuals, ct)
    assert isinstance(found, tuple)
    for one, other in zip(found, pull(ct), strict=True):
        for a, b in zip(fnx.tree.leaves(one), fnx.tree.leaves(other), strict=True):
            assert a.dtype == b.dtype
            if a.dtype != fnx.float0:
                np.testing.assert_allclose(a, b, rtol=1e-12)


@jitted
def test_one_argument_aux_and_keywords(jitted):
    def f(x, *, power):
        return x**power, {"twice": 2 * x}

    fwd, bwd = fnx.fwd_and_bwd(f, 0, has_aux=True, jitted=jitted)
    out, residuals, aux = fwd(3.0, power=2)
    assert float(out) == 9.0
    assert float(aux["twice"]) == 6.0
    assert float(bwd(residuals, 1.0)) == 6.0


def test_residuals_are_a_pytree_and_the_backward_half_is_compiled_once():
    fwd, bwd = fnx.fwd_and_bwd(lambda x: jnp.sin(jnp.sin(x)), 0)
    for x in (0.1, 0.2):
        _, residuals = fwd(x)
        assert all(isinstance(r, fnx.Array) for r in fnx.tree.leaves(residuals))
        assert float(bwd(residuals, 1.0)) == pytest.approx(np.cos(np.sin(x)) * np.cos(x), rel=1e-6)
    assert len(bwd.explain()["traces"]) == 1


def test_halves_can_be_transformed():
    fwd, bwd = fnx.fwd_and_bwd(lambda x: x**3, 0)
    second = fnx.grad(lambda x: bwd(fwd(x)[1], 1.0))
    assert float(second(2.0)) == 12.0
    np.testing.assert_array_equal(
        fnx.vmap(lambda x: bwd(fwd(x)[1], 1.0))(jnp.arange(3.0)), [0, 3, 12]
    )


@jitted
def test_what_does_not_fit(jitted):
    fwd, bwd = fnx.fwd_and_bwd(jnp.sin, 0, jitted=jitted)
    _, residuals = fwd(1.0)
    with pytest.raises(ValueError, match=r"fwd_and_bwd of sin: the cotangent must have the struct"):
        bwd(residuals, (1.0,))
    with pytest.raises(
        ValueError, match=r"cotangent must be f32\[\] like the result, got f32\[2\]"
    ):
        bwd(residuals, jnp.ones(2))
    with pytest.raises(ValueError, match=r"argnums \[2\] are not among the 1 positional"):
        fnx.fwd_and_bwd(jnp.sin, 2, jitted=jitted)[0](1.0)
