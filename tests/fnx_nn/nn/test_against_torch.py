"""Functions and layers give what PyTorch 2.13 gives: results, gradients, texts, warnings, errors.

PyTorch's outcomes are stored (see tests/support/make_torch_nn_references.py): arrays as weighted
sums, which no single wrong element leaves as they are.
"""

from __future__ import annotations

import copy
import json

import pytest

import fnx_nn
from tests.support.nn_programs import DATA, agree, outcome, read_nn_programs

STORED = json.loads((DATA / "torch_nn_programs.json").read_text())
PROGRAMS = read_nn_programs()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert STORED[name]["program"] == PROGRAMS[name], "write the references anew"
    got = outcome(fnx_nn, PROGRAMS[name])
    want = STORED[name]["outcome"]
    assert agree(want, got), f"\n{PROGRAMS[name]}\n--- torch\n{want}\n--- fnx_nn\n{got}"


def test_nothing_is_stored_that_is_not_run():
    assert STORED.keys() == PROGRAMS.keys()


def _changed(tree, change):
    """The tree with its first number changed."""
    changed = copy.deepcopy(tree)
    change(changed[0])
    return changed


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        (lambda array: None, True),
        (lambda array: array[2].__setitem__(0, array[2][0] * (1 + 1e-9)), True),
        (lambda array: array[2].__setitem__(0, array[2][0] + 1e-6), False),
        (lambda array: array.__setitem__(0, "torch.float32"), False),
        (lambda array: array[1].append(1), False),
    ],
)
def test_outcomes_are_told_apart(change, equal):
    want = STORED["convolution 0"]["outcome"]
    assert agree(want, _changed(want, change)) is equal


def test_the_order_of_elements_is_seen():
    digest = outcome(fnx_nn, "torch.arange(12.0)")
    assert not agree(digest, outcome(fnx_nn, "torch.arange(12.0).flip(0)"))
    assert not agree(digest, outcome(fnx_nn, "torch.arange(12.0).reshape(3, 4)"))
