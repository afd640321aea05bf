"""Trials of optimizers and schedulers that run on fnx_nn as on PyTorch, with the library given.

`run_optimizer` takes one optimizer through 20 steps on a small smooth problem and gives what it
shows: parameters on the way, and the `state_dict` at the end. `run_scheduler` gives the learning
rates (and momenta) of 30 steps and the scheduler's `state_dict`. Results are plain JSON.
`make_torch_optim_references.py` stores those of PyTorch.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

STORED = Path(__file__).resolve().parents[1] / "fnx_nn" / "data" / "torch_optim.json"
STEPS = 20
SHOWN = (1, 2, 5, 20)

#: Name of a trial: (class, options).
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "sgd dampening": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    "sgd nesterov": ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "foreach": True}),
    "sgd maximize": ("SGD", {"lr": 0.001, "maximize": True, "weight_decay": 0.2}),
    "adam": ("Adam", {"lr": 0.1}),
    "adam decay": ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    "adam amsgrad": ("Adam", {"lr": 0.2, "amsgrad": True, "maximize": True}),
    "adam low betas": ("Adam", {"lr": 0.1, "betas": (0.3, 0.4)}),
    "adamw": ("AdamW", {"lr": 0.1}),
    "adamw amsgrad": ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    "adagrad": ("Adagrad", {"lr": 0.3}),
    "adagrad options": (
        "Adagrad",
        {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    ),
    "adadelta": ("Adadelta", {}),
    "adadelta options": ("Adadelta", {"lr": 2.0, "rho": 0.8, "weight_decay": 0.1}),
    "adadelta maximize": ("Adadelta", {"eps": 1e-3, "maximize": True}),
    "adamax": ("Adamax", {"lr": 0.1}),
    "adamax options": ("Adamax", {"lr": 0.1, "betas": (0.7, 0.9), "weight_decay": 0.1}),
    "nadam": ("NAdam", {"lr": 0.1}),
    "nadam decay": ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.02}),
    "nadam decoupled": (
        "NAdam",
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ),
    "radam": ("RAdam", {"lr": 0.1}),
    "radam decay": ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1}),
    "radam decoupled": (
        "RAdam",
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    "rmsprop": ("RMSprop", {"lr": 0.05}),
    "rmsprop centered": ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.7}),
    "rmsprop options": (
        "RMSprop",
        {"lr": 0.02, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1},
    ),
    "rprop": ("Rprop", {"lr": 0.05}),
    "rprop options": ("Rprop", {"lr": 0.2, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.5)}),
    "asgd": ("ASGD", {"lr": 0.05}),
    "asgd options": (
        "ASGD",
        {"lr": 0.1, "lambd": 0.1, "alpha": 0.6, "t0": 5, "weight_decay": 0.1},
    ),
    "adafactor": ("Adafactor", {"lr": 0.1}),
    "adafactor options": (
        "Adafactor",
        {"lr": 0.3, "beta2_decay": -0.6, "eps": (1e-6, 1e-2), "d": 1.5, "weight_decay": 0.1},
    ),
    "adafactor maximize": ("Adafactor", {"maximize": True}),
    "muon": ("Muon", {"lr": 0.05}),
    "muon options": (
        "Muon",
        {"lr": 0.05, "nesterov": False, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"},
    ),
    "lbfgs": ("LBFGS", {"lr": 0.3, "max_iter": 4}),
    "lbfgs history": ("LBFGS", {"lr": 0.3, "max_iter": 5, "max_eval": 4, "history_size": 3}),
    "lbfgs wolfe": ("LBFGS", {"max_iter": 3, "line_search_fn": "strong_wolfe"}),
    "lbfgs wolfe history": (
        "LBFGS",
        {"lr": 2.0, "max_iter": 2, "history_size": 2, "line_search_fn": "strong_wolfe"},
    ),
    "lbfgs to the end": ("LBFGS", {"max_iter": 50, "line_search_fn": "strong_wolfe"}),
}

#: Trials whose parameters are complex.
COMPLEX = ("sgd momentum", "adam", "adagrad", "rmsprop centered", "lbfgs wolfe", "rprop", "asgd")


def _start(lib: Any, is_complex: bool) -> list[Any]:
    weight = lib.tensor([[0.5, -1.25], [2.0, 0.75]], dtype=lib.float64)
    bias = lib.tensor([-0.3, 1.7], dtype=lib.float64)
    if is_complex:
        weight = weight + 1j * lib.tensor([[0.1, 0.9], [-0.4, 0.3]], dtype=lib.float64)
    return [p.detach().requires_grad_() for p in (weight, bias)]


def _loss(lib: Any, weight: Any, bias: Any) -> Any:
    size = (weight * weight.conj()).real if weight.is_complex() else weight * weight
    wave = weight.real if weight.is_complex() else weight
    curved = (size * size).sum() * 0.1 + (wave * 3.0).sin().sum() * 0.2 + size.sum() * 0.05
    return curved + ((bias - 1.0) ** 4).sum() + (bias[0] - wave.sum()) ** 2 * 0.1


def plain(value: Any) -> Any:
    """A state as JSON: tensors as ``{"dtype", "shape", "data"}``, complex ones as pairs."""
    if hasattr(value, "detach"):
        value = value.detach()
        dtype, shape = str(value.dtype), list(value.shape)
        if value.is_complex():
            value = [value.real.reshape(-1).tolist(), value.imag.reshape(-1).tolist()]
            return {"dtype": dtype, "shape": shape, "data": value}
        return {"dtype": dtype, "shape": shape, "data": value.reshape(-1).tolist()}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def run_optimizer(lib: Any, name: str, is_complex: bool = False) -> dict[str, Any]:
    """Parameters after some of the steps, losses, and the state at the end."""
    kind, options = OPTIMIZERS[name]
    weight, bias = _start(lib, is_complex)
    trained = [weight] if kind == "Muon" else [weight, bias]  # that one takes matrices only
    optimizer = getattr(lib.optim, kind)(trained, **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = _loss(lib, weight, bias)
        loss.backward()
        return loss

    shown, losses = [], []
    for k in range(1, STEPS + 1):
        losses.append(optimizer.step(closure).item())
        if k in SHOWN:
            shown.append([plain(weight), plain(bias)])
    return {"shown": shown, "losses": losses, "state": plain(optimizer.state_dict())}


#: Name of a trial: (class, options, options of the optimizer).
SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "step": ("StepLR", {"step_size": 4, "gamma": 0.5}),
    "multistep": ("MultiStepLR", {"milestones": [3, 7, 7, 20], "gamma": 0.3}),
    "constant": ("ConstantLR", {"factor": 0.25, "total_iters": 6}),
    "linear": ("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 8}),
    "exponential": ("ExponentialLR", {"gamma": 0.9}),
    "polynomial": ("PolynomialLR", {"total_iters": 12, "power": 2.0}),
    "cosine": ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    "warm restarts": ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    "cyclic": ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}),
    "cyclic triangular2": (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 3,
            "step_size_down": 5,
            "mode": "triangular2",
        },
    ),
    "cyclic exp_range": (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 4,
            "mode": "exp_range",
            "gamma": 0.97,
            "cycle_momentum": False,
        },
    ),
    "one cycle": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31}),
    "one cycle three phases": (
        "OneCycleLR",
        {
            "max_lr": [0.5, 0.3],
            "epochs": 8,
            "steps_per_epoch": 4,
            "three_phase": True,
            "anneal_strategy": "linear",
        },
    ),
}


def two_groups(lib: Any, kind: str = "SGD") -> tuple[Any, list[Any]]:
    """An optimizer with two groups of different learning rates, and its parameters."""
    params = [lib.tensor([1.0, 2.0]).requires_grad_(), lib.tensor([3.0]).requires_grad_()]
    groups = [{"params": [params[0]]}, {"params": [params[1]], "lr": 0.03}]
    options = {"lr": 0.1, "momentum": 0.9} if kind == "SGD" else {"lr": 0.1}
    return getattr(lib.optim, kind)(groups, **options), params


def _shown_group(group: dict[str, Any]) -> list[float]:
    momentum = group["betas"][0] if "betas" in group else group["momentum"]
    return [float(group["lr"]), float(momentum)]


def run_scheduler(lib: Any, name: str, kind: str = "SGD", steps: int = 30) -> dict[str, Any]:
    """Learning rates and momenta of each step, and the state at the end."""
    optimizer, _ = two_groups(lib, kind)
    scheduler = make_scheduler(lib, name, optimizer)
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(steps):
            shown.append([_shown_group(g) for g in optimizer.param_groups])
            optimizer.step()
            if name == "plateau":
                scheduler.step(_plateau_loss(k))
            else:
                scheduler.step()
    shown.append([_shown_group(g) for g in optimizer.param_groups])
    state = {k: v for k, v in scheduler.state_dict().items() if not callable(v)}
    return {"shown": shown, "last": plain(scheduler.get_last_lr()), "state": plain(state)}


def _plateau_loss(k: int) -> float:
    return 1.0 / (1 + min(k, 4)) + (0.001 * k if k > 10 else 0.0)


def make_scheduler(lib: Any, name: str, optimizer: Any) -> Any:
    """The scheduler of a trial."""
    lrs = lib.optim.lr_scheduler
    if name in SCHEDULERS:
        kind, options = SCHEDULERS[name]
        return getattr(lrs, kind)(optimizer, **options)
    if name == "lambda":
        return lrs.LambdaLR(optimizer, [lambda k: 0.9**k, lambda k: 1 / (1 + k)])
    if name == "multiplicative":
        return lrs.MultiplicativeLR(optimizer, lambda k: 0.95)
    if name == "plateau":
        return lrs.ReduceLROnPlateau(optimizer, patience=2, cooldown=1, min_lr=[1e-3, 1e-4])
    if name.startswith("swa"):
        how = "linear" if name == "swa linear" else "cos"
        epochs = 0 if name == "swa at once" else 7
        return lib.optim.swa_utils.SWALR(optimizer, [0.5, 0.01], epochs, how)
    warm = lrs.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    decay = lrs.ExponentialLR(optimizer, gamma=0.9)
    if name == "chained":
        return lrs.ChainedScheduler([warm, decay])
    if name == "sequential":
        return lrs.SequentialLR(optimizer, [warm, decay], milestones=[5])
    raise ValueError(f"no scheduler trial {name!r}")


#: All trials of schedulers.
SCHEDULER_TRIALS = (
    *SCHEDULERS,
    "lambda",
    "multiplicative",
    "plateau",
    "swa",
    "swa linear",
    "swa at once",
    "chained",
    "sequential",
)
