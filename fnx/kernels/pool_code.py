"""The native half of the thread pool: workers, jobs, scratch memory, all in one shared block.

A job is ``kernel(words, begin, end)`` over [0, n) in chunks.  Workers claim chunks with an atomic
counter, the caller works too, and it waits only for workers that are inside a chunk: one that
the system has not scheduled costs nothing.  Workers spin for some microseconds, then sleep.
A caller that finds the pool busy (another Python thread, or a kernel that is itself parallel)
runs its chunks alone; the chunks are the same, so the result is too.

Kernels that need working memory take it from the pool: `acquire` hands out a block that no
other thread uses, kept and grown between calls.  Read next: threads.py, which owns the block.
"""

from __future__ import annotations

import platform
import sys

from fnx.kernels.assembler import Function, Operand, Program, Value

__all__ = ["BLOCK_WORDS", "define_pool", "waits_with_futex"]

# Words of the shared block; what one core writes often has a cache line (8 words) of its own.
OPEN, SEQUENCE, NEXT, ACTIVE, SLEEPING, STOP, BUSY = (8 * k for k in range(7))
KERNEL, WORDS, COUNT, CHUNK, WORKERS, WANTED = (56 + k for k in range(6))
ACQUIRE, RELEASE, RUN = 64, 65, 66  # addresses of functions that kernels call
MUTEX, CONDITION = 72, 88  # room for the C library's types where there is no futex
SCRATCH = 128
SCRATCH_SLOTS, SLOT_WORDS = 128, 8
SLOT_USED, SLOT_ADDRESS, SLOT_SIZE = 0, 1, 2
BLOCK_WORDS = SCRATCH + SCRATCH_SLOTS * SLOT_WORDS

_SPINS_BEFORE_SLEEP = 2000  # about 30 microseconds
_SPINS_BEFORE_YIELD = 4000
_SCRATCH_HEADER = 64  # bytes before a scratch block, where it notes its slot
_FUTEX_NUMBERS = {"x86_64": 202, "aarch64": 98}
_FUTEX_WAIT, _FUTEX_WAKE = 128, 129  # with the flag for futexes of one process


def waits_with_futex() -> bool:
    """Whether this system has the futex call that the workers sleep in."""
    return sys.platform == "linux" and platform.machine() in _FUTEX_NUMBERS


def define_pool(program: Program, futex: bool) -> None:
    """Add ``pool_run``, ``pool_worker``, ``pool_stop`` and the two of scratch memory."""
    program.declare("sched_yield", "i32 ()")
    program.declare("aligned_alloc", "ptr (i64, i64)")
    program.declare("free", "void (ptr)")
    program.declare("abort", "void ()")
    _define_pause(program)
    if futex:
        _define_futex_sleep(program)
    else:
        _define_condition_sleep(program)
    _define_claims(program)
    _define_worker(program)
    _define_stop(program)
    _define_run(program)
    _define_acquire(program)
    _define_release(program)


def _define_pause(program: Program) -> None:
    instruction = {
        "x86_64": ("llvm.x86.sse2.pause", "void ()", "void @llvm.x86.sse2.pause()"),
        "aarch64": ("llvm.aarch64.hint", "void (i32)", "void @llvm.aarch64.hint(i32 1)"),
    }.get(platform.machine())
    body = program.function("pause")
    if instruction is not None:
        program.declare(instruction[0], instruction[1])
        body.call_external(instruction[2])
    body.return_()


def _define_futex_sleep(program: Program) -> None:
    program.declare("syscall", "i64 (i64, ...)")
    number = _FUTEX_NUMBERS[platform.machine()]
    words = ", ".join(["i64 {}"] * 3 + ["i64 0"] * 3)
    call = f"i64 (i64, ...) @syscall(i64 {number}, {words})"

    sleep = program.function("sleep", "pool", "seen")  # until the sequence number moves on
    address = sleep.argument("pool") + 8 * SEQUENCE
    sleep.call_external(call, address, _FUTEX_WAIT, sleep.argument("seen"))
    sleep.return_()

    wake = program.function("wake", "pool", "count")
    address = wake.argument("pool") + 8 * SEQUENCE
    wake.call_external(call, address, _FUTEX_WAKE, wake.argument("count"))
    wake.return_()


