"""Names for values: the identity, with a label that policies of `checkpoint` read.

Compiled, it is nothing.  Read next: `fnx.control.policies`.
"""

from __future__ import annotations

from typing import Any

from fnx import tree_util
from fnx.core.conversion import as_value
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.errors import ArgumentTypeError
from fnx.primitives.families import ALL, infer_elementwise, linear, same_rank_vmap
from fnx.primitives.samplers import elementwise_samples

__all__ = ["checkpoint_name", "name_p"]

_infer = infer_elementwise("name", ALL, 1)

name_p: Primitive = linear(
    "name",
    infer=lambda x, *, name: _infer(x),
    evaluate=lambda x, name: x,
    transpose=lambda ct, x, name: [name_p(ct, name=name)],
    vmap=same_rank_vmap(lambda: name_p),
    lower=Element(lambda b, i, x, name: x(*i)),
    sample=elementwise_samples(ALL, (-2.0, 2.0), params=({"name": "sampled"},), linear=(0,)),
)


def checkpoint_name(x: Any, name: str) -> Any:
    """The same values, with a name by which `checkpoint_policies` can save them.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes and dtypes.
    name : str
        Several values may have one.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.ad_checkpoint import checkpoint_name
    >>> policy = fnx.checkpoint_policies.save_only_these_names("wave")
    >>> @fnx.checkpoint(policy=policy)
    ... def f(x):
    ...     return jnp.exp(checkpoint_name(jnp.sin(x), "wave"))
    >>> fnx.grad(f)(0.)
    Array(1., dtype=float32, weak_type=True)
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(
            f"checkpoint_name: name must be a string, got {type(name).__name__}."
        )
    return tree_util.tree_map(lambda leaf: name_p(as_value(leaf, "checkpoint_name"), name=name), x)
