"""Where arrays are, and what they are: `device_put`, `device_get`, `typeof` and their like.

There is one device, so that placing an array changes nothing; what users pass becomes arrays.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.core.device import Device, checked_device, devices
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import ConcretizationTypeError, user_frame

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


def device_put(x: Any, device: Any = None, **options: Any) -> Any:
    """The leaves of a tree as arrays on a device.

    Parameters
    ----------
    x : pytree
        Arrays, NumPy arrays, numbers. NumPy arrays are copied: later writes to them are not seen.
    device : Device, str or None
        The CPU.
    **options
        ``src``, ``donate``, ``may_alias``: accepted.

    Returns
    -------
    pytree of Array

    Examples
    --------
    >>> import fnx, numpy as np
    >>> fnx.device_put({"w": np.ones(2)})
    {'w': Array([1., 1.], dtype=float64)}
    """
    for option in options:
        if option not in ("src", "donate", "may_alias"):
            raise TypeError(f"device_put: unexpected argument {option!r}.")
    for place in tree_util.tree_leaves(device):
        checked_device("device_put", place)
    leaves, tree = tree_util.tree_flatten(x)
    values = [as_value(leaf, "device_put", f"leaf {k}") for k, leaf in enumerate(leaves)]
    return tree_util.tree_unflatten(tree, values)


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
                f"device_get: the value of a traced array {leaf.aval!r} is not known (at "
                f"{user_frame()}). Call it outside of transformed functions."
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
        raise ValueError(f"local_devices: there is no process {process_index}; there is one, 0.")
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
