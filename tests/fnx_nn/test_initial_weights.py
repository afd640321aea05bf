"""The default weights of VGG-19 with seed 0, drawn as its layers draw them, against PyTorch's.

The network itself is tested with the facade; here only the draws are: first the default weights
of every layer in the order of construction, then the normal ones of the convolutions.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np

from fnx_nn.generator import Generator
from fnx_nn.random_fill import normal_

REFERENCE = json.loads((Path(__file__).parent / "data" / "vgg19_initial_weights.json").read_text())
CONVOLUTIONS = [w for w in REFERENCE["weights"] if w["name"].startswith("features")]
LINEAR_LAYERS = [(4096, 512 * 7 * 7), (4096, 4096), (1000, 4096)]


def test_the_convolutions_of_vgg19_start_from_the_weights_of_pytorch():
    generator = Generator().manual_seed(REFERENCE["seed"])
    # One word for each element of a default (uniform) weight or bias.
    shapes = [weight["shape"] for weight in CONVOLUTIONS] + LINEAR_LAYERS
    generator.discard(sum(math.prod(shape) + shape[0] for shape in shapes))
    assert len(CONVOLUTIONS) == 16
    for weight in CONVOLUTIONS:
        shape = weight["shape"]
        drawn = np.empty(shape, dtype=np.float32)
        fan_out = shape[0] * shape[2] * shape[3]
        normal_(drawn, generator, 0.0, math.sqrt(2.0) / math.sqrt(fan_out))
        ends = [float.fromhex(value) for value in weight["first"] + weight["last"]]
        np.testing.assert_array_equal(drawn.reshape(-1)[[0, 1, 2, 3, -2, -1]], np.float32(ends))
        assert hashlib.sha256(drawn.tobytes()).hexdigest()[:16] == weight["sha256"], weight["name"]
