"""Jacobians and products with them, of functions of tensors: `torch.autograd.functional`.

Each runs the tape on detached copies of the inputs. (`fnx_nn.func` transforms functions instead.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import changed
from fnx_nn.autograd.api import grad
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _prepared(inputs: Any, create_graph: bool) -> tuple[bool, tuple[Tensor, ...]]:
    single = isinstance(inputs, Tensor)
    given = (inputs,) if single else tuple(inputs)
    if create_graph:
        return single, tuple(
            [x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in given]
        )
    return single, tuple([x.detach().clone().requires_grad_() for x in given])


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _pulled(
    outputs: Any, inputs: Any, cotangents: Any, create_graph: bool, strict: bool
) -> tuple[Tensor, ...]:
    active = [k for k, o in enumerate(outputs) if o.requires_grad]
    if not active:
        if strict:
            raise RuntimeError("The outputs of the function do not depend on the inputs.")
        return tuple([wrap(np.zeros_like(x._data)) for x in inputs])
    return grad(
        [outputs[k] for k in active],
        inputs,
        [cotangents[k] for k in active],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=not strict,
        materialize_grads=not strict,
    )


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The results of a function, and the product of a vector with its Jacobian.

    Parameters
    ----------
    func : callable
        Of tensors.
    inputs : Tensor or tuple of Tensor
        The point.
    v : Tensor or tuple of Tensor, optional
        The vector; not needed where the result is a scalar.
    create_graph : bool
        Whether the results can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.
    """
    with changed(grad=True):
        single, points = _prepared(inputs, create_graph)
        result = func(*points)
        outputs = _as_tuple(result)
        vector = [wrap(np.ones_like(o._data)) for o in outputs] if v is None else _as_tuple(v)
        pulled = _pulled(outputs, points, vector, create_graph, strict)
    shown = result if create_graph else _detached(result)
    return shown, pulled[0] if single else pulled


def _detached(result: Any) -> Any:
    return result.detach() if isinstance(result, Tensor) else tuple([r.detach() for r in result])


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The results of a function, and the product of its Jacobian with a vector.

    Parameters
    ----------
    func : callable
        Of tensors.
    inputs : Tensor or tuple of Tensor
        The point.
    v : Tensor or tuple of Tensor, optional
        The vector; not needed where the input is a scalar.
    create_graph : bool
        Whether the results can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.

    Notes
    -----
    The pullback is linear in its cotangent; pulling back through the pullback pushes forward.
    """
    with changed(grad=True):
        _, points = _prepared(inputs, create_graph)
        result = func(*points)
        outputs = _as_tuple(result)
        direction = [wrap(np.ones_like(x._data)) for x in points] if v is None else _as_tuple(v)
        dummies = [wrap(np.zeros_like(o._data)).requires_grad_() for o in outputs]
        pulled = _pulled(outputs, points, dummies, True, strict)
        pushed = _pulled(pulled, dummies, direction, create_graph, strict)
    shown = result if create_graph else _detached(result)
    return shown, pushed[0] if isinstance(result, Tensor) else pushed


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function: for each output and each input, all partial derivatives.

    Parameters
    ----------
    func : callable
        Of tensors.
    inputs : Tensor or tuple of Tensor
        The point.
    create_graph : bool
        Whether the result can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.
    vectorize, strategy
        Accepted; one backward run is made for each element of the result.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    with changed(grad=True):
        single, points = _prepared(inputs, create_graph)
        result = func(*points)
        rows = [_jacobian_of(out, points, create_graph, strict) for out in _as_tuple(result)]
    if single:
        found = [row[0] for row in rows]
        return found[0] if isinstance(result, Tensor) else tuple(found)
    return rows[0] if isinstance(result, Tensor) else tuple(rows)


def _jacobian_of(
    out: Tensor, points: tuple[Tensor, ...], create_graph: bool, strict: bool
) -> tuple[Tensor, ...]:
    parts: list[list[Tensor]] = [[] for _ in points]
    for place in range(out._data.size):
        cotangent = np.zeros(out._data.size, out._data.dtype)
        cotangent[place] = 1
        start = wrap(cotangent.reshape(out._data.shape))
        for part, found in zip(
            parts, _pulled((out,), points, (start,), create_graph, strict), strict=True
        ):
            part.append(found)
    shape = out._data.shape
    return tuple(
        [
            FUNCTIONS["stack"](part).reshape(*shape, *x._data.shape)
            if part
            else wrap(np.zeros((*shape, *x._data.shape), x._data.dtype))
            for part, x in zip(parts, points, strict=True)
        ]
    )


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second partial derivatives of a function with one number as its result.

    Parameters
    ----------
    func : callable
        Of tensors, gives a tensor of one element.
    inputs : Tensor or tuple of Tensor
        The point.
    create_graph : bool
        Whether the result can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.
    vectorize, outer_jacobian_strategy
        Accepted.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    single = isinstance(inputs, Tensor)

    def first(*points: Tensor) -> Any:
        found = jacobian(func, points, create_graph=True)
        shaped = tuple([g.reshape(x.shape) for g, x in zip(found, points, strict=True)])
        return shaped[0] if single else shaped

    return jacobian(first, inputs, create_graph, strict)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The result of a function, and the product of a vector with its Hessian.

    Parameters
    ----------
    func : callable
        Of tensors, gives a tensor of one element.
    inputs : Tensor or tuple of Tensor
        The point.
    v : Tensor or tuple of Tensor, optional
        The vector; not needed where the input is a scalar.
    create_graph : bool
        Whether the results can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.
    """
    with changed(grad=True):
        single, points = _prepared(inputs, create_graph)
        result = func(*points)
        ones = (wrap(np.ones_like(result._data)),)
        first = _pulled((result,), points, ones, True, strict)
        vector = [wrap(np.ones_like(x._data)) for x in points] if v is None else _as_tuple(v)
        found = _pulled(first, points, vector, create_graph, strict)
    shown = result if create_graph else _detached(result)
    return shown, found[0] if single else found


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The result of a function, and the product of its Hessian with a vector.

    Parameters
    ----------
    func : callable
        Of tensors, gives a tensor of one element.
    inputs : Tensor or tuple of Tensor
        The point.
    v : Tensor or tuple of Tensor, optional
        The vector; not needed where the input is a scalar.
    create_graph : bool
        Whether the results can be differentiated.
    strict : bool
        Whether results that do not depend on an input raise.

    Notes
    -----
    The Hessian of a real function is symmetric, so this is `vhp`.
    """
    return vhp(func, inputs, v, create_graph, strict)
