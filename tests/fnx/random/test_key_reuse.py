"""`debug_key_reuse`: what raises, what doesn't; eager, compiled, mapped, in loops, derivatives."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax, random
from fnx.errors import KeyReuseError
from fnx.random.reuse import CAPACITY, KeyEvent, Ledger

KINDS = pytest.mark.parametrize("make", [random.key, random.PRNGKey])


@pytest.fixture(autouse=True)
def watching():
    with fnx.debug_key_reuse(True):
        yield


def twice(k):
    return random.normal(k) + random.uniform(k)


@KINDS
@pytest.mark.parametrize(
    "use",
    [
        twice,
        lambda k: (random.bits(k), random.split(k)),
        lambda k: (random.split(k), random.split(k, 3)),
        lambda k: (random.split(k), random.gamma(k, 2.0)),
        lambda k: (random.permutation(k, 5), random.choice(k, 5)),
        lambda k: (random.normal(random.split(k)[0]), random.split(k)),
        lambda k: [random.normal(random.clone(k)), random.normal(k), random.normal(k)],
    ],
)
def test_a_second_use_raises(make, use):
    with pytest.raises(KeyReuseError):
        use(make(0))
    with pytest.raises(KeyReuseError):
        fnx.jit(use)(make(1))


@KINDS
@pytest.mark.parametrize(
    "use",
    [
        lambda k: [random.normal(s) for s in random.split(k, 5)],
        lambda k: [random.normal(random.fold_in(k, n)) for n in range(3)],
        lambda k: (random.normal(k), random.fold_in(k, 1)),
        lambda k: (random.normal(k), random.normal(random.clone(k))),
        lambda k: [random.gamma(k, 2.0), random.key_data(k)],
        lambda k: [random.wald(s, 2.0) for s in random.split(k)],
        lambda k: lax.cond(True, random.normal, random.exponential, k),
        lambda k: random.normal(k, (3,), "complex64"),
    ],
)
def test_what_is_allowed(make, use):
    use(make(0))
    fnx.jit(use)(make(1))


def test_the_message_names_both_lines_and_the_remedy():
    k = random.key(0)
    random.normal(k)
    with pytest.raises(KeyReuseError) as caught:
        random.gamma(k, 2.0)
    message = str(caught.value)
    assert message.startswith("gamma: a random key is used again at test_key_reuse.py:")
    assert "normal used it at test_key_reuse.py:" in message and "random.split(key)" in message
    now, before = (int(line) for line in re.findall(r"at test_key_reuse.py:(\d+)", message)[:2])
    assert before == now - 2
    assert isinstance(caught.value, TypeError)


def test_the_message_names_the_calls_of_a_compiled_function():
    draw, k = fnx.jit(lambda k: random.normal(k)), random.key(0)
    draw(k)
    with pytest.raises(KeyReuseError) as caught:
        draw(k)
    lines = re.findall(r"at test_key_reuse.py:(\d+) \(([^)]+)\)", str(caught.value))
    here = "test_the_message_names_the_calls_of_a_compiled_function"
    assert [name for _, name in lines[:4]] == ["<lambda>", here, "<lambda>", here]
    assert int(lines[1][0]) == int(lines[3][0]) + 2


def test_slices_copies_and_calls_are_seen_through():
    keys = random.split(random.key(0), 3)
    random.normal(keys[1])
    random.normal(keys[2])
    with pytest.raises(KeyReuseError):
        random.normal(keys[jnp.asarray(1)])
    with pytest.raises(KeyReuseError):
        random.bits(random.KeyArray(jnp.array(np.asarray(keys.data)[2])))
    draw = fnx.jit(random.normal)
    draw(keys[0])
    with pytest.raises(KeyReuseError):
        draw(keys[0])


def test_making_a_key_anew_makes_it_fresh():
    for _ in range(2):
        random.normal(random.key(5))
        random.normal(random.wrap_key_data(random.PRNGKey(6)))


def test_a_key_captured_by_a_loop_is_reused_by_its_second_step():
    def run(length, k):
        return lax.scan(lambda c, _: (c + random.normal(k), None), 0.0, length=length)[0]

    run(1, random.key(0))
    with pytest.raises(KeyReuseError, match="earlier call or step.*fold_in"):
        run(2, random.key(1))
    with pytest.raises(KeyReuseError, match="earlier call or step"):
        fnx.jit(run, static_argnums=0)(2, random.key(2))
    with pytest.raises(KeyReuseError):
        k = random.key(3)
        lax.fori_loop(0, 3, lambda n, x: x + random.normal(k), 0.0)


def test_loops_that_split_fold_or_map_keys():
    def carried(k):
        def step(k, _):
            k, used = random.split(k)
            return k, random.normal(used)

        return lax.scan(step, k, length=4)[1]

    def folded(k):
        return lax.fori_loop(0, 4, lambda n, x: x + random.normal(random.fold_in(k, n)), 0.0)

    def given(k):
        return lax.map(random.normal, random.split(k, 4))

    for n, use in enumerate((carried, folded, given)):
        use(random.key(n))
        fnx.jit(use)(random.key(10 + n))


def test_only_the_branch_that_is_taken_counts():
    def draw(k, pred):
        x = lax.cond(pred, random.normal, lambda k: 0.0, k)
        return x + random.uniform(k)

    fnx.jit(draw)(random.key(0), False)
    with pytest.raises(KeyReuseError):
        fnx.jit(draw)(random.key(1), True)


def test_mapped():
    keys = random.split(random.key(0), 3)
    fnx.vmap(random.normal)(keys)
    with pytest.raises(KeyReuseError):
        random.normal(keys[1])
    same = random.KeyArray(jnp.tile(random.key_data(random.key(1)), (3, 1)))
    with pytest.raises(KeyReuseError):
        fnx.vmap(random.normal)(same)
    fnx.vmap(lambda a, k: random.gamma(k, a), in_axes=(0, None))(jnp.ones(3), random.key(2))


def test_differentiated():
    def loss(x, k):
        return (x * random.normal(k, (3,))).sum()

    for n, outer in enumerate((fnx.grad, lambda f: fnx.jit(fnx.grad(f)), fnx.hessian)):
        outer(loss)(2.0, random.key(n))
    with pytest.raises(KeyReuseError):
        fnx.grad(lambda x, k: x * twice(k))(2.0, random.key(9))


def walk(x, k, n):
    """A loop whose length is known when it runs."""

    def body(state):
        i, x, k = state
        k, used = random.split(k)
        return i + 1, x * (1 + 0.1 * random.normal(used)), k

    return lax.while_loop(lambda state: state[0] < n, body, (0, x, k))[1]


def test_loops_of_unknown_length_differentiated_and_mapped():
    slope = fnx.jit(fnx.value_and_grad(walk))
    value, by_x = slope(1.0, random.key(0), 3)
    np.testing.assert_allclose(by_x, value, rtol=1e-6)
    keys = random.split(random.key(1), 3)
    fnx.jit(fnx.vmap(walk, (None, 0, 0)))(1.0, keys, jnp.arange(3))


def test_rules_of_users():
    f = fnx.custom_jvp(lambda x, k: x * random.normal(k))

    @f.defjvp
    def rule(primals, tangents):
        out = f(*primals)
        return out, tangents[0] * out / primals[0]

    h = fnx.custom_vjp(lambda x, k: x * random.normal(k))

    def forward(x, k):
        n = random.normal(k)
        return x * n, n

    h.defvjp(forward, lambda n, ct: (ct * n, None))
    for k, function in enumerate((f, h)):
        fnx.grad(function)(2.0, random.key(k))
        fnx.jit(fnx.grad(function))(2.0, random.key(10 + k))


@pytest.mark.parametrize("policy", [None, fnx.checkpoint_policies.dots_saveable])
def test_computing_again_for_a_derivative_is_no_second_use(policy):
    def layer(x, k):
        def one(x, k):
            return jnp.sin(x * random.normal(k)), None

        return lax.scan(one, x, random.split(k, 3))[0]

    again = fnx.checkpoint(layer, policy=policy)
    expected = fnx.grad(layer)(0.5, random.key(0))
    np.testing.assert_allclose(fnx.grad(again)(0.5, random.key(0)), expected, rtol=1e-6)
    np.testing.assert_allclose(fnx.jit(fnx.grad(again))(0.5, random.key(0)), expected, rtol=1e-6)
    np.testing.assert_allclose(
        fnx.grad(fnx.grad(again))(0.5, random.key(0)),
        fnx.grad(fnx.grad(layer))(0.5, random.key(0)), rtol=1e-5,
    )  # fmt: skip
    with pytest.raises(KeyReuseError):
        fnx.grad(fnx.checkpoint(lambda x, k: x * twice(k), policy=policy))(2.0, random.key(9))


def test_nothing_is_recorded_with_the_setting_off():
    with fnx.debug_key_reuse(False):
        k = random.key(0)
        assert twice(k) == twice(k)
        program = fnx.make_jaxpr(twice)(k)
        assert not program.jaxpr.effects and "key_event" not in str(program)
    assert "key_event" in str(fnx.make_jaxpr(twice)(k))


def test_the_ledger_forgets_the_oldest():
    ledger, use = Ledger(), KeyEvent("normal", "here:1", uses_up=True)
    ledger.record([n.to_bytes(8, "little") for n in range(CAPACITY + 1)], use, "")
    ledger.record([(0).to_bytes(8, "little")], use, "")
    with pytest.raises(KeyReuseError):
        ledger.record([CAPACITY.to_bytes(8, "little")], use, "")
