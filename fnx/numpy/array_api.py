"""What the array API standard asks about: versions, devices, dtypes.  Read next: `methods`.

Source: the array API standard, 2024.12, `Inspection API`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.device import checked_device, devices
from fnx.errors import ArgumentValueError

__all__ = ["VERSION", "array_namespace_info", "namespace_of"]

VERSION = "2024.12"
_EARLIER = ("2021.12", "2022.12", "2023.12", VERSION)

_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_GROUPS = {
    "integral": ("signed integer", "unsigned integer"),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
}


def namespace_of(self: Any, *, api_version: str | None = None) -> Any:
    """The module with the functions of the array API standard: `fnx.numpy`.

    Parameters
    ----------
    api_version : str, optional
        Such as "2024.12".
    """
    if api_version is not None and api_version not in _EARLIER:
        raise ArgumentValueError(
            f"__array_namespace__: api_version is {api_version!r}. There are "
            f"{', '.join(map(repr, _EARLIER))}."
        )
    return sys.modules["fnx.numpy"]


class array_namespace_info:
    """Answers of `fnx.numpy.__array_namespace_info__()`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.__array_namespace_info__().default_device()
    CpuDevice(id=0)
    """

    def capabilities(self) -> dict[str, Any]:
        """What may be asked for: boolean masks and shapes that depend on data, and any rank."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """Where arrays are made."""
        return devices()[0]

    def devices(self) -> list[Any]:
        """All devices."""
        return list(devices())

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:
        """The dtypes of what has none of its own.

        Parameters
        ----------
        device : Device, optional
            The CPU.
        """
        checked_device("default_dtypes", device)
        return {
            "real floating": dtypes.default_dtype("f"),
            "complex floating": dtypes.default_dtype("c"),
            "integral": dtypes.default_dtype("i"),
            "indexing": dtypes.default_dtype("i"),
        }

    def dtypes(
        self, *, device: Any = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, np.dtype[Any]]:
        """The dtypes of the standard that there are, by name.

        Parameters
        ----------
        device : Device, optional
            The CPU.
        kind : str or tuple of str, optional
            Such as "real floating" or "integral"; all by default.
        """
        checked_device("dtypes", device)
        wanted = tuple(_KINDS) if kind is None else (kind,) if isinstance(kind, str) else kind
        found: dict[str, np.dtype[Any]] = {}
        for name in wanted:
            for part in _GROUPS.get(name, (name,)):
                if part not in _KINDS:
                    raise ArgumentValueError(
                        f"dtypes: kind {name!r} is none of "
                        f"{', '.join(map(repr, (*_KINDS, *_GROUPS)))}."
                    )
                found |= {n: np.dtype(n) for n in _KINDS[part]}
        return found
