"""Optimizers: what changes parameters so that a loss falls.

The names, options, states and results are those of `torch.optim`. The arithmetic is that of the
pure optimizers in `fnx.optim`.
Read next: `optimizer`, `rule_stepping`.
"""

from fnx_nn.optim import lr_scheduler, swa_utils
from fnx_nn.optim.adaptive import Adadelta, Adagrad, RMSprop
from fnx_nn.optim.descent import ASGD, SGD, Rprop
from fnx_nn.optim.lbfgs import LBFGS
from fnx_nn.optim.matrices import Adafactor, Muon
from fnx_nn.optim.moments import Adam, Adamax, AdamW, NAdam, RAdam
from fnx_nn.optim.optimizer import Optimizer

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "lr_scheduler",
    "swa_utils",
]
