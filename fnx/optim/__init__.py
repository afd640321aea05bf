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
from fnx.optim.matrices import ADAFACTOR, MUON, adafactor, muon
from fnx.optim.moments import ADAM, ADAMAX, NADAM, RADAM, adam, adamax, adamw, nadam, radam
from fnx.optim.rules import Rule, RuleState
from fnx.optim.schedules import (
    constant_schedule,
    cosine_decay_schedule,
    cosine_onecycle_schedule,
    exponential_decay,
    join_schedules,
    linear_schedule,
    piecewise_constant_schedule,
    warmup_cosine_decay_schedule,
)
from fnx.optim.transformations import (
    Optimizer,
    apply_updates,
    chain,
    clip_by_global_norm,
    global_norm,
)
from fnx.optim.trust_ratio import LAMB, LION, lamb, lion
from fnx.optim.wrappers import (
    AccumulateState,
    accumulate,
    add_decayed_weights,
    clip,
    masked,
    scale,
)

_ADAPTIVE = (ADADELTA, ADAFACTOR, ADAGRAD, ADAM, ADAMAX, LAMB, NADAM, RADAM, RMSPROP)

#: Every rule by its name.
RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.name: rule for rule in (*_ADAPTIVE, ASGD, LION, MUON, RPROP, SGD)}
)

__all__ = [
    "ADADELTA",
    "ADAFACTOR",
    "ADAGRAD",
    "ADAM",
    "ADAMAX",
    "ASGD",
    "AccumulateState",
    "LAMB",
    "LION",
    "LbfgsState",
    "MUON",
    "Minimizer",
    "NADAM",
    "Optimizer",
    "RADAM",
    "RMSPROP",
    "RPROP",
    "RULES",
    "Rule",
    "RuleState",
    "SGD",
    "accumulate",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "add_decayed_weights",
    "apply_updates",
    "asgd",
    "chain",
    "clip",
    "clip_by_global_norm",
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "global_norm",
    "join_schedules",
    "lamb",
    "lbfgs",
    "linear_schedule",
    "lion",
    "masked",
    "muon",
    "nadam",
    "piecewise_constant_schedule",
    "radam",
    "rmsprop",
    "rprop",
    "scale",
    "sgd",
    "warmup_cosine_decay_schedule",
]
