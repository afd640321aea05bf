"""`Primitive`: one definition with every rule, the registry, and what a missing rule says."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.primitive import SLOTS, Derived, Primitive, Undefined, quietly, registry, rule
from fnx.core.types import ShapedArray
from fnx.errors import FnxError, MissingRuleError
from fnx.primitives.trigonometric import sin_p


@pytest.fixture
def doubled() -> Iterator[Primitive]:
    """A primitive of the test's own, taken out of the registry afterwards."""
    primitive = Primitive(
        "doubled_in_a_test",
        infer=lambda x: x,
        evaluate=lambda x: x * 2,
        jvp=None,
        vmap=Undefined("lanes depend on each other"),
        lower=None,
        sample=lambda rng: [],
    )
    yield primitive
    del registry["doubled_in_a_test"]


def test_registered_once(doubled: Primitive) -> None:
    assert registry["doubled_in_a_test"] is doubled and repr(doubled) == "doubled_in_a_test"
    with pytest.raises(ValueError, match="already registered"):
        Primitive("sin", sample=lambda rng: [])
    assert registry["sin"] is sin_p is not Primitive("sin")  # without a sampler it is a user's


def test_applied_to_arrays_and_numpy_values(doubled: Primitive) -> None:
    for x in (jnp.ones(2), np.ones(2, np.float32)):
        out = doubled(x)
        assert type(out) is fnx.Array
        np.testing.assert_array_equal(out, np.full(2, 2.0))
    assert doubled(jnp.asarray(1.0)).weak_type
    with pytest.raises(TypeError, match=r"doubled_in_a_test: expected an array, got list"):
        doubled([1.0])


def test_results_are_frozen(doubled: Primitive) -> None:
    assert not np.asarray(doubled(jnp.ones(2))).flags.writeable


def test_missing_and_undefined_rules_say_why(doubled: Primitive) -> None:
    with pytest.raises(MissingRuleError, match=r"no jvp rule.*Primitive\(\.\.\., jvp=rule\)"):
        fnx.jvp(doubled, (jnp.ones(2),), (jnp.ones(2),))
    with pytest.raises(MissingRuleError, match="lanes depend on each other.*stop_gradient"):
        fnx.vmap(doubled)(jnp.ones(2))
    with pytest.raises(MissingRuleError, match="not linear in any operand"):
        fnx.linear_transpose(jnp.sin, jnp.ones(2))(jnp.ones(2))
    assert issubclass(MissingRuleError, (FnxError, NotImplementedError))


def test_every_primitive_fills_every_slot() -> None:
    for name, primitive in registry.items():
        for slot in SLOTS:
            found = getattr(primitive, slot)
            assert found is not None, f"{name}.{slot}"
            if isinstance(found, Derived):
                assert callable(getattr(primitive, found.source)) or isinstance(
                    getattr(primitive, found.source), Undefined
                ), f"{name}.{slot}"


def test_rule_gives_the_function_in_a_slot() -> None:
    assert rule(sin_p, "jvp") is sin_p.jvp
    assert rule(sin_p, "infer")(ShapedArray((2,), np.dtype(np.float32))).shape == (2,)


def test_floating_point_events_are_results() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(jnp.log(-jnp.ones(()))) and np.isinf(jnp.ones(()) / 0)
    with np.errstate(all="raise"):  # the user's own setting is not ours, and stays
        assert np.isinf(jnp.exp(jnp.asarray(1e6)))
        with pytest.raises(FloatingPointError):
            np.divide(1.0, 0.0)


def test_quiet_evaluation_in_threads_and_nested() -> None:
    def inner(x: Any) -> Any:
        return quietly(np.log, x)

    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(quietly(inner, np.float64(0)))) for _ in "123"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [-np.inf] * 3
    with pytest.raises(KeyError):
        quietly(lambda: {}["absent"])
    assert quietly(inner, np.float64(0)) == -np.inf  # an error leaves no trace
