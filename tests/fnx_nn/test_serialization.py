"""Weight files: those that PyTorch wrote are read, ours are read back (by us and by a stand-in
for PyTorch's loader built on Python's own unpickler), damaged ones give one clear error."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from fnx_nn.serialization import (
    DeviceRecord,
    DtypeRecord,
    SerializationError,
    SizeRecord,
    StorageRecord,
    TensorRecord,
    UnsupportedContentError,
    check_file_hash,
    read_weights,
    replace_records,
    write_weights,
)
from fnx_nn.serialization.records import DTYPES

DATA = Path(__file__).parent / "data"
FILES = [DATA / "weights_zip.pth", DATA / "weights_legacy.pth"]


def written(tree) -> bytes:
    buffer = io.BytesIO()
    write_weights(tree, buffer)
    return buffer.getvalue()


def assert_has_the_contents(tree) -> None:
    """Compare with what tests/support/make_torch_weight_files.py saved."""
    base = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    expected = {
        "base": base,
        "transposed": base.T,
        "row": base[1],
        "scalar": np.int64(3),
        "empty": np.zeros((0, 3), dtype=np.float32),
        "half": np.array([1.5, -2.0], dtype=np.float16),
        "bfloat": np.array([1.5, -2.0], dtype=ml_dtypes.bfloat16),
        "flags": np.array([True, False]),
        "unsigned": np.array([1, 65535], dtype=np.uint16),
        "conjugate": np.array([1 + 2j], dtype=np.complex64),
    }
    for name, array in expected.items():
        found = tree[name].array()
        assert found.dtype == np.asarray(array).dtype, name
        np.testing.assert_array_equal(found, array, err_msg=name)
    assert tree["transposed"].storage is tree["base"].storage is tree["row"].storage
    assert tree["transposed"].stride == (1, 4)
    assert np.shares_memory(tree["row"].array(), tree["base"].array())
    assert tree["row"].is_parameter and tree["row"].requires_grad
    assert not tree["base"].is_parameter and not tree["base"].requires_grad
    assert tree["conjugate"].flags == {"conj": True}
    assert tree["size"] == SizeRecord((2, 3))
    assert tree["dtype"] == DtypeRecord("float64")
    assert tree["device"] == DeviceRecord("cpu")
    assert tree["numbers"] == [0, 255, 65535, -1, 2**70, 1.5, 1 + 2j, None, True]
    assert tree["nested"] == {"a": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), 5: {1, 2}}
    assert tree["data"] == [b"\x00\xff", bytearray(b"zz"), "grün"]
    assert tree["shared"][0] is tree["shared"][1]
    assert type(tree) is OrderedDict
    assert tree._metadata == OrderedDict(version=1)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_files_of_pytorch_are_read(path):
    assert_has_the_contents(read_weights(path))
    assert_has_the_contents(read_weights(io.BytesIO(path.read_bytes())))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_what_was_read_is_written_and_read_again(path, tmp_path):
    target = tmp_path / "again.pt"
    write_weights(read_weights(path), target)
    assert_has_the_contents(read_weights(target))
    assert [file.name for file in tmp_path.iterdir()] == ["again.pt"]
    with zipfile.ZipFile(target) as archive:
        assert archive.read("again/byteorder") == b"little"
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            with target.open("rb") as file:
                file.seek(info.header_offset + 26)
                name, extra = struct.unpack("<HH", file.read(4))
            assert (info.header_offset + 30 + name + extra) % 64 == 0, info.filename


class StandIn(pickle.Unpickler):
    """Python's unpickler with stand-ins for PyTorch's names: an independent reader."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root

    def persistent_load(self, identifier):
        kind, dtype, key, location, count = identifier
        assert (kind, location) == ("storage", "cpu")
        data = np.frombuffer(self.archive.read(f"{self.root}/data/{key}"), dtype=dtype)
        assert len(data) == count
        return data

    def find_class(self, module, name):
        if module == "torch" and name.endswith("Storage"):
            return {"FloatStorage": np.float32, "LongStorage": np.int64}[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, requires_grad, hooks: ("parameter", data, requires_grad)
        if (module, name) in (("collections", "OrderedDict"), ("_codecs", "encode")):
            return super().find_class(module, name)
        raise AssertionError(f"unexpected global {module}.{name}")

    @staticmethod
    def rebuild(data, offset, shape, stride, requires_grad, hooks):
        assert hooks == OrderedDict()
        steps = tuple(step * data.itemsize for step in stride)
        return np.lib.stride_tricks.as_strided(data[offset:], shape, steps)


def test_an_independent_unpickler_reads_what_is_written():
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    tree = OrderedDict(
        weight=TensorRecord.of(weight, is_parameter=True),
        steps=TensorRecord.of(np.int64(7)),
        raw=b"\x01\xfe",
        many=list(range(300)),
    )
    with zipfile.ZipFile(io.BytesIO(written(tree))) as archive:
        found = StandIn(archive, "archive").load()
    kind, array, requires_grad = found["weight"]
    assert (kind, requires_grad) == ("parameter", True)
    np.testing.assert_array_equal(array, weight)
    assert int(found["steps"]) == 7
    assert found["raw"] == b"\x01\xfe" and found["many"] == tree["many"]


def test_the_same_tree_gives_the_same_bytes():
    tree = {"a": TensorRecord.of(np.ones(3)), "b": [1, 2]}
    assert written(tree) == written(tree)


def test_more_objects_than_a_short_memo_index_holds():
    tree = {f"name {index}": [index, f"value {index}"] for index in range(400)}
    tree["again"] = tree["name 399"]
    found = read_weights(io.BytesIO(written(tree)))
    assert found == tree
    assert found["again"] is found["name 399"]


def old_parameter_file() -> bytes:
    """A file as PyTorch 0.1 wrote it with Python 2: parameters made by `copy_reg.__newobj__`,
    tensors of the first kind, short strings, a view of a storage."""
    values = np.arange(5, dtype="<f4")
    machine = {"little_endian": True, "protocol_version": 1001, "type_sizes": {"int": 4}}
    body = b"\x80\x02}q\x00(U\x06weightq\x01"
    body += b"ccopy_reg\n__newobj__\nq\x02ctorch.nn.parameter\nParameter\n"
    body += (
        b"ctorch._utils\n_rebuild_tensor\n((U\x07storagectorch\nFloatStorage\nU\x0212U\x03cpuK\x05"
    )
    body += b"(U\x011K\x02K\x03ttQK\x01K\x02\x85K\x01\x85tR"  # view 2:5, then offset 1, shape 2
    body += b"\x86R(\x89\x89}t\x62u."  # state: requires_grad, volatile, hooks
    parts = [pickle.dumps(v, protocol=2) for v in (0x1950A86A20F9469CFC6C, 1001, machine)]
    parts += [body, pickle.dumps(["12"], protocol=2)]
    return b"".join(parts) + struct.pack("<q", 5) + values.tobytes()


def test_files_of_the_first_versions_are_read():
    tree = read_weights(io.BytesIO(old_parameter_file()))
    record = tree["weight"]
    assert record.is_parameter and not record.requires_grad
    np.testing.assert_array_equal(record.array(), np.float32([3, 4]))


def test_records_are_replaced_once_and_in_place():
    tree = read_weights(FILES[0])
    seen = []

    def convert(record):
        seen.append(record)
        return record.array() if isinstance(record, TensorRecord) else repr(record)

    replaced = replace_records({"a": tree["base"], "b": (tree["base"], [tree["size"]])}, convert)
    assert replaced["a"] is replaced["b"][0]
    assert replaced["b"][1] == ["SizeRecord(dimensions=(2, 3))"]
    assert len(seen) == 2
    whole = replace_records(tree, convert)
    assert whole is tree and whole._metadata == OrderedDict(version=1)
    assert isinstance(whole["transposed"], np.ndarray)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_truncated_file_is_one_clear_error(path, tmp_path):
    contents = path.read_bytes()
    for size in (0, 3, 30, len(contents) // 3, len(contents) * 2 // 3, len(contents) - 1):
        damaged = tmp_path / f"cut{size}.pth"
        damaged.write_bytes(contents[:size])
        with pytest.raises(SerializationError, match=f"cannot read '.*cut{size}.pth'"):
            read_weights(damaged)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_flipped_byte_is_an_error_or_other_values_never_a_crash(path, rng):
    contents = path.read_bytes()
    for position in rng.integers(0, len(contents), size=150):
        damaged = bytearray(contents)
        damaged[position] ^= 1 << int(rng.integers(0, 8))
        try:
            read_weights(io.BytesIO(bytes(damaged)))
        except SerializationError as error:
            assert "cannot read" in str(error)


def test_a_flipped_byte_in_a_stored_tensor_is_noticed(tmp_path):
    contents = bytearray(written({"w": TensorRecord.of(np.arange(64.0))}))
    position = contents.find(np.arange(64.0).tobytes())
    contents[position + 100] ^= 1
    with pytest.raises(SerializationError, match="damaged.*CRC"):
        read_weights(io.BytesIO(bytes(contents)))


class Malicious:
    def __reduce__(self):
        return os.system, ("exit 1",)


def zip_with(pickle_bytes: bytes) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle_bytes)
    return io.BytesIO(buffer.getvalue())


def test_nothing_that_a_file_names_is_called():
    for protocol in (2, 4):
        dangerous = zip_with(pickle.dumps({"a": Malicious()}, protocol=protocol))
        with pytest.raises(UnsupportedContentError, match=r"global '(posix|nt)\.system'"):
            read_weights(dangerous)
    assert issubclass(UnsupportedContentError, pickle.UnpicklingError)
    legacy = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(Malicious(), 2)
    with pytest.raises(UnsupportedContentError, match="state_dict"):
        read_weights(io.BytesIO(legacy))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"\x80\x02ctorch.nn.modules.linear\nLinear\n.", "torch.nn.modules.linear.Linear"),
        (b"\x80\x02I1\n\x82\x05.", "opcode EXT1"),
        (b"\x80\x02K\x01K\x01.", "not one object"),
        (b"\x80\x02h\x05.", "damaged"),
        (b"\x80\x02R.", "damaged"),
        (b"\x80\x02K\x01)R.", "no function"),
        (b"\x80\x02K\x01K\x02a.", "no list"),
        (b"\x80\x02c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R.", "no bytes"),
        (b"\x80\x02X\x05\x00\x00\x00otherQ.", "names no storage"),
        (b"\x80\x02", "damaged"),
    ],
)
def test_pickles_that_are_refused(code, words):
    with pytest.raises(SerializationError, match=words):
        read_weights(zip_with(code))


