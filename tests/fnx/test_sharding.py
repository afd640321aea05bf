"""Meshes, specs and shardings of the one device; what asks for more is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.sharding import Mesh, NamedSharding, SingleDeviceSharding
from fnx.sharding import PartitionSpec as P

(CPU,) = fnx.devices()
MESH = fnx.make_mesh((1, 1), ("data", "model"))


def test_meshes() -> None:
    assert MESH.shape == {"data": 1, "model": 1} and MESH.size == 1
    assert repr(MESH) == "Mesh('data': 1, 'model': 1)"
    assert Mesh(np.array([[CPU]]), ("data", "model")) == MESH
    assert len({MESH, fnx.make_mesh((1, 1), ("data", "model"), devices=[CPU])}) == 1
    assert Mesh([CPU], "x").axis_names == ("x",)


def test_specs_and_shardings() -> None:
    spec = P("data", None, ("model",))
    assert repr(spec) == "PartitionSpec('data', None, ('model',))"
    assert spec.names == ("data", "model") and spec == ("data", None, ("model",))
    sharding = NamedSharding(MESH, spec)
    assert sharding.device_set == {CPU} and sharding.platform == "cpu"


def test_arrays_know_their_place() -> None:
    x = jnp.ones(3)
    assert x.device == CPU and x.devices() == {CPU} and x.sharding == SingleDeviceSharding(CPU)
    assert fnx.jit(lambda y: y * (y.device == CPU))(x).sharding.device_set == {CPU}


@pytest.mark.parametrize(
    "place", [None, "cpu", CPU, NamedSharding(MESH, P()), jnp.ones(1).sharding]
)
def test_whoever_takes_a_device_takes_them(place: Any) -> None:
    x = np.arange(3.0)
    np.testing.assert_array_equal(fnx.device_put(x, place), x)
    np.testing.assert_array_equal(jnp.zeros(3, device=place), np.zeros(3))
    np.testing.assert_array_equal(fnx.jit(lambda y: y, out_shardings=place)(x), x)
    with fnx.default_device(None if place is None else CPU):
        assert jnp.ones(2).device == CPU


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fnx.make_mesh((2,), ("x",)), ValueError, r"need 2 devices, there is 1"),
        (lambda: Mesh([CPU, CPU], ("x",)), ValueError, "2 devices"),
        (lambda: Mesh([CPU], ("x", "y")), ValueError, "1 axes needs as many different names"),
        (lambda: Mesh(["gpu"], ("x",)), ValueError, "no device 'gpu'"),
        (lambda: P(3), TypeError, "names, tuples of names, or None, got 3"),
        (lambda: NamedSharding(MESH, P("z")), ValueError, "must name axes of Mesh"),
        (lambda: NamedSharding(MESH, P("data", "data")), ValueError, "at most once"),
        (lambda: NamedSharding(MESH, "data"), TypeError, "expected a PartitionSpec, got str"),
        (lambda: fnx.default_device("gpu"), ValueError, "default_device: expected a device"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
