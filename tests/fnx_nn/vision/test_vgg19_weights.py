"""`vgg19()` with seed 0 starts from the weights that torchvision's starts from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import fnx_nn as torch

models = pytest.importorskip("fnx_nn.vision.models", reason="the models are not there yet")
REFERENCE = json.loads(
    (Path(__file__).parents[1] / "data" / "vgg19_initial_weights.json").read_text()
)


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_initial_weights():
    torch.manual_seed(REFERENCE["seed"])
    state = models.vgg19().state_dict()
    assert len(state) == 38
    assert digest(torch.get_rng_state().numpy()) == REFERENCE["state_after"]
    for weight in REFERENCE["weights"]:
        found = state[weight["name"]].numpy()
        assert list(found.shape) == weight["shape"]
        assert digest(found) == weight["sha256"], weight["name"]
        bias = state[weight["name"].replace("weight", "bias")].numpy()
        assert not bias.any() and bias.shape == found.shape[:1]
