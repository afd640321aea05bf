"""Native code: it loads, it is stored, a warm process compiles nothing, and bad code is refused."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fnx.kernels import native, store

ADD = """
define void @add(ptr %words, i64 %begin, i64 %end) {
  %value = load i64, ptr %words
  %sum = add i64 %value, NUMBER
  store i64 %sum, ptr %words
  ret void
}"""


def call(address: int, words: np.ndarray, begin: int = 0, end: int = 1) -> None:
    word = ctypes.c_int64
    ctypes.CFUNCTYPE(None, word, word, word)(address)(words.ctypes.data, begin, end)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FNX_CACHE_DIR", str(tmp_path / "store"))


def test_ir_is_compiled_once_and_then_comes_from_the_store() -> None:
    made = []

    def text() -> str:
        made.append(1)
        return ADD.replace("NUMBER", "5")

    words = np.array([1])
    for _ in range(2):
        module = native.load_ir("test add 5", text, ["add"])
        call(module.address("add"), words)
        del module  # unloaded, so that the second load comes from the store
    assert words[0] == 11
    assert made == [1]
    assert store.stats().hits == 1


def test_keys_tell_modules_apart() -> None:
    words = np.array([0])
    modules = [
        native.load_ir(f"test {n}", lambda n=n: ADD.replace("NUMBER", str(n)), ["add"])
        for n in (1, 10)
    ]
    for module in modules:
        call(module.address("add"), words)
    assert words[0] == 11
    assert modules[0].address("add") != modules[1].address("add")
    assert native.load_ir("test 1", text_that_is_not_wanted, ["add"]) is modules[0]


def text_that_is_not_wanted() -> str:
    raise AssertionError("the store has it")


def test_an_unknown_symbol_names_those_that_there_are() -> None:
    module = native.load_ir("test", lambda: ADD.replace("NUMBER", "1"), ["add"])
    with pytest.raises(KeyError, match="there are add"):
        module.address("subtract")


def test_a_corrupted_entry_is_compiled_again(tmp_path: Path) -> None:
    made = []

    def text() -> str:
        made.append(1)
        return ADD.replace("NUMBER", "1")

    words = np.array([0])
    native.load_ir("test corrupted", text, ["add"])
    (path,) = (tmp_path / "store").glob("*/*.entry")
    path.write_bytes(path.read_bytes()[:-3] + b"bad")
    module = native.load_ir("test corrupted", text, ["add"])
    call(module.address("add"), words)
    assert words[0] == 1
    assert made == [1, 1]


def _numba_entries() -> list[native.NumbaEntry]:
    from fnx.kernels.source.intrinsics import SIGNATURE, element, inner, word

    load, store_element = element("float32")

    @inner
    def doubled(value: float) -> float:
        return value * np.float32(2)

    def double(words: int, begin: int, end: int) -> None:
        for i in range(begin, end):
            store_element(word(words, 1), i, doubled(load(word(words, 0), i)))

    return [(double, SIGNATURE, "double")]


def test_numba_functions_become_one_stand_alone_object() -> None:
    x, y = np.arange(10, dtype=np.float32), np.zeros(10, np.float32)
    module = native.load_numba("test double", _numba_entries, ["double"])
    words = np.array([x.ctypes.data, y.ctypes.data])
    call(module.address("double"), words, 2, 9)
    np.testing.assert_array_equal(y[2:9], 2 * x[2:9])
    assert y[:2].sum() == y[9] == 0


def test_a_kernel_that_allocates_is_refused() -> None:
    def entries() -> list[native.NumbaEntry]:
        def bad(words: int, begin: int, end: int) -> None:
            made = [begin]
            made.append(end)

        return [(bad, "void(intp, intp, intp)", "bad")]

    with pytest.raises(Exception, match=r"NRT|outside the C\s+library"):
        native.load_numba("test bad", entries, ["bad"])


def test_a_warm_process_imports_no_numba_and_compiles_nothing(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        import numpy as np
        from fnx.kernels import native
        from fnx.kernels.registry import run

        def refuse(*args, **kwargs):
            raise AssertionError("compiled in a warm process")

        if sys.argv[1] == "warm":
            native.compile_ir = native.compile_numba = refuse
        x = np.ones((1, 40, 30), np.float32)
        out, = run("matmul", (x, x.transpose(0, 2, 1)), [((1, 40, 40), np.float32)], {})
        assert (out == 30).all()
        assert ("numba" in sys.modules) == (sys.argv[1] == "cold")
        """
    )
    environment = {**os.environ, "FNX_CACHE_DIR": str(tmp_path / "shared")}
    for state in ("cold", "warm"):
        subprocess.run([sys.executable, "-c", program, state], check=True, env=environment)


def test_a_built_in_function_around_native_code() -> None:
    text = """
    declare ptr @PyLong_FromSsize_t(i64)
    define ptr @count(ptr %self, ptr %arguments, i64 %n) {
      %made = call ptr @PyLong_FromSsize_t(i64 %n)
      ret ptr %made
    }"""
    module = native.load_ir("test count", lambda: text, ["count"])
    count = native.builtin(module.address("count"), "count")
    assert count.__name__ == "count"
    assert [count(), count(1), count("a", None, 3.5)] == [0, 1, 3]


def test_another_cpu_can_be_asked_for() -> None:
    program = (
        "from fnx.kernels import native\n"
        "from fnx.kernels.blocking import blocking\n"
        "t = native.target()\n"
        "print(t.cpu, t.vector_bits, blocking('float32').lanes, 'numba' in native.host_key())"
    )
    environment = {
        **os.environ, "FNX_CPU": "haswell", "FNX_CPU_FEATURES": "+avx,+avx2,+fma"
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, env=environment, capture_output=True, text=True
    )
    assert answer.stdout.split() == ["haswell", "256", "8", "False"]
