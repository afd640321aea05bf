"""Comparison of a function with NumPy's function of its name, eager, compiled and mapped."""

from __future__ import annotations

import warnings

import numpy as np

import fnx
import fnx.numpy as jnp


def leaves(result):
    return list(result) if isinstance(result, list | tuple) else [result]


def assert_same_as_numpy(name, args, options=None, dtypes_too=True):
    """Values, shapes and (by default) dtypes of the eager and the compiled function."""
    options = options or {}
    with warnings.catch_warnings():
        # NumPy warns of empty slices and divisions by zero, whose results we compare.
        warnings.simplefilter("ignore")
        expected = getattr(np, name)(*args, **options)
    arrays = [k for k, a in enumerate(args) if isinstance(a, np.ndarray)]
    with fnx.enable_x64(True):

        def function(*values):
            mixed = list(args)
            for k, value in zip(arrays, values, strict=True):
                mixed[k] = value
            return getattr(jnp, name)(*mixed, **options)

        values = [jnp.asarray(args[k]) for k in arrays]
        for result in (function(*values), fnx.jit(function)(*values)):
            _assert_leaves(leaves(result), leaves(expected), dtypes_too)


def assert_mapped(name, args, options=None):
    """`vmap` over a new first axis of every array gives the results one by one."""
    options = options or {}
    with fnx.enable_x64(True):
        stacks = [jnp.stack([jnp.asarray(a), jnp.asarray(a)[::-1]]) for a in args]

        def function(*values):
            return getattr(jnp, name)(*values, **options)

        mapped = leaves(fnx.vmap(function)(*stacks))
        for k in range(2):
            single = leaves(function(*[s[k] for s in stacks]))
            _assert_leaves([m[k] for m in mapped], single, True)


def _assert_leaves(results, expected, dtypes_too):
    assert len(results) == len(expected)
    for ours, theirs in zip(results, expected, strict=True):
        theirs = np.asarray(theirs)
        assert ours.shape == theirs.shape
        if dtypes_too:
            assert ours.dtype == theirs.dtype
        tolerance = 1e-5 if ours.dtype.itemsize <= 4 else 1e-12
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=tolerance, atol=tolerance)