def _define_condition_sleep(program: Program) -> None:
    for name in ("pthread_mutex_lock", "pthread_mutex_unlock", "pthread_cond_broadcast"):
        program.declare(name, "i32 (ptr)")
    program.declare("pthread_cond_wait", "i32 (ptr, ptr)")

    sleep = program.function("sleep", "pool", "seen")
    pool = sleep.argument("pool")
    mutex, condition = pool + 8 * MUTEX, pool + 8 * CONDITION
    sleep.call_external("i32 @pthread_mutex_lock(ptr {})", mutex)
    with sleep.loop():
        sleep.leave_if(sleep.atomic_load(pool, SEQUENCE).differs(sleep.argument("seen")))
        sleep.call_external("i32 @pthread_cond_wait(ptr {}, ptr {})", condition, mutex)
    sleep.call_external("i32 @pthread_mutex_unlock(ptr {})", mutex)
    sleep.return_()

    wake = program.function("wake", "pool", "count")
    pool = wake.argument("pool")
    # The lock: a worker is either before its look at the sequence number, or waiting.
    wake.call_external("i32 @pthread_mutex_lock(ptr {})", pool + 8 * MUTEX)
    wake.call_external("i32 @pthread_cond_broadcast(ptr {})", pool + 8 * CONDITION)
    wake.call_external("i32 @pthread_mutex_unlock(ptr {})", pool + 8 * MUTEX)
    wake.return_()


def _define_claims(program: Program) -> None:
    """Work on the open job until no chunk is left."""
    body = program.function("work_on_job", "pool")
    pool = body.argument("pool")
    kernel, words = body.load(pool, KERNEL), body.load(pool, WORDS)
    count, chunk = body.load(pool, COUNT), body.load(pool, CHUNK)
    with body.loop():
        begin = body.atomic_add(1, pool, NEXT) * chunk
        body.leave_if(begin >= count)
        body.call_kernel(kernel, words, begin, body.smaller(count, begin + chunk))
    body.return_()


def _define_worker(program: Program) -> None:
    body = program.function("pool_worker", "pool")
    pool = body.argument("pool")
    seen, spins = body.variable(0), body.variable(0)
    with body.loop():
        body.leave_if(body.atomic_load(pool, STOP).differs(0))
        spins.set(0)
        with body.loop():
            body.leave_if(body.atomic_load(pool, SEQUENCE).differs(seen))
            body.leave_if(spins.value >= _SPINS_BEFORE_SLEEP)
            body.call("pause")
            spins.set(spins.value + 1)
        with body.if_(body.atomic_load(pool, SEQUENCE).equals(seen)):
            body.atomic_add(1, pool, SLEEPING)
            body.call("sleep", pool, seen)
            body.atomic_add(-1, pool, SLEEPING)
        with body.if_(body.atomic_load(pool, SEQUENCE).differs(seen)):
            seen.set(body.atomic_load(pool, SEQUENCE))
            # First say that we are inside, then look whether the job is open: the caller
            # closes it first and then looks whether somebody is inside.
            body.atomic_add(1, pool, ACTIVE)
            with body.if_(body.atomic_load(pool, OPEN).equals(1)):
                body.call("work_on_job", pool)
            body.atomic_add(-1, pool, ACTIVE)
    body.return_()


def _define_stop(program: Program) -> None:
    """Tell the workers to end.  The sequence number moves, so that none goes to sleep again."""
    body = program.function("pool_stop", "pool")
    pool = body.argument("pool")
    body.store(0, pool, WORKERS)
    body.atomic_store(1, pool, STOP)
    body.atomic_add(1, pool, SEQUENCE)
    body.call("wake", pool, 1 << 20)
    body.return_()


