"""Tracers: which values are known, what each conversion says, leaks, nesting, threads."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import errors, lax
from fnx.config import CONTEXT
from fnx.core.tracing import traces_abstractly

TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "jit": fnx.jit,
    "grad": fnx.grad,
    "vmap": lambda f: lambda x: fnx.vmap(f)(jnp.stack([x, x])),
    "jvp": lambda f: lambda x: fnx.jvp(f, (x,), (jnp.ones_like(x),)),
    "scan": lambda f: lambda x: lax.scan(lambda c, _: (f(c), None), x, None, 2)[0],
    "checkpoint": fnx.checkpoint,
    "make_jaxpr": fnx.make_jaxpr,
}
ABSTRACT = ("jit", "vmap", "scan", "checkpoint", "make_jaxpr")


@pytest.mark.parametrize("name", ABSTRACT)
@pytest.mark.parametrize(
    ("convert", "error", "words"),
    [
        (lambda x: x if x > 0 else -x, errors.TracerBoolConversionError, "lax.cond"),
        (lambda x: x * int(x), errors.ConcretizationTypeError, "static_argnums"),
        (lambda x: x * float(x), errors.ConcretizationTypeError, r"float\(\)"),
        (lambda x: x * complex(x).real, errors.ConcretizationTypeError, r"complex\(\)"),
        (lambda x: x * math.sin(x), errors.ConcretizationTypeError, r"float\(\)"),
        (lambda x: x * x.item(), errors.ConcretizationTypeError, "item: the value"),
        (lambda x: x * [1.0, 2.0][x], errors.TracerIntegerConversionError, "jnp.take"),
        (lambda x: x * np.asarray(x), errors.TracerArrayConversionError, "fnx.numpy"),
    ],
    ids=["bool", "int", "float", "complex", "math", "item", "index", "numpy"],
)
def test_what_needs_a_value_says_so(
    name: str, convert: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        TRANSFORMS[name](convert)(jnp.ones(()))
    text = str(caught.value)
    assert "f32[]" in text or "bool[]" in text
    assert "test_tracing.py" in text and "(<lambda>)" in text  # the user's line
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", ["grad", "jvp"])
def test_values_are_known_while_a_derivative_is_evaluated(name: str) -> None:
    def function(x: Any) -> Any:
        if x > 0 and int(x) == 2 and x.item() == 2.0 and f"{x.shape}" == "()":
            return x * int(x)
        return -x

    result = TRANSFORMS[name](function)(jnp.asarray(2.0))
    assert float(result[1] if name == "jvp" else result) == 2.0


@pytest.mark.parametrize("name", ["grad", "jvp"])
@pytest.mark.parametrize(
    "convert",
    [float, complex, np.asarray, math.sin, np.linalg.det, lambda x: x.tolist()],
    ids=["float", "complex", "asarray", "math", "numpy", "tolist"],
)
def test_no_derivative_gets_lost_in_a_conversion(name: str, convert: Any) -> None:
    with pytest.raises(TypeError, match=r"differentiated by.*stop_gradient"):
        TRANSFORMS[name](lambda x: x * convert(x))(jnp.asarray(2.0))
    constant = TRANSFORMS[name](lambda x: x * float(lax.stop_gradient(x)))(jnp.asarray(2.0))
    assert float(constant[1] if name == "jvp" else constant) == 2.0


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_leaked_tracer_is_reported_where_it_is_used(name: str) -> None:
    kept: list[Any] = []

    def leaking(x: Any) -> Any:
        kept.append(x * 1)
        return x

    TRANSFORMS[name](leaking)(jnp.ones(()))
    assert "Tracer<" in repr(kept[0])  # it can be looked at
    uses = [
        lambda: kept[0] + 1,
        lambda: fnx.jit(lambda y: y + kept[0])(1.0),
        lambda: fnx.grad(lambda y: y * kept[0])(1.0),
        lambda: fnx.vmap(lambda y: y + kept[0])(jnp.ones(2)),
        lambda: fnx.jit(lambda y: y)(kept[0]),
    ]
    for use in uses:
        with pytest.raises(errors.UnexpectedTracerError, match=r"leaked(.|\n)*test_tracing.py"):
            use()
    assert float(jnp.ones(()) + 1) == 2  # nothing is broken afterwards


@pytest.mark.parametrize("name", TRANSFORMS)
def test_checking_leaks_finds_them_where_they_happen(name: str) -> None:
    kept: list[Any] = []

    def leaking(x: Any) -> Any:
        kept.append(x)
        return x

    with fnx.checking_leaks():
        TRANSFORMS[name](lambda x: jnp.sin(x) * 2)(jnp.ones(()))
        with pytest.raises(errors.UnexpectedTracerError, match=r"f32\[\].*type list.*leaked"):
            TRANSFORMS[name](leaking)(jnp.ones(()))
    kept.clear()


def test_checking_leaks_has_no_false_alarms() -> None:
    function = lambda x: jnp.sum(jnp.tanh(x) ** 2)  # noqa: E731
    x = jnp.ones(3)
    with fnx.checking_leaks():
        fnx.jit(fnx.hessian(function))(x)
        fnx.vmap(fnx.grad(fnx.checkpoint(function)))(jnp.ones((2, 3)))
        fnx.grad(lambda x: lax.cond(x[0] > 0, function, function, x))(x)
        pull = fnx.vjp(function, x)[1]
        pull(1.0)
        fnx.linearize(function, x)[1](x)
        fnx.grad(lambda x: x * fnx.grad(lambda y: x * y)(1.0))(2.0)


def test_perturbations_are_not_confused() -> None:
    nested = lambda d: d(lambda x: x * d(lambda y: x + y)(1.0))(1.0)  # noqa: E731
    push = lambda f: lambda x: fnx.jvp(f, (x,), (jnp.ones_like(x),))[1]  # noqa: E731
    assert float(nested(fnx.grad)) == 1.0
    assert float(nested(lambda f: lambda x: push(f)(jnp.asarray(x)))) == 1.0
    mixed = fnx.grad(lambda x: x * push(lambda y: x * y)(jnp.asarray(2.0)))
    assert float(mixed(3.0)) == 6.0


def test_the_context_is_restored_after_an_error() -> None:
    def failing(x: Any) -> Any:
        raise KeyError("in the function")

    for name, transform in TRANSFORMS.items():
        with pytest.raises(KeyError):
            transform(failing)(jnp.ones(()))
        assert CONTEXT.get().trace is None, name


def test_an_outer_trace_is_restored_after_an_error_in_an_inner_one() -> None:
    def outer(x: Any) -> Any:
        with pytest.raises(TypeError, match="add"):
            fnx.grad(lambda y: jnp.sum(jnp.ones(3) + jnp.ones(4) * y))(x)
        return jnp.sin(x)

    assert float(fnx.grad(outer)(0.0)) == 1.0 and float(fnx.jit(outer)(0.0)) == 0.0


def test_threads_have_traces_of_their_own() -> None:
    inside, found = threading.Event(), []

    def work() -> None:
        inside.wait()
        assert CONTEXT.get().trace is None
        found.append(float(fnx.grad(jnp.sin)(0.0)))

    thread = threading.Thread(target=work)
    thread.start()

    @fnx.jit
    def traced(x: Any) -> Any:
        inside.set()
        thread.join()
        return x

    traced(1.0)
    assert found == [1.0]


def test_tasks_have_traces_of_their_own() -> None:
    async def slope(k: float) -> float:
        gradient = fnx.grad(lambda x: k * x)
        await asyncio.sleep(0)
        return float(gradient(1.0))

    async def main() -> list[float]:
        return list(await asyncio.gather(*[slope(float(k)) for k in range(5)]))

    assert asyncio.run(main()) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_where_values_are_unknown() -> None:
    seen = []

    def look(x: Any) -> Any:
        seen.append(traces_abstractly(CONTEXT.get().trace))
        return x

    fnx.grad(look)(1.0), fnx.vmap(look)(jnp.ones(2)), fnx.jit(look)(1.0)
    fnx.jit(fnx.grad(fnx.vmap(lambda x: look(x))) if False else fnx.grad(look))(1.0)
    assert seen == [False, False, True, True]


def test_tracers_are_hashed_by_identity() -> None:
    fnx.jit(lambda x: {x: 1}[x] * x)(1.0)
