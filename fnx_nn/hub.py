"""Weight files by their address: found in a folder of this user, downloaded if they are not there.

In: an address, or a file's name. Out: a path, or the state dict that the file holds. The folder is
PyTorch's, so that a file which PyTorch has fetched is not fetched again. A download takes its place
when it is complete and has the hash that its name announces, or not at all.

Read next: `fnx_nn.serialization`, `fnx_nn.vision.models.weights`.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tqdm import tqdm

from fnx_nn.atomic_files import open_atomically
from fnx_nn.serialization import SerializationError, check_file_hash, hash_in_name
from fnx_nn.tensor.saving import load

__all__ = ["checkpoint_path", "download_url_to_file", "get_dir", "load_state_dict_from_url"]

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without an answer
# What a connection raises when it cannot be made, or ends; a full disk is not among them.
_BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


def get_dir() -> str:
    """Return the folder of what is downloaded: `hub` in PyTorch's cache folder.

    That folder is `$TORCH_HOME`, or else `$XDG_CACHE_HOME/torch`, or else `~/.cache/torch`.

    Examples
    --------
    >>> os.path.basename(get_dir())
    'hub'
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")
    return os.path.join(os.path.expanduser(home), "hub")


def checkpoint_path(
    url: str, model_dir: str | os.PathLike[str] | None = None, file_name: str | None = None
) -> Path:
    """Return where the file of an address belongs, whether or not it is there.

    Parameters
    ----------
    url : str
        The address, or just a file's name.
    model_dir : path, optional
        The folder; `checkpoints` in `get_dir()` by default.
    file_name : str, optional
        Another name than the address ends with.

    Examples
    --------
    >>> checkpoint_path("https://example.org/models/net-0123abcd.pth", "weights").name
    'net-0123abcd.pth'
    """
    folder = Path(get_dir()) / "checkpoints" if model_dir is None else Path(model_dir)
    return folder / (file_name or Path(urlparse(url).path).name)


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> dict[str, Any]:
    """Return the state dict at an address, downloaded unless its file is there.

    Parameters
    ----------
    url : str
        The address of a `.pth` file.
    model_dir : path, optional
        The folder of the file; `checkpoints` in `get_dir()` by default.
    map_location : optional
        As for `load`.
    progress : bool
        Whether a download shows a progress bar.
    check_hash : bool
        Whether the file, new or old, must have the hash in its name.
    file_name : str, optional
        Another name for the file.
    weights_only : bool
        As for `load`: must be True.

    Raises
    ------
    ConnectionError
        If the file is not there and cannot be downloaded; the message says where to put it.
    SerializationError
        If the file is damaged, or not the one that its name announces.
    """
    path = checkpoint_path(url, model_dir, file_name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(url, path, hash_in_name(path) if check_hash else None, progress)
    elif check_hash:
        check_file_hash(path)
    return load(path, map_location, weights_only=weights_only)


def download_url_to_file(
    url: str,
    dst: str | os.PathLike[str],
    hash_prefix: str | None = None,
    progress: bool = True,
) -> None:
    """Download a file, completely or not at all.

    Parameters
    ----------
    url : str
        The address.
    dst : path
        The file to write.
    hash_prefix : str, optional
        How the SHA-256 of the contents must begin.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    ConnectionError
        If the address cannot be read to its end.
    SerializationError
        If the contents have another hash.
    """
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "fnx_nn.hub"})
    with open_atomically(dst) as file:
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as source:
                length = source.headers.get("Content-Length")
                expected = None if length is None else int(length)
                with tqdm(
                    total=expected, unit="B", unit_scale=True, disable=not progress, desc="download"
                ) as bar:
                    while block := source.read(_BLOCK):
                        file.write(block)
                        digest.update(block)
                        bar.update(len(block))
                received = file.tell()
        except _BROKEN as error:
            raise _unreachable(url, dst, str(getattr(error, "reason", error))) from error
        if expected is not None and received != expected:
            raise _unreachable(url, dst, f"it ended after {received} of {expected} bytes")
        found = digest.hexdigest()
        if hash_prefix and not found.startswith(hash_prefix):
            raise SerializationError(
                f"cannot use '{url}': its SHA-256 should begin with {hash_prefix}, and begins with "
                f"{found[: len(hash_prefix)]}; the download is damaged, or it is another file."
            )


def _unreachable(url: str, dst: str | os.PathLike[str], reason: str) -> ConnectionError:
    return ConnectionError(
        f"cannot download '{url}': {reason}. Without a connection, fetch the file elsewhere and "
        f"put it at '{os.fspath(dst)}'."
    )
