"""Weight files: PyTorch's `.pt` and `.pth` formats, read without unpickling and written safely.

In: a path or a binary file. Out: nested containers whose leaves are records (inert descriptions
of tensors and storages), and back. Turning records into tensors is the facade's part, by
`replace_records`.

Read next: `records`, `read_weights`, `write_weights`.
"""

from fnx_nn.serialization.file_hash import check_file_hash, hash_in_name
from fnx_nn.serialization.read_weights import read_weights
from fnx_nn.serialization.records import (
    DeviceRecord,
    DtypeRecord,
    SerializationError,
    SizeRecord,
    StorageRecord,
    TensorRecord,
    UnsupportedContentError,
    replace_records,
)
from fnx_nn.serialization.write_weights import write_weights

__all__ = [
    "DeviceRecord",
    "DtypeRecord",
    "SerializationError",
    "SizeRecord",
    "StorageRecord",
    "TensorRecord",
    "UnsupportedContentError",
    "check_file_hash",
    "hash_in_name",
    "read_weights",
    "replace_records",
    "write_weights",
]
