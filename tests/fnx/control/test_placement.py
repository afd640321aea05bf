"""There is one device; what is placed becomes an array."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


def test_devices():
    (device,) = fnx.devices()
    assert (device.platform, device.id, device.device_kind, str(device)) == (
        "cpu",
        0,
        "cpu",
        "cpu:0",
    )
    assert isinstance(device, fnx.Device)
    assert fnx.local_devices() == [device] and fnx.default_backend() == "cpu"
    assert fnx.device_count() == fnx.local_device_count("cpu") == 1


def test_put_copies_and_get_does_not():
    x = np.ones(3)
    placed = fnx.device_put({"x": x, "n": 1}, fnx.devices()[0])
    x[0] = 5
    np.testing.assert_array_equal(placed["x"], np.ones(3))
    back = fnx.device_get(placed)["x"]
    assert type(back) is np.ndarray and not back.flags.writeable
    assert np.shares_memory(back, np.asarray(placed["x"]))


def test_arrays_are_passed_on_copied_or_given_away():
    x = jnp.ones(3) + 0
    assert fnx.device_put(x) is x and fnx.device_put(x, may_alias=True) is x
    assert not np.shares_memory(np.asarray(fnx.device_put(x, may_alias=False)), np.asarray(x))
    view = np.asarray(x)
    with pytest.raises(
        RuntimeError, match=r"device_put: f32\[3\] is given away, but something else"
    ):
        fnx.device_put(x, donate=True)
    address = view.ctypes.data
    del view
    moved = fnx.device_put([x, 1.0], "cpu", src="cpu", donate=True)[0]
    assert x.is_deleted() and np.asarray(moved).ctypes.data == address
    assert not np.asarray(moved).flags.writeable


def test_transforms_go_through():
    assert float(fnx.grad(lambda x: fnx.device_put(x) ** 2)(3.0)) == 6
    assert fnx.jit(lambda x: fnx.device_put(x, "cpu") + 1)(1.0) == 2


def test_types():
    assert repr(fnx.typeof(1.0)) == "~f32[]"
    assert fnx.jit(lambda x: jnp.zeros(fnx.typeof(x).shape))(jnp.ones((2, 3))).shape == (2, 3)


def test_environment(capsys):
    text = fnx.print_environment_info(return_string=True)
    assert "numpy: " in text
    fnx.print_environment_info()
    assert capsys.readouterr().out == text + "\n"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fnx.devices("gpu"), RuntimeError, "gpu"),
        (lambda: fnx.device_put(1.0, "gpu"), ValueError, "no device 'gpu'"),
        (lambda: fnx.device_put(1.0, wrong=1), TypeError, "wrong"),
        (lambda: fnx.device_put(1.0, src="gpu"), ValueError, "no device 'gpu'"),
        (lambda: fnx.device_put(1.0, donate=True, may_alias=False), ValueError, "Choose one"),
        (lambda: fnx.device_put({"w": "text"}), TypeError, "str"),
        (lambda: fnx.jit(fnx.device_get)(1.0), TypeError, "device_get"),
        (lambda: fnx.local_devices(1), ValueError, "process"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
