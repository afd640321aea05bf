"""Collectives along named axes: values against NumPy on the whole array, derivatives against those
of the same map of the whole array, errors by what they say."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 3, 2))
Y = RNG.normal(size=(3, 3, 2))
WIDE = RNG.normal(size=(3, 6, 2))
both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])


def lanes(f, **options):
    """f along the axis i."""
    return fnx.vmap(f, axis_name="i", **options)


def everywhere(values):
    """The same in all three lanes."""
    return np.broadcast_to(values, (3, *np.shape(values)))


#: A collective, where it is tried, and what NumPy says of the whole array (lanes in front).
CASES = {
    "psum": (lambda x: lax.psum(x, "i"), X, lambda a: everywhere(a.sum(0))),
    "psum of axes": (lambda x: lax.psum(x, ("i", 1)), X, lambda a: everywhere(a.sum((0, 2)))),
    "pmean": (lambda x: lax.pmean(x, "i"), X, lambda a: everywhere(a.mean(0))),
    "pmax": (lambda x: lax.pmax(x, "i"), X, lambda a: everywhere(a.max(0))),
    "pmin": (lambda x: lax.pmin(x, ("i", 0)), X, lambda a: everywhere(a.min((0, 1)))),
    "all_gather": (lambda x: lax.all_gather(x, "i"), X, everywhere),
    "all_gather at the end": (
        lambda x: lax.all_gather(x, "i", axis=-1),
        X,
        lambda a: everywhere(np.moveaxis(a, 0, -1)),
    ),
    "all_gather tiled": (
        lambda x: lax.all_gather(x, "i", axis=1, tiled=True),
        X,
        lambda a: everywhere(np.concatenate(list(a), 1)),
    ),
    "psum_scatter": (lambda x: lax.psum_scatter(x, "i"), X, lambda a: a.sum(0)),
    "psum_scatter tiled": (
        lambda x: lax.psum_scatter(x, "i", tiled=True),
        WIDE,
        lambda a: a.sum(0).reshape(3, 2, 2),
    ),
    "all_to_all": (
        lambda x: lax.all_to_all(x, "i", 0, 1),
        X,
        lambda a: np.stack([np.stack([a[j, k] for j in range(3)], 1) for k in range(3)]),
    ),
    "all_to_all tiled": (
        lambda x: lax.all_to_all(x, "i", 0, 1, tiled=True),
        WIDE,
        lambda a: np.stack(
            [np.concatenate([a[j, 2 * k : 2 * k + 2] for j in range(3)], 1) for k in range(3)]
        ),
    ),
    "pswapaxes": (lambda x: lax.pswapaxes(x, "i", 0), X, lambda a: a.swapaxes(0, 1)),
    "ppermute": (
        lambda x: lax.ppermute(x, "i", [(2, 0), (0, 1)]),
        X,
        lambda a: np.stack([a[2], a[0], 0 * a[0]]),
    ),
    "pshuffle": (lambda x: lax.pshuffle(x, "i", [1, 2, 0]), X, lambda a: a[[1, 2, 0]]),
    "axis_index": (
        lambda x: x * lax.axis_index("i"),
        X,
        lambda a: a * np.arange(3)[:, None, None],
    ),
}
every_case = pytest.mark.parametrize("case", CASES)


@both
@every_case
def test_values(wrap, case):
    f, x, expected = CASES[case]
    np.testing.assert_allclose(wrap(lanes(f))(jnp.asarray(x)), expected(x), rtol=1e-13)


@every_case
def test_values_in_programs_of_their_own(case):
    f, x, expected = CASES[case]
    for inner in (fnx.jit(f), fnx.checkpoint(f), lambda x: lax.cond(True, f, f, x)):
        np.testing.assert_allclose(lanes(inner)(jnp.asarray(x)), expected(x), rtol=1e-13)
    moved = np.moveaxis(x, 0, 1)
    found = lanes(f, in_axes=1, out_axes=-1)(jnp.asarray(moved))
    np.testing.assert_allclose(np.moveaxis(found, -1, 0), expected(x), rtol=1e-13)


@both
@every_case
def test_within_another_axis(wrap, case):
    f, x, expected = CASES[case]
    pair = np.stack([x, 2 * x], 1)  # lanes of i, then of j
    wanted = np.stack([expected(x), expected(2 * x)], 1)
    for inner in (f, fnx.jit(f)):
        outer = lanes(fnx.vmap(inner, axis_name="j"))
        np.testing.assert_allclose(wrap(outer)(jnp.asarray(pair)), wanted, rtol=1e-13)
        within = fnx.vmap(lanes(inner), in_axes=1, out_axes=1, axis_name="j")
        np.testing.assert_allclose(wrap(within)(jnp.asarray(pair)), wanted, rtol=1e-13)


@both
@every_case
def test_derivatives(wrap, case):
    """Forward by differences of NumPy's values; backward as the transpose of forward."""
    f, x, expected = CASES[case]
    v = RNG.normal(size=x.shape)
    step = 1e-6
    slope = (expected(x + step * v) - expected(x - step * v)) / (2 * step)
    x, v = jnp.asarray(x), jnp.asarray(v)
    pushes = (
        lambda x, v: fnx.jvp(lanes(f), (x,), (v,))[1],
        lanes(lambda x, v: fnx.jvp(f, (x,), (v,))[1]),
        lanes(lambda x, v: fnx.linearize(f, x)[1](v)),
        lambda x, v: jet(lanes(f), (x,), ([v],))[1][0],
    )
    for push in pushes:
        np.testing.assert_allclose(wrap(push)(x, v), slope, rtol=1e-7, atol=1e-8)
    w = jnp.asarray(RNG.normal(size=slope.shape))
    pulls = (
        lambda x, w: fnx.vjp(lanes(f), x)[1](w)[0],
        lanes(lambda x, w: fnx.vjp(f, x)[1](w)[0]),
        lanes(lambda x, w: fnx.vjp(fnx.checkpoint(f), x)[1](w)[0]),
    )
    for pull in pulls:
        found = np.sum(np.asarray(wrap(pull)(x, w)) * np.asarray(v))
        assert found == pytest.approx(np.sum(slope * np.asarray(w)), rel=1e-6)


