"""Writing files that are complete or absent, never half-written.

In: a destination and a block that writes. Out: the destination replaced at the end of the block;
if the block raises, the destination stays as it was and nothing is left beside it.

Read next: `serialization.write_zip`, `vision.picture_files`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["open_atomically"]


@contextlib.contextmanager
def open_atomically(destination: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a binary file for writing that takes the destination's place when the block ends.

    The data goes to a new file in the same folder, which is renamed over the destination: that
    is one step for the file system.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If the destination is a folder.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "numbers.bin"
    >>> with open_atomically(path) as file:
    ...     _ = file.write(bytes([1, 2, 3]))
    >>> path.read_bytes()
    b'\\x01\\x02\\x03'
    """
    target = Path(destination)
    if target.is_dir():
        raise IsADirectoryError(f"cannot write '{target}': it is a folder; name a file in it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write '{target}': the folder '{target.parent}' is absent.")
    if target.exists():
        target = target.resolve()  # a link stays a link; what it names is replaced
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    # The permissions are those of any new file of this user.
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
