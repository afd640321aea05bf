"""Layers of dropout: active while training, nothing in evaluation.

Read next: `padding`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from fnx_nn.nn import functional as F
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _Dropout(Module):
    """What the layers of dropout have in common: a probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Elements set to zero at random, the others scaled so that the mean stays.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Whole channels of sequences set to zero at random.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Whole channels of images set to zero at random.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Whole channels of volumes set to zero at random.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Elements set to the least value of `SELU` at random; mean and variance stay.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels.

    Parameters
    ----------
    p : float
        With which probability.
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
        return F.feature_alpha_dropout(input, self.p, self.training)
