"""The embedded filters: what stands in for trained weights when there are none.

In: the shape of a convolution, a generator. Out: a random filter bank with orthogonal filters,
and the scale and shift that make its responses to the two pictures comparable.

Random filters carry textures well (Ustyuzhaninov et al.), if every channel responds: left alone,
the responses are dominated by their means, and the Gram matrices say little but the brightness.
So each channel is scaled to one deviation over the content and the style picture, and shifted
until its ReLU is open for the upper third of its responses. `features.embed_filters` does this
layer by layer, from the first convolution on: filters, responses of the pictures, calibration.

References: A. M. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep
linear networks" (2014), for orthogonal filters; I. Ustyuzhaninov et al., "What does it take to
generate natural textures?" (2017); D. Mishkin and J. Matas, "All you need is a good init" (2016),
for scaling by the responses.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fnx_nn.generator import Generator
from fnx_nn.random_fill import normal_

__all__ = ["calibrate_filters", "orthogonal_filters"]

_MEAN_RESPONSE = -0.5  # in deviations: the ReLU is open where a response exceeds it by as much
# The content loss grows with the square of the responses, the style loss with the fourth power: so
# this balances the two. Of 1, 3 and 10, what looks best with the default weights of the losses.
_DEVIATION = 3.0


def orthogonal_filters(shape: tuple[int, ...], generator: Generator) -> NDArray[np.float32]:
    """Return random filters whose flattened rows (or columns, if there are more) are orthonormal.

    Parameters
    ----------
    shape : tuple of int
        (output channels, input channels, height, width).
    generator : Generator
        Where the random numbers come from.

    Returns
    -------
    ndarray
        float32, of the given shape.
    """
    rows, columns = shape[0], math.prod(shape[1:])
    normals = np.empty((rows, columns), dtype=np.float32)
    normal_(normals, generator)
    flat = normals.astype(np.float64)
    basis = _orthonormal_rows(flat) if rows <= columns else _orthonormal_rows(flat.T).T
    return np.ascontiguousarray(basis.reshape(shape), dtype=np.float32)


def calibrate_filters(
    filters: NDArray[np.float32], responses: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scaled filters, and the bias, for which the responses are comparable.

    Parameters
    ----------
    filters : ndarray
        (output channels, input channels, height, width).
    responses : ndarray
        What the filters alone, without a bias, answer: (pictures, output channels, height, width).

    Returns
    -------
    filters, bias : ndarray
        With them every channel has the deviation 3 and the mean -3/2.
    """
    mean = responses.mean(axis=(0, 2, 3), dtype=np.float64)
    deviation = responses.std(axis=(0, 2, 3), dtype=np.float64)
    # A channel that answers the same everywhere (both pictures are blank) is as good as unscaled.
    deviation = np.where(deviation > 1e-6, deviation, _DEVIATION)
    scale = _DEVIATION / deviation
    scaled = (filters * scale.reshape(-1, 1, 1, 1)).astype(np.float32)
    bias = (_DEVIATION * _MEAN_RESPONSE - mean * scale).astype(np.float32)
    return scaled, bias


def _orthonormal_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gram and Schmidt's rows, each freed twice of those before ("twice is enough").

    Not by a decomposition of LAPACK: what that returns depends on its version and its threads, and
    the same seed should paint the same picture everywhere.
    """
    basis = np.empty(rows.shape)
    for index, row in enumerate(rows):
        before = basis[:index]
        for _ in range(2):
            row = row - np.einsum("ij,i->j", before, np.einsum("ij,j->i", before, row))
        basis[index] = row / math.sqrt(np.einsum("j,j->", row, row))
    return basis
