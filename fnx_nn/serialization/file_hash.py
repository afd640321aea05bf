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

__all__ = ["check_file_hash"]

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")


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
    match = _HASH_IN_NAME.search(file.name)
    if match is None:
        return False
    if not file.is_file():
        raise FileNotFoundError(f"cannot read '{file}': there is no such file.")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(match[1]):
        raise SerializationError(
            f"cannot use '{file}': its name announces the SHA-256 {match[1]}..., its contents "
            f"have {found[: len(match[1])]}...; the download is damaged or the file was changed."
        )
    return True
