"""The hash in a weight file's name: `vgg19-dcbb9e9d.pth` begins its SHA-256 with dcbb9e9d.

In: a path. Out: whether the name carries a hash; a wrong one is an error.

Read next: `read_weights`.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from fnx_nn.serialization.records import SerializationError

__all__ = ["check_file_hash", "hash_in_name"]

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")


def hash_in_name(path: str | os.PathLike[str]) -> str | None:
    """Return the beginning of the SHA-256 that a file's name announces, or None.

    Parameters
    ----------
    path : path
        The weight file, which need not exist.

    Examples
    --------
    >>> hash_in_name("vgg19-dcbb9e9d.pth")
    'dcbb9e9d'
    """
    match = _HASH_IN_NAME.search(Path(path).name)
    return None if match is None else match[1]


def check_file_hash(path: str | os.PathLike[str]) -> bool:
    """Compare a file with the hash in its name, if there is one; return whether there is.

    Parameters
    ----------
    path : path
        The weight file.

    Raises
    ------
    SerializationError
        If the contents do not have the hash that the name announces.
    """
    file = Path(path)
    announced = hash_in_name(file)
    if announced is None:
        return False
    if not file.is_file():
        raise FileNotFoundError(f"cannot read '{file}': there is no such file.")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(announced):
        raise SerializationError(
            f"cannot use '{file}': its name announces the SHA-256 {announced}..., its contents "
            f"have {found[: len(announced)]}...; the download is damaged or the file was changed."
        )
    return True
