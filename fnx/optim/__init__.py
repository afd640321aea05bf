"""Optimizers as pairs of pure functions: from parameters to a state, from gradients to updates.

``init(params)`` gives a state, ``update(grads, state, params)`` gives ``(updates, state)``, and
`apply_updates` adds updates to parameters. Parameters, gradients and states are pytrees, and
nothing is changed in place, so a training step can be jitted, differentiated and mapped. The
formulas are PyTorch's. `RULES` holds them as they apply to a single parameter, for facades; `lbfgs`
calls the function that it minimises, and so is a pair of its own kind.
Read next: `transformations`, `rules`, `lbfgs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fnx.optim.adaptive import ADADELTA, ADAGRAD, RMSPROP, adadelta, adagrad, rmsprop
from fnx.optim.descent import ASGD, RPROP, SGD, asgd, rprop, sgd
from fnx.optim.lbfgs import LbfgsState, Minimizer, lbfgs
from fnx.optim.moments import ADAM, ADAMAX, NADAM, RADAM, adam, adamax, adamw, nadam, radam
from fnx.optim.rules import Rule, RuleState
from fnx.optim.transformations import (
    Optimizer,
    apply_updates,
    chain,
    clip_by_global_norm,
    global_norm,
)

#: Every rule by its name.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (ADADELTA, ADAGRAD, ADAM, ADAMAX, ASGD, NADAM, RADAM, RMSPROP, RPROP, SGD)
    }
)

__all__ = [
    "ADADELTA",
    "ADAGRAD",
    "ADAM",
    "ADAMAX",
    "ASGD",
    "NADAM",
    "RADAM",
    "RMSPROP",
    "RPROP",
    "RULES",
    "SGD",
    "LbfgsState",
    "Minimizer",
    "Optimizer",
    "Rule",
    "RuleState",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "apply_updates",
    "asgd",
    "chain",
    "clip_by_global_norm",
    "global_norm",
    "lbfgs",
    "nadam",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
]
