"""CUDA is not there: what programs ask before they use it, and a clear error when they do.

The names are those of `torch.cuda`.
"""

from __future__ import annotations

from typing import Any

from fnx_nn.devices import check_device

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """Whether there is a CUDA device; never.

    Examples
    --------
    >>> is_available()
    False
    """
    return False


def device_count() -> int:
    """How many CUDA devices there are; none.

    Examples
    --------
    >>> device_count()
    0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Accepted: there is no generator on a device to restart.

    Parameters
    ----------
    seed : int
        64 bits.
    """


def manual_seed_all(seed: int) -> None:
    """Accepted: there are no generators on devices to restart.

    Parameters
    ----------
    seed : int
        64 bits.
    """


def empty_cache() -> None:
    """Accepted: there is no memory on a device to give back."""


def current_device() -> int:
    """Raises: there is no CUDA device."""
    check_device("cuda")
    return 0


def synchronize(device: Any = None) -> None:
    """Raises: there is no CUDA device to wait for.

    Parameters
    ----------
    device : device or int, optional
        Which one.
    """
    check_device("cuda" if device is None else device)
