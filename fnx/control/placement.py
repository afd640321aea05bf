"""Where arrays are, and what they are: `device_put`, `device_get`, `typeof` and their like.

There is one device, so that placing an array changes nothing; what users pass becomes arrays.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.device import Device, checked_device, devices
from fnx.core.donation import take
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentValueError, ConcretizationTypeError, DonationError

__all__ = [
    "default_backend",
    "device_count",
    "device_get",
    "device_put",
    "local_device_count",
    "local_devices",
    "print_environment_info",
    "typeof",
]


def device_put(
    x: Any,
    device: Any = None,
    *,
    src: Any = None,
    donate: bool = False,
    may_alias: bool | None = None,
) -> Any:
    """The leaves of a tree as arrays on a device.

    Parameters
    ----------
    x : pytree
        Arrays, NumPy arrays, numbers. NumPy arrays are copied: later writes to them are not seen.
    device, src : Device, sharding, str, pytree of them, or None
        Where to, and where from: the CPU.
    donate : bool
        Whether arrays are given away: they are deleted, and the results have their memory.
    may_alias : bool, optional
        Whether a result may be the array that was passed. False copies.

    Returns
    -------
    pytree of Array

    Raises
    ------
    ValueError
        The device isn't there; or memory is to be given away and copied.
    DonationError
        Something else has the memory of an array that is given away.

    Examples
    --------
    >>> import fnx, numpy as np
    >>> fnx.device_put({"w": np.ones(2)})
    {'w': Array([1., 1.], dtype=float64)}
    """
    for place in tree_util.tree_leaves((device, src)):
        checked_device("device_put", place)
    if donate and may_alias is False:
        raise ArgumentValueError(
            "device_put: donate=True gives the memory to the result, may_alias=False forbids that. "
            "Choose one."
        )
    leaves, tree = tree_util.tree_flatten(x)
    values = [as_value(leaf, "device_put", f"leaf {k}") for k, leaf in enumerate(leaves)]
    if donate:
        values = [_donated(v) if type(v) is Array and v is x else v for v, x in zip(values, leaves)]
    elif may_alias is False:
        values = [_copied(v) if type(v) is Array and v is x else v for v, x in zip(values, leaves)]
    return tree_util.tree_unflatten(tree, values)


def _donated(array: Array) -> Array:
    weak = array.weak_type
    taken = take([array], "donated to device_put")
    if isinstance(taken, int):
        raise DonationError(
            f"device_put: {array.aval!r} is given away, but something else has its memory: a view "
            "such as np.asarray(x) or x.reshape(...). Let go of it first, or leave donate=False."
        )
    return adopt(taken[0], weak)


def _copied(array: Array) -> Array:
    return adopt(array._data.copy(), array.weak_type)


def device_get(x: Any) -> Any:
    """The leaves of a tree as NumPy arrays.

    Parameters
    ----------
    x : pytree of Array
        Known arrays; other leaves stay as they are.

    Returns
    -------
    pytree of ndarray
        Read-only views of the arrays: no copy.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.device_get([jnp.ones(2)])
    [array([1., 1.], dtype=float32)]
    """

    def get(leaf: Any) -> Any:
        if isinstance(leaf, Tracer):
            raise ConcretizationTypeError(
                f"device_get: the value of a traced array {leaf.aval!r} is not known. Call it "
                "outside of transformed functions."
            )
        return np.asarray(leaf) if type(leaf) is Array else leaf

    return tree_util.tree_map(get, x)


def default_backend() -> str:
    """The platform that results are on: ``cpu``."""
    return devices()[0].platform


def local_devices(process_index: int | None = None, backend: str | None = None) -> list[Device]:
    """The devices of this process.

    Parameters
    ----------
    process_index : int, optional
        0, the only process.
    backend : str, optional
        Only those of a platform.
    """
    if process_index not in (None, 0):
        raise ArgumentValueError(
            f"local_devices: there is no process {process_index}; there is one, 0."
        )
    return devices(backend)


def device_count(backend: str | None = None) -> int:
    """How many devices there are.

    Parameters
    ----------
    backend : str, optional
        Only those of a platform.
    """
    return len(devices(backend))


def local_device_count(backend: str | None = None) -> int:
    """How many devices this process has.

    Parameters
    ----------
    backend : str, optional
        Only those of a platform.
    """
    return len(local_devices(backend=backend))


def typeof(x: Any) -> ShapedArray:
    """The type of an array, a tracer or a number.

    Parameters
    ----------
    x : array-like
        What to look at.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.typeof(jnp.ones((2, 3)))
    f32[2,3]
    """
    return as_value(x, "typeof", "x").aval


def print_environment_info(return_string: bool = False) -> str | None:
    """Print the versions and the machine, for bug reports.

    Parameters
    ----------
    return_string : bool
        Return the text instead.
    """
    names = ("fnx", "numpy", "scipy", "numba", "llvmlite", "ml_dtypes")
    lines = [f"{name}: {version(name)}" for name in names]
    lines.append(f"python: {platform.python_version()}")
    lines.append(f"device info: {', '.join(map(str, devices()))}")
    lines.append(f"platform: {platform.platform()}")
    text = "\n".join(lines)
    if return_string:
        return text
    print(text)
    return None