def test_second_derivatives_are_those_of_the_whole():
    def f(x):
        return jnp.sum(x * lax.psum(jnp.sin(x), "i")) + lax.pmean(jnp.sum(x**3), "i")

    def whole(x):
        per_lane = jnp.sum(x * jnp.sum(jnp.sin(x), 0), (1, 2)) + jnp.mean(jnp.sum(x**3, (1, 2)))
        return jnp.sum(per_lane)

    x = jnp.asarray(X)
    found = fnx.hessian(lambda x: jnp.sum(lanes(f)(x)))(x)
    np.testing.assert_allclose(found, fnx.hessian(whole)(x), rtol=1e-11, atol=1e-12)


# ----------------------------------------------------------------------- what isn't mapped; several


@both
def test_constants_are_the_same_in_all_lanes(wrap):
    c = jnp.asarray([1.0, 2.0])

    def f(x):
        return (
            lax.psum(c, "i"),
            lax.pmax(c, "i"),
            lax.all_gather(c, "i"),
            lax.psum_scatter(jnp.arange(3.0), "i"),
            lax.all_to_all(jnp.arange(3.0), "i", 0, 0),
            lax.ppermute(c, "i", [(0, 2)]),
            fnx.jit(lambda y: lax.psum(y, "i"))(c),
            x,
        )

    found = wrap(lanes(f))(jnp.zeros(3))
    expected = (
        everywhere([3.0, 6.0]),
        everywhere([1.0, 2.0]),
        everywhere([[1.0, 2.0]] * 3),
        [0.0, 3.0, 6.0],
        [[0.0] * 3, [1.0] * 3, [2.0] * 3],
        [[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]],
        everywhere([3.0, 6.0]),
        [0.0] * 3,
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_sizes_are_python_numbers():
    def f(x):
        assert lax.psum(1, "i") == 3
        assert lax.axis_size("i") == 3
        return jnp.zeros(lax.psum(1, "i")) + lax.psum(0.5, "i") + x

    assert lanes(f)(jnp.zeros(3)).shape == (3, 3)


def test_sums_of_what_is_mapped_are_not_mapped():
    f = lanes(lambda x: lax.psum(x, "i"), out_axes=None)
    np.testing.assert_allclose(f(jnp.asarray(X)), X.sum(0), rtol=1e-13)


def test_booleans_are_counted_and_integers_have_means():
    flags = jnp.asarray([True, False, True])
    np.testing.assert_array_equal(lanes(lambda x: lax.psum(x, "i"))(flags), [2, 2, 2])
    means = lanes(lambda x: lax.pmean(x, "i"))(jnp.arange(3))
    assert means.dtype == jnp.float32
    np.testing.assert_array_equal(means, [1.0, 1.0, 1.0])


def test_trees():
    found = lanes(lambda t: lax.psum(t, "i"))({"a": jnp.arange(3), "b": (jnp.ones(3),)})
    np.testing.assert_array_equal(found["a"], [3, 3, 3])
    np.testing.assert_array_equal(found["b"][0], [3.0, 3.0, 3.0])


@both
def test_two_names_at_once(wrap):
    x = np.arange(12.0).reshape(4, 3)

    def f(x):
        return (
            lax.psum(x, ("i", "j")),
            lax.pmax(x, ("j", "i")),
            lax.axis_index(("j", "i")),
            lax.all_gather(x, ("j", "i")),
            lax.all_gather(x, ("i", "j")),
            lax.axis_size(("i", "j")),
        )

    total, most, index, rows, columns, size = wrap(fnx.vmap(lanes(f), axis_name="j"))(
        jnp.asarray(x)
    )
    np.testing.assert_array_equal(total, np.full((4, 3), x.sum()))
    np.testing.assert_array_equal(most, np.full((4, 3), 11.0))
    np.testing.assert_array_equal(index, np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(rows, np.broadcast_to(x.ravel(), (4, 3, 12)))
    np.testing.assert_array_equal(columns, np.broadcast_to(x.T.ravel(), (4, 3, 12)))
    np.testing.assert_array_equal(size, np.full((4, 3), 12))


def test_the_innermost_axis_of_a_name_counts():
    found = lanes(lanes(lambda x: lax.psum(x, "i")))(jnp.asarray(X[..., 0]))
    np.testing.assert_allclose(found, np.repeat(X[..., 0].sum(1)[:, None], 3, 1), rtol=1e-13)


def test_a_jitted_function_is_traced_again_for_another_size():
    @fnx.jit
    def f(x):
        return lax.psum(1, "i") * x

    np.testing.assert_array_equal(lanes(f)(jnp.ones(3)), [3.0] * 3)
    np.testing.assert_array_equal(lanes(f)(jnp.ones(2)), [2.0] * 2)
    with pytest.raises(NameError, match="unbound axis name"):
        f(1.0)


# --------------------------------------------------------------------------- loops, branches, rules


@both
def test_in_a_scan(wrap):
    def f(x):
        return lax.scan(lambda c, y: (c + lax.psum(c * y, "i"), lax.pmax(c, "i")), x, WIDE[0, :, 0])

    carry, ys = wrap(lanes(f))(jnp.asarray(X[:, 0, 0]))
    c = X[:, 0, 0]
    for k, y in enumerate(WIDE[0, :, 0]):
        np.testing.assert_allclose(ys[:, k], np.full(3, c.max()), rtol=1e-12)
        c = c + np.sum(c * y)
    np.testing.assert_allclose(carry, c, rtol=1e-12)


@both
def test_in_a_branch_that_lanes_choose_differently(wrap):
    f = lanes(lambda x: lax.cond(x > 1, lambda x: lax.psum(x, "i"), lambda x: -x, x))
    np.testing.assert_array_equal(wrap(f)(jnp.arange(3.0)), [0.0, -1.0, 3.0])
    slope = fnx.grad(lambda x: jnp.sum(f(x) * jnp.arange(1.0, 4.0)))
    np.testing.assert_array_equal(wrap(slope)(jnp.arange(3.0)), [2.0, 1.0, 3.0])


@both
def test_in_a_loop_that_lanes_leave_one_by_one(wrap):
    f = lanes(lambda x: lax.while_loop(lambda c: c < 10, lambda c: c + lax.psum(c, "i"), x))
    c = np.arange(1.0, 4.0)
    while (c < 10).any():
        c = np.where(c < 10, c + c.sum(), c)
    np.testing.assert_array_equal(wrap(f)(jnp.arange(1.0, 4.0)), c)


@both
def test_in_a_loop_whose_length_all_lanes_share(wrap):
    f = lanes(lambda x: lax.fori_loop(0, 2, lambda k, c: c + lax.psum(c, "i"), x))
    np.testing.assert_array_equal(wrap(f)(jnp.arange(3.0)), [15.0, 16.0, 17.0])
    slope = fnx.grad(lambda x: jnp.sum(f(x)))
    np.testing.assert_array_equal(wrap(slope)(jnp.arange(3.0)), [16.0] * 3)


@both
def test_in_functions_with_their_own_derivative(wrap):
    @fnx.custom_jvp
    def f(x):
        return lax.psum(x, "i")

    f.defjvps(lambda t, out, x: 10 * lax.psum(t, "i"))

    @fnx.custom_vjp
    def g(x):
        return lax.psum(x, "i")

    g.defvjp(lambda x: (g(x), None), lambda _, ct: (10 * lax.psum(ct, "i"),))
    for h in (f, g):
        for inner in (h, fnx.jit(h)):
            np.testing.assert_array_equal(wrap(lanes(inner))(jnp.arange(3.0)), [3.0] * 3)
            slope = fnx.grad(lambda x, inner=inner: jnp.sum(lanes(inner)(x)))
            np.testing.assert_array_equal(wrap(slope)(jnp.arange(3.0)), [30.0] * 3)
    constant = wrap(lanes(lambda x: x + f(2.0)))
    np.testing.assert_array_equal(constant(jnp.zeros(3)), [6.0] * 3)


def test_callbacks_of_what_all_lanes_share_are_called_once():
    seen = []

    def f(x):
        fnx.debug.callback(lambda total: seen.append(float(total)), lax.psum(x, "i"))
        return x

    lanes(f)(jnp.arange(3.0))
    assert seen == [3.0]


# ------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "message", "f", "shape"),
    [
        (NameError, r"psum: unbound axis name: 'q'; in scope are \['i'\].*axis_name='q'",
         lambda x: lax.psum(x, "q"), (3,)),
        (NameError, r"axis_index: unbound axis name: 'q'", lambda x: lax.axis_index("q"), (3,)),
        (NotImplementedError, r"pmax: axis_index_groups must be None",
         lambda x: lax.pmax(x, "i", axis_index_groups=[[0, 1], [2]]), (3,)),
        (NotImplementedError, r"ppermute: takes one axis name, got 2",
         lambda x: lax.ppermute(x, ("i", "j"), []), (3,)),
        (ValueError, r"ppermute: of the destination lanes \[1, 1\], one is named twice; 'i' has 3",
         lambda x: lax.ppermute(x, "i", [(0, 1), (2, 1)]), (3,)),
        (ValueError, r"ppermute: of the source lanes \[7\], \[7\] don't exist",
         lambda x: lax.ppermute(x, "i", [(7, 1)]), (3,)),
        (ValueError, r"pshuffle: perm must hold each of the 3 lanes once, got \[0, 1\]",
         lambda x: lax.pshuffle(x, "i", [0, 1]), (3,)),
        (ValueError, r"psum_scatter: axis 0 of f32\[4\].*must be 3.*tiled=True",
         lambda x: lax.psum_scatter(x, "i"), (3, 4)),
        (ValueError, r"psum_scatter: axis 0 of f32\[4\] can't be divided among the 3 lanes",
         lambda x: lax.psum_scatter(x, "i", tiled=True), (3, 4)),
        (ValueError, r"all_to_all: axis 0 of f32\[4\].*must be 3",
         lambda x: lax.all_to_all(x, "i", 0, 0), (3, 4)),
        (ValueError, r"all_to_all: axis 0 of f32\[4\] can't be divided",
         lambda x: lax.all_to_all(x, "i", 0, 0, tiled=True), (3, 4)),
    ],
)  # fmt: skip
def test_errors(error, message, f, shape):
    with pytest.raises(error, match=message):
        lanes(f)(jnp.ones(shape))


def test_outside_of_all_axes():
    with pytest.raises(NameError, match=r"psum: unbound axis name: 'i'; in scope are \[\]"):
        lax.psum(1.0, "i")


def test_a_name_ends_with_its_vmap():
    lanes(lambda x: x)(jnp.ones(3))
    with pytest.raises(NameError):
        lax.axis_size("i")
    leaked = []
    lanes(lambda x: leaked.append(lambda: lax.axis_index("i")) or x)(jnp.ones(3))
    with pytest.raises(NameError):
        leaked[0]()


def test_vmap_without_arguments_and_options_of_jax():
    f = fnx.vmap(lambda: lax.axis_index("i"), axis_name="i", axis_size=4, spmd_axis_name="model")
    np.testing.assert_array_equal(f(), [0, 1, 2, 3])
