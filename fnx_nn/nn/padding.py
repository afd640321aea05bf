"""Layers that pad: with a number, or with what the image itself has.

Read next: `normalization`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """What the layers of padding have in common."""

    _count: int
    _mode = "constant"
    value: float | None = None
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        count = 2 * self._count
        given = tuple(padding) if isinstance(padding, Sequence) else (padding,) * count
        if len(given) != count:
            raise ValueError(
                f"{type(self).__name__}: padding must be an int or a tuple of {count} ints, got "
                f"{padding!r}"
            )
        self.padding = given

    def forward(self, input: Tensor) -> Tensor:
        """Pad.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        if self._mode == "circular" and input.ndim not in (self._count + 1, self._count + 2):
            raise ValueError(
                f"expected {self._count + 1}D or {self._count + 2}D input (got {input.ndim}D input)"
            )
        return F.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return str(self.padding)


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Sequences padded with a number.

    Parameters
    ----------
    padding : int or tuple of 2 ints
        How much; before and after the last dimension first.
    value : float
        The number.
    """

    _count = 1


class ConstantPad2d(_ConstantPad):
    """Images padded with a number.

    Parameters
    ----------
    padding : int or tuple of 4 ints
        How much; before and after the last dimension first.
    value : float
        The number.
    """

    _count = 2


class ConstantPad3d(_ConstantPad):
    """Volumes padded with a number.

    Parameters
    ----------
    padding : int or tuple of 6 ints
        How much; before and after the last dimension first.
    value : float
        The number.
    """

    _count = 3


class ZeroPad1d(_Pad):
    """Sequences padded with zeros.

    Parameters
    ----------
    padding : int or tuple of 2 ints
        How much; before and after the last dimension first.
    """

    _count = 1
    value = 0.0


class ZeroPad2d(_Pad):
    """Images padded with zeros.

    Parameters
    ----------
    padding : int or tuple of 4 ints
        How much; before and after the last dimension first.
    """

    _count = 2
    value = 0.0


class ZeroPad3d(_Pad):
    """Volumes padded with zeros.

    Parameters
    ----------
    padding : int or tuple of 6 ints
        How much; before and after the last dimension first.
    """

    _count = 3
    value = 0.0


class ReflectionPad1d(_Pad):
    """Sequences padded with their reflection.

    Parameters
    ----------
    padding : int or tuple of 2 ints
        How much; before and after the last dimension first.
    """

    _count = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Images padded with their reflection.

    Parameters
    ----------
    padding : int or tuple of 4 ints
        How much; before and after the last dimension first.
    """

    _count = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Volumes padded with their reflection.

    Parameters
    ----------
    padding : int or tuple of 6 ints
        How much; before and after the last dimension first.
    """

    _count = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Sequences padded with the elements at their edges.

    Parameters
    ----------
    padding : int or tuple of 2 ints
        How much; before and after the last dimension first.
    """

    _count = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Images padded with the elements at their edges.

    Parameters
    ----------
    padding : int or tuple of 4 ints
        How much; before and after the last dimension first.
    """

    _count = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Volumes padded with the elements at their edges.

    Parameters
    ----------
    padding : int or tuple of 6 ints
        How much; before and after the last dimension first.
    """

    _count = 3
    _mode = "replicate"


class CircularPad1d(_Pad):
    """Sequences padded with what stands at the other side.

    Parameters
    ----------
    padding : int or tuple of 2 ints
        How much; before and after the last dimension first.
    """

    _count = 1
    _mode = "circular"


class CircularPad2d(_Pad):
    """Images padded with what stands at the other side.

    Parameters
    ----------
    padding : int or tuple of 4 ints
        How much; before and after the last dimension first.
    """

    _count = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """Volumes padded with what stands at the other side.

    Parameters
    ----------
    padding : int or tuple of 6 ints
        How much; before and after the last dimension first.
    """

    _count = 3
    _mode = "circular"
