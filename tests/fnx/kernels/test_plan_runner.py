"""Plans by hand: calls, copies, loops that walk slices, while, cond, from many threads."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from fnx.kernels import native, plan_runner, threads
from fnx.kernels.plan_runner import Plan, PlanBuilder, PlanTemplate, buffer, code, memory

# add: out[i] = in[i] + number;  less: flag = in[0] < number
CODE = """
define void @add(ptr %w, i64 %begin, i64 %end) {
entry:
  %in = load ptr, ptr %w
  %w1 = getelementptr i64, ptr %w, i64 1
  %out = load ptr, ptr %w1
  %w2 = getelementptr i64, ptr %w, i64 2
  %number = load i64, ptr %w2
  br label %loop
loop:
  %i = phi i64 [%begin, %entry], [%next, %loop]
  %from = getelementptr i64, ptr %in, i64 %i
  %x = load i64, ptr %from
  %y = add i64 %x, %number
  %to = getelementptr i64, ptr %out, i64 %i
  store i64 %y, ptr %to
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}
define void @less(ptr %w, i64 %begin, i64 %end) {
  %in = load ptr, ptr %w
  %w1 = getelementptr i64, ptr %w, i64 1
  %out = load ptr, ptr %w1
  %w2 = getelementptr i64, ptr %w, i64 2
  %number = load i64, ptr %w2
  %x = load i64, ptr %in
  %smaller = icmp slt i64 %x, %number
  %byte = zext i1 %smaller to i8
  store i8 %byte, ptr %out
  ret void
}"""


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, int]]:
    module = native.load_ir("test plan kernels", lambda: CODE, ["add", "less"])
    yield {name: module.address(name) for name in module.symbols}
    assert len(module.symbols) == 2


@pytest.fixture(params=["built-in", "by addresses"])
def entry(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways from Python into a plan."""
    if request.param == "by addresses":
        monkeypatch.setattr(plan_runner, "_enter", lambda: plan_runner._enter_by_addresses)
    return str(request.param)


def bound(builder: PlanBuilder, addresses: dict[str, int], arena: np.ndarray | None = None) -> Plan:
    """Through JSON, as plans from the store come."""
    text = json.dumps(builder.finish().to_json())
    template = PlanTemplate.from_json(json.loads(text))
    place = {} if arena is None else {"arena": arena.ctypes.data}
    return template.bind(code=addresses, memory=place, keep=(arena,))


def test_calls_and_a_copy(addresses: dict[str, int], entry: str) -> None:
    builder = PlanBuilder(2)
    builder.main.call(code("add"), builder.vector([buffer(0), buffer(1), 5]), 10, 3)
    builder.main.copy(buffer(1, 80), buffer(1), 80)
    plan = bound(builder, addresses)
    x, y = np.arange(10), np.zeros(20, np.int64)
    plan.run(x, y)
    np.testing.assert_array_equal(y, np.tile(x + 5, 2))
    plan.release_gil(False)
    plan.run(x + 1, y)
    np.testing.assert_array_equal(y, np.tile(x + 6, 2))


def test_a_scan_walks_its_slices(addresses: dict[str, int], entry: str) -> None:
    # carry = carry + x[i]'s address is walked; ys[i] = carry, from the last to the first
    arena, count = np.zeros(4, np.int64), 6
    builder = PlanBuilder(1)
    words = builder.vector([memory("arena"), memory("arena"), 3])
    body = builder.main.loop(count)
    body.call(code("add"), words, 1, 1)
    copy = body.copy(buffer(0, 8 * (count - 1)), memory("arena"), 8)
    body.add(body.operand(copy, 0), -8)
    builder.main.add(body.operand(copy, 0), 8 * count)
    plan = bound(builder, addresses, arena)
    for start in (0, 100):  # a second run finds its addresses where the first did
        arena[0] = start
        out = np.zeros(count, np.int64)
        plan.run(out)
        np.testing.assert_array_equal(out, start + 3 * np.arange(count, 0, -1))


