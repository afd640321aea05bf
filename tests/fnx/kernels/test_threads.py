"""The pool: every unit done once, whoever asks, with any number of threads, after forks."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from fnx.kernels import native, threads
from fnx.kernels.runtime import runtime
from fnx.kernels.threads import Pool

TICK = """
define void @tick(ptr %words, i64 %begin, i64 %end) {
entry:
  %counts = load ptr, ptr %words
  %at = getelementptr i64, ptr %words, i64 1
  %chunks = load ptr, ptr %at
  %c = atomicrmw add ptr %chunks, i64 1 seq_cst
  br label %loop
loop:
  %i = phi i64 [%begin, %entry], [%next, %loop]
  %place = getelementptr i64, ptr %counts, i64 %i
  %old = load i64, ptr %place
  %new = add i64 %old, 1
  store i64 %new, ptr %place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}"""


@pytest.fixture(scope="module")
def tick() -> Iterator[int]:
    module = native.load_ir("test tick", lambda: TICK, ["tick"])
    yield module.address("tick")
    assert module.symbols == ("tick",)  # it lived until now


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    before = threads.threads()
    yield
    threads.set_threads(before)


class Job:
    """Counters that a kernel ticks, and its words."""

    def __init__(self, size: int) -> None:
        self.counts, self.chunks = np.zeros(size, np.int64), np.zeros(1, np.int64)
        self.words = np.array([self.counts.ctypes.data, self.chunks.ctypes.data])


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("size, chunk", [(1, 1), (1000, 7), (1000, 1000), (5, 100), (64, 1)])
def test_every_unit_is_done_once_in_the_same_chunks(
    tick: int, count: int, size: int, chunk: int
) -> None:
    threads.set_threads(count)
    job = Job(size)
    for _ in range(20):
        threads.parallel_for(tick, job.words.ctypes.data, size, chunk)
    assert (job.counts == 20).all()
    assert job.chunks[0] == 20 * -(-size // chunk)


def test_nothing_to_do(tick: int) -> None:
    job = Job(1)
    threads.parallel_for(tick, job.words.ctypes.data, 0, 1)
    assert job.chunks[0] == 0


def test_several_python_threads_share_the_pool(tick: int) -> None:
    threads.set_threads(3)
    jobs = [Job(5000) for _ in range(4)]

    def work(job: Job) -> None:
        for _ in range(50):
            threads.parallel_for(tick, job.words.ctypes.data, 5000, 100)

    callers = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all((job.counts == 50).all() for job in jobs)


def test_a_fork_in_between(tick: int) -> None:
    threads.set_threads(2)
    job = Job(1000)
    threads.parallel_for(tick, job.words.ctypes.data, 1000, 10)
    program_id = os.fork()
    threads.parallel_for(tick, job.words.ctypes.data, 1000, 10)
    done = bool((job.counts == 2).all())
    if program_id == 0:
        os._exit(0 if done else 1)
    _, status = os.waitpid(program_id, 0)
    assert done
    assert status == 0


@pytest.mark.parametrize("futex", [True, False])
def test_both_ways_to_sleep(tick: int, futex: bool) -> None:
    if futex and not runtime().futex:
        pytest.skip("this system has no futex")
    pool = Pool(runtime(futex), 3)
    try:
        job = Job(300)
        for round_ in range(1, 6):
            pool.parallel_for(tick, job.words.ctypes.data, 300, 3)
            assert (job.counts == round_).all()
            threading.Event().wait(0.01)  # long enough for the workers to fall asleep
    finally:
        pool.close()
    pool.parallel_for(tick, job.words.ctypes.data, 300, 3)  # closed: the caller alone
    assert (job.counts == 6).all()


def test_scratch_memory_is_exclusive_and_kept() -> None:
    word = ctypes.c_int64
    loaded = runtime()
    acquire = ctypes.CFUNCTYPE(word, word, word)(loaded.address("scratch_acquire"))
    release = ctypes.CFUNCTYPE(word, word, word)(loaded.address("scratch_release"))
    first, second = acquire(loaded.block, 100), acquire(loaded.block, 1_000_000)
    assert first % 64 == second % 64 == 0
    ctypes.memset(second, 1, 1_000_000)
    assert not first <= second < first + 100
    release(loaded.block, first)
    assert acquire(loaded.block, 50) == first
    release(loaded.block, first)
    release(loaded.block, second)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        threads.set_threads(0)
    with pytest.raises(ValueError, match="chunk is 0"):
        threads.parallel_for(0, 0, 10, 0)


def test_a_process_ends_quietly_with_sleeping_and_busy_workers() -> None:
    program = (
        "import numpy as np\n"
        "from fnx.kernels.registry import run\n"
        "from fnx.kernels.threads import set_threads, threads\n"
        "assert threads() == 3\n"
        "x = np.ones((1, 300, 300))\n"
        "run('matmul', (x, x), [((1, 300, 300), x.dtype)], {})\n"
    )
    environment = {**os.environ, "FNX_NUM_THREADS": "3"}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stderr) == (0, "")
