"""Layers that apply an activation, element by element.

Read next: `gates`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

import warnings

from fnx_nn.nn import functional as F
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "Activation",
    "shown_inplace",
    "CELU",
    "ELU",
    "GELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


def shown_inplace(inplace: bool) -> str:
    """How the text of a layer says that it works in place.

    Parameters
    ----------
    inplace : bool
        Whether it does.
    """
    return ", inplace=True" if inplace else ""


class Activation(Module):
    """A layer that applies a function to its input."""

    inplace = False

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return "inplace=True" if self.inplace else ""


class _OfElements(Activation):
    """An activation without parameters, that may work in place."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_OfElements):
    """``max(x, 0)``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.ReLU()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.relu(input, inplace=self.inplace)


class ReLU6(_OfElements):
    """``min(max(x, 0), 6)``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.relu6(input, inplace=self.inplace)


class SELU(_OfElements):
    """`ELU` scaled so that activations keep mean 0 and variance 1.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.selu(input, inplace=self.inplace)


class SiLU(_OfElements):
    """``x * sigmoid(x)``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.silu(input, inplace=self.inplace)


class Mish(_OfElements):
    """``x * tanh(softplus(x))``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.mish(input, inplace=self.inplace)


class Hardsigmoid(_OfElements):
    """``relu6(x + 3) / 6``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.hardsigmoid(input, inplace=self.inplace)


class Hardswish(_OfElements):
    """``x * hardsigmoid(x)``.

    Parameters
    ----------
    inplace : bool
        Whether to write the result into the operand.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.hardswish(input, inplace=self.inplace)


class Softsign(Activation):
    """``x / (1 + |x|)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.softsign(input)


class Tanh(Activation):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.tanh(input)


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.sigmoid(input)


class Tanhshrink(Activation):
    """``x - tanh(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.tanhshrink(input)


class LogSigmoid(Activation):
    """``log(sigmoid(x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.logsigmoid(input)


class LeakyReLU(Activation):
    """x where positive, ``negative_slope * x`` elsewhere.

    Parameters
    ----------
    negative_slope : float
        Of the left half.
    inplace : bool
        Whether to write the result into the operand.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"negative_slope={self.negative_slope}{shown_inplace(self.inplace)}"


class ELU(Activation):
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    alpha : float
        Of the left half.
    inplace : bool
        Whether to write the result into the operand.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"alpha={self.alpha}{shown_inplace(self.inplace)}"


class CELU(Activation):
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere.

    Parameters
    ----------
    alpha : float
        Of the left half.
    inplace : bool
        Whether to write the result into the operand.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"alpha={self.alpha}{shown_inplace(self.inplace)}"


class Threshold(Activation):
    """x where it is above a threshold, a value elsewhere.

    Parameters
    ----------
    threshold : float
        The threshold.
    value : float
        What stands elsewhere.
    inplace : bool
        Whether to write the result into the operand.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"threshold={self.threshold}, value={self.value}{shown_inplace(self.inplace)}"


class GELU(Activation):
    """x times the normal distribution's cdf of x.

    Parameters
    ----------
    approximate : str
        ``"none"``, or ``"tanh"`` for an approximation.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"approximate={self.approximate!r}"


class Softplus(Activation):
    """``log(1 + exp(beta * x)) / beta``.

    Parameters
    ----------
    beta : float
        How sharp it bends.
    threshold : float
        Above this ``beta * x`` it is x.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardshrink(Activation):
    """x outside of ``[-lambd, lambd]``, 0 inside.

    Parameters
    ----------
    lambd : float
        The bound.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"{self.lambd}"


class Softshrink(Activation):
    """x moved towards 0 by ``lambd``, 0 inside of ``[-lambd, lambd]``.

    Parameters
    ----------
    lambd : float
        The bound.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"{self.lambd}"


class Hardtanh(Activation):
    """x limited to a range.

    Parameters
    ----------
    min_val, max_val : float
        The range.
    inplace : bool
        Whether to write the result into the operand.
    min_value, max_value : float, optional
        Deprecated names of the range.
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for new, old, given in (
            ("min_val", "min_value", min_value),
            ("max_val", "max_value", max_value),
        ):
            if given is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and rename to `{new}`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise AssertionError("max_val must be larger than min_val")

    def forward(self, input: Tensor) -> Tensor:
        """Apply it.

        Parameters
        ----------
        input : Tensor
            The operand.
        """
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"min_val={self.min_val}, max_val={self.max_val}{shown_inplace(self.inplace)}"
