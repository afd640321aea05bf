"""Schedulers: closed forms, states, warnings, errors. Their numbers: tests/fnx_nn/optim."""

from __future__ import annotations

import copy
import math
import warnings

import pytest

import fnx_nn as torch
from fnx_nn import optim
from fnx_nn.optim import lr_scheduler
from tests.support.optim_trials import SCHEDULER_TRIALS, make_scheduler, two_groups


def optimizer(lr=1.0, **options):
    return optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, **options)


def rates(scheduler, steps):
    found = [scheduler.get_last_lr()[0]]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        found.append(scheduler.get_last_lr()[0])
    return found


CLOSED = [
    lambda o: lr_scheduler.StepLR(o, 3, 0.5),
    lambda o: lr_scheduler.MultiStepLR(o, [2, 5], 0.1),
    lambda o: lr_scheduler.ConstantLR(o, 0.5, 3),
    lambda o: lr_scheduler.LinearLR(o, 0.25, 1.0, 4),
    lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    lambda o: lr_scheduler.PolynomialLR(o, 6, 2.0),
    lambda o: lr_scheduler.CosineAnnealingLR(o, 8, 0.1),
]


@pytest.mark.parametrize("make", CLOSED)
def test_step_by_step_as_at_once(make):
    chained = rates(make(optimizer()), 8)
    for epoch, rate in enumerate(chained):
        scheduler = make(optimizer())
        scheduler.optimizer.step()
        with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
            scheduler.step(epoch)
        assert scheduler.get_last_lr()[0] == pytest.approx(rate, rel=1e-12, abs=1e-15)


def test_formulas():
    cosine = rates(lr_scheduler.CosineAnnealingLR(optimizer(), 4), 4)
    assert cosine == pytest.approx([(1 + math.cos(math.pi * k / 4)) / 2 for k in range(5)])
    linear = rates(lr_scheduler.LinearLR(optimizer(), 0.5, total_iters=2), 3)
    assert linear == pytest.approx([0.5, 0.75, 1.0, 1.0])


@pytest.mark.parametrize("name", SCHEDULER_TRIALS)
def test_going_on_from_a_state(name):
    def run(scheduler, steps):
        for k in range(steps):
            scheduler.optimizer.step()
            scheduler.step(*([1.0 + k % 2] if name == "plateau" else []))

    first, _ = two_groups(torch)
    scheduler = make_scheduler(torch, name, first)
    run(scheduler, 6)
    saved = copy.deepcopy((first.state_dict(), scheduler.state_dict()))
    second, _ = two_groups(torch)
    other = make_scheduler(torch, name, second)
    second.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    run(scheduler, 6)
    run(other, 6)
    assert other.get_last_lr() == scheduler.get_last_lr()
    assert second.state_dict()["param_groups"] == first.state_dict()["param_groups"]
    assert "optimizer" not in saved[1]


def test_the_wrong_order_is_noticed():
    scheduler = lr_scheduler.ExponentialLR(optimizer(), 0.5)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    other = lr_scheduler.ExponentialLR(optimizer(), 0.5)
    other.optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
        other.step()


def test_asking_for_the_next_rate_by_mistake():
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        lr_scheduler.ExponentialLR(optimizer(), 0.5).get_lr()


def test_a_rate_that_is_a_tensor_is_changed_in_place():
    rate = torch.tensor(1.0)
    scheduler = lr_scheduler.ExponentialLR(optimizer(lr=rate), 0.5)
    rates(scheduler, 2)
    assert rate.item() == 0.25 and scheduler.base_lrs[0].item() == 1.0


def test_objects_as_functions_are_part_of_the_state():
    class Falling:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    saved = lr_scheduler.LambdaLR(optimizer(), Falling(0.5)).state_dict()
    other = lr_scheduler.LambdaLR(optimizer(), Falling(0.9))
    other.load_state_dict(saved)
    assert saved["lr_lambdas"] == [{"rate": 0.5}] and other.lr_lambdas[0].rate == 0.5
    cyclic = lr_scheduler.CyclicLR(optimizer(), 0.1, 1.0, scale_fn=Falling(0.5),
                                   cycle_momentum=False)  # fmt: skip
    state = cyclic.state_dict()
    assert state["_scale_fn_custom"] == {"rate": 0.5}
    cyclic._scale_fn_custom.rate = 0.1
    cyclic.load_state_dict(state)
    assert cyclic.scale_fn(2) == 0.25


def test_going_on_without_initial_rates():
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
        lr_scheduler.StepLR(optimizer(), 3, last_epoch=4)


