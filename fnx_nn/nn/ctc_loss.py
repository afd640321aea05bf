"""`CTCLoss`: labels without alignment. What it computes is in `fnx_nn.nn.functional.ctc`."""

from __future__ import annotations

from typing import Any

from fnx_nn.nn.functional.ctc import ctc_loss
from fnx_nn.nn.loss import Loss
from fnx_nn.tensor.tensor import Tensor

__all__ = ["CTCLoss"]


class CTCLoss(Loss):
    """Minus the logarithm of the probability of labels, whatever their alignment to the steps.

    Parameters
    ----------
    blank : int
        The class that stands for no label.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    zero_infinity : bool
        Whether infinite losses count as 0.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> logits = torch.zeros(4, 2, 3)
    >>> labels = torch.tensor([[1, 2], [2, 1]])
    >>> loss = CTCLoss(reduction="sum")(logits.log_softmax(2), labels, (4, 3), (2, 1))
    >>> round(loss.neg().exp().item() * 3**7, 3)  # of 81 and of 27 alignments, 15 and 6 fit
    90.0
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """The loss.

        Parameters
        ----------
        log_probs, targets, input_lengths, target_lengths
            See `functional.ctc_loss`.
        """
        return ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
