"""Schedulers: how learning rates go from step to step.

Names, formulas and states are those of `torch.optim.lr_scheduler`.
Read next: `schedule`.
"""

from fnx_nn.optim.lr_scheduler.compositions import ChainedScheduler, SequentialLR
from fnx_nn.optim.lr_scheduler.cycles import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    OneCycleLR,
)
from fnx_nn.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from fnx_nn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from fnx_nn.optim.lr_scheduler.schedule import LRScheduler
from fnx_nn.optim.optimizer import Optimizer

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "Optimizer",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
