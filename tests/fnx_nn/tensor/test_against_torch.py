"""Short programs show what PyTorch 2.13 shows: values, text, dtypes, errors, gradients.

PyTorch's outcomes are stored (see tests/support/make_torch_tensor_references.py); numbers may
differ in the last digits that are shown.
"""

from __future__ import annotations

import json

import pytest

import fnx_nn
from tests.support.tensor_programs import DATA, alike, outcome, read_programs

STORED = json.loads((DATA / "torch_tensor_programs.json").read_text())
ALL = read_programs()


@pytest.mark.parametrize("name", ALL)
def test_program(name):
    assert STORED[name]["program"] == ALL[name], "write the references anew"
    got = outcome(fnx_nn, ALL[name])
    want = STORED[name]["outcome"]
    assert alike(want, got), f"\n{ALL[name]}\n--- torch\n{want}\n--- fnx_nn\n{got}"


@pytest.mark.parametrize(
    ("want", "got", "equal"),
    [
        ("tensor([1., 2.])", "tensor([1., 2.])", True),
        ("tensor([0.1234])", "tensor([0.1235])", False),
        ("tensor([1.2345e+03])", "tensor([1.2346e+03])", True),
        ("tensor([1.])", "tensor([1.], dtype=torch.float64)", False),
        ("ValueError: a", "TypeError: a", False),
        ("tensor([1, 2])", "tensor([1, 3])", False),
    ],
)
def test_texts_are_compared_as_numbers(want, got, equal):
    assert alike(want, got) is equal
