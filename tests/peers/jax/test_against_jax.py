"""The same lines run by fnx and by JAX: values, dtypes and weak types of functions and transforms.

JAX runs with 64 bits enabled, as our promotion does; inputs have explicit dtypes. `make test-peers`
runs this in the environment that has jax.
"""

from __future__ import annotations

import jax
import jax.numpy
import numpy as np
import pytest

import fnx
import fnx.numpy

pytestmark = pytest.mark.peers

PAIRS = ((fnx, fnx.numpy), (jax, jax.numpy))


@pytest.fixture(autouse=True)
def _wide():
    jax.config.update("jax_enable_x64", True)
    with fnx.enable_x64(True):
        yield


def both(program, *arguments, tolerance=1e-12):
    """Run program(library, its numpy, *arguments) on both sides and compare leaf by leaf."""
    ours, theirs = (
        library.tree_util.tree_leaves(program(library, jnp, *arguments)) for library, jnp in PAIRS
    )
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        mine, other = np.asarray(mine), np.asarray(other)
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


UNARY = (
    "abs cos cosh exp expm1 floor log log1p negative rint sign sin sinh sqrt square tan tanh"
).split()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_elementwise(name, dtype, rng):
    x = rng.uniform(0.1, 3.0, (4, 5)).astype(dtype)
    tolerance = 1e-13 if dtype == "float64" else 2e-6
    both(lambda _, jnp: getattr(jnp, name)(jnp.asarray(x)), tolerance=tolerance)


@pytest.mark.parametrize("name", "add subtract multiply divide power maximum minimum".split())
@pytest.mark.parametrize("left", ["float32", "int32", "int8", "bool"])
@pytest.mark.parametrize("right", ["float64", "float32", "int64", "uint8"])
def test_promotion(name, left, right, rng):
    if name == "subtract" and "bool" in (left, right):
        pytest.skip("NumPy and JAX both refuse to subtract booleans")
    x, y = (rng.integers(1, 2 if d == "bool" else 4, 6).astype(d) for d in (left, right))
    both(lambda _, jnp: getattr(jnp, name)(jnp.asarray(x), jnp.asarray(y)), tolerance=1e-6)


@pytest.mark.parametrize("name", "sum prod max min mean argmax argmin cumsum sort".split())
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_along_an_axis(name, axis, rng):
    x = rng.standard_normal((3, 4))
    both(lambda _, jnp: getattr(jnp, name)(jnp.asarray(x), axis=axis))


def _function(jnp, x):
    return jnp.sum(jnp.tanh(jnp.sin(x) * jnp.exp(-x * x)) ** 2)


TRANSFORMS = {
    "grad": lambda lib, f: lib.grad(f),
    "jit of grad": lambda lib, f: lib.jit(lib.grad(f)),
    "grad of jit": lambda lib, f: lib.grad(lib.jit(f)),
    "value_and_grad": lambda lib, f: lib.value_and_grad(f),
    "hessian": lambda lib, f: lib.hessian(f),
    "jacfwd of jacrev": lambda lib, f: lib.jacfwd(lib.jacrev(f)),
    "grad of grad": lambda lib, f: lib.grad(lambda x: lib.grad(f)(x).sum()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name, rng):
    x = rng.standard_normal(5)
    both(lambda lib, jnp: TRANSFORMS[name](lib, lambda x: _function(jnp, x))(jnp.asarray(x)))


def test_vmap_of_grad(rng):
    xs = rng.standard_normal((3, 5))
    both(lambda lib, jnp: lib.vmap(lib.grad(lambda x: _function(jnp, x)))(jnp.asarray(xs)))


def test_a_recurrence_and_its_gradient(rng):
    w, xs = rng.standard_normal((4, 4)) / 2, rng.standard_normal((6, 4))

    def program(lib, jnp):
        def loss(w):
            def step(h, x):
                h = jnp.tanh(w @ h + x)
                return h, h

            _, history = lib.lax.scan(step, jnp.zeros(4), jnp.asarray(xs))
            return (history**2).sum()

        return lib.jit(lib.value_and_grad(loss))(jnp.asarray(w))

    both(program)


@pytest.mark.parametrize("seed", [0, 1, 2**31])
def test_random_bits_and_floats(seed):
    def program(lib, jnp):
        key = lib.random.key(seed)
        first, second = lib.random.split(key)
        return (
            lib.random.key_data(lib.random.fold_in(key, 7)),
            lib.random.bits(first, (5,), "uint32"),
            lib.random.uniform(second, (3, 2), "float32"),
            lib.random.normal(second, (7,), "float32"),
            lib.random.randint(first, (9,), 0, 100),
        )

    both(program, tolerance=3e-7)
