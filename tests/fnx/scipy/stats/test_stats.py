"""Every function of every distribution against SciPy's."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import scipy.stats

import fnx
from fnx.scipy import stats
from fnx.test_util import check_grads

CONTINUOUS = {
    "beta": (2.5, 0.7),
    "cauchy": (),
    "chi2": (3.5,),
    "expon": (),
    "gamma": (1.7,),
    "gennorm": (1.4,),
    "gumbel_l": (),
    "gumbel_r": (),
    "laplace": (),
    "logistic": (),
    "norm": (),
    "pareto": (1.6,),
    "t": (3.2,),
    "uniform": (),
    "vonmises": (1.5,),
    "wrapcauchy": (0.4,),
}
DISCRETE = {
    "bernoulli": (0.3,),
    "betabinom": (6, 1.5, 2.2),
    "binom": (6, 0.3),
    "geom": (0.3,),
    "nbinom": (4.2, 0.3),
}


FORMS = ["pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"]


def shapes_of(name):
    """float64: Python's numbers would be traced as float32."""
    return tuple(map(np.float64, {**CONTINUOUS, **DISCRETE}[name]))


def functions(name, among):
    module = importlib.import_module(f"fnx.scipy.stats.{name}")
    return {f: getattr(module, f) for f in module.__all__ if f in among}


def close(out, wanted, rtol=2e-13):
    np.testing.assert_allclose(np.asarray(out), wanted, rtol=rtol, atol=1e-15)


POINTS = np.array([-3.1, -0.4, 0.2, 0.35, 0.8, 1.3, 2.4, 4.1, 9.0])


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name):
    shapes, law = shapes_of(name), getattr(scipy.stats, name)
    # SciPy's angles of von Mises are modulo 2 pi, also after scaling.
    points = np.linspace(-3, 3, 9) if name == "vonmises" else POINTS
    for form, function in functions(name, FORMS).items():
        for loc, scale in np.array([[0, 1], [0.3, 1.0 if name == "vonmises" else 1.9]]):
            x = loc + points
            wanted = getattr(law, form)(x, *shapes, loc, scale)
            for f in (
                function,
                fnx.jit(function),
                fnx.vmap(function, (0, *[None] * (len(shapes) + 2))),
            ):
                close(f(x, *shapes, loc, scale), wanted, 1e-11)
        kind = np.float32
        single = function(x.astype(kind), *CONTINUOUS[name], loc=kind(loc), scale=kind(scale))
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, wanted, rtol=2e-5, atol=1e-6)
        assert np.isnan(function(1.0, *shapes, 0, -1.0))
        assert np.isnan(function(np.nan, *shapes))
        inside = law.ppf(np.array([0.2, 0.6, 0.9]), *shapes) if name != "vonmises" else POINTS[1:4]

        def moved(x, scale, *shapes, function=function):
            return function(x, *shapes, scale=scale)

        check_grads(moved, (inside, np.float64(1), *shapes), order=2, rtol=1e-4)
    q = np.array([-0.1, 0.0, 0.01, 0.4, 0.7, 0.999, 1.0, 1.2])
    for form, function in functions(name, ["ppf", "isf"]).items():
        out = function(q, *shapes, 0.3, 1.9)
        wanted = getattr(law, form)(q, *shapes, 0.3, 1.9)
        if name == "cauchy":  # the ends are poles of a tangent
            assert abs(out[1]) > 1e15 and abs(out[-2]) > 1e15
            out, wanted = np.delete(out, [1, 6]), np.delete(wanted, [1, 6])
        close(out, wanted, 1e-12)
        check_grads(lambda q, f=function: f(q, *shapes), (q[2:5],), order=2, eps=1e-6, rtol=1e-3)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name):
    shapes, law = shapes_of(name), getattr(scipy.stats, name)
    k = np.arange(-2, 7)
    for form, function in functions(name, ["pmf", "logpmf", "cdf"]).items():
        for loc in np.arange(2.0):
            wanted = getattr(law, form)(k, *shapes, loc)
            assert function(k, *DISCRETE[name]).dtype == np.float32
            for f in (
                function,
                fnx.jit(function),
                fnx.vmap(function, (0, *[None] * (len(shapes) + 1))),
            ):
                close(f(k.astype(float), *shapes, loc), wanted, 1e-12)
        halves = k + 0.5
        close(function(halves, *shapes), getattr(law, form)(halves, *shapes))
        places = np.arange(1.0, 3.0) if name != "bernoulli" else np.arange(2.0)
        check_grads(lambda p, f=function, k=places: f(k, *shapes[:-1], p), (shapes[-1],), order=2)
    for form, function in functions(name, ["ppf"]).items():
        q = np.array([-0.1, 0.0, 0.3, 0.7, 0.71, 1.0, 1.5])
        close(function(q, *shapes), getattr(law, form)(q, *shapes))


def test_tails():
    for name, z in (("norm", 20.0), ("gumbel_r", 80.0), ("expon", 1e-20), ("pareto", 1 + 1e-9)):
        law, shapes = getattr(scipy.stats, name), shapes_of(name)
        for form in ("logcdf", "logsf"):
            out = functions(name, [form])[form](np.float64(z), *shapes)
            wanted = getattr(law, form)(z, *shapes)
            close(out, wanted, 1e-7)


def test_every_module_is_tried():
    assert set(stats.__all__) == {*CONTINUOUS, *DISCRETE, "multivariate_normal"}


def test_errors():
    with pytest.raises(TypeError, match=r"norm.pdf: got .* \(x, loc, scale\)"):
        stats.norm.pdf(1.0, width=2)
    with pytest.raises(TypeError, match="beta.logpdf: missing a required argument: 'a'"):
        stats.beta.logpdf(1.0)
    with pytest.raises(TypeError, match="norm.cdf: takes real numbers"):
        stats.norm.cdf(1j)
    with pytest.raises(ValueError, match="gamma.sf: incompatible shapes"):
        stats.gamma.sf(np.ones(2), np.ones(3))


def test_multivariate_normal(rng):
    x, mean = rng.standard_normal((5, 3)), rng.standard_normal(3)
    a = rng.standard_normal((3, 3))
    cov = a @ a.T + np.eye(3)
    wanted = scipy.stats.multivariate_normal.logpdf(x, mean, cov)
    logpdf = stats.multivariate_normal.logpdf
    for f in (logpdf, fnx.jit(logpdf), fnx.vmap(logpdf, (0, None, None))):
        close(f(x, mean, cov), wanted, 1e-12)
    close(stats.multivariate_normal.pdf(x, mean, cov), np.exp(wanted), 1e-12)
    close(logpdf(x, mean[0], np.float64(2)), scipy.stats.norm.logpdf(x, mean[0], np.sqrt(2)), 1e-12)
    close(logpdf(x[0], 0.5, 2.0), scipy.stats.norm.logpdf(x[0], 0.5, np.sqrt(2.0)), 1e-12)
    check_grads(lambda x, m, a: logpdf(x, m, a @ a.T + np.eye(3)), (x, mean, a), order=2)
    with pytest.raises(ValueError, match="multivariate_normal.logpdf: takes vectors and a matrix"):
        logpdf(x, mean, np.eye(2))
    with pytest.raises(NotImplementedError, match="allow_singular must be None"):
        logpdf(x, mean, cov, True)
