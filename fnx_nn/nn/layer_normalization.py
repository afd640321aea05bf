"""Layers of normalisation within each example, without running statistics.

Read next: `embedding`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn import init
from fnx_nn.nn.module import Module
from fnx_nn.nn.normalization import Affine
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "CrossMapLRN2d",
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


def _as_shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(normalized_shape, Sequence):
        return tuple(normalized_shape)
    return (normalized_shape,)


class LayerNorm(Affine):
    """The last dimensions brought to mean 0 and variance 1, then scaled and shifted.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The last dimensions.
    eps : float
        Added to variances.
    elementwise_affine : bool
        Whether there is a learned scale.
    bias : bool
        Whether there is a learned shift, too.
    device, dtype : optional
        Of the parameters.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shifted = elementwise_affine and bias
        self.make_parameters(self.normalized_shape, elementwise_affine, shifted, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Affine):
    """The last dimensions divided by the root of their mean square, then scaled.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The last dimensions.
    eps : float, optional
        Added to mean squares; the dtype's machine epsilon if left out.
    elementwise_affine : bool
        Whether there is a learned scale.
    device, dtype : optional
        Of the parameters.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            empty = FUNCTIONS["empty"](self.normalized_shape, device=device, dtype=dtype)
            self.weight = Parameter(empty)
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale by 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Affine):
    """Groups of channels of each example brought to mean 0 and variance 1.

    Parameters
    ----------
    num_groups : int
        How many groups.
    num_channels : int
        How many channels.
    eps : float
        Added to variances.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.make_parameters(num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...).
        """
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Elements divided by a power of the mean square over neighbouring channels.

    Parameters
    ----------
    size : int
        How many channels.
    alpha : float
        Multiplies the mean square.
    beta : float
        The power.
    k : float
        Added before it is taken.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...).
        """
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images, by another name.

    Parameters
    ----------
    size : int
        How many channels.
    alpha : float
        Multiplies the mean square.
    beta : float
        The power.
    k : float
        Added before it is taken.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)
