"""SciPy's and einops's functions on arrays of fnx, as a program: prints the calls that go wrong.

SciPy reads SCIPY_ARRAY_API when it is imported, so this runs in a process of its own. Each call is
made with NumPy's arrays and with ours; the results must be ours, and equal.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import einops.array_api as einops
import numpy as np
import scipy.cluster
import scipy.fft
import scipy.integrate
import scipy.ndimage
import scipy.signal
import scipy.special
import scipy.stats
from scipy import special, stats
from scipy.spatial.transform import Rotation

import fnx
import fnx.numpy as jnp

__all__ = ["CALLS", "failures"]

_RNG = np.random.default_rng(0)
#: Two samples, a matrix, and positive numbers.
X, Y, MATRIX = _RNG.normal(size=20), _RNG.normal(size=20), _RNG.normal(size=(6, 6))
POSITIVE = abs(X) + 0.1

CALLS: dict[str, Callable[..., Any]] = {
    "stats.skew": lambda x, y, m, p: stats.skew(x),
    "stats.kurtosis": lambda x, y, m, p: stats.kurtosis(m, axis=1),
    "stats.moment": lambda x, y, m, p: stats.moment(x, 3),
    "stats.gmean": lambda x, y, m, p: stats.gmean(p),
    "stats.hmean": lambda x, y, m, p: stats.hmean(p),
    "stats.pmean": lambda x, y, m, p: stats.pmean(p, 2),
    "stats.entropy": lambda x, y, m, p: stats.entropy(p),
    "stats.ttest_1samp": lambda x, y, m, p: tuple(stats.ttest_1samp(x, 0.0)),
    "stats.ttest_ind": lambda x, y, m, p: tuple(stats.ttest_ind(x, y)),
    "stats.ttest_rel": lambda x, y, m, p: tuple(stats.ttest_rel(x, y)),
    "stats.sem": lambda x, y, m, p: stats.sem(x),
    "stats.kstat": lambda x, y, m, p: stats.kstat(x),
    "stats.circmean": lambda x, y, m, p: stats.circmean(x),
    "stats.circvar": lambda x, y, m, p: stats.circvar(x),
    "stats.jarque_bera": lambda x, y, m, p: tuple(stats.jarque_bera(x)),
    "stats.chisquare": lambda x, y, m, p: tuple(stats.chisquare(p)),
    "stats.rankdata": lambda x, y, m, p: stats.rankdata(x),
    "special.gammaln": lambda x, y, m, p: special.gammaln(p),
    "special.erf": lambda x, y, m, p: special.erf(x),
    "special.softmax": lambda x, y, m, p: special.softmax(m, axis=0),
    "special.xlogy": lambda x, y, m, p: special.xlogy(p, p),
    "special.expit": lambda x, y, m, p: special.expit(x),
    "special.betainc": lambda x, y, m, p: special.betainc(p, p, 0 * p + 0.3),
    "integrate.trapezoid": lambda x, y, m, p: scipy.integrate.trapezoid(x),
    "integrate.cumulative_trapezoid": lambda x, y, m, p: scipy.integrate.cumulative_trapezoid(x),
    "fft.fft": lambda x, y, m, p: scipy.fft.fft(x),
    "fft.rfft": lambda x, y, m, p: scipy.fft.rfft(x),
    "fft.irfft": lambda x, y, m, p: scipy.fft.irfft(x),
    "fft.fftn": lambda x, y, m, p: scipy.fft.fftn(m),
    "fft.dct": lambda x, y, m, p: scipy.fft.dct(x),
    "signal.detrend": lambda x, y, m, p: scipy.signal.detrend(x),
    "signal.convolve": lambda x, y, m, p: scipy.signal.convolve(x, y),
    "signal.fftconvolve": lambda x, y, m, p: scipy.signal.fftconvolve(x, y),
    "signal.lfilter": lambda x, y, m, p: scipy.signal.lfilter(y[:3], p[:3], x),
    "cluster.vq": lambda x, y, m, p: scipy.cluster.vq.vq(m, m[:2]),
    "ndimage.gaussian_filter": lambda x, y, m, p: scipy.ndimage.gaussian_filter(m, 1.0),
    "Rotation": lambda x, y, m, p: Rotation.from_rotvec(x[:3]).as_matrix(),
    "einops.rearrange": lambda x, y, m, p: einops.rearrange(m, "(a c) b -> a (b c)", c=2),
    "einops.reduce": lambda x, y, m, p: einops.reduce(m, "(a c) b -> a b", "mean", c=2),
    "einops.repeat": lambda x, y, m, p: einops.repeat(m, "a b -> b a c", c=3),
    "einops.pack": lambda x, y, m, p: einops.pack([m, m[:2]], "* b")[0],
}


def failures() -> list[str]:
    """The calls whose results are not arrays of fnx, or not SciPy's own."""
    fnx.config.update("jax_enable_x64", True)
    plain = (X, Y, MATRIX, POSITIVE)
    ours = tuple(map(jnp.asarray, plain))
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, call in CALLS.items():
            try:
                _compare(call(*ours), call(*plain))
            except Exception as error:
                found.append(f"{name}: {type(error).__name__}: {error}")
    return found


def _compare(found: Any, expected: Any) -> None:
    parts = found if isinstance(found, tuple) else (found,)
    for one, other in zip(parts, expected if isinstance(expected, tuple) else (expected,)):
        assert type(one) is jnp.ndarray, f"the result is of {type(one)}"
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


if __name__ == "__main__":
    print("\n".join(failures()))
    print(f"{len(CALLS)} calls")
