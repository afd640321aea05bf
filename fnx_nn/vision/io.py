"""Picture files as tensors of levels (torchvision's `io`).

In: paths, or encoded bytes as uint8 vectors. Out: uint8 tensors (C, H, W), or files.

Read next: `picture_files`.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fnx_nn.atomic_files import open_atomically
from fnx_nn.vision.picture_arrays import array_to_image, image_to_array
from fnx_nn.vision.picture_files import decode_picture, encode_picture, read_picture
from fnx_nn.vision.tensor_bridge import array_of, tensor_of

__all__ = [
    "ImageReadMode",
    "decode_image",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]


class ImageReadMode(enum.Enum):
    """The channels that a picture is converted to while it is read."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_PIL_MODES = {
    ImageReadMode.UNCHANGED: None,
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


def read_image(path: str | os.PathLike[str], mode: ImageReadMode = ImageReadMode.UNCHANGED) -> Any:
    """Return a picture file as a uint8 tensor (C, H, W).

    Parameters
    ----------
    path : path
        The file.
    mode : ImageReadMode
        The channels to convert to.

    Raises
    ------
    PictureError
        If the file is missing, broken, or no picture.
    """
    return _levels(read_picture(path, _PIL_MODES[mode]))


def decode_image(input: Any, mode: ImageReadMode = ImageReadMode.UNCHANGED) -> Any:
    """Return the picture in a uint8 vector of a file's bytes; see `read_image`.

    Parameters
    ----------
    input : tensor
        The bytes of a file, a uint8 vector.
    mode : ImageReadMode
        The channels to convert to.
    """
    data = array_of(input, "decode_image")
    if data.dtype != np.uint8 or data.ndim != 1:
        raise RuntimeError(
            f"decode_image: expects a vector of uint8, got {data.dtype}{list(data.shape)}."
        )
    return _levels(decode_picture(data.tobytes(), _PIL_MODES[mode]))


def encode_png(input: Any, compression_level: int = 6) -> Any:
    """Return a uint8 picture (1 or 3, H, W) as the bytes of a PNG file, in a uint8 vector.

    Parameters
    ----------
    input : tensor
        uint8 levels of shape (1 or 3, H, W).
    compression_level : int
        0 (fast) to 9 (small).
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError(f"encode_png: compression_level is 0 to 9, not {compression_level}.")
    image = _image(input, "encode_png")
    return _vector(encode_picture(image, "PNG", compression=compression_level))


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """Return a uint8 picture (1 or 3, H, W) as the bytes of a JPEG file, in a uint8 vector.

    Parameters
    ----------
    input : tensor
        uint8 levels of shape (1 or 3, H, W).
    quality : int
        1 to 100.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"encode_jpeg: quality is 1 to 100, not {quality}.")
    return _vector(encode_picture(_image(input, "encode_jpeg"), "JPEG", quality=quality))


def write_png(input: Any, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write a uint8 picture (1 or 3, H, W) as a PNG file, completely or not at all.

    Parameters
    ----------
    input : tensor
        uint8 levels of shape (1 or 3, H, W).
    filename : path
        The file to write.
    compression_level : int
        0 (fast) to 9 (small).
    """
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Any, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write a uint8 picture (1 or 3, H, W) as a JPEG file, completely or not at all.

    Parameters
    ----------
    input : tensor
        uint8 levels of shape (1 or 3, H, W).
    filename : path
        The file to write.
    quality : int
        1 to 100.
    """
    write_file(filename, encode_jpeg(input, quality))


def read_file(path: str | os.PathLike[str]) -> Any:
    """Return a file's bytes as a uint8 vector.

    Parameters
    ----------
    path : path
        The file.
    """
    return _vector(Path(path).read_bytes())


def write_file(filename: str | os.PathLike[str], data: Any) -> None:
    """Write a uint8 vector as a file, completely or not at all.

    Parameters
    ----------
    filename : path
        The file to write.
    data : tensor
        Its bytes, a uint8 vector.
    """
    with open_atomically(filename) as file:
        file.write(array_of(data, "write_file").tobytes())


def _levels(image: Image.Image) -> Any:
    if image.mode in ("P", "1"):
        image = image.convert("RGB" if image.mode == "P" else "L")
    return tensor_of(image_to_array(image))


def _vector(data: bytes) -> Any:
    return tensor_of(np.frombuffer(data, dtype=np.uint8))


def _image(tensor: Any, operation: str) -> Image.Image:
    array = array_of(tensor, operation)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[0] not in (1, 3):
        raise RuntimeError(
            f"{operation}: expects uint8 (1 or 3, H, W), got {array.dtype}{list(array.shape)}."
        )
    return array_to_image(array.transpose(1, 2, 0))
