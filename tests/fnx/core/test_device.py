"""One device, the CPU, under the names that programs ask for."""

from __future__ import annotations

from typing import Any

import pytest

from fnx.core.device import CPU, Device, checked_device, devices


def test_the_device() -> None:
    assert devices() == devices("cpu") == [CPU]
    assert (repr(CPU), str(CPU), CPU.device_kind) == ("CpuDevice(id=0)", "cpu:0", "cpu")
    assert Device() == CPU and hash(Device()) == hash(CPU) and Device(id=1) != CPU


@pytest.mark.parametrize("name", [None, CPU, Device(), "cpu", "cpu:0"])
def test_its_names(name: Any) -> None:
    assert checked_device("device_put", name) is CPU


@pytest.mark.parametrize("name", ["gpu", "cpu:1", Device(id=1), 0])
def test_other_devices_are_not_there(name: Any) -> None:
    with pytest.raises(ValueError, match="device_put: there is no device"):
        checked_device("device_put", name)
    with pytest.raises(RuntimeError, match="no platform 'tpu'"):
        devices("tpu")
