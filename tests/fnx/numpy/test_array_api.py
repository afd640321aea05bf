"""What the array API standard asks about."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


def test_namespace():
    x = jnp.ones(2)
    assert x.__array_namespace__() is jnp
    assert x.__array_namespace__(api_version="2024.12") is jnp
    assert jnp.__array_api_version__ == "2024.12"
    with pytest.raises(ValueError, match="api_version is '1999.1'"):
        x.__array_namespace__(api_version="1999.1")
    traced = []
    fnx.jit(lambda x: traced.append(x.__array_namespace__()) or x)(x)
    assert traced == [jnp]


def test_inspection():
    info = jnp.__array_namespace_info__()
    assert info.devices() == fnx.devices() and info.default_device() == fnx.devices()[0]
    assert info.capabilities()["max dimensions"] == 64
    assert info.default_dtypes()["real floating"] == "float32"
    with fnx.enable_x64(True):
        assert info.default_dtypes(device="cpu")["integral"] == "int64"
    assert len(info.dtypes()) == 13
    assert list(info.dtypes(kind="real floating")) == ["float32", "float64"]
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {
        "bool", "complex64", "complex128",
    }  # fmt: skip
    assert len(info.dtypes(kind="numeric")) == 12
    with pytest.raises(ValueError, match="kind 'word' is none of"):
        info.dtypes(kind="word")
    with pytest.raises(ValueError, match="there is no device"):
        info.dtypes(device="gpu")


def test_devices_and_views():
    x = jnp.arange(6.0, dtype="float32").reshape(2, 3)
    assert x.to_device(x.device) is x
    with pytest.raises(ValueError, match="to_device: there is no device"):
        x.to_device("gpu")
    with pytest.raises(TypeError, match="to_device: the CPU has no streams"):
        x.to_device("cpu", stream=1)
    data = np.asarray(x)
    for dtype in ("int32", "uint8", "float16"):
        np.testing.assert_array_equal(x.view(dtype), data.view(dtype))
    bytes_ = jnp.arange(16, dtype="uint8").reshape(2, 8)
    np.testing.assert_array_equal(bytes_.view("int32"), np.asarray(bytes_).view(np.int32))
    with pytest.raises(ValueError, match="view: the last axis"):
        x.view("complex64")
    assert x.view() is x


def test_methods_of_numpy():
    x = np.array([3.0, 1.0, 2.0])
    y = jnp.asarray(x)
    np.testing.assert_array_equal(y.compress(np.array([True, False, True])), [3.0, 2.0])
    np.testing.assert_array_equal(jnp.array([1, 0]).choose([10, 20]), [20, 10])
    assert jnp.sort(y).searchsorted(2.5) == 2
    assert y.argpartition(0)[0] == 1
