"""Every optimizer and scheduler against what PyTorch gave, stored by make_torch_optim_references.

Twenty steps in float64: parameters and losses to 1e-10, and the whole `state_dict` with its keys,
their order, dtypes and shapes.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import fnx_nn
import fnx_nn.optim
from tests.support.optim_trials import (
    COMPLEX,
    OPTIMIZERS,
    SCHEDULER_TRIALS,
    STORED,
    run_optimizer,
    run_scheduler,
)

REFERENCES = json.loads(STORED.read_text())


def assert_same(mine, theirs, tolerance, where=""):
    """Equal structures, with numbers equal to a relative tolerance."""
    if isinstance(theirs, dict):
        assert list(mine) == list(theirs), where
        for key in theirs:
            assert_same(mine[key], theirs[key], tolerance, f"{where}/{key}")
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs), where
        for k, pair in enumerate(zip(mine, theirs, strict=True)):
            assert_same(*pair, tolerance, f"{where}/{k}")
    elif isinstance(theirs, float):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=1e-14, err_msg=where)
    else:
        assert (type(mine), mine) == (type(theirs), theirs), where


def assert_run_is_same(mine, theirs, is_lbfgs):
    mine = json.loads(json.dumps(mine))
    assert_same(mine["shown"], theirs["shown"], 1e-10)
    assert_same(mine["losses"], theirs["losses"], 1e-10)
    # The pairs of L-BFGS are differences of gradients that are nearly zero at the end.
    assert_same(mine["state"], theirs["state"], 1e-5 if is_lbfgs else 1e-10)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    theirs = REFERENCES["optimizers"][name]
    assert_run_is_same(run_optimizer(fnx_nn, name), theirs, name.startswith("lbfgs"))


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_parameters(name):
    theirs = REFERENCES["complex"][name]
    assert_run_is_same(run_optimizer(fnx_nn, name, True), theirs, name.startswith("lbfgs"))


@pytest.mark.parametrize("name", SCHEDULER_TRIALS)
def test_schedulers(name):
    mine = json.loads(json.dumps(run_scheduler(fnx_nn, name)))
    assert_same(mine, REFERENCES["schedulers"][name], 1e-12)


@pytest.mark.parametrize("name", ["cyclic", "one cycle"])
def test_schedulers_that_move_betas(name):
    mine = json.loads(json.dumps(run_scheduler(fnx_nn, name, "Adam")))
    assert_same(mine, REFERENCES["schedulers of Adam"][name], 1e-12)
