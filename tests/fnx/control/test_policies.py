"""What checkpointed functions keep and compute again, counted in their programs."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.ad_checkpoint import checkpoint_name, print_saved_residuals
from fnx.experimental.jet import jet

policies = fnx.checkpoint_policies
POINT = jnp.asarray([0.3, -0.4], "float64")


def layers(x):
    """Two named waves and a contraction."""
    a = checkpoint_name(jnp.sin(x), "a")
    b = checkpoint_name(jnp.cos(jnp.dot(jnp.full((2, 2), 0.5, "float64"), a)), "b")
    return jnp.sum(jnp.tanh(b))


#: How often sin, the contraction and cos are computed, forward and again.
CHOICES = [
    (None, (2, 2, 2)),
    (policies.nothing_saveable, (2, 2, 2)),
    (policies.everything_saveable, (1, 1, 1)),
    (policies.save_only_these_names("a"), (1, 2, 2)),
    (policies.save_only_these_names("a", "b"), (1, 2, 1)),
    (policies.save_any_names_but_these("b"), (1, 2, 2)),
    (policies.save_anything_except_these_names("a"), (1, 1, 1)),
    (policies.dots_saveable, (1, 1, 2)),
    (policies.checkpoint_dots, (1, 1, 2)),
    (policies.dots_with_no_batch_dims_saveable, (1, 1, 2)),
    (policies.checkpoint_dots_with_no_batch_dims, (1, 1, 2)),
    (policies.offload_dot_with_no_batch_dims("device", "pinned_host"), (1, 1, 2)),
    (
        policies.save_from_both_policies(
            policies.dots_saveable, policies.save_only_these_names("a")
        ),
        (1, 1, 2),
    ),
    (
        policies.save_and_offload_only_these_names(
            names_which_can_be_saved=["b"],
            names_which_can_be_offloaded=["a"],
            offload_src="device",
            offload_dst="pinned_host",
        ),
        (1, 2, 1),
    ),
]


def count(jaxpr, name):
    """Equations with a primitive, also in programs within."""
    total = 0
    for eqn in jaxpr.eqns:
        total += eqn.primitive.name == name
        for value in eqn.params.values():
            if hasattr(value, "eqns"):
                total += count(value, name)
    return total


@pytest.mark.parametrize(("policy", "expected"), CHOICES)
def test_what_is_computed_again(policy, expected):
    kept = fnx.checkpoint(layers, policy=policy)
    program = fnx.make_jaxpr(fnx.value_and_grad(kept))(POINT)
    found = tuple([count(program, name) for name in ("sin", "dot_general", "cos")])
    # One of each belongs to the derivative: of cos, of the contraction, of sin.
    assert tuple([n - 1 for n in found]) == expected


@pytest.mark.parametrize(("policy", "expected"), CHOICES)
def test_derivatives_are_the_same(policy, expected):
    kept = fnx.checkpoint(layers, policy=policy)
    np.testing.assert_allclose(fnx.grad(kept)(POINT), fnx.grad(layers)(POINT), rtol=1e-13)
    np.testing.assert_allclose(fnx.hessian(kept)(POINT), fnx.hessian(layers)(POINT), rtol=1e-12)


@pytest.mark.parametrize("policy", [policies.dots_saveable, policies.save_only_these_names("a")])
def test_other_transforms(policy):
    kept = fnx.checkpoint(layers, policy=policy)
    points = jnp.stack([POINT, 2 * POINT])
    expected = [fnx.grad(layers)(p) for p in points]
    for f in (fnx.vmap(fnx.grad(kept)), fnx.jit(fnx.vmap(fnx.grad(kept)))):
        np.testing.assert_allclose(f(points), expected, rtol=1e-13)
    series = [jet(f, (POINT,), ([POINT, POINT],))[1] for f in (kept, layers)]
    np.testing.assert_allclose(*series, rtol=1e-12)


def test_loops_within():
    def loop(x):
        return lax.scan(lambda c, y: (jnp.sin(c) * y, c), x[0], jnp.arange(1.0, 4.0))[0]

    kept = fnx.checkpoint(loop, policy=policies.everything_saveable)
    np.testing.assert_allclose(fnx.grad(kept)(POINT), fnx.grad(loop)(POINT), rtol=1e-13)


def test_checkpoint_is_a_decorator_with_options():
    @fnx.checkpoint(policy=policies.dots_saveable, static_argnums=1)
    def f(x, power):
        return x**power

    assert float(fnx.grad(f)(3.0, 2)) == 6.0


def test_wrong_policies():
    with pytest.raises(TypeError, match=r"checkpoint: policy must be a function, got str"):
        fnx.checkpoint(layers, policy="dots")
    with pytest.raises(ValueError, match=r"\['a'\] are in both lists"):
        policies.save_and_offload_only_these_names(
            names_which_can_be_saved=["a"],
            names_which_can_be_offloaded=["a"],
            offload_src="device",
            offload_dst="pinned_host",
        )
    with pytest.raises(TypeError, match=r"checkpoint_name: name must be a string, got int"):
        checkpoint_name(1.0, 3)


def test_names_change_nothing():
    tree = {"x": POINT, "n": 3}
    named = fnx.jit(lambda t: checkpoint_name(t, "tree"))(tree)
    np.testing.assert_array_equal(named["x"], POINT)
    assert int(named["n"]) == 3


def test_what_is_kept_can_be_printed(capsys):
    print_saved_residuals(fnx.checkpoint(layers, policy=policies.save_only_these_names("a")), POINT)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "f64[2] from the argument x"
    assert second.startswith("f64[2] output of ")
    print_saved_residuals(lambda x, y: jnp.sin(x) * y["w"], 1.0, {"w": 2.0})
    assert "~f32[] from the argument y['w']" in capsys.readouterr().out.splitlines()
