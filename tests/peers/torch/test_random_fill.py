"""The random fills and the generator's state, live against PyTorch on this machine."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch

from fnx_nn import random_fill
from fnx_nn.generator import Generator
from fnx_nn.random_choice import multinomial, permutation
from fnx_nn.truncated_normal import truncated_normal_

pytestmark = pytest.mark.peers

SIZES = (0, 1, 5, 15, 16, 17, 100, 1001, 70000)
FILLS = [
    ("uniform_", ()),
    ("uniform_", (-0.3, 0.7)),
    ("normal_", ()),
    ("normal_", (0.3, 2.1)),
    ("exponential_", (1.7,)),
    ("cauchy_", (0.3, 1.7)),
    ("log_normal_", (0.3, 0.7)),
    ("geometric_", (0.3,)),
    ("random_", ()),
    ("random_", (-5, 100)),
]


def on_intel() -> bool:
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        return "GenuineIntel" in file.read()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("method", "arguments"), FILLS)
def test_fills_are_equal_bit_for_bit(method, arguments, dtype):
    generator = Generator()
    for size in SIZES:
        torch.manual_seed(size)
        generator.manual_seed(size)
        theirs = torch.empty(size, dtype=dtype)
        getattr(theirs, method)(*arguments)
        ours = np.empty(size, dtype=str(dtype).removeprefix("torch."))
        getattr(random_fill, method)(ours, generator, *arguments)
        np.testing.assert_array_equal(ours, theirs.numpy())
        np.testing.assert_array_equal(generator.state_bytes(), torch.get_rng_state().numpy())


def test_half_precision():
    for dtype, kind in ((torch.float16, np.float16), (torch.bfloat16, ml_dtypes.bfloat16)):
        for method in ("uniform_", "normal_"):
            for size in SIZES:
                torch.manual_seed(size)
                theirs = getattr(torch.empty(size, dtype=dtype), method)().float().numpy()
                ours = np.empty(size, dtype=kind)
                getattr(random_fill, method)(ours, Generator().manual_seed(size))
                np.testing.assert_array_equal(ours.astype(np.float32), theirs)


@pytest.mark.skipif(on_intel(), reason="on Intel, PyTorch draws these from MKL's stream")
def test_bernoulli_and_dropout():
    for size in SIZES:
        torch.manual_seed(size)
        theirs = torch.empty(size).bernoulli_(0.3)
        ours = np.empty(size, dtype=np.float32)
        random_fill.bernoulli_(ours, Generator().manual_seed(size), 0.3)
        np.testing.assert_array_equal(ours, theirs.numpy())


def test_choices():
    for size in (1, 2, 100, 5000):
        torch.manual_seed(size)
        ours = permutation(Generator().manual_seed(size), size)
        np.testing.assert_array_equal(ours, torch.randperm(size).numpy())
    weights = torch.rand(5, 12)
    for count, replacement in ((1, False), (5, False), (12, False), (30, True)):
        torch.manual_seed(3)
        theirs = torch.multinomial(weights, count, replacement).numpy()
        ours = multinomial(Generator().manual_seed(3), weights.numpy(), count, replacement)
        np.testing.assert_array_equal(ours, theirs)


def test_truncated_normals():
    for arguments in ((0.0, 1.0, -2.0, 2.0), (0.0, 1.0, 1.0, 3.0)):
        torch.manual_seed(1)
        theirs = torch.nn.init.trunc_normal_(torch.empty(3000), *arguments).numpy()
        ours = np.empty(3000, dtype=np.float32)
        truncated_normal_(ours, Generator().manual_seed(1), *arguments)
        np.testing.assert_array_equal(ours, theirs)


def test_states_are_exchanged():
    torch.manual_seed(11)
    torch.randn(3)
    generator = Generator()
    generator.load_state_bytes(torch.get_rng_state().numpy())
    ours = np.empty(40)
    random_fill.normal_(ours, generator)
    np.testing.assert_array_equal(ours, torch.randn(40, dtype=torch.float64).numpy())
    torch.set_rng_state(torch.from_numpy(generator.state_bytes()))
    assert torch.rand(1).item() == np.float32(generator.words32(1)[0] & 0xFFFFFF) * 2.0**-24