def test_restarts_at_any_epoch():
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(optimizer(), 2, 2)
    for epoch, place, length in ((1.5, 1.5, 2), (3, 1, 4), (6.0, 0, 8), (13.5, 7.5, 8)):
        scheduler.step(epoch)
        expected = (1 + math.cos(math.pi * place / length)) / 2
        assert scheduler.get_last_lr()[0] == pytest.approx(expected)
    even = lr_scheduler.CosineAnnealingWarmRestarts(optimizer(), 4)
    even.step(9)
    assert even.T_cur == 1
    with pytest.raises(ValueError, match="non-negative epoch, but got -1"):
        even.step(-1)


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "values", "reduced"),
    [
        ("min", "rel", [1.0, 0.95, 0.89], False),
        ("min", "rel", [1.0, 0.95, 0.91], True),
        ("min", "abs", [1.0, 0.95, 0.91], True),
        ("max", "rel", [1.0, 1.05, 1.11], False),
        ("max", "abs", [1.0, 1.05, 1.09], True),
    ],
)
def test_plateaus(mode, threshold_mode, values, reduced):
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer(), mode, patience=1, threshold=0.1, threshold_mode=threshold_mode
    )
    for value in values:
        scheduler.step(torch.tensor(value))
    assert scheduler.get_last_lr()[0] == pytest.approx(0.1 if reduced else 1.0)


def test_a_plateau_after_a_new_group():
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=0, min_lr=[0.5])
    scheduler.optimizer.add_param_group({"params": torch.zeros(1, requires_grad=True)})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match=r"\(2\) differs from .* \(1\)"):
        scheduler.step(2.0)


def test_one_cycle_ends():
    scheduler = lr_scheduler.OneCycleLR(optimizer(momentum=0.9), 1.0, total_steps=3)
    rates(scheduler, 2)
    assert scheduler.get_last_lr()[0] == pytest.approx(4e-6)
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        rates(scheduler, 2)


ERRORS = [
    (lambda o: lr_scheduler.StepLR(3, 1), TypeError, "int is not an Optimizer"),
    (lambda o: lr_scheduler.LambdaLR(o, [abs, abs]), ValueError, "Expected 1 lr_lambdas, but got"),
    (lambda o: lr_scheduler.MultiplicativeLR(o, 3), TypeError, "should be a function, but got int"),
    (lambda o: lr_scheduler.ConstantLR(o, 2), ValueError, "between 0 and 1"),
    (lambda o: lr_scheduler.LinearLR(o, 0), ValueError, "Starting multiplicative factor"),
    (lambda o: lr_scheduler.LinearLR(o, 1, 2), ValueError, "Ending multiplicative factor"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "integer T_0"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "T_mult >= 1"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1, 1, "x"), ValueError, "eta_min"),
    (lambda o: lr_scheduler.CyclicLR(o, 0, 1, mode="x"), ValueError, "mode is invalid"),
    (lambda o: lr_scheduler.CyclicLR(o, [0, 0], 1), ValueError, "base_lr has 2 values"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1), ValueError, "either total_steps OR"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1, 0), ValueError, "integer total_steps, but got 0"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1, None, 0, 3), ValueError, "epochs, but got 0"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1, 9, pct_start=2), ValueError, "pct_start, but got 2"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1, 9, anneal_strategy="x"), ValueError, "instead got x"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, "x"), ValueError, "mode x is unknown"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[0, 0]), ValueError, "expected 1 min_lrs"),
    (
        lambda o: lr_scheduler.ReduceLROnPlateau(o, threshold_mode="x"),
        ValueError,
        "threshold mode x",
    ),
    (lambda o: lr_scheduler.ChainedScheduler([]), ValueError, "at least one scheduler"),
    (lambda o: lr_scheduler.SequentialLR(o, [], []), ValueError, "at least one scheduler"),
    (lambda o: lr_scheduler.SequentialLR(o, [3], []), TypeError, "should have `optimizer`"),
    (
        lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [1]),
        ValueError,
        "number of schedulers 1 .* equal to 1",
    ),
    (
        lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(o)]),
        ValueError,
        "does not support `ReduceLROnPlateau`",
    ),
    (
        lambda o: lr_scheduler.SequentialLR(optimizer(), [lr_scheduler.StepLR(o, 1)], []),
        ValueError,
        "belong to the same optimizer",
    ),
]


@pytest.mark.parametrize(("make", "kind", "words"), ERRORS)
def test_refusals(make, kind, words):
    with pytest.raises(kind, match=words):
        make(optimizer(momentum=0.5))


def test_momentum_needs_an_optimizer_that_has_it():
    plain = optim.Adagrad([torch.zeros(1, requires_grad=True)])
    for make in (
        lambda: lr_scheduler.CyclicLR(plain, 0.1, 1.0),
        lambda: lr_scheduler.OneCycleLR(plain, 1.0, 10),
    ):
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            make()


def test_a_users_scheduler():
    class Halved(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rates(Halved(optimizer()), 2) == [1.0, 0.5, 0.25]
    with pytest.raises(NotImplementedError):
        lr_scheduler.LRScheduler(optimizer())
