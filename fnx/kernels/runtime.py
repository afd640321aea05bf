"""The native runtime: the pool's and the plan runner's code, and the shared block, loaded once.

Out come addresses; threads.py and plan_runner.py give them a Python face.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

from fnx.kernels import native, plan_code, pool_code
from fnx.kernels.assembler import Program

__all__ = ["Runtime", "runtime"]

_SYMBOLS = (
    "pool_run",
    "pool_worker",
    "pool_stop",
    "scratch_acquire",
    "scratch_release",
    "plan_run",
)
_ENTRY = "plan_entry"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Loaded code, the block of memory that it works on, and functions of it.

    ``run(block, kernel, words, count, chunk)`` and ``run_plan(block, plan)`` release the GIL.
    """

    module: native.NativeModule
    memory: ctypes.Array[ctypes.c_int64]
    block: int
    futex: bool

    def address(self, symbol: str) -> int:
        """The address of a native function of the runtime."""
        return self.module.address(symbol)


@functools.cache
def runtime(futex: bool | None = None) -> Runtime:
    """The runtime of this process, or one for a test with another way to sleep."""
    if futex is None:
        return runtime(pool_code.waits_with_futex())
    modules = ("assembler", "pool_code", "plan_code", "runtime")
    source = native.source_key(*(f"fnx.kernels.{name}" for name in modules))
    module = native.load_ir(
        f"runtime futex={futex} {source}", lambda: _text(futex), (*_SYMBOLS, _ENTRY), opt=1
    )
    memory = (ctypes.c_int64 * (pool_code.BLOCK_WORDS + 8))()
    block = (ctypes.addressof(memory) + 63) // 64 * 64
    made = Runtime(module, memory, block, futex)
    words = ctypes.cast(block, ctypes.POINTER(ctypes.c_int64))
    words[pool_code.ACQUIRE] = made.address("scratch_acquire")
    words[pool_code.RELEASE] = made.address("scratch_release")
    words[pool_code.RUN] = made.address("pool_run")
    if not futex:
        process = ctypes.CDLL(None)
        process.pthread_mutex_init(ctypes.c_void_p(block + 8 * pool_code.MUTEX), None)
        process.pthread_cond_init(ctypes.c_void_p(block + 8 * pool_code.CONDITION), None)
    return made


def _text(futex: bool) -> str:
    program = Program()
    pool_code.define_pool(program, futex)
    plan_code.define_plan_runner(program)
    return program.text()
