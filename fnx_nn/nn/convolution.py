"""Layers of convolution: `Conv1d` to `Conv3d` and their transposes.

Default weights are PyTorch's, drawn in its order from the default generator.
Read next: `pooling`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn import init
from fnx_nn.nn.functional.window_sizes import spatial_sizes
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

_PADDINGS = ("same", "valid")
_MODES = ("zeros", "reflect", "replicate", "circular")


def _choices(names: Sequence[str]) -> str:
    return f"{{{', '.join(map(repr, names))}}}"


class _Convolution(Module):
    """What convolutions and their transposes have in common."""

    _count: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        transposed: bool,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        kernel_size, stride, dilation, output_padding = (
            spatial_sizes(value, self._count, what, name)
            for value, what in (
                (kernel_size, "kernel_size"),
                (stride, "stride"),
                (dilation, "dilation"),
                (output_padding, "output_padding"),
            )
        )
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in _PADDINGS:
                raise ValueError(
                    f"Invalid padding string {padding!r}, should be one of {_choices(_PADDINGS)}"
                )
            if padding == "same" and any(n != 1 for n in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        else:
            padding = spatial_sizes(padding, self._count, "padding", name)
        if padding_mode not in _MODES:
            raise ValueError(
                f"padding_mode must be one of {_choices(_MODES)}, but got "
                f"padding_mode='{padding_mode}'"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        first, second = in_channels, out_channels
        if not transposed:
            first, second = second, first
        shape = (first, second // groups, *kernel_size)
        self.weight = Parameter(FUNCTIONS["empty"](shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(FUNCTIONS["empty"](out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the default weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        zeros, ones = (0,) * self._count, (1,) * self._count
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != zeros:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            False,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...), or without the batch.
        """
        convolve = getattr(F, f"conv{self._count}d")
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._around(), mode=self.padding_mode)
            padding = 0
        out: Tensor = convolve(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )
        return out

    def _around(self) -> list[int]:
        """The padding as `pad` takes it."""
        pairs: list[tuple[int, int]] = []
        for axis in reversed(range(self._count)):
            if self.padding == "valid":
                pairs.append((0, 0))
            elif self.padding == "same":
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
                pairs.append((total // 2, total - total // 2))
            else:
                pairs.append((self.padding[axis],) * 2)
        return [n for pair in pairs for n in pair]


class Conv1d(_Forward):
    """A convolution of sequences.

    Parameters
    ----------
    in_channels, out_channels : int
        How many channels go in and come out.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int
        Steps between windows.
    padding : int, tuple of int, or str
        How far windows reach over the edges; ``"valid"``: not at all; ``"same"``: as far as keeps
        the size.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    groups : int
        Groups of channels that have windows of their own.
    bias : bool
        Whether a number is added to each channel.
    padding_mode : str
        What stands beyond the edges: ``"zeros"``, ``"reflect"``, ``"replicate"``, ``"circular"``.
    device, dtype : optional
        Of the parameters.
    """

    _count = 1


class Conv2d(_Forward):
    """A convolution of images.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As for `Conv1d`.
    device, dtype : optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> layer = torch.nn.Conv2d(3, 8, 3, padding=1)
    >>> layer, layer(torch.ones(1, 3, 4, 4)).shape
    (Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)), torch.Size([1, 8, 4, 4]))
    """

    _count = 2


class Conv3d(_Forward):
    """A convolution of volumes.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As for `Conv1d`.
    device, dtype : optional
        Of the parameters.
    """

    _count = 3


class _Transposed(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            True,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Apply the adjoint of a convolution.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...), or without the batch.
        output_size : sequence of int, optional
            The extents of the result, where several would do.
        """
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        convolve = getattr(F, f"conv_transpose{self._count}d")
        out: Tensor = convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )
        return out

    def _extra(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that gives a size."""
        count = self._count
        front = input.ndim - count
        wanted = tuple(output_size)
        if len(wanted) == front + count:
            wanted = wanted[front:]
        if len(wanted) != count:
            raise ValueError(
                f"ConvTranspose{count}D: for {input.ndim}D input, output_size must have {count} or "
                f"{front + count} elements (got {len(wanted)})"
            )
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[front:], self.stride, self.padding, self.dilation, self.kernel_size
            )
        ]
        most = [n + s - 1 for n, s in zip(least, self.stride)]
        if any(not low <= n <= high for n, low, high in zip(wanted, least, most)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {least} to "
                f"{most} (for an input of {input.size()[2:]})"
            )
        return tuple([n - low for n, low in zip(wanted, least)])


class ConvTranspose1d(_Transposed):
    """The adjoint of a convolution of sequences.

    Parameters
    ----------
    in_channels, out_channels : int
        How many channels go in and come out.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int
        Steps between windows in the result.
    padding : int or tuple of int
        How much is cut from both ends of the result.
    output_padding : int or tuple of int
        How much is added to its far end.
    groups : int
        Groups of channels that have windows of their own.
    bias : bool
        Whether a number is added to each channel.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    padding_mode : str
        Only ``"zeros"``.
    device, dtype : optional
        Of the parameters.
    """

    _count = 1


class ConvTranspose2d(_Transposed):
    """The adjoint of a convolution of images.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation
        As for `ConvTranspose1d`.
    padding_mode : str
        Only ``"zeros"``.
    device, dtype : optional
        Of the parameters.
    """

    _count = 2


class ConvTranspose3d(_Transposed):
    """The adjoint of a convolution of volumes.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation
        As for `ConvTranspose1d`.
    padding_mode : str
        Only ``"zeros"``.
    device, dtype : optional
        Of the parameters.
    """

    _count = 3
