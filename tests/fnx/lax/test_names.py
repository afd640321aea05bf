"""Every public name of `fnx.lax`, called, against what JAX gives for the same calls.

The calls are in tests/support/lax_cases.py and lax_heavy_cases.py; tests/support/make_jax_lax.py
stored JAX's results with their first and second derivatives.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
from tests.support.lax_calls import Call
from tests.support.lax_comparison import CALLS, derivatives, values

with np.load(Path(__file__).parents[1] / "data" / "jax_lax.npz") as stored:
    NUMBERS = stored["numbers"]
    LAYOUT = json.loads(str(stored["layout"]))

#: Calls whose results are not compared in the last bits but one: series and long sums.
LOOSE = {"digamma": 1e-12, "polygamma": 1e-11, "zeta": 1e-11}


def unpacked():
    """JAX's leaves by name, call and order."""
    found, start = {}, 0
    for key, leaves in LAYOUT.items():
        if isinstance(leaves, str):
            continue
        arrays = []
        for name, shape in leaves:
            kind = np.dtype(name).kind
            count = int(np.prod(shape)) * (2 if kind == "c" else 1)
            part = NUMBERS[start : start + count]
            start += count
            part = part[0::2] + 1j * part[1::2] if kind == "c" else part
            arrays.append((name, part.reshape(shape)))
        found[key] = arrays
    assert start == NUMBERS.size
    return found


STORED = unpacked()
NAMES = sorted(CALLS)


def agree(got, wanted, rtol, where):
    assert len(got) == len(wanted), f"{where}: {len(got)} leaves, JAX has {len(wanted)}"
    for one, (dtype, other) in zip(got, wanted, strict=True):
        assert one.shape == other.shape, where
        assert one.dtype.name == dtype, f"{where}: {one.dtype.name}, JAX has {dtype}"
        single = dtype in ("float32", "complex64")
        tolerance = 1e-6 if single else rtol
        scale = np.max(np.abs(other), initial=1e-3, where=np.isfinite(other))
        np.testing.assert_allclose(
            one, other, rtol=tolerance, atol=tolerance * scale, err_msg=where
        )


def test_every_public_name_has_a_call():
    assert set(fnx.lax.__all__) - set(CALLS) == set()


@pytest.mark.parametrize("name", NAMES)
def test_results(name):
    for k, call in enumerate(CALLS[name]):
        agree(values(fnx, call), STORED[f"{name}/{k}/0"], LOOSE.get(name, 1e-13), f"{name} {k}")


@pytest.mark.parametrize("name", [n for n in NAMES if f"{n}/0/1" in STORED])
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives(name, order):
    for k, call in enumerate(CALLS[name]):
        wanted = STORED.get(f"{name}/{k}/{order}")
        if wanted is not None:
            got = derivatives(fnx, call, order)
            agree(got, wanted, LOOSE.get(name, 1e-11), f"{name} {k}, derivative {order}")


def last_alone(call):
    """The call as one of its last inexact operand; the others stay NumPy arrays."""
    place = max(k for k, x in enumerate(call.operands) if np.asarray(x).dtype.kind in "fc")

    def function(root, value):
        operands = list(call.operands)
        operands[place] = value
        return call.function(root, *operands)

    return Call(function, (call.operands[place],), 1)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if any(f"{n}/{k}/1" in STORED and len(c.operands) > 1
                                     for k, c in enumerate(CALLS[n]))]
)  # fmt: skip
def test_numpy_arrays_stand_beside_tracers(name):
    for k, call in enumerate(CALLS[name]):
        wanted = STORED.get(f"{name}/{k}/1")
        if wanted is not None and len(call.operands) > 1:
            got = derivatives(fnx, last_alone(call), 1)
            agree(got, wanted[-1:], LOOSE.get(name, 1e-11), f"{name} {k}")