def _define_run(program: Program) -> None:
    alone = program.function("run_alone", "kernel", "words", "count", "chunk")
    begin, count = alone.variable(0), alone.argument("count")
    with alone.loop():
        alone.leave_if(begin.value >= count)
        end = alone.smaller(count, begin.value + alone.argument("chunk"))
        alone.call_kernel(alone.argument("kernel"), alone.argument("words"), begin, end)
        begin.set(end)
    alone.return_()

    body = program.function("pool_run", "pool", "kernel", "words", "count", "chunk")
    pool, count, chunk = body.argument("pool"), body.argument("count"), body.argument("chunk")
    job = (body.argument("kernel"), body.argument("words"), count, chunk)
    with body.if_(chunk >= count):
        with body.if_(count > 0):
            body.call_kernel(job[0], job[1], 0, count)
        body.return_()
    with body.if_(body.load(pool, WORKERS).equals(0)):
        body.call("run_alone", *job)
        body.return_()
    taken = body.variable(0)
    with body.if_(body.exchange_if(0, 1, pool, BUSY)):
        taken.set(1)
    with body.if_(taken.value.equals(0)):
        body.call("run_alone", *job)
        body.return_()
    for place, value in zip((KERNEL, WORDS, COUNT, CHUNK), job, strict=True):
        body.store(value, pool, place)
    body.atomic_store(0, pool, NEXT)
    body.atomic_store(1, pool, OPEN)
    body.atomic_add(1, pool, SEQUENCE)
    with body.if_(body.atomic_load(pool, SLEEPING) > 0):
        body.call("wake", pool, body.load(pool, WORKERS))
    body.call("work_on_job", pool)
    body.atomic_store(0, pool, OPEN)
    _wait_until_zero(body, pool, ACTIVE)
    body.atomic_store(0, pool, BUSY)
    body.return_()


def _wait_until_zero(body: Function, pool: Operand, place: int) -> None:
    spins = body.variable(0)
    with body.loop():
        body.leave_if(body.atomic_load(pool, place).equals(0))
        body.call("pause")
        spins.set(spins.value + 1)
        with body.if_(spins.value > _SPINS_BEFORE_YIELD):
            body.call_external("i32 @sched_yield()")


def _define_acquire(program: Program) -> None:
    body = program.function("scratch_acquire", "pool", "size")
    size = body.argument("size")
    slot, tried = body.variable(0), body.variable(0)
    with body.loop():
        slot.set(body.argument("pool") + 8 * SCRATCH)
        tried.set(0)
        with body.loop():
            body.leave_if(tried.value >= SCRATCH_SLOTS)
            with body.if_(body.exchange_if(0, 1, slot, SLOT_USED)):
                with body.if_(body.load(slot, SLOT_SIZE) < size):
                    _allocate(body, slot.value, size)
                body.return_(body.load(slot, SLOT_ADDRESS) + _SCRATCH_HEADER)
            slot.set(slot.value + 8 * SLOT_WORDS)
            tried.set(tried.value + 1)
        body.call_external("i32 @sched_yield()")  # more threads than slots: wait for one
    body.return_()


def _allocate(body: Function, slot: Value, size: Value) -> None:
    page = 4096
    body.call_external("void @free(ptr {})", body.load(slot, SLOT_ADDRESS))
    rounded = body.emit("and", size + (_SCRATCH_HEADER + page - 1), -page)
    address = body.call_external("ptr @aligned_alloc(i64 {}, i64 {})", 64, rounded)
    with body.if_(address.equals(0)):
        body.call_external("void @abort()")
    body.store(slot, address)
    body.store(address, slot, SLOT_ADDRESS)
    body.store(rounded - _SCRATCH_HEADER, slot, SLOT_SIZE)


def _define_release(program: Program) -> None:
    body = program.function("scratch_release", "pool", "address")
    body.atomic_store(0, body.load(body.argument("address") - _SCRATCH_HEADER), SLOT_USED)
    body.return_()
