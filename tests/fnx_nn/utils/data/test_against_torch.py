"""Orders and batches against those that PyTorch gave, stored by make_torch_data_references."""

from __future__ import annotations

import json

import pytest

import fnx_nn
import fnx_nn.utils.data
from tests.support.data_trials import STORED, TRIALS

REFERENCES = json.loads(STORED.read_text())


# From Python 3.12 on a fork beside other threads warns; the pool's threads end before it.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", TRIALS)
def test_same_as_torch(name):
    found = json.loads(json.dumps(TRIALS[name](fnx_nn)))
    assert found == REFERENCES[name]


def test_every_trial_is_stored():
    assert set(REFERENCES) == {"torch", *TRIALS}
