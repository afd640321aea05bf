"""The preparation that a trained model expects of its pictures.

In: a PIL image, or a tensor of levels. Out: a normalised float tensor. The weights of a model name
theirs: ``weights.transforms()``.

Read next: `functional`; `fnx_nn.vision.models.weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fnx_nn
from fnx_nn.vision.tensor_bridge import is_tensor
from fnx_nn.vision.transforms import functional
from fnx_nn.vision.transforms.functional import InterpolationMode

__all__ = ["ImageClassification"]


class ImageClassification:
    """Resize, crop the centre, scale to 0..1 and normalise.

    Parameters
    ----------
    crop_size : int
        Side of the result.
    resize_size : int
        Length of the shorter side before the crop.
    mean, std : sequence of float
        One number per channel.
    interpolation : InterpolationMode
        How the picture is resampled.
    antialias : bool
        Whether a tensor is filtered before it is made smaller, as a PIL image always is.

    Examples
    --------
    >>> from PIL import Image
    >>> ImageClassification(crop_size=24, resize_size=32)(Image.new("RGB", (100, 50))).shape
    torch.Size([3, 24, 24])
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool = True,
    ) -> None:
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def __call__(self, img: Any) -> Any:
        resized = functional.resize(
            img, self.resize_size, self.interpolation, antialias=self.antialias
        )
        cropped = functional.center_crop(resized, self.crop_size)
        levels = cropped if is_tensor(cropped) else functional.pil_to_tensor(cropped)
        scaled = functional.convert_image_dtype(levels, fnx_nn.float32)
        return functional.normalize(scaled, self.mean, self.std)

    def __repr__(self) -> str:
        names = ("crop_size", "resize_size", "mean", "std", "interpolation")
        lines = [f"    {name}={getattr(self, name)}" for name in names]
        return "\n".join(["ImageClassification(", *lines, ")"])
