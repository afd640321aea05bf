"""Pictures in files: reading with one clear error, writing whole files or none.

In: a path, and for writing a PIL image. Out: a PIL image, or a file that replaced the old one in
one step. A missing file, a broken one and one that is no picture are all `PictureError`.

Read next: `io` and `utils`, the public names on top.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from fnx_nn.atomic_files import open_atomically

__all__ = ["PictureError", "decode_picture", "encode_picture", "read_picture", "write_picture"]

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_JPEG_MODES = ("L", "RGB", "CMYK", "YCbCr")


class PictureError(OSError):
    """A picture file is missing, broken, or no picture; the message names it."""


def read_picture(path: str | os.PathLike[str], mode: str | None = "RGB") -> Image.Image:
    """Read a picture completely, converted to a PIL mode (None keeps the file's own).

    Raises
    ------
    PictureError
        If there is no such file, or it holds no picture that can be decoded.
    """
    file = Path(path)
    if not file.exists():
        raise PictureError(f"cannot read the picture '{file}': there is no such file.")
    if file.is_dir():
        raise PictureError(f"cannot read the picture '{file}': it is a folder.")
    with file.open("rb") as stream:
        return _decode(stream, mode, f"the picture '{file}'")


def decode_picture(data: bytes, mode: str | None = "RGB") -> Image.Image:
    """Decode the bytes of a picture file; see `read_picture`."""
    return _decode(io.BytesIO(data), mode, "the picture")


def write_picture(
    image: Image.Image, path: str | os.PathLike[str], *, file_format: str | None = None
) -> None:
    """Write a PIL image, completely or not at all.

    The format is the one of the path's ending, unless it is given by Pillow's name.

    Raises
    ------
    ValueError
        If the ending names no known format.
    """
    ending = Path(path).suffix.lower()
    chosen = _FORMATS.get(ending) if file_format is None else file_format
    if chosen is None:
        raise ValueError(
            f"cannot write the picture '{path}': the ending {ending!r} names no format; "
            f"use one of {', '.join(sorted(_FORMATS))}."
        )
    data = encode_picture(image, chosen)
    with open_atomically(path) as file:
        file.write(data)


def encode_picture(
    image: Image.Image, file_format: str, *, quality: int = 75, compression: int = 6
) -> bytes:
    """Return the bytes of a picture file.

    `quality` is JPEG's, 1 to 100; `compression` PNG's, 0 to 9.
    """
    options: dict[str, int] = {}
    if file_format == "JPEG":
        options["quality"] = quality
        if image.mode not in _JPEG_MODES:
            raise ValueError(f"a JPEG file cannot hold a picture of mode {image.mode}; convert it.")
    elif file_format == "PNG":
        options["compress_level"] = compression
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _decode(stream: BinaryIO, mode: str | None, what: str) -> Image.Image:
    try:
        with Image.open(stream) as image:
            image.load()  # decodes now: a truncated file is found here, not later
            return image.copy() if mode in (None, image.mode) else _narrowed(image).convert(mode)
    except UnidentifiedImageError as error:
        raise PictureError(f"cannot read {what}: it is in no known picture format.") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"cannot read {what}: it is too large ({error}).") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureError(f"cannot read {what}: the file is broken ({error}).") from error


def _narrowed(image: Image.Image) -> Image.Image:
    """A picture of 16-bit levels in 8 bits: Pillow's own conversion cuts them off at 255."""
    if not image.mode.startswith("I"):
        return image
    levels = np.asarray(image)
    if levels.size and levels.max() > 255:
        levels = levels >> 8
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
