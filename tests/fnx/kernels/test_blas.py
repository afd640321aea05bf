"""The guard holds BLAS at one thread, counts, and restores."""

from __future__ import annotations

import threading

import pytest

from fnx.kernels.blas import single_threaded, thread_counts


def test_one_thread_inside_and_what_was_there_outside() -> None:
    before = thread_counts()
    with single_threaded():
        assert set(thread_counts()) <= {1}
        with single_threaded():
            assert set(thread_counts()) <= {1}
        assert set(thread_counts()) <= {1}
    assert thread_counts() == before


def test_an_error_restores_too() -> None:
    before = thread_counts()
    with pytest.raises(ZeroDivisionError), single_threaded():
        _ = 1 / 0
    assert thread_counts() == before


def test_the_last_of_several_threads_restores() -> None:
    before = thread_counts()
    inside, leave = threading.Barrier(4), threading.Event()

    def hold() -> None:
        with single_threaded():
            inside.wait()
            leave.wait()

    holders = [threading.Thread(target=hold) for _ in range(3)]
    for holder in holders:
        holder.start()
    inside.wait()
    assert set(thread_counts()) <= {1}
    leave.set()
    for holder in holders:
        holder.join()
    assert thread_counts() == before
