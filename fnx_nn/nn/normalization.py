"""Layers of normalisation with learned scales and shifts and running statistics.

Read next: `layer_normalization`; what they compute is in `fnx_nn.nn.functional`.
"""

from __future__ import annotations

import warnings
from typing import Any

from fnx_nn.dtypes import int64
from fnx_nn.nn import functional as F
from fnx_nn.nn import init
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "Affine",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
]


class Affine(Module):
    """A layer with a scale and a shift, or without one of them, or without both."""

    weight: Parameter | None
    bias: Parameter | None

    def make_parameters(
        self, shape: Any, scaled: bool, shifted: bool, device: Any, dtype: Any
    ) -> None:
        """Make the scale and the shift, or note that there is none.

        Parameters
        ----------
        shape : int or tuple of int
            Their shape.
        scaled, shifted : bool
            Which there are.
        device, dtype : optional
            Of them.
        """
        for name, wanted in (("weight", scaled), ("bias", shifted)):
            if wanted:
                empty = FUNCTIONS["empty"](shape, device=device, dtype=dtype)
                setattr(self, name, Parameter(empty))
            else:
                self.register_parameter(name, None)

    def reset_parameters(self) -> None:
        """Scale by 1, shift by 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _OverExamples(Affine):
    """What normalisations with running statistics have in common."""

    _version = 2
    _ranks: tuple[int, ...]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.make_parameters(num_features, affine, affine and bias, device, dtype)
        mean = variance = count = None
        if track_running_stats:
            mean = FUNCTIONS["zeros"](num_features, device=device, dtype=dtype)
            variance = FUNCTIONS["ones"](num_features, device=device, dtype=dtype)
            count = FUNCTIONS["tensor"](0, dtype=int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the statistics."""
        if self.track_running_stats:
            assert self.running_mean is not None and self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the statistics, scale by 1, shift by 0."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_rank(self, input: Tensor) -> None:
        if input.ndim not in self._ranks:
            shown = " or ".join(f"{n}D" for n in self._ranks)
            raise ValueError(f"expected {shown} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        *rest: Any,
    ) -> None:
        # Before version 2 there was no count of the batches.
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats:
            state_dict.setdefault(key, self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_OverExamples):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; while training, move the running statistics.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...).
        """
        self._check_rank(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        tracking = self.training and self.track_running_stats
        if tracking and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        mean, variance = self.running_mean, self.running_var
        by_batch = self.training or (mean is None and variance is None)
        if self.training and not self.track_running_stats:
            mean = variance = None
        return F.batch_norm(
            input, mean, variance, self.weight, self.bias, by_batch, momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Channels of sequences, or plain features brought to mean 0 and variance 1 over the batch.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.BatchNorm1d(2)(torch.tensor([[0.0, 5.0], [2.0, 1.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [ 1.0000, -1.0000]])
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Channels of images brought to mean 0 and variance 1 over the batch.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Channels of volumes brought to mean 0 and variance 1 over the batch.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    _ranks = (5,)


class _InstanceNorm(_OverExamples):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; while training, move the running statistics.

        Parameters
        ----------
        input : Tensor
            (batch, channels, ...), or without the batch.
        """
        self._check_rank(input)
        alone = input.ndim == min(self._ranks)
        axis = 0 if alone else 1
        if input.shape[axis] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={axis} to match num_features "
                    f"({self.num_features}), but got: {input.shape[axis]}."
                )
            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        out = F.instance_norm(
            input.unsqueeze(0) if alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        result: Tensor = out.squeeze(0) if alone else out
        return result


class InstanceNorm1d(_InstanceNorm):
    """Channels of each of some sequences brought to mean 0 and variance 1.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Channels of each of some images brought to mean 0 and variance 1.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Channels of each of some volumes brought to mean 0 and variance 1.

    Parameters
    ----------
    num_features : int
        How many channels.
    eps : float
        Added to variances.
    momentum : float or None
        How far running statistics move; None: they are means over all batches.
    affine : bool
        Whether channels are scaled and shifted by learned numbers.
    track_running_stats : bool
        Whether there are running statistics, for evaluation.
    device, dtype : optional
        Of the parameters.
    bias : bool
        Whether there is a shift.
    """

    _ranks = (4, 5)
