"""Remembered bodies: staged once for the same function and types, anew where anything changed."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.control import bodies
from fnx.control.bodies import what_it_reads

FACTOR = 2.0
TABLE = {"w": 2.0}


def scaled(x: Any) -> Any:
    return x * FACTOR


def helper(x: Any) -> Any:
    return scaled(x) + 1


def from_table(x: Any) -> Any:
    return x * TABLE["w"]


def twice(body: Any, x: float = 1.0) -> float:
    return float(lax.fori_loop(0, 2, lambda k, c: body(c), x))


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    bodies.clear()


def test_a_body_is_staged_once() -> None:
    def run(x: Any, factor: float) -> float:
        step = lambda c, y: (c * factor + y, jnp.sin(c))  # noqa: E731
        return float(lax.scan(step, x, jnp.arange(4.0))[0])

    counts = []
    for factor, x in ((0.5, 1.0), (0.5, 2.0), (0.25, 1.0), (0.25, np.float64(1))):
        wanted = x
        for y in range(4):
            wanted = wanted * factor + y
        assert run(x, factor) == pytest.approx(wanted)
        counts.append(len(bodies._remembered))
    assert counts[0] == counts[1] < counts[2] < counts[3]  # another number, other types


def test_a_global_that_is_set_again_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice(scaled) == 4 and twice(helper) == 7
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert twice(scaled) == 9 and twice(helper) == 13
    monkeypatch.setitem(globals(), "scaled", lambda x: x * 5)
    assert twice(helper) == 31


def test_what_may_change_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice(from_table) == 4
    monkeypatch.setitem(TABLE, "w", 3.0)
    assert twice(from_table) == 9
    table, holder, data = {"w": 2.0}, type("Holder", (), {"w": 2.0})(), np.array([2.0])
    for body in (lambda x: x * table["w"], lambda x: x * holder.w, lambda x: (x * data)[0]):
        assert twice(body) == 4
    table["w"] = holder.w = data[0] = 3.0
    for body in (lambda x: x * table["w"], lambda x: x * holder.w, lambda x: (x * data)[0]):
        assert twice(body) == 9


def test_numbers_that_are_equal_are_not_the_same() -> None:
    for value, wanted in ((0.0, math.inf), (-0.0, -math.inf), (1, 1.0), (1.0, 1.0), (True, 1.0)):
        found = lax.cond(True, lambda x, v=value: x / v, lambda x: x, 1.0)
        assert float(found) == wanted
    kinds = [lax.cond(True, lambda x, v=v: x + v, lambda x, v=v: x - v, 1).dtype for v in (1, 1.0)]
    assert kinds == [np.int32, np.float32]


def test_a_counter_counts_every_call() -> None:
    calls = 0

    def body(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x + 1

    for _ in range(3):
        lax.fori_loop(0, 2, lambda k, c: body(c), np.int32(0))
    assert calls == 3


def test_captured_arrays_and_tracers() -> None:
    for k in range(3):
        w = jnp.full(3, float(k))
        found = lax.scan(lambda c, x, w=w: (c + jnp.sum(w) * x, None), 0.0, jnp.ones(2))[0]
        assert float(found) == 6 * k
    slope = fnx.grad(lambda w: lax.fori_loop(0, 3, lambda k, c: c * w, 1.0))
    for w in (1.0, 2.0, 3.0):
        assert float(slope(w)) == 3 * w * w
    lanes = fnx.vmap(lambda w: lax.fori_loop(0, 3, lambda k, c: c * w, 1.0))
    np.testing.assert_array_equal(lanes(jnp.arange(3.0)), [0, 1, 8])


def test_settings_are_part_of_the_key() -> None:
    def make() -> Any:
        return lax.fori_loop(0, 2, lambda k, c: c + jnp.zeros(()), jnp.zeros(()))

    kinds = []
    for wide in (False, True, False):
        with fnx.enable_x64(wide):
            kinds.append(make().dtype)
    assert kinds == [np.float32, np.float64, np.float32]


def importing(x: Any) -> Any:
    import math as other

    return x * other.pi


def changing(x: Any) -> Any:
    return x + np.random.default_rng().random()


def storing(x: Any) -> Any:
    global FACTOR
    FACTOR = 2.0
    return x


class Layer:
    def __init__(self) -> None:
        self.w = 2.0

    def __call__(self, x: Any) -> Any:
        return self.w * x

    def forward(self, x: Any) -> Any:
        return self.w * x


LAYER = Layer()


@functools.wraps(scaled)
def marked(x: Any) -> Any:
    return scaled(x)


marked.setting = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "function",
    [
        importing,
        changing,
        storing,
        from_table,
        LAYER,
        LAYER.forward,
        marked,
        lambda x: LAYER(x),
        lambda x: eval("x"),
        lambda x: x * jnp.ones(10**6) if x is LAYER else x,
        functools.partial(jnp.add, np.ones(3)),
        fnx.jit(scaled),
    ],
)
def test_what_cannot_be_told(function: Any) -> None:
    assert what_it_reads(function) is None


def recursive(x: Any, n: int = 3) -> Any:
    return x if n == 0 else recursive(x * 2, n - 1)


@pytest.mark.parametrize(
    "function",
    [
        scaled,
        helper,
        recursive,
        lambda x: np.sin(x) * math.pi,
        lambda x: sum(helper(v) for v in (x, x)),
        lambda x: lax.cond(x > 0, lambda: scaled(x), lambda: x),
        functools.partial(helper),
        functools.partial(pow, 2),
        fnx.grad(scaled),
        fnx.vmap(lambda x: jnp.tanh(x)),
        jnp.sin,
    ],
)
def test_what_can_be_told(function: Any) -> None:
    assert what_it_reads(function) == what_it_reads(function) is not None


def test_memory_is_bounded_and_can_be_cleared() -> None:
    for k in range(bodies._MOST + 10):
        lax.cond(True, lambda x, k=k: x + k, lambda x: x, 1)
    assert len(bodies._remembered) == bodies._MOST
    fnx.clear_caches()
    assert not bodies._remembered
    big = jnp.ones(bodies._LARGEST)
    lax.fori_loop(0, 2, lambda k, c: c + big[0], 1.0)
    assert not bodies._remembered


def test_two_names_of_one_function_are_told_apart() -> None:
    def times(factor: float) -> Any:
        return lambda x: x * factor

    def run(first: Any, second: Any, last: Any) -> float:
        return twice(lambda x: last(x) + 0 * first(x) + 0 * second(x))

    double, triple = times(2.0), times(3.0)
    assert run(double, triple, double) == 4
    assert run(double, triple, triple) == 9


class Plain(NamedTuple):
    factor: float


class Scaled(NamedTuple):
    offset: float

    def __call__(self, x: Any) -> Any:
        return x * FACTOR + self.offset


class Marked(tuple[float, ...]):
    factor = 1.0


def test_classes_and_attributes_of_the_users_are_not_looked_into() -> None:
    plain, scaled_, marked = Plain(2.0), Scaled(0.0), Marked((1.0,))
    part = functools.partial(float, 1)
    assert what_it_reads(lambda x: x * plain.factor) is not None
    assert what_it_reads(lambda x: part()) is not None
    part.factor = 2.0  # type: ignore[attr-defined]
    assert what_it_reads(lambda x: x * part.factor) is None  # type: ignore[attr-defined]
    assert what_it_reads(lambda x: scaled_(x)) is None
    assert what_it_reads(lambda x: x * marked.factor) is None
    assert what_it_reads(lambda x: x * twice.__globals__["FACTOR"]) is None


def test_random_numbers_and_files_of_numpy_are_read_each_time(tmp_path: Any) -> None:
    alias, file = np, tmp_path / "factor.npy"
    drawn = np.random
    path = str(file)
    assert what_it_reads(lambda x: x + alias.random.normal()) is None
    assert what_it_reads(lambda x, numbers=alias: x + numbers.random.normal()) is None
    assert what_it_reads(lambda x: x + drawn.normal()) is None
    assert what_it_reads(lambda x: x + getattr(np, "random").normal()) is None  # noqa: B009
    for factor in (2.0, 3.0):
        np.save(file, np.float32(factor))
        assert twice(lambda x: x * jnp.load(path)) == factor**2
    assert what_it_reads(lambda x: x + alias.sin(1.0)) is not None
