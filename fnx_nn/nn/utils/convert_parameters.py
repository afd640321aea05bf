"""Parameters as one vector, and back.

Read next: `clip_grad`.
"""

from __future__ import annotations

from collections.abc import Iterable

from fnx_nn.nn.module_registry import type_name
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of some parameters, one after the other.

    Parameters
    ----------
    parameters : iterable of Tensor
        The parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> parameters_to_vector([torch.ones(1, 2), torch.zeros(1)])
    tensor([1., 1., 0.])
    """
    return FUNCTIONS["cat"]([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make parts of a vector the contents of parameters; the memory is shared.

    Parameters
    ----------
    vec : Tensor
        The vector.
    parameters : iterable of Tensor
        The parameters, in the order of `parameters_to_vector`.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type_name(vec)}")
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vec[start:stop].view_as(parameter).data
        start = stop