def storage_pickle(count: int, shape: int, key: str = "0") -> bytes:
    name = struct.pack("<I", len(key)) + key.encode()
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
        b"FloatStorage\nX" + name + b"X\x03\x00\x00\x00cpu" + b"J" + struct.pack("<i", count)
        + b"tQK\x00J" + struct.pack("<i", shape) + b"\x85K\x01\x85\x89}tR."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "shape", "key", "words"),
    [
        (2, 3, "0", "outside of its storage"),
        (2, -1, "0", "outside of its storage"),
        (-2, 1, "0", "announces -2"),
        (3, 2, "0", "8 bytes where 12"),
        (2, 2, "7", "no member 'archive/data/7'"),
    ],
)
def test_tensors_that_do_not_fit_their_storage(count, shape, key, words):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", storage_pickle(count, shape, key))
        archive.writestr("archive/data/0", np.float32([1, 2]).tobytes())
    with pytest.raises(SerializationError, match=words):
        read_weights(io.BytesIO(buffer.getvalue()))


def test_the_other_byte_order_is_swapped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", storage_pickle(2, 2))
        archive.writestr("archive/byteorder", "big")
        archive.writestr("archive/data/0", np.array([1, 2], dtype=">f4").tobytes())
    record = read_weights(io.BytesIO(buffer.getvalue()))
    np.testing.assert_array_equal(record.array(), np.float32([1, 2]))


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "empty"),
        (b"hello, world", "no weight file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "no weight file"),
        (bytes(257) + b"ustar" + bytes(250), "tar archive"),
        (pickle.dumps(2**70, protocol=2), "none that torch.save wrote"),
    ],
)
def test_other_files_are_refused(contents, words, tmp_path):
    path = tmp_path / "other.pth"
    path.write_bytes(contents)
    with pytest.raises(SerializationError, match=words):
        read_weights(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(IsADirectoryError, match="folder"):
        read_weights(tmp_path)
    with pytest.raises(FileNotFoundError, match="absent"):
        write_weights({}, tmp_path / "no folder" / "w.pt")
    with pytest.raises(IsADirectoryError, match="folder"):
        write_weights({}, tmp_path)


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    target = tmp_path / "w.pt"
    write_weights({"a": 1}, target)
    with pytest.raises(TypeError, match=r"the object\['model'\]\[1\].*state_dict"):
        write_weights({"model": [1, object()]}, target)
    with pytest.raises(TypeError, match="float64 is no plain float"):
        write_weights([np.float64(1.0)], target)
    assert read_weights(target) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    target = tmp_path / "w.pt"

    def fail(*arguments, **options):
        raise OSError("no space left")

    monkeypatch.setattr(zipfile.ZipFile, "open", fail)
    with pytest.raises(OSError, match="no space left"):
        write_weights({"a": TensorRecord.of(np.ones(3))}, target)
    assert list(tmp_path.iterdir()) == []


def test_the_hash_in_a_file_name(tmp_path):
    contents = b"weights"
    digest = hashlib.sha256(contents).hexdigest()[:8]
    right = tmp_path / f"vgg19-{digest}.pth"
    wrong = tmp_path / "vgg19-dcbb9e9d.pth"
    plain = tmp_path / "vgg19.pth"
    for path in (right, wrong, plain):
        path.write_bytes(contents)
    assert check_file_hash(right) is True
    assert check_file_hash(plain) is False
    with pytest.raises(SerializationError, match=f"dcbb9e9d.*{digest}"):
        check_file_hash(wrong)
    with pytest.raises(FileNotFoundError, match="no such file"):
        check_file_hash(tmp_path / "vgg19-00000000.pth")


def test_untyped_storages_hold_several_dtypes():
    storage = StorageRecord(np.arange(8, dtype=np.uint8), None)
    tree = [
        TensorRecord(storage, "uint16", (4,), (1,)),
        TensorRecord(storage, "uint32", (1,), (1,), 1),
    ]
    found = read_weights(io.BytesIO(written(tree)))
    assert found[0].storage is found[1].storage
    np.testing.assert_array_equal(found[0].array(), storage.data.view(np.uint16))
    np.testing.assert_array_equal(found[1].array(), storage.data.view(np.uint32)[1:])


def test_every_dtype_is_written_and_read():
    for name, dtype in DTYPES.items():
        values = np.ones((2, 3)).astype(dtype)
        found = read_weights(io.BytesIO(written([TensorRecord.of(values)])))[0]
        assert found.dtype == name and found.array().dtype == dtype
        assert found.array().tobytes() == values.tobytes()
