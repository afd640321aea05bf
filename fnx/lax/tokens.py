"""Tokens: values without data, which say that one computation comes after others.

A token is an empty array of booleans, so it goes wherever an array goes: through `jit`, loops and
branches, in and out of functions.  What needs an order of its own (printing, callbacks) has it
from its effect; tokens are for programs that pass them around.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError
from fnx.primitives.cast import optimization_barrier
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import full

__all__ = ["after_all", "create_token"]


def create_token(_: Any = None) -> Any:
    """A token that comes after nothing.

    Parameters
    ----------
    _ : optional
        Takes no part, as in JAX.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.create_token().shape
    (0,)
    """
    return full((0,), False, np.dtype(bool))


def after_all(*operands: Any) -> Any:
    """A token that comes after all the others.

    Parameters
    ----------
    *operands : token
        From `create_token` and `after_all`.

    Raises
    ------
    TypeError
        One of them is no token.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.after_all(lax.create_token(), lax.create_token()).shape
    (0,)
    """
    tokens = [as_value(t, "after_all", f"operand {k}") for k, t in enumerate(operands)]
    for k, token in enumerate(tokens):
        if token.shape != (0,) or token.dtype != np.dtype(bool):
            raise ArgumentTypeError(
                f"after_all: operand {k} must be a token, got {token.aval!r}. Make one with "
                "`lax.create_token`."
            )
    # Behind the barrier nothing can take the parts for what they are, empty.
    return optimization_barrier(concatenate([create_token(), *tokens], 0))
