"""Layers of activations that take more than one element: slopes, gates, softmax.

Read next: `loss`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn import init
from fnx_nn.nn.activation import Activation, shown_inplace
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "GLU",
    "LogSoftmax",
    "PReLU",
    "RReLU",
    "Softmax",
    "Softmax2d",
    "Softmin",
]


class GLU(Activation):
    """The first half times the sigmoid of the second half.

    Parameters
    ----------
    dim : int
        The dimension that is halved.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"dim={self.dim}"


class Softmax(Activation):
    """``exp(x)`` divided by its sum along a dimension.

    Parameters
    ----------
    dim : int, optional
        The dimension.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"dim={self.dim}"


class Softmin(Activation):
    """`Softmax` of ``-x``.

    Parameters
    ----------
    dim : int, optional
        The dimension.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.softmin(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"dim={self.dim}"


class LogSoftmax(Activation):
    """The logarithm of `Softmax`.

    Parameters
    ----------
    dim : int, optional
        The dimension.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"dim={self.dim}"


class RReLU(Activation):
    """x where positive, elsewhere x times a slope that is drawn anew for each element.

    Parameters
    ----------
    lower, upper : float
        The range of slopes; in evaluation the slope is in the middle.
    inplace : bool
        Whether to write the result into the operand.
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"lower={self.lower}, upper={self.upper}{shown_inplace(self.inplace)}"


class PReLU(Module):
    """x where positive, elsewhere x times a learned slope.

    Parameters
    ----------
    num_parameters : int
        1, or one slope for each channel.
    init : float
        The slopes to begin with.
    device, dtype : optional
        Of the parameters.
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(FUNCTIONS["empty"](num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin with the first slopes again."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"num_parameters={self.num_parameters}"


class Softmax2d(Module):
    """`Softmax` over the channels of images."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            (batch, channels, height, width), or without the batch.
        """
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
