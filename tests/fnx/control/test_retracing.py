"""explain() names every cause of a trace; log_compiles and explain_cache_misses tell at once."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

import fnx
import fnx.numpy as jnp


def function(p: Any, n: int = 0) -> Any:
    return p["w"] * n


@pytest.mark.parametrize(
    ("first", "second", "kind", "what", "now", "before"),
    [
        ((jnp.ones(3),), (jnp.ones(4),), "shape", "p['w']", "f32[4]", "f32[3]"),
        ((jnp.ones(3),), (jnp.ones(3, "int32"),), "dtype", "p['w']", "i32[3]", "f32[3]"),
        ((jnp.float32(1),), (1.0,), "weak type", "p['w']", "~f32[]", "f32[]"),
        ((1.0, 2), (1.0, 3), "static argument", "1", "3", "2"),
        ((1.0, 1), (1.0, True), "static argument", "1", "True", "1"),
        ((1.0,), (1.0, 3), "static argument", "1", "3", "not passed"),
    ],
)
def test_causes_are_data(
    first: Any, second: Any, kind: str, what: str, now: str, before: str
) -> None:
    f = fnx.jit(lambda p, n=0: function(p, n), static_argnums=1)
    f({"w": first[0]}, *first[1:])
    f({"w": second[0]}, *second[1:])
    initial, trace = f.explain()["traces"]
    assert initial["new"] == "first call" and initial["causes"] == []
    (cause,) = trace["causes"]
    assert (cause.kind, cause.what, cause.now, cause.before) == (kind, what, now, before)
    assert trace["new"] == f"{kind} of {what}: {now} (before {before})"
    assert trace["where"].startswith("test_retracing.py:")


def test_structure_and_settings() -> None:
    f = fnx.jit(lambda p: fnx.tree.leaves(p)[0])
    f({"w": 1.0})
    f([1.0])
    with fnx.enable_x64(True), fnx.debug_nans(True):
        f([1])
    with fnx.enable_x64(True), fnx.debug_nans(True):
        f([1.0])
    fnx.vmap(lambda x: f([1.0]), axis_name="i")(jnp.ones(2))
    structure, several, _, axis = [t["causes"] for t in f.explain()["traces"][1:]]
    assert [c.kind for c in structure] == ["structure"] and "'w'" in structure[0].before
    assert {c.what for c in several} >= {"enable_x64", "debug_nans"}
    assert ("setting", "axis_env") in {(c.kind, c.what) for c in axis}


def test_the_nearest_call_is_compared() -> None:
    f = fnx.jit(lambda x, y: x + y)
    f(jnp.ones(3), jnp.ones(3))
    f(jnp.ones((2, 3)), jnp.ones(1))
    f(jnp.ones((2, 3)), 1)
    assert [c.what for c in f.explain()["traces"][-1]["causes"]] == ["y"]


def test_no_retrace_names_the_cause() -> None:
    f = fnx.jit(lambda x: x + 1)
    f(1.0)
    with fnx.no_retrace(), pytest.raises(RuntimeError, match=r"dtype of x: ~i32\[\] \(before ~f32"):
        f(1)


def test_no_retrace_holds_in_its_thread_only() -> None:
    f = fnx.jit(lambda x: x + 1)
    with fnx.no_retrace():
        with pytest.raises(RuntimeError, match="first call"):
            f(1.0)
        thread = threading.Thread(target=f, args=(1.0,))
        thread.start()
        thread.join()
        assert float(f(2.0)) == 3
        with fnx.no_retrace(False):
            assert float(f(2)) == 3


def test_what_happens_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    f = fnx.jit(lambda x: x * 3 + 1)
    with caplog.at_level(logging.WARNING), fnx.log_compiles():
        f(1.0)
        f(2.0)
    traced, compiled = [r.getMessage() for r in caplog.records]
    assert traced.startswith("jit of <lambda>: traced for ~f32[]: 2 equations")
    assert "compiled 1 steps in" in compiled and "(store: " in compiled
    caplog.clear()
    with fnx.explain_cache_misses():
        f(2.0)
        f(1)
    (missed,) = [r.getMessage() for r in caplog.records]
    assert "traced at test_retracing.py:" in missed and "dtype of x: ~i32[]" in missed
