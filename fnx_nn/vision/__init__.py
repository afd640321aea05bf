"""Pictures: transforms, files, grids, datasets and models, under the names of torchvision.

In: what the submodules take. Out: the submodules, as `from fnx_nn.vision import transforms`.

Read next: `transforms`, `models`, `io`, `utils`.
"""

from fnx_nn.vision import io, models, transforms, utils

__all__ = ["io", "models", "transforms", "utils"]
