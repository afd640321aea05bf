"""CTC gives what PyTorch 2.13 gives (`tests.support.sequence_programs`), and what counting gives.

PyTorch has no second derivatives: here they are compared with differences.
"""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn.nn import functional as F
from tests.support.nn_programs import agree
from tests.support.sequence_programs import STORED, read_sequence_programs, sequence_outcome

OUTCOMES = json.loads(STORED.read_text())
PROGRAMS = read_sequence_programs()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name.startswith("ctc")])
def test_program(name):
    assert OUTCOMES[name]["program"] == PROGRAMS[name], "write the references anew"
    got = sequence_outcome(torch, PROGRAMS[name])
    want = OUTCOMES[name]["outcome"]
    assert agree(want, got, 1e-10), f"\n{PROGRAMS[name]}\n--- torch\n{want}\n--- fnx_nn\n{got}"


def _collapsed(path):
    """The labels of an alignment: repetitions once, then without blanks."""
    return [label for label, _ in itertools.groupby(path) if label]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [2, 1], [1, 2, 1]])
def test_it_is_the_sum_over_all_alignments(labels):
    torch.manual_seed(1)
    logs = torch.randn(4, 3, dtype=torch.float64).log_softmax(-1)
    chances = logs.exp().numpy()
    total = sum(
        math.prod(chances[t, label] for t, label in enumerate(path))
        for path in itertools.product(range(3), repeat=4)
        if _collapsed(path) == labels
    )
    loss = F.ctc_loss(logs, torch.tensor(labels, dtype=torch.int64), (4,), (len(labels),), 0, "sum")
    np.testing.assert_allclose(loss.item(), -math.log(total), rtol=1e-13)


def test_derivatives_by_differences():
    torch.manual_seed(0)
    logits = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[1, 2], [2, 0]])

    def loss(x):
        return F.ctc_loss(x.log_softmax(-1), labels, (4, 3), (2, 1), reduction="none")

    assert torch.autograd.gradcheck(loss, [logits])
    assert torch.autograd.gradgradcheck(loss, [logits])


def test_many_steps_and_labels():
    torch.manual_seed(0)
    logits = torch.randn(300, 2, 20, requires_grad=True)
    labels = torch.randint(1, 20, (2, 40))
    F.ctc_loss(logits.log_softmax(-1), labels, (300, 280), (40, 35)).backward()
    sums = logits.grad.sum(-1).numpy()
    np.testing.assert_allclose(sums, 0, atol=1e-6)  # of softmax minus chances
    assert not logits.grad[280:, 1].numpy().any() and logits.grad[279, 1].numpy().any()


def test_labels_are_classes():
    with pytest.raises(IndexError, match="target 7 is out of bounds"):
        F.ctc_loss(torch.zeros(5, 1, 4), torch.tensor([[1, 7]]), (5,), (2,))
    F.ctc_loss(torch.zeros(5, 1, 4), torch.tensor([[1, 7]]), (5,), (1,))  # beyond the labels
