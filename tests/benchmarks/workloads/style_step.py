"""One closure of style transfer at 128 pixels: forward, losses, gradient of the picture.

The first five convolutions of VGG-19 with random weights, content at the fourth, style at all five,
written with `torch.nn` layers; fnx_nn and torch run the same lines.
"""

from __future__ import annotations

import numpy as np

TITLE = "style-transfer step, 128 px"
ROUND_SECONDS = 0.2
TOLERANCE = 1e-3
CHANNELS = ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256))
POOL_BEFORE = (2, 4)  # a pooling layer stands before these convolutions
CONTENT_AT = 3

_rng = np.random.default_rng(0)
FILTERS = [
    (_rng.standard_normal((n, m, 3, 3)) * np.sqrt(2.0 / (9 * m))).astype(np.float32)
    for m, n in CHANNELS
]
CONTENT, STYLE = (_rng.random((1, 3, 128, 128)).astype(np.float32) for _ in range(2))


def _program(torch):
    nn = torch.nn
    layers = []
    for i, (m, n) in enumerate(CHANNELS):
        if i in POOL_BEFORE:
            layers.append(nn.MaxPool2d(2, 2))
        conv = nn.Conv2d(m, n, 3, padding=1)
        with torch.no_grad():
            conv.weight.copy_(torch.tensor(FILTERS[i]))
            conv.bias.zero_()
        layers += [conv, nn.ReLU()]
    model = nn.Sequential(*layers)
    model.requires_grad_(False)

    def features(x):
        found = []
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                found.append(x)
                if len(found) == len(CHANNELS):
                    break
        return found

    def gram(x):
        n, c, h, w = x.size()
        flat = x.reshape(n * c, h * w)
        return torch.mm(flat, flat.t()).div(n * c * h * w)

    with torch.no_grad():
        content = features(torch.tensor(CONTENT))[CONTENT_AT]
        style = [gram(x) for x in features(torch.tensor(STYLE))]
    image = torch.tensor(CONTENT).requires_grad_(True)

    def run():
        image.grad = None
        found = features(image)
        loss = nn.functional.mse_loss(found[CONTENT_AT], content)
        for x, target in zip(found, style):
            loss = loss + 1e6 * nn.functional.mse_loss(gram(x), target)
        loss.backward()
        return image.grad

    return run


def setup_fnx_nn():
    import fnx_nn

    return _program(fnx_nn)


def setup_torch():
    import torch

    torch.set_num_threads(2)
    return _program(torch)
