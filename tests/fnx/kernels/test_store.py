"""The persistent store: entries survive, bad ones do not, and its size is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from fnx.kernels import store
from fnx.kernels.store import Store


def test_an_entry_is_there_for_the_next_store(tmp_path: Path) -> None:
    Store(tmp_path / "a").put("key", b"payload")
    again = Store(tmp_path / "a")
    assert again.get("key") == b"payload"
    assert again.get("other") is None
    assert (again.stats().hits, again.stats().misses) == (1, 1)


def test_an_empty_payload_and_a_new_one_under_the_same_key(tmp_path: Path) -> None:
    made = Store(tmp_path)
    made.put("key", b"")
    assert made.get("key") == b""
    made.put("key", b"new")
    assert made.get("key") == b"new"
    assert made.stats().entries == 1


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_a_bad_entry_is_deleted(tmp_path: Path, damage: str) -> None:
    made = Store(tmp_path)
    made.put("key", b"payload" * 100)
    (path,) = tmp_path.glob("*/*.entry")
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        content = content[:-1]
    elif damage == "flip":
        content[-5] ^= 1
    elif damage == "empty":
        content = bytearray()
    else:
        made.put("another", b"payload")
        other = next(p for p in tmp_path.glob("*/*.entry") if p != path)
        content = bytearray(other.read_bytes())
    path.write_bytes(bytes(content))
    assert made.get("key") is None
    assert not path.exists()
    assert made.stats().rejected == 1


def test_the_least_recently_used_entries_go_first(tmp_path: Path) -> None:
    made = Store(tmp_path, limit=10_000)
    for number in range(8):
        made.put(str(number), bytes(1000))
        path = made._path(str(number))
        os.utime(path, (number, number))
    assert made.get("0") is not None  # used just now
    for number in range(8, 11):
        made.put(str(number), bytes(1000))
    assert made.stats().size <= 10_000
    assert made.get("0") is not None
    assert made.get("1") is None
    assert made.stats().evicted > 0


def test_the_directory_is_the_user_s_alone(tmp_path: Path) -> None:
    made = Store(tmp_path / "deep" / "store")
    made.put("key", b"payload")
    for path in (made.directory, made._path("key").parent):
        assert path.stat().st_mode & 0o777 == 0o700
    assert made._path("key").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(PermissionError, match="set FNX_CACHE_DIR"):
        Store(shared)


def test_a_directory_that_cannot_be_made_is_said_once_and_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(RuntimeWarning, match="not kept between processes"):
        made = Store(tmp_path / "file" / "store")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.put("key", b"payload")
        assert made.get("key") is None


def test_clear_and_the_functions_of_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FNX_CACHE_DIR", str(tmp_path / "named"))
    store.put("key", b"payload")
    assert store.get("key") == b"payload"
    assert store.stats().directory == str(tmp_path / "named")
    assert store.stats().entries == 1
    store.clear()
    assert store.stats().entries == 0


def test_threads_that_write_the_same_keys_read_whole_entries(tmp_path: Path) -> None:
    made, seen = Store(tmp_path), []

    def work(number: int) -> None:
        for key in range(20):
            made.put(str(key), str(key).encode() * 1000)
            seen.append(made.get(str(key)) in (None, str(key).encode() * 1000))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(seen) == 80
    assert all(seen)
    assert made.stats().rejected == 0
    assert not list(tmp_path.glob("*/*.tmp"))


def test_two_processes_share_a_store(tmp_path: Path) -> None:
    program = (
        "from fnx.kernels.store import Store\n"
        f"s = Store({str(tmp_path)!r})\n"
        "for k in range(50):\n"
        "    s.put(str(k), b'x' * 5000)\n"
        "    assert s.get(str(k)) == b'x' * 5000\n"
        "assert s.stats().rejected == 0\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert Store(tmp_path).stats().entries == 50
