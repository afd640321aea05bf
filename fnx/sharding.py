"""Where arrays are, in the words of `jax.sharding`, for the one device that there is.

A `Mesh` is an array of devices with named axes, a `PartitionSpec` names the mesh axes that the axes
of an array are divided along, a `NamedSharding` is both together.  Every axis of a mesh here has
size 1, so that every sharding keeps an array whole: programs written for many devices run on one,
and what they say is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.core.device import CPU, Device, SingleDeviceSharding, checked_device
from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "Mesh",
    "NamedSharding",
    "PartitionSpec",
    "SingleDeviceSharding",
    "make_mesh",
]


class Mesh:
    """Devices in an array with named axes.

    Parameters
    ----------
    devices : array-like of Device
        The device, in an array with one axis for each name.
    axis_names : str or sequence of str
        The names.

    Raises
    ------
    ValueError
        There are more devices than one, or names don't fit the axes.

    Examples
    --------
    >>> import fnx
    >>> Mesh(fnx.devices(), ("batch",))
    Mesh('batch': 1)
    """

    def __init__(self, devices: Any, axis_names: Any) -> None:
        self.devices = np.array(devices, dtype=object)
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        self.axis_names: tuple[str, ...] = names
        for device in self.devices.flat:
            checked_device("Mesh", device)
        if self.devices.size != 1:
            raise ArgumentValueError(
                f"Mesh: {self.devices.size} devices in an array of shape {self.devices.shape}, "
                "there is 1, fnx.devices()[0]."
            )
        if self.devices.ndim != len(names) or len(set(names)) != len(names):
            raise ArgumentValueError(
                f"Mesh: an array of devices with {self.devices.ndim} axes needs as many different "
                f"names, got {names}."
            )

    @property
    def shape(self) -> dict[str, int]:
        """The size of every axis, by name."""
        return dict(zip(self.axis_names, self.devices.shape, strict=True))

    @property
    def size(self) -> int:
        """The number of devices: 1."""
        return int(self.devices.size)

    def __repr__(self) -> str:
        return f"Mesh({', '.join(f'{name!r}: {n}' for name, n in self.shape.items())})"

    def check_spec(self, operation: str, spec: Any, ndim: int | None = None) -> None:
        """Raise unless a spec fits this mesh, and an array.

        Parameters
        ----------
        operation : str
            For errors.
        spec : PartitionSpec
            The axes.
        ndim : int, optional
            How many axes the array has.

        Raises
        ------
        TypeError, ValueError
            It is no `PartitionSpec`, names an axis that the mesh lacks or names one twice, or is
            longer than the array has axes.
        """
        if not isinstance(spec, PartitionSpec):
            raise ArgumentTypeError(
                f"{operation}: expected a PartitionSpec, got {type(spec).__name__}. "
                "Write PartitionSpec('name', None, ...)."
            )
        unknown = [name for name in spec.names if name not in self.axis_names]
        if unknown or len(set(spec.names)) != len(spec.names):
            raise ArgumentValueError(
                f"{operation}: {spec!r} must name axes of {self!r}, each at most once."
            )
        if ndim is not None and len(spec) > ndim:
            raise ArgumentValueError(
                f"{operation}: {spec!r} has {len(spec)} parts for an array with {ndim} axes."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mesh) and self.axis_names == other.axis_names

    def __hash__(self) -> int:
        return hash(self.axis_names)


class PartitionSpec(tuple[Any, ...]):
    """For each axis of an array, the mesh axes that it is divided along.

    Parameters
    ----------
    *parts : str, sequence of str or None
        One for each leading axis; None leaves an axis whole.

    Examples
    --------
    >>> PartitionSpec("batch", None)
    PartitionSpec('batch', None)
    """

    __slots__ = ()

    def __new__(cls, *parts: Any) -> PartitionSpec:
        for part in parts:
            names = part if isinstance(part, (tuple, list)) else (part,)
            if not all(name is None or isinstance(name, str) for name in names):
                raise ArgumentTypeError(
                    f"PartitionSpec: parts are names, tuples of names, or None, got {part!r}."
                )
        return super().__new__(cls, parts)

    def __repr__(self) -> str:
        return f"PartitionSpec({', '.join(map(repr, self))})"

    @property
    def names(self) -> tuple[str, ...]:
        """All mesh axes that are used."""
        parts = [p if isinstance(p, (tuple, list)) else (p,) for p in self]
        return tuple([name for part in parts for name in part if name is not None])


@dataclass(frozen=True, slots=True)
class NamedSharding:
    """A mesh, and how an array is divided over it; on one device it is whole.

    Parameters
    ----------
    mesh : Mesh
        The device.
    spec : PartitionSpec
        The axes.
    """

    mesh: Mesh
    spec: PartitionSpec

    def __post_init__(self) -> None:
        self.mesh.check_spec("NamedSharding", self.spec)

    @property
    def platform(self) -> str:
        """What `fnx.device_put` asks a place for: ``cpu``."""
        return CPU.platform

    @property
    def device_set(self) -> set[Device]:
        """The devices that hold a part."""
        return {CPU}


def make_mesh(
    axis_shapes: Sequence[int], axis_names: Sequence[str], *, devices: Any = None
) -> Mesh:
    """A mesh of the device that there is.

    Parameters
    ----------
    axis_shapes : sequence of int
        The size of every axis: 1.
    axis_names : sequence of str
        Their names.
    devices : sequence of Device, optional
        The device.

    Raises
    ------
    ValueError
        The sizes ask for more devices.

    Examples
    --------
    >>> make_mesh((1, 1), ("data", "model")).shape
    {'data': 1, 'model': 1}
    """
    for device in devices or ():
        checked_device("make_mesh", device)
    shape = tuple(axis_shapes)
    if any(n != 1 for n in shape):
        raise ArgumentValueError(
            f"make_mesh: axes of shape {shape} need {int(np.prod(shape))} devices, there is 1. "
            "Give size 1 to every axis."
        )
    array = np.empty(shape, dtype=object)
    array[...] = CPU
    return Mesh(array, axis_names)
