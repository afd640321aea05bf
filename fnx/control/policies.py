"""What `checkpoint` keeps instead of computing it again: policies, as in `jax.checkpoint_policies`.

A policy is asked for each application of a primitive, ``policy(primitive, *avals, **params)``, and
says whether its results are kept.  A loop, or a branch, is one application.  Read next:
`checkpoint`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx.errors import ArgumentValueError
from fnx.primitives.contraction import dot_general_p
from fnx.primitives.convolution import conv_general_dilated_p
from fnx.primitives.naming import name_p

__all__ = [
    "Policy",
    "checkpoint_dots",
    "checkpoint_dots_with_no_batch_dims",
    "dots_saveable",
    "dots_with_no_batch_dims_saveable",
    "everything_saveable",
    "nothing_saveable",
    "offload_dot_with_no_batch_dims",
    "save_and_offload_only_these_names",
    "save_any_names_but_these",
    "save_anything_except_these_names",
    "save_from_both_policies",
    "save_only_these_names",
]

Policy = Callable[..., bool]


def everything_saveable(primitive: Any, *avals: Any, **params: Any) -> bool:
    """Keep every value, as without `checkpoint`.

    Parameters
    ----------
    primitive, *avals, **params
        As of every policy: what is applied, to which types, with which parameters.
    """
    return True


def nothing_saveable(primitive: Any, *avals: Any, **params: Any) -> bool:
    """Compute everything again: the policy where none is given.

    Parameters
    ----------
    primitive, *avals, **params
        As of every policy.
    """
    return False


def dots_saveable(primitive: Any, *avals: Any, **params: Any) -> bool:
    """Keep the results of contractions and convolutions, which cost most.

    Parameters
    ----------
    primitive, *avals, **params
        As of every policy.
    """
    return primitive is dot_general_p or primitive is conv_general_dilated_p


def dots_with_no_batch_dims_saveable(primitive: Any, *avals: Any, **params: Any) -> bool:
    """Keep the results of contractions without batch axes, such as those of dense layers.

    Parameters
    ----------
    primitive, *avals, **params
        As of every policy.
    """
    if primitive is not dot_general_p:
        return False
    _, (left, right) = params["dimension_numbers"]
    return not left and not right


checkpoint_dots = dots_saveable
checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """As `dots_with_no_batch_dims_saveable`: there is one memory, in which values stay.

    Parameters
    ----------
    offload_src, offload_dst : str
        Accepted for programs written for JAX.
    """
    return dots_with_no_batch_dims_saveable


def save_anything_except_these_names(*names: str) -> Policy:
    """Keep every value, except those with these names.

    Parameters
    ----------
    *names : str
        Of `checkpoint_name`.
    """
    refused = frozenset(names)

    def policy(primitive: Any, *avals: Any, **params: Any) -> bool:
        return not (primitive is name_p and params["name"] in refused)

    return policy


def save_any_names_but_these(*names: str) -> Policy:
    """Keep values that have a name, except those with these.

    Parameters
    ----------
    *names : str
        Of `checkpoint_name`.
    """
    refused = frozenset(names)

    def policy(primitive: Any, *avals: Any, **params: Any) -> bool:
        return primitive is name_p and params["name"] not in refused

    return policy


def save_only_these_names(*names: str) -> Policy:
    """Keep values with these names.

    Parameters
    ----------
    *names : str
        Of `checkpoint_name`.
    """
    kept = frozenset(names)

    def policy(primitive: Any, *avals: Any, **params: Any) -> bool:
        return primitive is name_p and params["name"] in kept

    return policy


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Any,
    names_which_can_be_offloaded: Any,
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Keep values with any of these names: there is one memory, in which values stay.

    Parameters
    ----------
    names_which_can_be_saved, names_which_can_be_offloaded : sequence of str
        Of `checkpoint_name`.
    offload_src, offload_dst : str
        Accepted for programs written for JAX.
    """
    both = set(names_which_can_be_saved) & set(names_which_can_be_offloaded)
    if both:
        raise ArgumentValueError(
            "save_and_offload_only_these_names: a value is saved or offloaded, not both; "
            f"{sorted(both)} are in both lists."
        )
    return save_only_these_names(*names_which_can_be_saved, *names_which_can_be_offloaded)


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keep what either of two policies keeps.

    Parameters
    ----------
    policy_1, policy_2 : callable
        The policies.
    """

    def policy(primitive: Any, *avals: Any, **params: Any) -> bool:
        return bool(policy_1(primitive, *avals, **params) or policy_2(primitive, *avals, **params))

    return policy
