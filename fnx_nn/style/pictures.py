"""The pictures of a style transfer, as files: two in, the result and the strip out.

In: paths, and the result as a PIL image. Out: square RGB images, and PNG files that are complete
or absent.

Read next: `loss_plot`; `fnx_nn.vision.picture_files`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from PIL import Image

from fnx_nn.vision.picture_files import read_picture, write_picture

__all__ = ["read_square", "side_by_side", "write_png"]


def read_square(path: str | os.PathLike[str], size: int) -> Image.Image:
    """Read a picture as RGB, resampled (bilinear, with antialiasing) to `size` by `size`."""
    picture = read_picture(path, "RGB")
    return picture.resize((size, size), Image.Resampling.BILINEAR)


def side_by_side(pictures: Sequence[Image.Image], margin: int | None = None) -> Image.Image:
    """Return the pictures in a row on white, scaled to the first one's height."""
    if not pictures:
        raise ValueError("side_by_side: there is no picture.")
    height = pictures[0].height
    gap = max(2, height // 40) if margin is None else margin
    panels = [_with_height(picture.convert("RGB"), height) for picture in pictures]
    width = sum(panel.width for panel in panels) + gap * (len(panels) - 1)
    strip = Image.new("RGB", (width, height), "white")
    left = 0
    for panel in panels:
        strip.paste(panel, (left, 0))
        left += panel.width + gap
    return strip


def write_png(picture: Image.Image, path: str | os.PathLike[str]) -> None:
    """Write a PNG file, completely or not at all."""
    write_picture(picture, path, file_format="PNG")


def _with_height(picture: Image.Image, height: int) -> Image.Image:
    if picture.height == height:
        return picture
    width = max(1, round(picture.width * height / picture.height))
    return picture.resize((width, height), Image.Resampling.LANCZOS)
