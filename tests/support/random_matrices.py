"""More of the table of `random_operations`: linear algebra, and what lanes know of each other.

Matrices are made of values in hand by `spread` (in the prelude): near a diagonal of 1, 3, 5, so
that they are well conditioned, their eigenvalues and singular values lie apart, and no pivot is in
doubt.  Of vectors that are determined up to a sign or a phase programs use what doesn't depend on
it.  Read next: `random_samples`, which completes the table.
"""

from __future__ import annotations

from typing import Any

from tests.support.random_operations import forms, operation
from tests.support.random_structures import OPERATIONS

__all__ = ["OPERATIONS"]

#: Expressions of a spread matrix, with how many results they have.
FACTORED = {
    "cholesky": ("jnp.linalg.cholesky({0})", 1),
    "lu": ("lax.linalg.lu({0})", 3),
    "lu_pivots_to_permutation": ("reordered({0})", 1),
    "qr": ("jnp.linalg.qr({0})", 2),
    "triangular_solve": ("lax.linalg.triangular_solve({0}, {1}, left_side=True, lower=True)", 1),
    "eigh": ("of_symmetric({0})", 2),
    "eig": ("of_general({0})", 1),
    "svd": ("of_singular({0})", 2),
    "solve_sylvester": ("fnx.scipy.linalg.solve_sylvester({0}, {0}, {0} * {0})", 1),
    "sqrtm": ("jnp.real(fnx.scipy.linalg.sqrtm({0}))", 1),
    "jnp.linalg.solve": ("jnp.linalg.solve({0}, {1})", 1),
    "jnp.linalg.slogdet": ("jnp.linalg.slogdet({0})[1]", 1),
}


@forms(*FACTORED)
def factored(g: Any, name: str) -> None:
    n = 2 + int(g.rng.integers(2))
    batch = (2,) if g.rng.random() < 0.25 else ()
    form, results = FACTORED[name]
    dtype = g.dtype(g.real())
    flipped = "[..., ::-1, :]" if name.startswith("lu") else ""  # so that rows are exchanged
    matrix = f"spread({g.shaped((*batch, n, n), dtype)}){flipped}"
    g.emit(form.format(matrix, g.shaped((*batch, n, 2), dtype)), results)


@operation
def fft(g: Any) -> None:
    x = g.real(1)
    axis = g.axis(x)
    form = g.one_of(
        (
            "jnp.real(jnp.fft.fft(x, axis={0}))",
            "jnp.imag(jnp.fft.ifft(x, axis={0}))",
            "jnp.abs(jnp.fft.rfft(x + 3.0, axis={0}))[..., :1]",
            "jnp.fft.irfft(jnp.fft.rfft(x, axis={0}) * 0.5j, {1}, {0})",
        )
    )
    g.emit(f"fnx.jit(lambda x: {form.format(axis, g.shape(x)[axis])})({x})")


#: What a lane makes of itself and the others; `{n}` is how many there are.
SHARED = {
    "psum": "lax.sin({u}) * lax.psum({u}, 'lane') * 0.5",
    "pmax": "{u} - lax.pmax({u}, 'lane')",
    "pmin": "{u} * 0.5 + lax.pmin({u}, 'lane')",
    "ppermute": "{u} * lax.ppermute({u}, 'lane', [(k, (k + 1) % {n}) for k in range({n})])",
    "all_gather": "lax.sin({u}) + jnp.prod(lax.cos(lax.all_gather({u}, 'lane')), 0)",
    "axis_index": "lax.sin({u}) * (lax.axis_index('lane') + 0.5)",
    "all_to_all": "lax.sin({u}) * lax.all_to_all({u}, 'lane', 0, 0)",
    "psum_scatter": "lax.psum_scatter(lax.sin({u}), 'lane')",
}


@forms(*SHARED)
def shared(g: Any, name: str) -> None:
    if name in ("pmax", "pmin"):
        x = g.distinct()
    elif name in ("all_to_all", "psum_scatter"):
        n = 2 + int(g.rng.integers(2))
        x = g.emit(g.shaped((n, n)))
    else:
        x = g.real(1)
    if g.shape(x)[0] == 1:
        x = g.emit(f"fnx.jit(lambda x: jnp.concatenate([x, x + 0.5]))({x})")
    u, n = g.fresh(), g.shape(x)[0]
    g.emit(f"fnx.vmap(lambda {u}: {SHARED[name].format(u=u, n=n)}, axis_name='lane')({x})")


@operation
def effectful(g: Any) -> None:
    g.emit(f"{g.real()} * told({1 + int(g.rng.integers(6))})")
