"""Permutations, sampling from weights and truncated normals, against stored draws of PyTorch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from fnx_nn.generator import Generator
from fnx_nn.random_choice import multinomial, permutation
from fnx_nn.truncated_normal import truncated_normal_

REFERENCE = json.loads((Path(__file__).parent / "data" / "torch_random.json").read_text())
WEIGHTS = np.array([[float.fromhex(w) for w in row] for row in REFERENCE["multinomial"]["weights"]])


def seeded() -> Generator:
    return Generator().manual_seed(REFERENCE["seed"])


def state_digest(generator: Generator) -> str:
    return hashlib.sha256(generator.state_bytes().tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("case", REFERENCE["permutations"], ids=lambda c: str(c["size"]))
def test_permutation_equals_pytorch(case):
    assert permutation(seeded(), case["size"]).tolist() == case["values"]


def test_permutation_is_one():
    drawn = permutation(seeded(), 5000)
    np.testing.assert_array_equal(np.sort(drawn), np.arange(5000))
    with pytest.raises(RuntimeError, match="non-negative"):
        permutation(seeded(), -1)


@pytest.mark.parametrize(
    "case",
    REFERENCE["multinomial"]["cases"],
    ids=lambda c: f"{c['dtype']}-{c['count']}-{c['replacement']}",
)
def test_multinomial_equals_pytorch(case):
    generator = seeded()
    weights = WEIGHTS.astype(case["dtype"])
    drawn = multinomial(generator, weights, case["count"], case["replacement"])
    assert drawn.tolist() == case["values"]
    assert state_digest(generator) == case["state"]
    one_row = multinomial(seeded(), weights[0], case["count"], case["replacement"])
    assert one_row.tolist() == case["values"][0]


@pytest.mark.parametrize(
    ("weights", "count", "words"),
    [
        (np.ones((2, 2, 2)), 1, "1 or 2 dimensions"),
        (np.ones(3, dtype=int), 1, "floating-point"),
        (np.ones(3), 0, "cannot draw 0"),
        (np.ones(3), 4, "without replacement"),
        (np.array([1.0, -1.0]), 1, "< 0"),
        (np.array([1.0, np.inf]), 1, "inf"),
        (np.zeros(3), 1, "sum to zero"),
    ],
)
def test_multinomial_refuses_wrong_arguments(weights, count, words):
    with pytest.raises(RuntimeError, match=words):
        multinomial(seeded(), weights, count)


@pytest.mark.parametrize(
    "case", REFERENCE["truncated_normals"], ids=lambda c: f"{c['arguments']}-{c['dtype']}"
)
def test_truncated_normal_equals_pytorch(case):
    generator = seeded()
    out = np.empty(1001, dtype=case["dtype"])
    truncated_normal_(out, generator, *case["arguments"])
    expected = np.array([float.fromhex(v) for v in case["values"]])
    epsilon = float(np.finfo(case["dtype"]).eps)
    np.testing.assert_allclose(out[: len(expected)], expected, rtol=4 * epsilon)
    assert state_digest(generator) == case["state"]
    assert case["arguments"][2] <= out.min() <= out.max() <= case["arguments"][3]


def test_truncated_normal_far_from_the_mean_warns():
    with pytest.warns(UserWarning, match="more than 2 std"):
        truncated_normal_(np.empty(3), seeded(), 0.0, 1.0, 2.5, 3.0)
