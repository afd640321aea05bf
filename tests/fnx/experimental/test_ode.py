"""`odeint` against closed forms, elliptic integrals, SciPy's solver and matrix exponentials."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx.experimental.jet import jet
from fnx.experimental.ode import odeint

TIMES = np.array([0.0, 0.3, 1.0, 2.0])


@pytest.fixture(autouse=True)
def _wide():
    with fnx.enable_x64(True):
        yield


def close(found, wanted, tolerance=2e-7):
    for mine, other in zip(fnx.tree.leaves(found), fnx.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


def decay(y, t, rate):
    return -rate * y


def decayed(rate, y0=1.0, times=TIMES):
    return odeint(decay, y0, jnp.asarray(times), rate)


def logistic(y, t, rate):
    return rate * y * (1 - y)


def logistic_solution(y0, rate, t):
    return 1 / (1 + (1 / y0 - 1) * jnp.exp(-rate * t))


def pendulum(y, t):
    return {"angle": y["speed"], "speed": -jnp.sin(y["angle"])}


# ------------------------------------------------------------------------------------------- values


def test_exponential():
    close(decayed(0.7), np.exp(-0.7 * TIMES), 1e-7)


def test_van_der_pol_against_scipy():
    def field(y, t, mu):
        return jnp.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    times = np.linspace(0, 8, 17)
    found = odeint(field, jnp.array([2.0, 0.0]), jnp.asarray(times), 3.0)
    wanted = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], 3.0 * (1 - y[0] ** 2) * y[1] - y[0]],
        (0, 8), [2.0, 0.0], "DOP853", times, rtol=1e-12, atol=1e-12,
    )  # fmt: skip
    assert wanted.success
    close(found.T, wanted.y, 1e-6)


def test_pendulum_by_elliptic_integrals():
    modulus = np.sin(1.0) ** 2  # of an amplitude of 2
    period = float(4 * mpmath.ellipk(modulus))
    times = np.linspace(0, period, 5)
    found = odeint(pendulum, {"angle": 2.0, "speed": 0.0}, jnp.asarray(times))
    sn = [float(mpmath.ellipfun("sn", float(mpmath.ellipk(modulus)) - t, m=modulus)) for t in times]
    close(found["angle"], 2 * np.arcsin(np.sin(1.0) * np.array(sn)), 1e-6)


def test_parts_keep_shapes_and_dtypes():
    y0 = {"a": jnp.ones((2, 3), "float32"), "b": (jnp.zeros((), "complex128"),)}

    def field(y, t):
        return {"a": -y["a"], "b": (1j * y["b"][0] + 1,)}

    found = fnx.jit(lambda y: odeint(field, y, jnp.asarray(TIMES), rtol=1e-5, atol=1e-5))(y0)
    assert (found["a"].shape, found["a"].dtype) == ((4, 2, 3), np.float32)
    assert (found["b"][0].shape, found["b"][0].dtype) == ((4,), np.complex128)
    close(found["a"][:, 1, 2], np.exp(-TIMES), 1e-4)
    close(found["b"][0], (np.exp(1j * TIMES) - 1) / 1j, 1e-4)


def test_times_that_repeat_and_one_time():
    close(decayed(1.0, times=[0.0, 0.0, 1.0, 1.0]), np.exp([0.0, 0.0, -1.0, -1.0]), 1e-7)
    close(decayed(1.0, times=[3.0]), np.ones(1))
    close(fnx.grad(lambda y: decayed(1.0, y, [3.0])[0])(2.0), 1.0)


def test_what_cannot_be_solved_is_nan():
    blown_up = odeint(lambda y, t: y * y, 1.0, jnp.array([0.0, 0.5, 1.5]))
    close(blown_up[:2], np.array([1.0, 2.0]), 1e-6)
    assert np.isnan(blown_up[2])
    assert np.isnan(decayed(1.0, times=[0.0, -1.0])[1])
    few = odeint(decay, 1.0, jnp.array([0.0, 1.0, 50.0]), 1.0, mxstep=30)
    assert np.isnan(few).tolist() == [False, False, True]


def test_steps_into_the_undefined_are_shortened():
    # sqrt has no value beyond y = 0, which a long step would reach.
    found = odeint(lambda y, t: -jnp.sqrt(y), 1.0, jnp.array([0.0, 1.9]))
    close(found[1], 0.05**2, 1e-7)


def test_hmax_bounds_the_steps():
    def field(y, t):
        return jnp.where((t > 4.9) & (t < 5.1), 1.0, 0.0) + 0 * y

    times = jnp.array([0.0, 10.0])
    close(odeint(field, 0.0, times, hmax=0.05, rtol=1e-6, atol=1e-6)[1], 0.2, 1e-3)
    assert odeint(field, 0.0, times)[1] == 0.0  # long steps go past it


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ((decay, 1, TIMES, 1.0), TypeError, r"y0 is i64\[\]; .*float or complex"),
        ((decay, 1.0, np.array([0, 1]), 1.0), TypeError, "t must be an array of floats"),
        ((decay, 1.0, 1.0, 1.0), ValueError, "one axis"),
        ((decay, 1.0, TIMES[:0], 1.0), ValueError, "at least one time"),
        ((lambda y, t: [y], 1.0, TIMES), TypeError, "structure of y0"),
        ((lambda y, t: jnp.stack([y, y]), 1.0, TIMES), TypeError, r"f64\[2\].*Broadcast"),
        ((lambda y, t: 1j * y, 1.0, TIMES), TypeError, "narrowed"),
        ((0, 1.0, TIMES), TypeError, "expected a function"),
    ],
)
def test_mistakes(arguments, kind, words):
    with pytest.raises(kind, match=words):
        odeint(*arguments)


# -------------------------------------------------------------------------------------- derivatives


def last_logistic(y0, rate):
    return odeint(logistic, y0, jnp.asarray(TIMES), rate)[-1]


def of_solution(y0, rate):
    return logistic_solution(y0, rate, TIMES[-1])


@pytest.mark.parametrize(
    "order",
    [
        lambda f: fnx.grad(f, (0, 1)),
        lambda f: fnx.jacfwd(f, (0, 1)),
        lambda f: fnx.hessian(f, (0, 1)),
        lambda f: fnx.jacrev(fnx.grad(f, (0, 1)), (0, 1)),
        lambda f: fnx.jacrev(fnx.jacfwd(f, (0, 1)), (0, 1)),
        lambda f: fnx.jacfwd(fnx.jacfwd(fnx.grad(f, 1), 1), 0),
    ],
    ids=["reverse", "forward", "hessian", "reverse-reverse", "reverse-forward", "third"],
)
def test_derivatives_of_the_logistic_curve(order):
    close(order(last_logistic)(0.1, 1.3), order(of_solution)(0.1, 1.3), 2e-6)


def test_derivatives_by_the_times():
    weights = jnp.array([0.5, -1.0, 2.0, 3.0])

    def solved(times, rate):
        return odeint(logistic, 0.2, times, rate) @ weights

    def closed(times, rate):
        return logistic_solution(0.2, rate, times - times[0]) @ weights

    times = jnp.asarray(TIMES + 0.5)
    for derivative in (fnx.grad(solved), fnx.jacfwd(solved)):
        close(derivative(times, 1.3), fnx.grad(closed)(times, 1.3), 1e-6)
    close(fnx.hessian(solved)(times, 1.3), fnx.hessian(closed)(times, 1.3), 1e-5)


def test_fields_that_depend_on_time():
    # y' = a cos(t + b) from t = b: the first time and the field move together.
    def solved(a, b):
        return odeint(lambda y, t: a * jnp.cos(t + b), 0.0, b + jnp.array([0.0, 1.5]))[1]

    def closed(a, b):
        return a * (jnp.sin(2 * b + 1.5) - jnp.sin(2 * b))

    close(fnx.hessian(solved, (0, 1))(1.2, 0.4), fnx.hessian(closed, (0, 1))(1.2, 0.4), 1e-6)


def test_derivatives_where_the_state_rests():
    # The state's own error is zero here: the tangents and cotangents need steps of their own.
    matrix = np.array([[0.0, 3.0], [-3.0, -0.2]])

    def last(y0):
        return odeint(lambda y, t: jnp.asarray(matrix) @ y, y0, jnp.array([0.0, 4.0]))[1]

    wanted = scipy.linalg.expm(4.0 * matrix)
    for jacobian in (fnx.jacfwd(last), fnx.jacrev(last)):
        close(jacobian(jnp.zeros(2)), wanted, 1e-6)


def test_what_the_field_captures():
    def loss(w):
        return jnp.sum(
            odeint(lambda y, t: jnp.tanh(w @ y), jnp.ones(3), jnp.array([0.0, 1.0])) ** 2
        )

    w = jnp.asarray(np.random.default_rng(5).standard_normal((3, 3)))
    direction = jnp.asarray(np.random.default_rng(6).standard_normal((3, 3)))
    step = 1e-3
    ahead, behind = (loss(w + s * direction) for s in (step, -step))
    close(jnp.vdot(fnx.grad(loss)(w), direction), (ahead - behind) / (2 * step), 1e-5)
    close(fnx.jvp(loss, (w,), (direction,))[1], jnp.vdot(fnx.grad(loss)(w), direction), 1e-6)


def test_integer_arguments_have_no_derivative():
    powers = jnp.array([1, 2])

    def last(y0):
        return jnp.sum(odeint(lambda y, t, n: -(y**n), y0, jnp.array([0.0, 1.0]), powers)[1])

    # y' = -y and y' = -y**2
    y0 = jnp.array([1.0, 2.0])
    close(fnx.grad(last)(y0), np.array([np.exp(-1.0), 1 / 9]), 1e-6)


def test_jet_by_arguments_and_by_times():
    ones = [1.0, 0.0, 0.0, 0.0]
    _, by_rate = jet(lambda r: decayed(r)[-1], (0.5,), (ones,))
    close(jnp.stack(by_rate), np.exp(-1) * (-2.0) ** np.arange(1, 5), 1e-6)
    end = lambda t: odeint(decay, 1.0, t * jnp.array([0.0, 1.0]), 0.5)[1]  # noqa: E731
    _, by_time = jet(end, (2.0,), (ones[:3],))
    close(jnp.stack(by_time), np.exp(-1) * (-0.5) ** np.arange(1, 4), 1e-6)


def test_lanes_of_different_stiffness_have_their_own_steps():
    rates = jnp.array([0.1, 1.0, 10.0, 300.0])
    lanes = fnx.vmap(decayed)(rates)
    close(lanes, np.exp(-np.asarray(rates)[:, None] * TIMES), 1e-7)
    for rate, lane in zip(rates, lanes, strict=True):
        np.testing.assert_array_equal(lane, decayed(rate))
    last = fnx.vmap(fnx.grad(lambda r: decayed(r)[-1]))(rates)
    close(last, -2 * np.exp(-2 * np.asarray(rates)), 2e-7)
    both = fnx.grad(lambda r: jnp.sum(fnx.vmap(decayed)(r)[:, -1]))(rates)
    close(both, last, 1e-7)


def test_a_linear_equation_has_a_transpose():
    matrix = jnp.array([[0.0, 1.0], [-1.0, -0.1]])

    def solve(y0):
        return odeint(lambda y, t: matrix @ y, y0, jnp.asarray(TIMES))

    ct = jnp.asarray(np.random.default_rng(2).standard_normal((4, 2)))
    (pulled,) = fnx.linear_transpose(solve, jnp.zeros(2))(ct)
    y0 = jnp.array([0.3, -0.7])
    close(jnp.vdot(pulled, y0), jnp.vdot(ct, solve(y0)), 1e-6)
    with pytest.raises(fnx.errors.MissingRuleError, match="not linear"):
        fnx.linear_transpose(lambda y: odeint(lambda y, t: jnp.sin(y), y, TIMES), 0.0)(ct[:, 0])


def test_the_reverse_pass_keeps_only_the_results():
    # The adjoint starts anew from the states at the times: no step of the solver is saved.
    _, pull = fnx.vjp(lambda r: decayed(r, times=np.linspace(0, 2, 5)), 0.5)
    sizes = [x.size for x in fnx.tree.leaves(pull) if hasattr(x, "size")]
    assert max(sizes, default=0) <= 5
