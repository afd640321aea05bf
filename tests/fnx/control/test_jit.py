"""jit: when it traces, static arguments, what it accepts, and what it tells about itself."""

from __future__ import annotations

import functools
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.array([0.3, -1.2, 2.0])


class Counted:
    """A function that counts how often Python runs it."""

    def __init__(self, function: Any) -> None:
        self.function, self.count = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return self.function(*args, **kwargs)


def test_a_cache_is_a_cache() -> None:
    counted = Counted(lambda x: x * 2)
    f = fnx.jit(counted)
    traces = []
    for argument in (
        1.0, 2.0,  # a Python float: one trace
        1,  # a Python int
        np.float32(1), jnp.float32(3),  # not weak
        X, X + 1, jnp.asarray(X),  # another shape and dtype
        X.astype(np.float32),
        True,
        {"a": 1.0}["a"],
    ):  # fmt: skip
        f(argument)
        traces.append(counted.count)
    assert traces == [1, 1, 2, 3, 3, 4, 4, 4, 5, 6, 6]


def test_structure_and_keywords_are_part_of_the_key() -> None:
    counted = Counted(lambda tree, y=1.0: fnx.tree.leaves(tree)[0] * y)
    f = fnx.jit(counted)
    traces = []
    for call in (
        lambda: f({"a": 1.0, "b": 2.0}),
        lambda: f({"b": 2.0, "a": 1.0}),  # the order of keys doesn't matter
        lambda: f([1.0, 2.0]),
        lambda: f((1.0, 2.0)),
        lambda: f((1.0, 2.0), 3.0),
        lambda: f((1.0, 2.0), y=3.0),
        lambda: f(tree=(1.0, 2.0), y=3.0),
        lambda: f((1.0, 2.0), y=4.0),
    ):
        call()
        traces.append(counted.count)
    assert traces == [1, 1, 2, 3, 4, 5, 6, 6]


def test_settings_that_change_meaning_are_part_of_the_key() -> None:
    counted = Counted(lambda x: x + jnp.ones(()))
    f = fnx.jit(counted)
    assert f(1).dtype == np.float32
    with fnx.enable_x64(True):
        assert f(1).dtype == np.float64
        f(2)
    assert f(3).dtype == np.float32 and counted.count == 2


def test_one_function_is_traced_once_however_often_it_is_wrapped() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(1)
        return x * 3

    for _ in range(3):
        assert float(fnx.jit(function)(2.0)) == 6
        assert float(fnx.jit(function, static_argnames=())(2.0)) == 6
    assert len(calls) == 1
    fnx.jit(function, static_argnums=0)(2.0)  # another program
    assert len(calls) == 2
    fnx.jit(function).clear_cache()
    fnx.jit(function)(2.0)
    assert len(calls) == 3


def test_nothing_is_kept_of_a_function_that_is_gone() -> None:
    def make() -> Any:
        big = jnp.ones(1000)
        f = fnx.jit(lambda x: x + big)
        f(1.0)
        return weakref.ref(big), weakref.ref(f)

    references = make()
    gc.collect()
    assert [r() for r in references] == [None, None]


def test_inner_calls_and_transforms_do_not_trace_again() -> None:
    counted = Counted(lambda x: jnp.sin(x) * x)
    f = fnx.jit(counted)
    slope, lanes = fnx.grad(f), fnx.vmap(f)
    for _ in range(3):
        f(1.0), slope(1.0), fnx.jit(lambda x: f(x) + f(x))(1.0)
    assert counted.count == 1
    for _ in range(3):
        lanes(X.astype(np.float32)), fnx.grad(slope)(1.0)
    assert counted.count <= 2


def test_static_arguments() -> None:
    counted = Counted(lambda x, n: x * n)
    f = fnx.jit(counted, static_argnums=1)
    traces = []
    for n in (1, 1, 2, 1, 1.0, True):
        f(2.0, n)
        traces.append(counted.count)
    assert traces == [1, 1, 2, 2, 3, 4]  # 1, 1.0 and True are equal, but not the same


