"""What several tests of the facade share: the one VGG-19 that is built whole.

It has 143 million parameters, so it is built once; what is kept is its convolutions, and checksums
of the rest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.vision import models


@dataclass(frozen=True, slots=True)
class InitialNetwork:
    """A network as its builder leaves it."""

    features: nn.Sequential
    shapes: dict[str, tuple[int, ...]]
    digests: dict[str, str]
    zeros: set[str]  # the parameters that are 0 everywhere
    generator_digest: str  # of the default generator afterwards


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]


@pytest.fixture(scope="session")
def vgg19_with_seed_0() -> InitialNetwork:
    with torch.fork_rng():
        torch.manual_seed(0)
        network = models.vgg19()
        generator = digest(torch.get_rng_state().numpy())
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    return InitialNetwork(
        network.features,
        {name: array.shape for name, array in arrays.items()},
        {name: digest(array) for name, array in arrays.items()},
        {name for name, array in arrays.items() if not array.any()},
        generator,
    )
