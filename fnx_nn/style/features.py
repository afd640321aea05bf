"""The part of VGG-19 that a style transfer looks through: conv_1 to conv_5, and what lies between.

In: pictures (N, 3, H, W) with values from 0 to 1. Out: the responses of the five convolutions, each
before its ReLU. The weights come from an official file, or are embedded: random filters that are
calibrated to the two pictures (`random_filters`). The other convolutions and the classifier are
never built.

Read next: `losses`, `driver`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.generator import Generator
from fnx_nn.serialization import check_file_hash
from fnx_nn.style.random_filters import calibrate_filters, orthogonal_filters
from fnx_nn.vision.models.vgg import CONFIGURATIONS, make_layers
from fnx_nn.vision.tensor_bridge import tensor_of

__all__ = ["StyleFeatures", "WeightsMismatchError", "embed_filters", "load_filters", "normalise"]

_CONVOLUTIONS = 5
# Of the levels of red, green and blue in ImageNet.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class WeightsMismatchError(ValueError):
    """A weight file can be read, but holds no VGG-19; the message says what is wrong."""


class StyleFeatures(nn.Module):
    """The first layers of VGG-19, and before them the normalisation of its pictures.

    The parameters have the names of VGG-19's: `features.0.weight`, `features.0.bias`...

    Examples
    --------
    >>> [tuple(r.shape) for r in StyleFeatures()(torch.zeros(1, 3, 32, 32))]
    [(1, 64, 32, 32), (1, 64, 32, 32), (1, 128, 16, 16), (1, 128, 16, 16), (1, 256, 8, 8)]
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        convolutions = 0
        for layer in make_layers(CONFIGURATIONS["E"][:7]):
            # A ReLU that writes into its input would destroy the response that was kept.
            layers.append(nn.ReLU() if isinstance(layer, nn.ReLU) else layer)
            convolutions += isinstance(layer, nn.Conv2d)
            if convolutions == _CONVOLUTIONS:
                break
        self.features = nn.Sequential(*layers)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Return the responses of the five convolutions."""
        x = normalise(pictures)
        responses = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                responses.append(x)
        return responses


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    """Return pictures as VGG-19 expects them: each colour with the mean 0 and the deviation 1.

    Parameters
    ----------
    pictures : Tensor
        (N, 3, H, W) with values from 0 to 1.
    """
    mean = pictures.new_tensor(_MEAN).reshape(-1, 1, 1)
    deviation = pictures.new_tensor(_DEVIATION).reshape(-1, 1, 1)
    return (pictures - mean) / deviation


def load_filters(network: StyleFeatures, path: str | os.PathLike[str]) -> bool:
    """Take the convolutions from a file with a state dict of VGG-19.

    Parameters
    ----------
    network : StyleFeatures
        Its weights are replaced.
    path : path
        A `.pth` file. Where its name announces a hash, as the official ones do, it is checked.

    Returns
    -------
    bool
        Whether there was a hash to check.

    Raises
    ------
    SerializationError
        If the file is damaged, no weight file, or not the one that its name announces.
    WeightsMismatchError
        If it lacks a weight of the five convolutions, or one has another shape.
    """
    checked = check_file_hash(path)
    found = torch.load(path)
    name = os.fspath(path)
    if not isinstance(found, dict):
        raise WeightsMismatchError(
            f"'{name}' holds a {type(found).__name__}, not the state dict of a VGG-19."
        )
    wanted = network.state_dict()
    for key, weight in wanted.items():
        _check_weight(name, key, found.get(key), tuple(weight.shape))
    network.load_state_dict({key: found[key] for key in wanted})
    return checked


def embed_filters(
    network: StyleFeatures, pictures: NDArray[np.float32], generator: Generator
) -> None:
    """Give the convolutions random filters, calibrated to pictures layer by layer.

    Parameters
    ----------
    network : StyleFeatures
        Its weights are replaced.
    pictures : ndarray
        (N, 3, H, W), the content and the style picture.
    generator : Generator
        Where the random numbers come from.
    """
    with torch.no_grad():
        x = normalise(tensor_of(pictures))
        for layer in network.features:
            if isinstance(layer, nn.Conv2d):
                filters = orthogonal_filters(tuple(layer.weight.shape), generator)
                _set_filters(layer, filters, np.zeros(len(filters), np.float32))
                _set_filters(layer, *calibrate_filters(filters, layer(x).numpy()))
            x = layer(x)


def _set_filters(layer: Any, filters: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    layer.weight.copy_(tensor_of(filters))
    layer.bias.copy_(tensor_of(bias))


def _check_weight(file: str, key: str, found: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(found, torch.Tensor):
        raise WeightsMismatchError(
            f"'{file}' holds no '{key}': it is not the state dict of a VGG-19."
        )
    if tuple(found.shape) != shape:
        raise WeightsMismatchError(
            f"'{file}': '{key}' has the shape {tuple(found.shape)}, and VGG-19's is {shape}."
        )
    if not found.is_floating_point():
        raise WeightsMismatchError(f"'{file}': '{key}' holds {found.dtype}, not real numbers.")
    if not np.isfinite(found.numpy()).all():
        raise WeightsMismatchError(f"'{file}': '{key}' holds numbers that are not finite.")