def test_static_arguments_by_name_and_number_are_one() -> None:
    def power(x: Any, n: int, *, mode: str = "up") -> Any:
        return x**n if mode == "up" else x**-n

    for f in (
        fnx.jit(power, static_argnames=("n", "mode")),
        fnx.jit(power, static_argnums=1, static_argnames="mode"),
        fnx.jit(power, static_argnums=-1, static_argnames="mode"),
        fnx.jit(static_argnums=(1,), static_argnames=["mode"])(power),
        functools.partial(fnx.jit, static_argnums=1, static_argnames="mode")(power),
    ):
        assert float(f(2.0, 3)) == 8 and float(f(2.0, n=3)) == 8
        assert float(f(2.0, 3, mode="down")) == 0.125


def test_methods() -> None:
    class Model:
        scale = 3.0

        @functools.partial(fnx.jit, static_argnums=0)
        def apply(self, x: Any) -> Any:
            return x * self.scale

    model = Model()
    assert float(model.apply(2.0)) == 6 and float(model.apply(3.0)) == 9
    assert len(Model.apply.explain()["traces"]) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: fnx.jit(lambda x, n: x, static_argnums=1)(1.0, [1]),
            ValueError,
            "argument n is a list",
        ),
        (lambda: fnx.jit(lambda x, n: x, static_argnums=1)(1.0, jnp.ones(2)), ValueError, "hashed"),
        (lambda: fnx.jit(lambda x: x, static_argnums=5), ValueError, "static_argnums.*5"),
        (lambda: fnx.jit(lambda x: x, static_argnames="q"), ValueError, "static_argnames.*'q'"),
        (lambda: fnx.jit(3), TypeError, "expected a function"),
        (lambda: fnx.jit(lambda x: x)("text"), TypeError, "x is str"),
        (lambda: fnx.jit(lambda x: x)(object()), TypeError, "object"),
        (lambda: fnx.jit(lambda x: "text")(1.0), TypeError, "output of <lambda>.*str"),
        (lambda: fnx.jit(lambda x: x)(1.0, 2.0), TypeError, "positional"),
        (lambda: fnx.jit(lambda n: jnp.zeros(n))(3), TypeError, "static_argnums"),
        (lambda: fnx.jit(lambda x: x, device="gpu"), ValueError, "no device 'gpu'"),
        (lambda: fnx.jit(lambda x: x, backend="gpu"), RuntimeError, "no platform 'gpu'"),
        (lambda: fnx.jit(lambda x: x, out_shardings="gpu"), ValueError, "no device 'gpu'"),
        (
            lambda: fnx.jit(lambda x: x, compiler_options={"fast": 1}),
            NotImplementedError,
            "compiler_options.*fast.*fnx.config",
        ),
        (lambda: fnx.jit(lambda x: x, wrong=1), TypeError, "unexpected keyword argument 'wrong'"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_results() -> None:
    x = jnp.asarray(X)
    out = fnx.jit(lambda x: {"x": x, "twice": (x, x), "none": None, "n": 3, "table": np.ones(2)})(x)
    assert out["none"] is None and out["n"].weak_type and out["table"].dtype == np.float64
    np.testing.assert_array_equal(out["twice"][0], X)
    np.testing.assert_array_equal(out["twice"][1], X)
    assert fnx.jit(lambda: None)() is None
    assert fnx.jit(lambda x: x)([None, 1.0, ()])[0] is None


def test_results_stay_valid_after_further_calls() -> None:
    f = fnx.jit(lambda x: jnp.cumsum(jnp.sin(x)) + x)
    first = f(X)
    copy = np.array(first)
    for k in range(5):
        f(X + k)
    np.testing.assert_array_equal(first, copy)


def test_what_is_captured_is_captured_at_the_trace() -> None:
    factor = [2.0]
    f = fnx.jit(lambda x: x * factor[0])
    assert float(f(1.0)) == 2
    factor[0] = 5.0
    assert float(f(1.0)) == 2 and float(f(1)) == 5  # a new type is traced anew


def test_the_wrapper_looks_like_the_function() -> None:
    @fnx.jit
    def documented(x: Any) -> Any:
        """What it does."""
        return x

    assert documented.__name__ == "documented" and documented.__doc__ == "What it does."
    assert documented.__wrapped__(3.0) == 3.0 and repr(documented) == "<jit of documented>"


def test_an_error_while_tracing_is_the_users_own_and_leaves_nothing() -> None:
    fail = [True]

    @fnx.jit
    def function(x: Any) -> Any:
        if fail[0]:
            raise KeyError("mine")
        return x * 2

    with pytest.raises(KeyError, match="mine"):
        function(1.0)
    fail[0] = False
    assert float(function(1.0)) == 2


def test_disable_jit() -> None:
    counted = Counted(lambda x: x * 2 if x > 0 else x)
    f = fnx.jit(counted)
    with fnx.disable_jit():
        assert float(f(1.0)) == 2 and float(f(-1.0)) == -1
    assert counted.count == 2
    with pytest.raises(fnx.errors.TracerBoolConversionError):
        f(1.0)


def test_no_retrace() -> None:
    f = fnx.jit(lambda x: x + 1)
    f(jnp.ones(3))
    with fnx.no_retrace():
        f(jnp.zeros(3))
        with pytest.raises(
            RuntimeError, match=r"jit of <lambda>.*f32\[4\] \(before f32\[3\]\)"
        ) as caught:
            f(jnp.ones(4))
        assert "test_jit.py" in str(caught.value)
    f(jnp.ones(4))


def test_explain_says_what_was_new_and_how_it_runs() -> None:
    f = fnx.jit(lambda p, n=0: p["w"] * 2, static_argnames="n")
    f({"w": jnp.ones(3)})
    f({"w": jnp.ones(4)})
    f({"w": jnp.ones(4), "b": 1.0})
    f({"w": jnp.ones(4)}, n=5)
    for _ in range(3):
        f({"w": jnp.ones(4)})
    told = f.explain()
    new = [trace["new"] for trace in told["traces"]]
    assert new[0] == "first call" and new[1] == "shape of p['w']: f32[4] (before f32[3])"
    assert new[2].startswith("structure of the arguments")
    assert new[3] == "static argument of 'n': 5 (before not passed)"
    assert all("test_jit.py" in trace["where"] for trace in told["traces"])
    program = told["programs"][1]
    assert program["inputs"] == ["f32[4]"] and program["calls"] == 4 and program["equations"] >= 1
    assert program["executable"]["steps"] and program["compile_seconds"] > 0
    assert told["function"] == "<lambda>"


def test_source() -> None:
    f = fnx.jit(lambda x, y: {"sum": x + y})
    with pytest.raises(RuntimeError, match="nothing is compiled yet"):
        f.source()
    assert "def " in f.source(X, 1.0)


def test_inline_puts_equations_in_the_place_of_the_call() -> None:
    inner = lambda x: jnp.sin(x) * 2  # noqa: E731
    called = fnx.make_jaxpr(lambda x: fnx.jit(inner)(x))(1.0)
    inlined = fnx.make_jaxpr(lambda x: fnx.jit(inner, inline=True)(x))(1.0)
    assert [e.primitive.name for e in called.eqns] == ["jit"]
    assert [e.primitive.name for e in inlined.eqns] == ["sin", "mul"]
    assert float(fnx.grad(fnx.jit(inner, inline=True))(0.0)) == 2


def test_options_of_a_decorator_are_kept() -> None:
    @fnx.jit(donate_argnames="x", static_argnums=1)
    def f(x: Any, n: int) -> Any:
        return x * n

    x = jnp.ones(3)
    assert float(f(x, 2)[0]) == 2 and x.is_deleted()


def test_calls_from_several_threads() -> None:
    f = fnx.jit(lambda x: jnp.sum(jnp.sin(x) * x))
    found: dict[int, float] = {}

    def work(k: int) -> None:
        for _ in range(20):
            found[k] = float(f(X + k))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_allclose(found[k], np.sum(np.sin(X + k) * (X + k)), rtol=1e-12)


def test_many_specialisations_are_bounded() -> None:
    f = fnx.jit(lambda x: x, static_argnames=())
    for n in range(5):
        f(np.ones(n))
    assert f._cache_size() == 5
    fnx.clear_caches()
    assert f._cache_size() == 0 and float(f(1.0)) == 1
