"""Composites, functions by platform, and values that are put into programs."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx import lax
from fnx.sharding import Mesh, NamedSharding, PartitionSpec


def scaled_sine(x, /, *, factor):
    return lax.sin(x) * factor


def test_a_composite_is_a_call_with_its_name_and_version():
    plain = lax.composite(scaled_sine, "my.sine")
    third = lax.composite(scaled_sine, "my.sine", version=3)
    names = [
        fnx.make_jaxpr(lambda x, f=f: f(x, factor=2.0))(1.0).eqns[0].params["name"]
        for f in (plain, third)
    ]
    assert names == ["my.sine", "my.sine.v3"]
    assert plain.__name__ == "scaled_sine"


def test_a_composite_can_be_transformed(rng):
    x = rng.standard_normal(4)
    wave = lax.composite(scaled_sine, "my.sine")
    gradient = fnx.jit(fnx.vmap(fnx.grad(lambda x: wave(x, factor=2.0))))(x)
    np.testing.assert_allclose(gradient, 2 * np.cos(x), rtol=1e-14)


def test_composite_refuses_what_is_no_name():
    with pytest.raises(TypeError, match="composite: name must be a string"):
        lax.composite(scaled_sine, 3)
    with pytest.raises(TypeError):
        lax.composite(scaled_sine, "name", version=1.5)


def test_functions_for_other_platforms_are_not_called():
    def refused(x):
        raise AssertionError

    assert lax.platform_dependent(3.0, cpu=lambda x: x + 1, tpu=refused, default=refused) == 4.0
    assert lax.platform_dependent(3.0, tpu=refused, default=lambda x: x + 2) == 5.0
    with pytest.raises(NotImplementedError, match="functions for cuda, tpu, none for cpu"):
        lax.platform_dependent(3.0, cuda=refused, tpu=refused)


def test_stage_and_shapes():
    assert isinstance(lax.stage(np.ones(2)), fnx.Array)
    np.testing.assert_array_equal(fnx.jit(lambda x: lax.stage(x) * lax.stage(2))(3.0), 6.0)
    assert lax.shape_as_value((4, 0)).dtype == np.int32
    with pytest.raises(TypeError):
        lax.shape_as_value((1.5,))


def test_shardings_are_checked_and_change_nothing():
    mesh = Mesh(fnx.devices(), ("batch",))
    rows = NamedSharding(mesh, PartitionSpec("batch", None))
    x = {"a": np.ones((2, 3)), "b": np.ones((4, 1))}
    out = fnx.jit(lambda x: lax.with_sharding_constraint(x, rows))(x)
    np.testing.assert_array_equal(out["a"], x["a"])
    lax.with_sharding_constraint(x, {"a": rows, "b": fnx.devices()[0]})
    with pytest.raises(ValueError, match="with_sharding_constraint: .* has 2 parts for an array"):
        lax.with_sharding_constraint(np.ones(3), rows)
    with pytest.raises(ValueError, match="with_sharding_constraint: there is no device 'gpu'"):
        lax.with_sharding_constraint(np.ones(3), "gpu")


def test_primitives_have_their_names_of_jax():
    assert fnx.make_jaxpr(lax.add)(1.0, 2.0).eqns[0].primitive is lax.add_p
    with pytest.raises(AttributeError, match="no attribute 'nothing_p'"):
        lax.nothing_p  # noqa: B018
