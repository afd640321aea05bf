"""The two losses of a style transfer: how far the content, and how far the style, is from its aim.

In: the responses of the convolutions (`features`), as arrays of `fnx` or tracers. Out: 0-d arrays.
Content is what the responses at conv_4 are; style is how the channels of conv_1 to conv_5 go
together, over all places: their Gram matrices.

Reference: L. A. Gatys, A. S. Ecker and M. Bethge, "A neural algorithm of artistic style" (2015).

Read next: `driver`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import fnx.numpy as jnp

__all__ = ["Targets", "content_and_style_losses", "find_targets", "gram_matrix"]

_CONTENT_LAYER = 3  # conv_4


class Targets(NamedTuple):
    """What the responses are compared with."""

    content: Any  # the content picture's at conv_4
    grams: list[Any]  # of the style picture's, at conv_1 to conv_5


def gram_matrix(response: Any) -> Any:
    """Return the inner products of the channels, divided by the number of all elements.

    Parameters
    ----------
    response : Array
        (pictures a, channels b, height c, width d).

    Returns
    -------
    Array
        (a b, a b).

    Examples
    --------
    >>> gram_matrix(jnp.ones((1, 2, 3, 4)))
    Array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """
    a, b, c, d = response.shape
    flat = response.reshape(a * b, c * d)
    return flat @ flat.T / (a * b * c * d)


def find_targets(content_responses: Sequence[Any], style_responses: Sequence[Any]) -> Targets:
    """Return what the losses compare with.

    Parameters
    ----------
    content_responses, style_responses : sequence of Array
        Of conv_1 to conv_5 to the two pictures.
    """
    return Targets(
        content_responses[_CONTENT_LAYER], [gram_matrix(response) for response in style_responses]
    )


def content_and_style_losses(responses: Sequence[Any], targets: Targets) -> tuple[Any, Any]:
    """Return the content loss and the style loss, not yet weighted.

    Parameters
    ----------
    responses : sequence of Array
        Of conv_1 to conv_5 to the picture that is painted.
    targets : Targets
        What they are compared with.
    """
    content = _mean_square(responses[_CONTENT_LAYER] - targets.content)
    parts = [
        _mean_square(gram_matrix(response) - gram)
        for response, gram in zip(responses, targets.grams, strict=True)
    ]
    return content, sum(parts[1:], parts[0])


def _mean_square(difference: Any) -> Any:
    return jnp.mean(jnp.square(difference))
