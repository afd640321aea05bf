"""The last of the table of `random_operations`: every other primitive, on cases of its sampler.

Importing this module completes the table.  A primitive that no entry is named after gets one here,
so that a new primitive is in random programs as soon as it has a sampler.  The operands are those
of the sample; a value in hand moves one of them a little, which leaves it inside the domain
(`tests.support.laws` takes differences there).
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx.core.primitive import Sample, registry
from fnx.primitives.collectives import ALONG
from tests.support.law_subjects import NAMES
from tests.support.random_matrices import OPERATIONS
from tests.support.random_operations import Rejected

__all__ = ["OF_DERIVATIVES", "OPERATIONS", "sampled"]

#: Only derivatives make these: a residual program, an adjoint, a tangent at a window's winner.
OF_DERIVATIVES = {
    "checkpoint_tangent",
    "linear_call",
    "linear_program",
    "linear_recurrence",
    "select_and_gather_add",
    "select_and_scatter_add",
}

#: How far operands move, and how many elements they may have.
MOVED, MOST_ELEMENTS = 0.004, 6


@cache
def cases(name: str) -> list[Sample]:
    """The cases of a primitive that fit into programs: small, and in double precision."""
    primitive = registry[name]
    assert primitive.sample is not None, f"{name} has no sampler: give its definition one"
    return [s for s in primitive.sample(np.random.default_rng(0)) if _fits(s)]


def _fits(sample: Sample) -> bool:
    args = [np.asarray(a) for a in sample.args]
    usual = all(a.dtype.kind in "iub" or a.dtype in (np.float64, np.complex128) for a in args)
    return usual and all(0 < a.size <= MOST_ELEMENTS for a in args)


def sampled(name: str, case: int, operand: int, x: Any) -> Any:
    """A primitive on a case of its sampler, with an operand that x moves; its first result.

    Where it has none (it only does something), x again.
    """
    sample, primitive = cases(name)[case], registry[name]
    args = [jnp.asarray(a) for a in sample.args]
    if args and sample.smooth and args[operand].dtype.kind in "fc":
        arg = args[operand]
        phases = jnp.arange(float(arg.size), dtype="float64").reshape(arg.shape)
        args[operand] = arg + MOVED * lax.sin(jnp.mean(x).astype("float64") + phases)
    out = primitive(*args, **sample.params)
    if primitive.multiple_results:
        out = out[0] if out else x
    return jnp.real(out) if out.dtype.kind == "c" else out


def _on_a_case(name: str, g: Any) -> None:
    found = cases(name)
    if not found:
        raise Rejected
    case = int(g.rng.integers(len(found)))
    operand = int(g.rng.integers(max(1, len(found[case].args))))
    g.emit(f"fnx.jit(partial(sampled, {name!r}, {case}, {operand}))({g.real()})")


_others = set(NAMES) - set(OPERATIONS) - OF_DERIVATIVES - {p.name for p in ALONG}
for _name in sorted(_others):
    OPERATIONS[f"sampled {_name}"] = partial(_on_a_case, _name)
