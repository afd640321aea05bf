"""Donated arguments are given away, and unused ones aren't looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.errors import DeletedArrayError, DonationError


def step(params: Any, gradient: Any) -> Any:
    return {"w": params["w"] - 0.5 * gradient["w"]}


donating = fnx.jit(step, donate_argnums=0)


def arrays() -> tuple[Any, Any]:
    return {"w": jnp.arange(4.0) + 0}, {"w": jnp.ones(4)}


def test_a_result_takes_the_memory_of_a_donated_argument() -> None:
    params, gradient = arrays()
    address = params["w"]._data.ctypes.data
    for k in range(3):
        before = params["w"]
        params = donating(params, gradient)
        assert params["w"]._data.ctypes.data == address
        assert before.is_deleted() and not gradient["w"].is_deleted()
        np.testing.assert_array_equal(params["w"], np.arange(4) - 0.5 * (k + 1))
    assert not np.asarray(params["w"]).flags.writeable
    assert donating.explain()["programs"][0]["donated"] == ["params['w']"]


def test_without_donation_nothing_is_written_over() -> None:
    params, gradient = arrays()
    after = fnx.jit(step)(params, gradient)
    np.testing.assert_array_equal(params["w"], np.arange(4))
    assert not np.shares_memory(params["w"], after["w"])


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1,
        lambda x: np.asarray(x),
        lambda x: np.sin(x),
        lambda x: float(x[0]),
        lambda x: bool(x),
        lambda x: list(x),
        lambda x: str(x),
        lambda x: x.tolist(),
        lambda x: fnx.jit(lambda y: y)(x),
        lambda x: fnx.jit(lambda: x + 1)(),
        lambda x: fnx.grad(lambda y: y.sum())(x),
        lambda x: jnp.where(x > 0, x, x),
        lambda x: donating({"w": x}, {"w": jnp.ones(4)}),
    ],
)
def test_what_is_given_away_cannot_be_used(use: Any) -> None:
    params, gradient = arrays()
    donating(params, gradient)
    with pytest.raises(
        RuntimeError, match=r"array f32\[4\] was deleted, donated to jit of step at"
    ):
        use(params["w"])


def test_types_of_deleted_arrays_are_known() -> None:
    x = jnp.ones((2, 3))
    assert not x.is_deleted()
    x.delete()
    x.delete()
    assert x.is_deleted() and x.shape == (2, 3) and x.dtype == np.float32 and x.ndim == 2
    assert repr(x) == "Array(deleted, shape=(2, 3), dtype=float32)"
    with pytest.raises(DeletedArrayError, match=r"deleted, with delete\(\) at test_entries.py"):
        x * 2


@pytest.mark.parametrize(
    "hold", [np.asarray, lambda x: x.reshape(2, 2), lambda x: fnx.device_get(x)[:2]]
)
def test_shared_memory_is_refused(hold: Any) -> None:
    params, gradient = arrays()
    view = hold(params["w"])
    with pytest.raises(DonationError, match=r"params\['w'\] f32\[4\] is donated, but something"):
        donating(params, gradient)
    np.testing.assert_array_equal(params["w"], np.arange(4))  # as before
    del view
    donating(params, gradient)


def test_arrays_that_programs_captured_are_refused() -> None:
    params, gradient = arrays()
    table = params["w"]
    function = fnx.jit(lambda x: x + table)
    one = jnp.ones(())
    function(one)
    with pytest.raises(DonationError, match="captured"):
        donating(params, gradient)
    np.testing.assert_array_equal(function(one), np.arange(4) + 1)


def test_one_array_twice_is_refused() -> None:
    x = jnp.ones(3)
    both = fnx.jit(lambda a, b: (a + 1, b + 1), donate_argnums=(0, 1))
    one = fnx.jit(lambda a, b: a + b, donate_argnames="b")
    for function, name in ((both, "a"), (one, "b")):
        with pytest.raises(
            DonationError, match=rf"a f32\[3\] and b f32\[3\] are one.*{name} is don"
        ):
            function(x, x)
    assert not x.is_deleted()


def test_scalars_are_never_written_over() -> None:
    scalar = jnp.asarray(2.0)
    function = fnx.jit(lambda x: x * scalar)
    assert float(function(1.0)) == 2
    assert float(fnx.jit(lambda x: x + 1, donate_argnums=0)(scalar)) == 3
    assert scalar.is_deleted() and float(function(2.0)) == 4
    program = fnx.make_jaxpr(lambda: 5.0)()
    (five,) = program()
    fnx.jit(lambda x: x + 1, donate_argnums=0)(five)
    assert float(program()[0]) == 5


def test_arrays_of_numpy_stay_the_users() -> None:
    function = fnx.jit(lambda x: x + 1, donate_argnums=0)
    writeable, frozen = np.zeros(3), np.zeros(3)
    frozen.setflags(write=False)
    for x in (writeable, frozen, 1.0):
        np.testing.assert_array_equal(function(x), np.asarray(x) + 1)
        np.testing.assert_array_equal(x, np.zeros(3) if isinstance(x, np.ndarray) else 1.0)


def test_memory_that_cannot_be_written_to_is_copied() -> None:
    function = fnx.jit(lambda v: v * 2, donate_argnums=0)
    held = np.arange(4, dtype=np.float32).tobytes()
    x = jnp.asarray(np.frombuffer(held, np.float32))
    with pytest.raises(DonationError):
        function(x)
    x = jnp.asarray(np.frombuffer(held[:8] + held[8:], np.float32))  # bytes that only x has
    np.testing.assert_array_equal(function(x), np.arange(4) * 2)
    assert x.is_deleted()


def test_layouts_and_steps_in_python() -> None:
    x = jnp.arange(6.0).reshape(2, 3)
    turned = jnp.transpose(x)
    out = fnx.jit(lambda v: v + 1, donate_argnums=0)(turned)  # a copy of it is written to
    np.testing.assert_array_equal(out, np.arange(6).reshape(2, 3).T + 1)
    np.testing.assert_array_equal(x, np.arange(6).reshape(2, 3))

    def called_back(v: Any) -> Any:
        return (
            fnx.pure_callback(lambda w: np.asarray(w) * 2, fnx.ShapeDtypeStruct((3,), "f4"), v) - v
        )

    y = jnp.arange(3.0) + 0
    np.testing.assert_array_equal(fnx.jit(called_back, donate_argnums=0)(y), np.arange(3))
    assert y.is_deleted()


def test_memory_that_nothing_takes_is_told() -> None:
    function = fnx.jit(lambda x: x.sum(), donate_argnums=0)
    x = jnp.ones(3)
    with pytest.warns(UserWarning, match=r"no result takes the memory of the donated x f32\[3\]"):
        function(x)
    assert x.is_deleted()
    function(jnp.ones(3))  # said once


def test_donation_is_for_calls_that_run() -> None:
    x = jnp.ones(3)
    f = fnx.jit(lambda v: v * 2, donate_argnums=0)
    fnx.grad(lambda v: f(v).sum())(x)
    fnx.jit(lambda v: f(v) + v)(x)
    fnx.vmap(f)(x)
    with fnx.disable_jit():
        f(x)
    assert not x.is_deleted()
    with fnx.debug_nans(True):
        f(x)
    assert x.is_deleted()


def test_nan_is_found_although_the_argument_was_given_away() -> None:
    f = fnx.jit(lambda v: jnp.log(v) + v, donate_argnums=0)
    with fnx.debug_nans(True), pytest.raises(FloatingPointError, match=r"log: NaN.*from -1 to 1"):
        f(jnp.array([1.0, -1.0]))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"donate_argnums": 2}, ValueError, r"donate_argnums \[2\] name no positional"),
        ({"donate_argnames": "z"}, ValueError, r"donate_argnames \['z'\] aren't parameters"),
        ({"donate_argnums": "x"}, TypeError, "donate_argnums must be int or a sequence of int"),
        ({"donate_argnames": 1}, TypeError, "donate_argnames must be str or a sequence of str"),
        ({"donate_argnums": 0, "static_argnames": "x"}, ValueError, r"\[0\] are static and donat"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        fnx.jit(lambda x, y: x + y, **options)


def test_negative_positions_and_keywords() -> None:
    f = fnx.jit(lambda x, n, y: x * n + y, donate_argnums=-1, static_argnums=1)
    for call in (lambda x, y: f(x, 2, y), lambda x, y: f(x, 2, y=y), lambda x, y: f(y=y, x=x, n=2)):
        x, y = jnp.ones(3), jnp.ones(3)
        np.testing.assert_array_equal(call(x, y), 3 * np.ones(3))
        assert y.is_deleted() and not x.is_deleted()


def test_unused_arguments_are_not_taken() -> None:
    big = jnp.ones((50, 60)).T
    for keep, size in ((False, 12), (True, 12 + 12000)):
        f = fnx.jit(lambda x, unused: x + 1, keep_unused=keep)
        compiled = f.lower(jnp.ones(3), big).compile()
        assert compiled.memory_analysis().argument_size_in_bytes == size
        np.testing.assert_array_equal(f(jnp.ones(3), big), 2 * np.ones(3))
        np.testing.assert_array_equal(compiled(jnp.ones(3), big), 2 * np.ones(3))
