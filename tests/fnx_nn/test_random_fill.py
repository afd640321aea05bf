"""Random fills against stored draws of PyTorch 2.13 (see make_torch_random_references.py)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from fnx_nn import random_fill
from fnx_nn.generator import Generator
from fnx_nn.random_fill import bernoulli_, exponential_, geometric_, normal_, random_, uniform_

REFERENCE = json.loads((Path(__file__).parent / "data" / "torch_random.json").read_text())
SEED = REFERENCE["seed"]
# These pass each number through the C library, whose last bit is its own.
BY_LIBM = {"exponential_", "cauchy_", "log_normal_"}


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def seeded() -> Generator:
    return Generator().manual_seed(SEED)


def parse(values: list) -> np.ndarray:
    return np.array([float.fromhex(v) if isinstance(v, str) else v for v in values])


def goes_through_libm(case: dict) -> bool:
    scalar_normal = case["method"] == "normal_" and case["size"] < 16
    double_normal = case["method"] == "normal_" and case["dtype"] == "float64"
    return case["method"] in BY_LIBM or scalar_normal or double_normal


@pytest.mark.parametrize(
    "case",
    REFERENCE["fills"],
    ids=lambda c: f"{c['method']}{c['arguments']}-{c['dtype']}-{c['size']}",
)
def test_fill_equals_pytorch(case):
    generator = seeded()
    out = np.empty(case["size"], dtype=case["dtype"])
    fill = getattr(random_fill, case["method"])
    # `random_(generator, low, high)` and the others take the arguments in PyTorch's order.
    fill(out, generator, *case["arguments"])
    if goes_through_libm(case):
        expected = parse(case["values"])
        epsilon = float(np.finfo(case["dtype"]).eps)
        np.testing.assert_allclose(out[: len(expected)], expected, rtol=4 * epsilon)
        # The words drawn are the same; with a pair half used, the waiting sample is libm's too.
        if generator.next_normal is None:
            assert digest(generator.state_bytes()) == case["state"]
    else:
        assert digest(out) == case["sha256"]
        assert digest(generator.state_bytes()) == case["state"]


@pytest.mark.parametrize("case", REFERENCE["strided"], ids=lambda c: f"{c['method']}-{c['layout']}")
def test_strided_arrays_are_filled_in_the_order_of_their_memory(case):
    base = np.zeros((12, 9), dtype=np.float32)
    view = base.T if case["layout"] == "transposed" else base[:, ::2]
    getattr(random_fill, case["method"])(view, seeded())
    assert digest(base) == case["sha256"]


def test_the_second_normal_of_a_pair_waits_for_the_next_call():
    generator = seeded()
    for size, values, _ in REFERENCE["normal_chain"]:
        out = np.empty(size, dtype=np.float32)
        normal_(out, generator)
        np.testing.assert_allclose(out[:16], parse(values), rtol=1e-6)


@pytest.mark.parametrize("case", REFERENCE["bernoulli_of_tensor"], ids=lambda c: c["dtype"])
def test_bernoulli_with_an_array_of_probabilities(case):
    generator = seeded()
    chances = np.empty(1001, dtype=case["dtype"])
    uniform_(chances, generator)
    out = np.empty_like(chances)
    bernoulli_(out, generator, chances)
    assert digest(out) == case["sha256"]


def test_dropout_keeps_the_elements_that_pytorch_keeps():
    kept = np.empty(100, dtype=np.float32)
    bernoulli_(kept, seeded(), 1 - 0.3)
    assert kept.astype(int).tolist() == REFERENCE["dropout_kept"]


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers_are_pairs_of_real_ones(dtype):
    out = np.empty(40, dtype=dtype)
    parts = np.empty(80, dtype=out.real.dtype)
    normal_(out, seeded())
    normal_(parts, seeded(), 0.0, 1.0 / 2.0**0.5)
    np.testing.assert_array_equal(out.view(parts.dtype), parts)


def test_the_whole_range_of_int64():
    out = np.empty(1000, dtype=np.int64)
    random_(out, seeded(), -(2**63), 2**63)
    np.testing.assert_array_equal(out, seeded().words64(1000).view(np.int64))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(dtype):
    out = np.empty(200_000, dtype=dtype)
    normal_(out, seeded(), 3.0, 2.0)
    assert abs(out.mean() - 3.0) < 0.02
    assert abs(out.std() - 2.0) < 0.02
    exponential_(out, seeded(), 0.5)
    assert abs(out.mean() - 2.0) < 0.02
    geometric_(out, seeded(), 0.25)
    assert abs(out.mean() - 4.0) < 0.04


def test_empty_arrays_draw_nothing():
    generator = seeded()
    for fill in (uniform_, normal_, bernoulli_, random_):
        fill(np.empty((0, 3), dtype=np.float32), generator)
    np.testing.assert_array_equal(generator.state_bytes(), seeded().state_bytes())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda a, g: uniform_(a, g, 1.0, 0.0), RuntimeError, "but found from"),
        (lambda a, g: uniform_(a, g, -3e38, 3e38), RuntimeError, "wider"),
        (lambda a, g: normal_(a, g, 0.0, -1.0), RuntimeError, "std >= 0"),
        (lambda a, g: bernoulli_(a, g, 1.5), RuntimeError, r"p in \[0, 1\]"),
        (lambda a, g: bernoulli_(a, g, np.array([0.5, np.nan])), RuntimeError, "NaN"),
        (lambda a, g: exponential_(a, g, 0.0), RuntimeError, "lambda > 0"),
        (lambda a, g: geometric_(a, g, 1.0), RuntimeError, r"\(0, 1\)"),
        (lambda a, g: random_(a, g, 3, 3), RuntimeError, "'from' < 'to'"),
        (lambda a, g: random_(a.astype("u1"), g, 0, 300), RuntimeError, "out of bounds"),
        (lambda a, g: normal_(a.astype("i4"), g), NotImplementedError, "floating-point"),
    ],
)
def test_wrong_arguments_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(np.zeros(2, dtype=np.float32), seeded())
