"""pmap and shard_map over one device: values, collectives, and what needs more devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.sharding import PartitionSpec as P

X = jnp.arange(6.0).reshape(1, 2, 3)
MESH = fnx.make_mesh((1, 1), ("data", "model"))


def test_pmap_maps_over_one_lane() -> None:
    f = fnx.pmap(lambda x, y: x * lax.psum(y, "i") + lax.axis_index("i"), axis_name="i")
    np.testing.assert_array_equal(f(X, X), X * X)
    trees = fnx.pmap(lambda p: {"out": p["x"].sum()})({"x": X})
    np.testing.assert_array_equal(trees["out"], [15])
    inner = fnx.pmap(lambda x, y: x + y, in_axes=(None, 1), out_axes=1)(1.0, jnp.ones((3, 1)))
    assert inner.shape == (3, 1) and float(inner[0, 0]) == 2
    assert fnx.pmap(lambda: lax.axis_size("i"), "i", axis_size=1)().shape == (1,)
    np.testing.assert_array_equal(fnx.grad(lambda x: f(x, X).sum())(X), X)


def test_pmap_options() -> None:
    f = fnx.pmap(lambda n, x: x * n, in_axes=(None, 0), static_broadcasted_argnums=0)
    np.testing.assert_array_equal(f(3, X), 3 * X)
    x = X + 0
    np.testing.assert_array_equal(fnx.pmap(lambda y: y + 1, donate_argnums=0)(x), X + 1)
    assert x.is_deleted()
    assert fnx.pmap(lambda x: x, devices=fnx.devices(), backend="cpu")(X).shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fnx.pmap(jnp.sin)(jnp.ones((4, 2))), ValueError, "size 4, there is 1.*fnx.vmap"),
        (lambda: fnx.pmap(jnp.sin)(1.0), ValueError, r"shape \(\) has no axis 0"),
        (lambda: fnx.pmap(lambda x: x, in_axes=None)(X), ValueError, "must have a mapped axis"),
        (lambda: fnx.pmap(jnp.sin, axis_size=2)(X), ValueError, "size 2"),
        (lambda: fnx.pmap(jnp.sin, backend="tpu"), RuntimeError, "no platform 'tpu'"),
        (lambda: fnx.pmap(jnp.sin, devices=["gpu"]), ValueError, "no device 'gpu'"),
        (lambda: fnx.pmap(3), TypeError, "expected a function"),
    ],
)
def test_pmap_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_shard_map_gives_the_whole_to_the_one_device() -> None:
    def step(p: Any, x: Any) -> Any:
        total = lax.psum(jnp.sum(p["w"] * x), ("data", "model"))
        return total, {"shifted": lax.ppermute(x, "data", [(0, 0)])}

    f = fnx.shard_map(
        step, mesh=MESH, in_specs=(P(), P("data")), out_specs=(P(), P("data", "model"))
    )
    params, x = {"w": jnp.ones((2, 3))}, X[0]
    for wrap in (lambda g: g, fnx.jit):
        total, out = wrap(f)(params, x)
        assert float(total) == 15
        np.testing.assert_array_equal(out["shifted"], x)
    slope = fnx.grad(lambda p: f(p, x)[0])(params)["w"]
    np.testing.assert_array_equal(slope, x)


def test_shard_map_options() -> None:
    @fnx.shard_map(mesh=MESH, out_specs=P("data"), axis_names={"data"}, check_vma=False)
    def doubled(x: Any) -> Any:
        return x * 2 * lax.axis_size("data")

    np.testing.assert_array_equal(doubled(X[0]), 2 * X[0])
    only = fnx.shard_map(
        lambda x: lax.psum(x, "model"), mesh=MESH, out_specs=P(), axis_names={"data"}
    )
    with pytest.raises(NameError, match="model"):
        only(X)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"mesh": None}, TypeError, "mesh must be a Mesh, got NoneType.*make_mesh"),
        ({"in_specs": P("z")}, ValueError, r"in_specs: PartitionSpec\('z'\) must name axes"),
        ({"in_specs": P(None, None, None)}, ValueError, "3 parts for an array with 2 axes"),
        ({"out_specs": "data"}, TypeError, "out_specs: expected a PartitionSpec, got str"),
        ({"axis_names": {"z"}}, ValueError, r"axis_names \['z'\] aren't axes"),
    ],
)
def test_shard_map_errors(options: Any, error: type[Exception], words: str) -> None:
    given = {"mesh": MESH, "in_specs": P("data"), "out_specs": P("data"), **options}
    with pytest.raises(error, match=words):
        fnx.shard_map(lambda x: x, **given)(X[0])
