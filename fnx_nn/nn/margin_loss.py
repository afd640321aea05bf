"""Losses that ask for a margin, and distances, as modules.

Read next: `dropout`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx_nn.nn import functional as F
from fnx_nn.nn.loss import Loss, WeightedLoss
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PairwiseDistance",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(Loss):
    """Distances of equal pairs, and what is left to the margin of different ones.

    Parameters
    ----------
    margin : float
        How far different pairs should be apart.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.hinge_embedding_loss`.
        """
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """How far the wrong one of two is ahead, and a margin.

    Parameters
    ----------
    margin : float
        The margin.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input1, input2, target : Tensor
            See `functional.margin_ranking_loss`.
        """
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(Loss):
    """One minus the cosine of equal pairs, the cosine beyond the margin of different ones.

    Parameters
    ----------
    margin : float
        The cosine that different pairs may have.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input1, input2, target : Tensor
            See `functional.cosine_embedding_loss`.
        """
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(Loss):
    """How much closer than the margin a different example is than an equal one.

    Parameters
    ----------
    margin : float
        The margin.
    p : float
        Of the norm.
    eps : float
        Added to differences.
    swap : bool
        Whether the distance from equal to different counts where it is smaller.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        anchor, positive, negative : Tensor
            See `functional.triplet_margin_loss`.
        """
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class SoftMarginLoss(Loss):
    """``log(1 + exp(-target * input))``.

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
            See `functional.soft_margin_loss`.
        """
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(WeightedLoss):
    """How far other classes come closer than a margin to the target.

    Parameters
    ----------
    p : int
        1, or 2 for squares.
    margin : float
        The margin.
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        input, target : Tensor
            See `functional.multi_margin_loss`.
        """
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(Loss):
    """How far other classes come closer than 1 to the targets.

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
            See `functional.multilabel_margin_loss`.
        """
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean over classes of binary cross entropies, given scores.

    Parameters
    ----------
    weight : Tensor, optional
        Of each class.
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
            See `functional.multilabel_soft_margin_loss`.
        """
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(Loss):
    """`TripletMarginLoss` with any distance.

    Parameters
    ----------
    distance_function : callable, optional
        Of two tensors; `PairwiseDistance` if left out.
    margin : float
        The margin.
    swap : bool
        Whether the distance from equal to different counts where it is smaller.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{margin} instead"
            )
        self.distance_function: Any = (
            PairwiseDistance() if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        anchor, positive, negative : Tensor
            See `functional.triplet_margin_with_distance_loss`.
        """
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class PairwiseDistance(Module):
    """The p-norm of differences along the last dimension.

    Parameters
    ----------
    p : float
        Of the norm.
    eps : float
        Added to the differences.
    keepdim : bool
        Whether the last dimension stays, with extent 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distances.

        Parameters
        ----------
        x1, x2 : Tensor
            Vectors, or batches of them.
        """
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors.

    Parameters
    ----------
    dim : int
        The dimension of the vectors.
    eps : float
        The least length.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The cosines.

        Parameters
        ----------
        x1, x2 : Tensor
            Vectors, or batches of them.
        """
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
