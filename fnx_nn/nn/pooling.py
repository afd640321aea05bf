"""Layers of pooling: by the largest element, the mean, a norm; adaptive; and unpooling.

Read next: `activation`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn.functional.window_sizes import spatial_sizes
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPool(Module):
    """What the layers of max pooling have in common."""

    _count: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Pool.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        return getattr(F, f"max_pool{self._count}d")(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _MaxUnpool(Module):
    """What the layers that undo max pooling have in common."""

    _count: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = spatial_sizes(kernel_size, self._count, "kernel_size", name)
        given = kernel_size if stride is None else stride
        self.stride = spatial_sizes(given, self._count, "stride", name)
        self.padding = spatial_sizes(padding, self._count, "padding", name)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Put elements back to where they were.

        Parameters
        ----------
        input, indices : Tensor
            What max pooling gave.
        output_size : sequence of int, optional
            The extents of what it was applied to.
        """
        out: Tensor = getattr(F, f"max_unpool{self._count}d")(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(Module):
    """What the layers of mean pooling have in common."""

    _count: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        override = () if self._count == 1 else (self.divisor_override,)
        out: Tensor = getattr(F, f"avg_pool{self._count}d")(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            *override,
        )
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(Module):
    """What the layers of norm pooling have in common."""

    _count: int

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        out: Tensor = getattr(F, f"lp_pool{self._count}d")(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AdaptiveAvgPool(Module):
    """What the layers of adaptive mean pooling have in common."""

    _count: int

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        pool = getattr(F, f"adaptive_avg_pool{self._count}d")
        out: Tensor = pool(input, self.output_size)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(Module):
    """What the layers of adaptive max pooling have in common."""

    _count: int

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """Pool.

        Parameters
        ----------
        input : Tensor
            With or without the batch.
        """
        pool = getattr(F, f"adaptive_max_pool{self._count}d")
        return pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"output_size={self.output_size}"


class MaxPool1d(_MaxPool):
    """The largest element of each window of sequences.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        How far windows reach over the edges.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    return_indices : bool
        Whether to give where the largest elements are, too.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of images.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        How far windows reach over the edges.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    return_indices : bool
        Whether to give where the largest elements are, too.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 2


class MaxPool3d(_MaxPool):
    """The largest element of each window of volumes.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        How far windows reach over the edges.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    return_indices : bool
        Whether to give where the largest elements are, too.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 3


class MaxUnpool1d(_MaxUnpool):
    """Elements of sequences put where `MaxPool1d` found them, zeros elsewhere.

    Parameters
    ----------
    kernel_size, stride, padding : int or tuple of int
        Those of the pooling.
    """

    _count = 1


class MaxUnpool2d(_MaxUnpool):
    """Elements of images put where `MaxPool2d` found them, zeros elsewhere.

    Parameters
    ----------
    kernel_size, stride, padding : int or tuple of int
        Those of the pooling.
    """

    _count = 2


class MaxUnpool3d(_MaxUnpool):
    """Elements of volumes put where `MaxPool3d` found them, zeros elsewhere.

    Parameters
    ----------
    kernel_size, stride, padding : int or tuple of int
        Those of the pooling.
    """

    _count = 3


class AvgPool1d(_AvgPool):
    """The mean of each window of sequences.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        Zeros beyond the edges.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    count_include_pad : bool
        Whether the mean is that of the zeros, too.
    """

    _count = 1

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        sizes = self.kernel_size, self.stride, self.padding
        names = "kernel_size", "stride", "padding"
        self.kernel_size, self.stride, self.padding = (
            spatial_sizes(value, 1, name, "AvgPool1d") for value, name in zip(sizes, names)
        )


class AvgPool2d(_AvgPool):
    """The mean of each window of images.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        Zeros beyond the edges.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    count_include_pad : bool
        Whether the mean is that of the zeros, too.
    divisor_override : int, optional
        Divide the sums by this in place of the number of elements.
    """

    _count = 2


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        Zeros beyond the edges.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    count_include_pad : bool
        Whether the mean is that of the zeros, too.
    divisor_override : int, optional
        Divide the sums by this in place of the number of elements.
    """

    _count = 3


class LPPool1d(_LPPool):
    """The p-norm of each window of sequences.

    Parameters
    ----------
    norm_type : float
        The p.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 1


class LPPool2d(_LPPool):
    """The p-norm of each window of images.

    Parameters
    ----------
    norm_type : float
        The p.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 2


class LPPool3d(_LPPool):
    """The p-norm of each window of volumes.

    Parameters
    ----------
    norm_type : float
        The p.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    """

    _count = 3


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of windows that cover sequences evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    """

    _count = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of windows that cover images evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    """

    _count = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means of windows that cover volumes evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    """

    _count = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Largest elements of windows that cover sequences evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    return_indices : bool
        Whether to give where the largest elements are, too.
    """

    _count = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Largest elements of windows that cover images evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    return_indices : bool
        Whether to give where the largest elements are, too.
    """

    _count = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Largest elements of windows that cover volumes evenly.

    Parameters
    ----------
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    return_indices : bool
        Whether to give where the largest elements are, too.
    """

    _count = 3
