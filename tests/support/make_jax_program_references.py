"""Stores what JAX gives for the programs in tests/fnx/data/jax_programs.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_program_references [NAME ...]

Beside the results of each program it stores how many equations JAX has for nested derivatives (see
tests/fnx/transforms/test_nested_derivatives.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.support.jax_programs import DATA, PROGRAMS, run, text_of


def equations(jaxpr: Any) -> int:
    """Equations of a program, those of the programs that it calls in their place."""
    count = 0
    for eqn in jaxpr.eqns:
        inner = [p for p in eqn.params.values() if hasattr(p, "eqns") or hasattr(p, "jaxpr")]
        count += sum(equations(getattr(p, "jaxpr", p)) for p in inner) if inner else 1
    return count


def sizes(shape: tuple[int, ...]) -> list[int]:
    """Equations of the derivatives of order 1 to 7."""

    def function(x: Any) -> Any:
        return jnp.tanh(jnp.sin(x) * jnp.exp(-x * x))

    def summed(below: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: jnp.sum(below(x)) if shape else below(x)

    found, slope = [], function
    with jax.enable_x64(True):
        for _ in range(7):
            slope = jax.grad(summed(slope))
            found.append(equations(jax.make_jaxpr(slope)(np.zeros(shape)).jaxpr))
    return found


if __name__ == "__main__":
    for program in sys.argv[1:] or PROGRAMS:
        np.savez_compressed(DATA / f"{program}.npz", **run(program, jax, text_of(program)))
    table = {"scalar": sizes(()), "vector": sizes((5,))}
    (DATA.parent / "jax_derivative_sizes.json").write_text(json.dumps(table) + "\n")
