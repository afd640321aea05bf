"""Keywords that say where arrays are, how they lie or what is promised: each is checked, and known.

Also `copy`: an array and its copy have memory of their own, so that one can be donated.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import nn

KEY = fnx.random.key(0)
X = jnp.arange(6.0)

MAKERS: dict[str, Any] = {
    "zeros": lambda **o: jnp.zeros(2, **o),
    "ones": lambda **o: jnp.ones(2, **o),
    "full": lambda **o: jnp.full(2, 1.0, **o),
    "empty": lambda **o: jnp.empty(2, **o),
    "zeros_like": lambda **o: jnp.zeros_like(X, **o),
    "ones_like": lambda **o: jnp.ones_like(X, **o),
    "full_like": lambda **o: jnp.full_like(X, 1.0, **o),
    "arange": lambda **o: jnp.arange(3, **o),
    "eye": lambda **o: jnp.eye(2, **o),
    "initializers.zeros": lambda **o: nn.initializers.zeros(KEY, (2,), **o),
    "initializers.constant": lambda **o: nn.initializers.constant(2.0)(KEY, (2,), **o),
    "initializers.normal": lambda **o: nn.initializers.normal()(KEY, (2,), **o),
    "initializers.uniform": lambda **o: nn.initializers.uniform()(KEY, (2,), **o),
    "initializers.truncated_normal": lambda **o: nn.initializers.truncated_normal()(KEY, (2,), **o),
    "initializers.he_normal": lambda **o: nn.initializers.he_normal()(KEY, (2, 3), **o),
}


@pytest.mark.parametrize("name", list(MAKERS))
def test_places_are_checked(name: str) -> None:
    make = MAKERS[name]
    for place in (None, "cpu", fnx.devices()[0]):
        np.testing.assert_array_equal(make(device=place, out_sharding=place), make())
    with pytest.raises(ValueError, match="there is no device 'gpu'"):
        make(device="gpu")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'wrong'"):
        make(wrong=1)


@pytest.mark.parametrize("kind", ["set", "add", "multiply", "min", "max", "divide", "power", "get"])
def test_promises_about_indices(kind: str) -> None:
    values = () if kind == "get" else (2.0,)
    call = getattr(X.at[jnp.array([1, 3])], kind)
    promised = call(*values, indices_are_sorted=True, unique_indices=True, out_sharding="cpu")
    np.testing.assert_array_equal(promised, call(*values))
    with pytest.raises(TypeError, match=rf"x.at\[...\].{kind}: unexpected keyword argument 'wron"):
        call(*values, wrong=True)
    with pytest.raises(NotImplementedError, match="wrap_negative_indices=False"):
        call(*values, wrap_negative_indices=False)
    with pytest.raises(ValueError, match="no device"):
        call(*values, out_sharding="gpu")


def test_others() -> None:
    for call in (
        lambda **o: jnp.take(X, jnp.array([1]), **o),
        lambda **o: jnp.reshape(X, (2, 3), **o),
        lambda **o: jnp.ravel(X, **o),
        lambda **o: jnp.einsum("i->", X, **o),
    ):
        with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
            call(wrong=1)
        with pytest.raises(ValueError, match="no device 'gpu'"):
            call(out_sharding="gpu")
    with pytest.raises(NotImplementedError, match="out= must be None"):
        jnp.einsum("i->", X, out=np.ones(()))
    with pytest.raises(ValueError, match="no device"):
        jnp.astype(X, "int32", device="gpu")


@pytest.mark.parametrize(
    "copied",
    [
        jnp.array,
        jnp.copy,
        lambda x: x.copy(),
        lambda x: jnp.asarray(x, copy=True),
        lambda x: jnp.astype(x, x.dtype, copy=True),
        lambda x: jnp.reshape(x, (2, 3), copy=True).reshape(6),
        lambda x: jnp.array(x, ndmin=2)[0],
    ],
)
def test_a_copy_stays_when_the_array_is_given_away(copied: Any) -> None:
    x = jnp.arange(6.0) + 0
    mine = copied(x)
    fnx.jit(lambda v: v * 0, donate_argnums=0)(x)
    assert x.is_deleted()
    np.testing.assert_array_equal(mine, np.arange(6))
    assert float(fnx.grad(lambda v: copied(v).sum())(jnp.ones(6))[0]) == 1


def test_no_copy_where_none_is_asked_for() -> None:
    assert jnp.asarray(X) is X and jnp.asarray(X, copy=False) is X
    assert jnp.array(X, copy=False) is X and jnp.astype(X, X.dtype) is X
    frozen = np.arange(3.0)
    frozen.setflags(write=False)
    assert np.shares_memory(np.asarray(jnp.asarray(frozen, copy=False)), frozen)
    assert not np.shares_memory(np.asarray(jnp.array(frozen)), frozen)
    for source in (np.arange(3.0), [1.0], 1.0):
        with pytest.raises(ValueError, match="asarray: copy=False"):
            jnp.asarray(source, copy=False)
    with pytest.raises(ValueError, match="int32 only in memory of its own"):
        jnp.asarray(X, "int32", copy=False)


def test_orders_of_memory() -> None:
    for order in (None, "C", "K", "A"):
        assert jnp.array([1.0], order=order).shape == jnp.copy(X, order=order)[:1].shape
    for call in (jnp.array, jnp.asarray, jnp.copy):
        with pytest.raises(NotImplementedError, match="order='F': arrays are in C order"):
            call(X, order="F")


#: What functions with ``out=`` are called with, where that isn't one matrix.
GIVEN: dict[str, Any] = {
    "choose": (jnp.array([0]), [X, X]),
    "compress": (X > 1, X),
    "einsum": ("i,i", X, X),
    "nanpercentile": (X, 50.0),
    "nanquantile": (X, 0.5),
    "outer": (X, X),
    "percentile": (X, 50.0),
    "quantile": (X, 0.5),
    "stack": ([X, X],),
    "take": (X, 0),
}


def _takes_out(name: str) -> bool:
    function = getattr(jnp, name)
    return inspect.isfunction(function) and "out" in inspect.signature(function).parameters


@pytest.mark.parametrize("name", [name for name in jnp.__all__ if _takes_out(name)])
def test_there_is_nothing_to_write_to(name: str) -> None:
    given = GIVEN.get(name, (X.reshape(2, 3),))
    getattr(jnp, name)(*given)
    with pytest.raises(fnx.errors.UnsupportedError, match="arrays are immutable, so out= must be"):
        getattr(jnp, name)(*given, out=np.zeros(6))


@pytest.mark.parametrize("function", [jnp.sort, jnp.argsort])
def test_arrays_have_no_fields_to_be_sorted_by(function: Any) -> None:
    with pytest.raises(fnx.errors.UnsupportedError, match=f"{function.__name__}: .* no fields"):
        function(X, order="a")
