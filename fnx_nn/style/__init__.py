"""Style transfer: the content of one picture, painted in the style of another.

In: two pictures. Out: a third. `python -m fnx_nn.style --help` tells about the command.

Read next: `features`, `losses`, `driver`, `command`.
"""

from fnx_nn.style.driver import Painting, paint
from fnx_nn.style.features import (
    StyleFeatures,
    WeightsMismatchError,
    embed_filters,
    load_filters,
)
from fnx_nn.style.losses import Targets, content_and_style_losses, find_targets, gram_matrix

__all__ = [
    "Painting",
    "StyleFeatures",
    "Targets",
    "WeightsMismatchError",
    "content_and_style_losses",
    "embed_filters",
    "find_targets",
    "gram_matrix",
    "load_filters",
    "paint",
]
