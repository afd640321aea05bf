"""Sparse Jacobians against dense ones, and how many products they take."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.sparse_jacobian import (
    SparseMatrix,
    color_columns,
    hessian_sparsity,
    jacobian_sparsity,
    sparse_hessian,
    sparse_jacobian,
)

RNG = np.random.default_rng(7)
DENSE = RNG.normal(size=(6, 6))
PICTURE = jnp.asarray(RNG.normal(size=(1, 2, 5, 3)))
BLOCKS = RNG.normal(size=(3, 2, 2))


def stencil(u):
    p = jnp.pad(u, 1)
    return p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u + u**3


def arrow(x):
    return jnp.concatenate([jnp.sum(x)[None], x[1:] * x[0]])


def scanned(x):
    def step(carry, y):
        return jnp.sin(y), carry * y

    return lax.scan(step, x[0], x)[1]


def walked(x):
    def step(k, y):
        return y.at[k].add(y[k] * y[k + 1])

    return lax.fori_loop(0, 4, step, x)


@fnx.custom_jvp
def straight(x):
    return jnp.round(x)


straight.defjvp(lambda primals, tangents: (jnp.round(primals[0]), tangents[0]))

#: Function, shape of its argument, products forward and in reverse, entries that are zero.
CASES = {
    "a diagonal": (lambda x: jnp.exp(x) * x, (7,), 1, 1, 0),
    "a band": (lambda x: jnp.roll(x, 1) * x + jnp.roll(x, -1), (9,), 3, 3, 0),
    "two diagonals": (lambda x: jnp.diff(x) ** 2, (50,), 2, 2, 0),
    "blocks": (lambda x: jnp.einsum("bij,bj->bi", BLOCKS, x) ** 2, (3, 2), 2, 2, 0),
    "lanes": (fnx.vmap(lambda row: jnp.sum(row) * row[0]), (5, 3), 3, 1, 0),
    "an arrow": (arrow, (8,), 8, 8, 0),
    "a stencil": (stencil, (6, 7), 7, 7, 0),  # five entries in a row
    "a convolution": (lambda x: jnp.convolve(x, jnp.array([1.0, -2.0, 1.0])), (8,), 3, 3, 0),
    "all": (lambda x: DENSE @ x, (6,), 6, 6, 0),
    "a triangle": (lambda x: jnp.cumsum(x * x), (5,), 5, 5, 0),
    "windows": (lambda x: lax.reduce_window(x, 0.0, lax.add, (3,), (3,), "SAME"), (9,), 3, 1, 0),
    "places": (lambda x: x[jnp.array([3, 1, 1])] * 2, (5,), 1, 2, 0),
    "places that are set": (lambda x: x.at[jnp.array([0, 2])].set(x[3:] ** 2), (5,), 1, 2, 0),
    "places that are added": (lambda x: x.at[jnp.array([1, 1])].add(x[3:] ** 2), (5,), 3, 2, 0),
    "softmax": (lambda x: fnx.nn.softmax(x, axis=1), (3, 2), 2, 2, 0),
    "a scan": (scanned, (6,), 2, 2, 0),
    "a loop": (walked, (5,), 2, 2, 0),
    "rounding": (lambda x: x * jnp.floor(x) + lax.stop_gradient(x)[::-1] * x, (4,), 1, 1, 0),
    "a rule": (lambda x: straight(x)[1:], (4,), 1, 1, 0),
    "jit and checkpoint": (
        fnx.jit(fnx.checkpoint(lambda x: jnp.sin(x[1:]) * x[:-1])),
        (6,),
        2,
        2,
        0,
    ),
    "nothing": (lambda x: jnp.ones(3), (4,), 1, 1, 0),
    "no elements": (lambda x: x[:0], (4,), 1, 1, 0),
    "filters of a convolution": (
        lambda x: lax.conv_general_dilated(PICTURE, x, (2, 1), "SAME", rhs_dilation=(1, 2))[0],
        (1, 2, 2, 3),
        8,
        9,
        0,
    ),
    "branches": (lambda x: lax.cond(x[0] > 9, jnp.flip, jnp.square, x), (4,), 2, 2, 4),
    "a choice": (lambda x: jnp.where(x > 9, x[::-1], x**2), (4,), 2, 2, 4),
    "an order": (jnp.sort, (3,), 3, 3, 6),
    "a Fourier transform": (lambda x: jnp.fft.fft(x).imag, (3,), 3, 3, 5),
}


@pytest.mark.parametrize("name", CASES)
def test_as_the_dense_jacobian(name):
    f, shape, forward, reverse, zeros = CASES[name]
    x = jnp.asarray(RNG.normal(size=shape))
    dense = np.asarray(fnx.jacfwd(f)(x)).reshape(-1, x.size)
    pattern = jacobian_sparsity(f, x)
    assert pattern.dtype == bool
    assert pattern.nnz - np.count_nonzero(dense) == zeros
    counts = {}
    for mode in ("forward", "reverse"):
        found = fnx.jit(sparse_jacobian(f, mode=mode))(x)
        np.testing.assert_allclose(found.toscipy().toarray(), dense, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.todense(), dense, rtol=1e-12, atol=1e-13)
        assert found.nse == pattern.nnz
        counts[mode] = (
            int(color_columns(pattern if mode == "forward" else pattern.T).max(initial=0)) + 1
        )
    assert counts == {"forward": forward, "reverse": reverse}


def test_a_large_band_takes_three_products():
    widths = []

    @fnx.custom_jvp
    def cube(x):
        return x**3

    @cube.defjvp
    def rule(primals, tangents):
        def look(dx):
            widths.append(dx.shape)
            return dx

        (x,), (dx,) = primals, tangents
        seen = fnx.pure_callback(look, dx, dx, vmap_method="broadcast_all")
        return x**3, 3 * x**2 * seen

    def f(x):
        y = jnp.pad(cube(x), 1)
        return y[2:] - 2 * y[1:-1] + y[:-2]

    n = 2000
    band = scipy.sparse.diags([np.ones(n - 1), np.ones(n), np.ones(n - 1)], [-1, 0, 1])
    x = jnp.asarray(RNG.normal(size=n))
    found = sparse_jacobian(f, band, mode="forward")(x)
    assert widths == [(3, n)]
    exact = scipy.sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], (n, n)) @ scipy.sparse.diags(
        3 * np.asarray(x) ** 2
    )
    assert abs(found.toscipy() - exact).max() < 1e-13


def test_the_mode_with_fewer_products_is_chosen():
    def products(f, x, mode):
        """Whether the entries are taken from one product, or from three."""
        program = fnx.make_jaxpr(sparse_jacobian(f, mode=mode))(x)
        shapes = {v.aval.shape for e in program.eqns for v in e.outputs}
        return {(1, 15): 1, (3, 5): 3}[next(s for s in shapes if s in ((1, 15), (3, 5)))]

    lanes, copies = CASES["lanes"][0], lambda x: x[:, None] * jnp.ones((1, 3))
    for f, shape, few, many in (
        (lanes, (5, 3), "reverse", "forward"),
        (copies, (5,), "forward", "reverse"),
    ):
        found = [products(f, jnp.ones(shape), mode) for mode in (None, few, many)]
        assert found == [1, 1, 3]


# ------------------------------------------------------------------------------------- Hessians


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("compiled", [False, True])
def test_hessian_of_a_chain(compiled):
    x = jnp.asarray(RNG.normal(size=30))
    pattern = hessian_sparsity(rosenbrock, x)
    assert int(color_columns(pattern).max()) + 1 == 3
    for sparsity in (None, pattern):
        f = sparse_hessian(rosenbrock, sparsity)
        found = (fnx.jit(f) if compiled else f)(x)
        np.testing.assert_allclose(found.todense(), fnx.hessian(rosenbrock)(x), atol=1e-10)
        assert found.nse == 3 * 30 - 2


def test_hessian_of_separable_terms_and_more_arguments():
    def f(x, scale, *, power=3):
        return jnp.sum(scale * x**power) + x[0, 0] * x[1, 1]

    x = jnp.asarray(RNG.normal(size=(2, 2)))
    found = sparse_hessian(f)(x, jnp.arange(4.0).reshape(2, 2))
    dense = fnx.hessian(f)(x, jnp.arange(4.0).reshape(2, 2)).reshape(4, 4)
    np.testing.assert_allclose(found.todense(), dense, atol=1e-12)
    assert found.nse == 6


# ------------------------------------------------------------------------- patterns and colours


def test_patterns_hold_for_all_values_of_a_type():
    def f(x, scale):
        return lax.while_loop(
            lambda y: y[0] < 3, lambda y: y + scale * jnp.roll(y, 1) ** 2 + 0.1, x
        )

    assert jacobian_sparsity(f, jnp.zeros(5), 0.0).nnz == 25  # as many steps as there may be

    def twice(x):
        return lax.while_loop(
            lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] + jnp.roll(s[1], 1)), (0, x)
        )[1]

    assert jacobian_sparsity(twice, jnp.zeros(5)).nnz == 15


def test_places_that_depend_on_the_argument_are_unknown():
    def f(x):
        return x[jnp.argmax(x)] * jnp.ones(2)

    assert jacobian_sparsity(f, jnp.arange(3.0)).nnz == 6
    by_place = jacobian_sparsity(lambda x, k: x[k], jnp.arange(3.0), jnp.array([2, 0]))
    assert by_place.nonzero()[1].tolist() == [2, 0]


def test_detection_while_traced():
    f, x = CASES["a stencil"][0], jnp.asarray(RNG.normal(size=(2, 4, 4)))
    found = fnx.jit(fnx.vmap(lambda u: sparse_jacobian(f)(u).todense()))(x)
    dense = fnx.vmap(fnx.jacfwd(f))(x).reshape(2, 16, 16)
    np.testing.assert_allclose(found, dense, atol=1e-13)


@pytest.mark.parametrize("density", [0.02, 0.1, 0.4])
def test_colors_are_legal_and_few(density):
    pattern = scipy.sparse.random(40, 60, density, format="csr", random_state=3)
    pattern.data[:] = 1
    colors = color_columns(pattern)
    groups = np.zeros((60, colors.max() + 1))
    groups[np.arange(60), colors] = 1
    assert (pattern @ groups).max() == 1  # no row has two columns of one colour
    near = (pattern.T @ pattern).astype(bool).sum(1).max()
    assert pattern.sum(1).max() <= colors.max() + 1 <= near
    assert color_columns(pattern.toarray()).tolist() == colors.tolist()


def test_a_sparse_matrix_is_a_tree():
    found = sparse_jacobian(jnp.sin)(jnp.zeros(3))
    doubled = fnx.tree_util.tree_map(lambda a: a * 2 if a.ndim == 1 else a, found)
    assert isinstance(doubled, SparseMatrix)
    assert doubled.shape == (3, 3)
    assert doubled.toscipy().toarray().tolist() == (2 * np.eye(3)).tolist()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sparse_jacobian(jnp.sin, np.eye(2))(jnp.ones(3)), ValueError, "is (2, 2), but"),
        (lambda: sparse_jacobian(jnp.sin, np.ones(2)), TypeError, "must be a matrix, got 1 axes"),
        (lambda: sparse_jacobian(jnp.sin, mode="both"), ValueError, "mode must be"),
        (
            lambda: jacobian_sparsity(jnp.sin, jnp.arange(3)),
            TypeError,
            "x must be an array of real",
        ),
        (lambda: jacobian_sparsity(jnp.argsort, jnp.ones(3)), TypeError, "the result must be"),
        (lambda: jacobian_sparsity(3, jnp.ones(3)), TypeError, "expected a function"),
    ],
)
def test_errors_of_use(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
