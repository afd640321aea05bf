"""Layers that move elements, or resample images.

Read next: `fnx_nn.optim`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "ChannelShuffle",
    "Flatten",
    "Fold",
    "PixelShuffle",
    "PixelUnshuffle",
    "Unflatten",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]


class Flatten(Module):
    """Neighbouring dimensions as one.

    Parameters
    ----------
    start_dim : int
        The first of them.
    end_dim : int
        The last of them.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.Flatten()(torch.ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = input.flatten(self.start_dim, self.end_dim)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One dimension as several.

    Parameters
    ----------
    dim : int
        The dimension.
    unflattened_size : sequence of int
        What it becomes, with at most one -1.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, str):
            raise TypeError("Unflatten: named dimensions are not supported. Give its number.")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type "
                f"{type(unflattened_size).__name__}"
            )
        for position, n in enumerate(unflattened_size):
            if not isinstance(n, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(n).__name__} at pos {position}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = input.unflatten(self.dim, self.unflattened_size)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Upsample(Module):
    """Images in another size.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new extents.
    scale_factor : float or tuple of float, optional
        Or how many times the old ones they are.
    mode : str
        ``"nearest"``, ``"linear"``, ``"bilinear"``, ``"bicubic"`` or ``"trilinear"``.
    align_corners : bool, optional
        Whether the first and last elements are mapped to each other, rather than their edges.
    recompute_scale_factor : bool, optional
        Whether factors are computed from the extents anew.
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple([float(f) for f in scale_factor])
        elif scale_factor:
            self.scale_factor = float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Resample.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...).
        """
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images in another size, by copying the nearest element.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new extents.
    scale_factor : float or tuple of float, optional
        Or how many times the old ones they are.
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images in another size, bilinearly, with aligned corners.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new extents.
    scale_factor : float or tuple of float, optional
        Or how many times the old ones they are.
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class Unfold(Module):
    """The windows of images as columns.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The window.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    padding : int or tuple of int
        Zeros on both sides.
    stride : int or tuple of int
        Steps between windows.
    """

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Fold(Module):
    """Columns put back to the windows that they come from; where these overlap, added.

    Parameters
    ----------
    output_size : int or tuple of int
        Height and width of the images.
    kernel_size : int or tuple of int
        The window.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    padding : int or tuple of int
        Zeros on both sides.
    stride : int or tuple of int
        Steps between windows.
    """

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class PixelShuffle(Module):
    """Channels as pixels: (..., c r r, h, w) to (..., c, h r, w r).

    Parameters
    ----------
    upscale_factor : int
        The r.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = F.pixel_shuffle(input, self.upscale_factor)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels as channels: (..., c, h r, w r) to (..., c r r, h, w).

    Parameters
    ----------
    downscale_factor : int
        The r.
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = F.pixel_unshuffle(input, self.downscale_factor)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels dealt out: one of each group, in turn.

    Parameters
    ----------
    groups : int
        How many groups.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        out: Tensor = F.channel_shuffle(input, self.groups)
        return out

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"groups={self.groups}"
