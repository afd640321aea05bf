"""Derivatives of every function against central differences in float64: first, and second ones.

The calls are those of the programs (tests/fnx_nn/data/nn_programs.txt) that PyTorch runs without
an error, but for those of the group "special", whose gradients are a matter of convention. Second
derivatives are checked for the first call of each function.
"""

from __future__ import annotations

import functools
import json

import pytest

import fnx_nn as torch
from tests.support.nn_programs import DATA, differentiable, leaves, read_nn_programs, scope_of

STORED = json.loads((DATA / "torch_nn_programs.json").read_text())


def _gives_gradients(name: str, program: str) -> bool:
    outcome = STORED[name]["outcome"]
    outcome = outcome["gives"] if isinstance(outcome, dict) and "gives" in outcome else outcome
    return (
        program.startswith("call(")
        and not program.startswith("call(nn.")
        and not name.startswith("special")
        and isinstance(outcome, list)
        and len(outcome) == 2
        and " f(" not in program
    )


PROGRAMS = {name: p for name, p in read_nn_programs().items() if _gives_gradients(name, p)}


def _first_calls() -> set[str]:
    """The first program of each function."""
    first: dict[str, str] = {}
    for name, program in PROGRAMS.items():
        called = program.removeprefix("call(").partition(",")[0]
        first.setdefault(called if called.startswith("F.") else name, name)
    return set(first.values())


FIRST_CALLS = _first_calls()


def _checked(twice, function, *operands, **options):
    """In place of `call`: whether derivatives agree with differences."""
    wanted = differentiable(torch, function, operands, options)
    places = {id(t): k for k, t in enumerate(wanted)}

    def of_wanted(*values):
        def given(t):
            return values[places[id(t)]] if id(t) in places else t

        torch.manual_seed(0)
        out = function(*[given(t) for t in operands], **{k: given(t) for k, t in options.items()})
        return tuple(o for o in leaves(torch, out) if o.requires_grad)

    assert torch.autograd.gradcheck(of_wanted, wanted, rtol=1e-5, atol=1e-6)
    if twice:
        assert torch.autograd.gradgradcheck(of_wanted, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore:Implicit dimension choice", "ignore:Using a target size")
@pytest.mark.filterwarnings("ignore:reduction. .mean. divides", "ignore:size_average and reduce")
@pytest.mark.filterwarnings("ignore:dropout2d", "ignore:dropout3d")
def test_derivatives(name):
    check = functools.partial(_checked, name in FIRST_CALLS)
    eval(PROGRAMS[name], scope_of(torch) | {"call": check})