def test_set_and_nested_loops(addresses: dict[str, int]) -> None:
    builder = PlanBuilder(1)
    words = builder.vector([buffer(0), buffer(0), 1])
    outer = builder.main.loop(3)
    outer.set(words.word(2), 10)
    inner = outer.loop(4)
    inner.call(code("add"), words, 1, 1)
    inner.add(words.word(2), 1)
    outer.loop(0).call(code("add"), words, 1, 1)
    plan = bound(builder, addresses)
    out = np.zeros(1, np.int64)
    plan.run(out)
    assert out[0] == 3 * (10 + 11 + 12 + 13)


@pytest.mark.parametrize("start, expected", [(3, 101), (100, 100), (99, 106)])
def test_while(addresses: dict[str, int], entry: str, start: int, expected: int) -> None:
    arena = np.zeros(1, np.int64)
    builder = PlanBuilder(1)
    predicate, body = builder.main.while_(memory("arena"))
    predicate.call(code("less"), builder.vector([buffer(0), memory("arena"), 100]), 1, 1)
    body.call(code("add"), builder.vector([buffer(0), buffer(0), 7]), 1, 1)
    out = np.array([start])
    bound(builder, addresses, arena).run(out)
    assert out[0] == expected


@pytest.mark.parametrize("index, branch", [(-5, 0), (0, 0), (1, 1), (2, 2), (9, 2)])
def test_cond_clamps_its_index(addresses: dict[str, int], index: int, branch: int) -> None:
    arena = np.array([index, -1], np.int32)
    builder = PlanBuilder(1)
    for number, part in enumerate(builder.main.cond(memory("arena"), 3)):
        part.call(code("add"), builder.vector([buffer(0), buffer(0), 1000 * (number + 1)]), 1, 1)
    builder.main.call(code("add"), builder.vector([buffer(0), buffer(0), 1]), 1, 1)
    out = np.zeros(1, np.int64)
    bound(builder, addresses, arena).run(out)
    assert out[0] == 1000 * (branch + 1) + 1


def test_what_is_not_an_array_is_refused(addresses: dict[str, int], entry: str) -> None:
    builder = PlanBuilder(1)
    builder.main.call(code("add"), builder.vector([buffer(0), buffer(0), 1]), 1, 1)
    plan = bound(builder, addresses)
    with pytest.raises(TypeError, match=r"takes 1 ndarrays, got \(int\)"):
        plan.run(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"got \(ndarray, ndarray\)"):
        plan.run(np.zeros(1), np.zeros(1))
    out = np.zeros(1, np.int64)
    plan.run(out)
    assert out[0] == 1


def test_threads_take_turns(addresses: dict[str, int]) -> None:
    builder = PlanBuilder(1)
    words = builder.vector([buffer(0), buffer(0), 1])
    builder.main.loop(1000).call(code("add"), words, 8, 8)
    plan = bound(builder, addresses)
    outs = [np.zeros(8, np.int64) for _ in range(4)]

    def work(out: np.ndarray) -> None:
        for _ in range(25):
            plan.run(out)

    workers = [threading.Thread(target=work, args=(out,)) for out in outs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all((out == 25_000).all() for out in outs)


def test_workers_are_there_again_after_a_fork_and_a_change(addresses: dict[str, int]) -> None:
    builder = PlanBuilder(1)
    builder.main.call(code("add"), builder.vector([buffer(0), buffer(0), 1]), 1000, 10)
    plan = bound(builder, addresses)
    before = threads.threads()
    out = np.zeros(1000, np.int64)
    try:
        threads.set_threads(2)
        plan.run(out)
        child = os.fork()
        plan.run(out)
        workers = len(threads.pool()._workers)
        if child == 0:
            os._exit(0 if (out == 2).all() and workers == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert (workers, len(threads.pool()._workers)) == (1, 1)
        threads.set_threads(3)
        plan.run(out)
        assert len(threads.pool()._workers) == 2
        assert (out == 3).all()
    finally:
        threads.set_threads(before)


def test_an_unknown_name_is_an_error(addresses: dict[str, int]) -> None:
    builder = PlanBuilder(0)
    builder.main.call(code("missing"), builder.vector([]), 1, 1)
    with pytest.raises(KeyError, match="missing"):
        builder.finish().bind(code=addresses, memory={})
