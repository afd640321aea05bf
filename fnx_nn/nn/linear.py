"""`Identity`, `Linear`, `Bilinear`, and the lazy `LazyLinear`.

Read next: `fnx_nn.nn.functional.linear`, `lazy`.
"""

from __future__ import annotations

import math
from typing import Any

from fnx_nn.ambient import changed
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.nn import init
from fnx_nn.nn.functional.linear import bilinear, linear
from fnx_nn.nn.lazy import LazyModuleMixin
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter, UninitializedParameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]

_empty = FUNCTIONS["empty"]


class Identity(Module):
    """Gives its input.

    Parameters
    ----------
    *args, **kwargs
        Accepted.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> Identity()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input.

        Parameters
        ----------
        input : Tensor
            Any tensor.
        """
        return input


class Linear(Module):
    """``input @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        Last extents of the input and of the output.
    bias : bool
        Whether there is one.
    device : device or str, optional
        Where the parameters are.
    dtype : dtype, optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> layer = Linear(3, 2)
    >>> layer, layer(torch.ones(5, 3)).shape
    (Linear(in_features=3, out_features=2, bias=True), torch.Size([5, 2]))
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(_empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: uniform, up to the inverse root of `in_features`."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight.shape[1]
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """The product, with the bias added.

        Parameters
        ----------
        input : Tensor
            Of shape (..., in_features).
        """
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The numbers of features, and whether there is a bias."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        Last extents of the two inputs and of the output.
    bias : bool
        Whether there is one.
    device : device or str, optional
        Where the parameters are.
    dtype : dtype, optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 3)).shape
    torch.Size([5, 4])
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Dtype | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(_empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: uniform, up to the inverse root of `in1_features`."""
        if self.in1_features <= 0:
            raise ValueError(
                f"in1_features must be > 0, but got (in1_features={self.in1_features})"
            )
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """The products, with the bias added.

        Parameters
        ----------
        input1, input2 : Tensor
            Of shapes (..., in1_features) and (..., in2_features).
        """
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The numbers of features, and whether there is a bias."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` that takes `in_features` from its first input.

    Parameters
    ----------
    out_features : int
        Last extent of the output.
    bias : bool
        Whether there is one.
    device : device or str, optional
        Where the parameters are.
    dtype : dtype, optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> layer = LazyLinear(2)
    >>> layer(torch.ones(5, 3)).shape, layer
    (torch.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Dtype | None = None
    ) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if they have shapes."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters their shapes.

        Parameters
        ----------
        input : Tensor
            The first one.
        """
        extent = input.shape[-1]
        if self.has_uninitialized_params():
            with changed(grad=False):
                self.in_features = extent
                self.weight.materialize((self.out_features, extent))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()
        if self.in_features == 0:  # the shapes came from a state dict
            if extent != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {extent} is not equal to in_features "
                    f"from self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = extent
