"""`vgg19()` with seed 0 starts from the weights that torchvision's starts from."""

from __future__ import annotations

import json
from pathlib import Path

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "data" / "vgg19_initial_weights.json").read_text()
)


def test_initial_weights(vgg19_with_seed_0):
    network = vgg19_with_seed_0
    assert len(network.shapes) == 38
    assert network.generator_digest == REFERENCE["state_after"]
    for weight in REFERENCE["weights"]:
        name = weight["name"]
        assert list(network.shapes[name]) == weight["shape"]
        assert network.digests[name] == weight["sha256"], name
        bias = name.replace("weight", "bias")
        assert bias in network.zeros and network.shapes[bias] == network.shapes[name][:1]
