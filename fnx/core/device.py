"""`Device`: where arrays are. There is one, the CPU; programs that ask for it get an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CPU", "Device", "checked_device", "devices"]


@dataclass(frozen=True, slots=True)
class Device:
    """A place where arrays can be.

    Parameters
    ----------
    platform : str
        ``cpu``.
    id : int
        Its number among those of the platform.
    process_index : int
        The process that it belongs to.

    Examples
    --------
    >>> import fnx
    >>> fnx.devices()
    [CpuDevice(id=0)]
    """

    platform: str = "cpu"
    id: int = 0
    process_index: int = 0

    @property
    def device_kind(self) -> str:
        """What the hardware is called."""
        return self.platform

    def __repr__(self) -> str:
        return f"{self.platform.capitalize()}Device(id={self.id})"

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"


#: The only one.
CPU = Device()


def devices(backend: str | None = None) -> list[Device]:
    """All devices.

    Parameters
    ----------
    backend : str, optional
        Only those of a platform.

    Raises
    ------
    RuntimeError
        The platform is not there.

    Examples
    --------
    >>> import fnx
    >>> fnx.devices("cpu")[0].platform
    'cpu'
    """
    if backend not in (None, "cpu"):
        raise RuntimeError(f"devices: no platform {backend!r} is present. Platforms present: cpu.")
    return [CPU]


def checked_device(operation: str, device: Any) -> Device:
    """The device that a user means.

    Parameters
    ----------
    operation : str
        For errors.
    device : Device, str or None
        None, the device, or its platform, with or without a number.

    Raises
    ------
    ValueError
        It is not there.
    """
    if device is None or device == CPU or device in ("cpu", "cpu:0"):
        return CPU
    raise ValueError(
        f"{operation}: there is no device {device!r}. The only one is fnx.devices()[0], the CPU."
    )
