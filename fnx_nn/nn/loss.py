"""Losses of numbers and of classes as modules.

They hold the options of the functions, and weights as buffers.
Read next: `margin_loss`, `dropout`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from fnx_nn.nn import functional as F
from fnx_nn.nn.functional.loss_reduction import reduction_of
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "WeightedLoss",
]


class Loss(Module):
    """What losses have in common: a reduction.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_of(size_average, reduce, reduction)
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss with weights of classes or elements.

    Parameters
    ----------
    weight : Tensor, optional
        The weights, a buffer.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(Loss):
    """The squared error.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.mse_loss`.
        """
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The absolute error.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.l1_loss`.
        """
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """The squared error, scaled, up to ``beta``, and from there the absolute error.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    beta : float
        Where it changes.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.smooth_l1_loss`.
        """
        return F.smooth_l1_loss(input, target, beta=self.beta, reduction=self.reduction)


class HuberLoss(Loss):
    """Half the squared error up to ``delta``, and from there a straight line.

    Parameters
    ----------
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    delta : float
        Where it changes.
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.huber_loss`.
        """
        return F.huber_loss(input, target, delta=self.delta, reduction=self.reduction)


class NLLLoss(WeightedLoss):
    """The negative log likelihood of classes, given logarithms of probabilities.

    Parameters
    ----------
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    ignore_index : int
        A target that does not count.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.nll_loss`.
        """
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(WeightedLoss):
    """The cross entropy of classes or of probabilities, given scores.

    Parameters
    ----------
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    ignore_index : int
        An index that does not count.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    label_smoothing : float
        What part of the target is spread over all classes.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.cross_entropy`.
        """
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=self.reduction,
        )


class BCELoss(WeightedLoss):
    """The cross entropy of two classes, given the probability of one.

    Parameters
    ----------
    weight : Tensor, optional
        Of each element, broadcast.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.binary_cross_entropy`.
        """
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """The cross entropy of two classes, given the score of one.

    Parameters
    ----------
    weight : Tensor, optional
        Of each element, broadcast.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    pos_weight : Tensor, optional
        Multiplies what the class itself costs; broadcast.
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.binary_cross_entropy_with_logits`.
        """
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence, element by element.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, ``"none"``, or ``"batchmean"``.
    log_target : bool
        Whether targets are logarithms, too.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.kl_div`.
        """
        return F.kl_div(input, target, log_target=self.log_target, reduction=self.reduction)


class PoissonNLLLoss(Loss):
    """The negative log likelihood of counts.

    Parameters
    ----------
    log_input : bool
        Whether the input holds logarithms of rates.
    full : bool
        Whether to add Stirling's approximation of the constant.
    size_average, reduce : bool, optional
        Deprecated.
    eps : float
        Added to rates before their logarithm is taken.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        log_input, target : Tensor
            See `functional.poisson_nll_loss`.
        """
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """The negative log likelihood of normal numbers.

    Parameters
    ----------
    full : bool
        Whether to add the constant.
    eps : float
        The least variance.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target, var : Tensor
            See `functional.gaussian_nll_loss`.
        """
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
