"""Transforms of functions of tensors: grad, vjp, jvp, Jacobians, Hessians, linearize.

They are those of `fnx`, for functions that take and give containers of tensors. They nest in any
way, with each other and with `vmap`; results whose arguments want gradients are on the tape.
Read next: `batching`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import fnx
from fnx.tree_util import tree_unflatten
from fnx_nn.func.array_calls import Rebuilt, flat_function, flat_tensors, run
from fnx_nn.tensor.tensor import Tensor

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]

ArgNums = int | tuple[int, ...]


def grad(
    func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the gradient of a scalar function.

    Parameters
    ----------
    func : callable
        Gives a tensor of one element without dimensions.
    argnums : int or tuple of int
        By which arguments to differentiate.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(gradient, aux)`` is given.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> grad(grad(torch.sin))(torch.tensor(0.5))
    tensor(-0.4794)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(
    func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the gradient of a scalar function, and its value.

    Parameters
    ----------
    func : callable
        Gives a tensor of one element without dimensions.
    argnums : int or tuple of int
        By which arguments to differentiate.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(gradient, (value, aux))`` is given.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> grad_and_value(lambda x: x**3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(func, args, kwargs, argnums)
        aux = Rebuilt()

        def finish(out: Any) -> list[Any]:
            if has_aux:
                if not (isinstance(out, tuple) and len(out) == 2):
                    raise RuntimeError(
                        "grad_and_value(f)(*args): output of function f should be a tuple: "
                        "(output, aux) if has_aux is True"
                    )
                out, extra = out
            else:
                extra = ()
            _require_scalar(out)
            return [*Rebuilt().flatten(out), *aux.flatten(extra)]

        flat = flat_function(chosen.function, chosen.tree, finish)

        def first(*values: Any) -> Any:
            value, *others = flat(*values)
            return value, others

        count = len(chosen.tensors)

        def both(*values: Any) -> list[Any]:
            transformed = fnx.value_and_grad(first, argnums=tuple(range(count)), has_aux=True)
            (value, others), gradients = transformed(*values)
            return [*gradients, value, *others]

        for tensor in chosen.tensors:
            if tensor._data.dtype.kind in "biu":
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
        found = run(both, chosen.tensors)
        gradients, value = chosen.build(found[:count]), found[count]
        return gradients, ((value, aux.build(found[count + 1 :])) if has_aux else value)

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of a function, and the function that pulls cotangents back through it.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    *primals : containers of Tensor
        The point.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(output, pull, aux)`` is given.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> value, pull = vjp(torch.sin, torch.tensor([0.0, 1.0]))
    >>> pull(torch.ones(2))
    (tensor([1.0000, 0.5403]),)
    """
    tensors, tree = flat_tensors(primals)
    out, aux = Rebuilt(), Rebuilt()
    flat = flat_function(func, tree, _finish(out, aux, has_aux, "vjp"))
    found = run(flat, tensors)
    count = _size(out)

    def pull(*cotangents: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        leaves, structure = flat_tensors(given)
        if structure != out.tree:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {structure}, primal output: {out.tree}"
            )

        def pulled(*values: Any) -> list[Any]:
            transposed = fnx.vjp(lambda *xs: flat(*xs)[:count], *values[: len(tensors)])[1]
            return list(transposed(list(values[len(tensors) :])))

        return tree_unflatten(tree, run(pulled, [*tensors, *leaves]))

    results = out.build(found[:count])
    return (results, pull, aux.build(found[count:])) if has_aux else (results, pull)


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """The value of a function, and its derivative in a direction.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    primals, tangents : tuple
        The point and the direction, in the same containers.
    strict : bool
        Accepted: outputs that do not depend on the inputs have derivative zero.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(output, derivative, aux)`` is given.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
    (tensor([0.]), tensor([1.]))
    """
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a non-empty tuple.")
    tensors, tree = flat_tensors(primals)
    directions, other = flat_tensors(tangents)
    if tree != other:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
            f"structure, got {tree} and {other}."
        )
    out, aux = Rebuilt(), Rebuilt()
    flat = flat_function(func, tree, _finish(out, aux, has_aux, "jvp"))

    def pushed(*values: Any) -> list[Any]:
        count = len(tensors)
        results, derivatives = fnx.jvp(
            lambda *xs: flat(*xs), tuple(values[:count]), tuple(values[count:])
        )
        return [*results, *derivatives[: _size(out)]]

    found = run(pushed, [*tensors, *directions])
    count, whole = _size(out), _size(out) + _size(aux)
    results, derivatives = out.build(found[:count]), out.build(found[whole:])
    if has_aux:
        return results, derivatives, aux.build(found[count:whole])
    return results, derivatives


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of a function, and its derivative there as a linear function.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    *primals : containers of Tensor
        The point.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> value, linear = linearize(torch.sin, torch.zeros(1))
    >>> linear(torch.ones(1))
    tensor([1.])
    """
    out, _ = vjp(func, *primals)
    return out, lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(
    func: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that gives the Jacobian of a function, row by row in reverse mode.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    argnums : int or tuple of int
        By which arguments to differentiate.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(jacobian, aux)`` is given.
    chunk_size : int, optional
        Accepted: all rows are computed at once.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _jacobian(func, argnums, has_aux, fnx.jacrev, "jacrev")


def jacfwd(
    func: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The function that gives the Jacobian of a function, column by column in forward mode.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    argnums : int or tuple of int
        By which arguments to differentiate.
    has_aux : bool
        Whether `func` gives ``(output, aux)``; then ``(jacobian, aux)`` is given.
    randomness : str
        Accepted: random numbers are the same for all columns.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _jacobian(func, argnums, has_aux, fnx.jacfwd, "jacfwd")


def hessian(func: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """The function that gives the second derivatives of a function.

    Parameters
    ----------
    func : callable
        Takes and gives containers of tensors.
    argnums : int or tuple of int
        By which arguments to differentiate.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def _jacobian(
    func: Callable[..., Any], argnums: ArgNums, has_aux: bool, transform: Any, name: str
) -> Callable[..., Any]:
    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(func, args, kwargs, argnums)
        out, aux = Rebuilt(), Rebuilt()
        flat = flat_function(chosen.function, chosen.tree, _finish(out, aux, has_aux, name))
        count = len(chosen.tensors)

        def split(*values: Any) -> Any:
            results = flat(*values)
            return results[: _size(out)], results[_size(out) :]

        def rows(*values: Any) -> list[Any]:
            found = transform(split, argnums=tuple(range(count)), has_aux=True)(*values)
            return [entry for row in found[0] for entry in row] + list(found[1])

        found = run(rows, chosen.tensors)
        whole = _size(out) * count
        blocks = [chosen.build(found[k : k + count]) for k in range(0, whole, count)]
        result = out.build(blocks)
        return (result, aux.build(found[whole:])) if has_aux else result

    return jacobian


class _Chosen:
    """The arguments of a call by which it is differentiated, flat; the others stay as they are."""

    def __init__(self, func: Any, args: Any, kwargs: Any, argnums: ArgNums) -> None:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for place in places:
            if not -len(args) <= place < len(args):
                raise RuntimeError(f"Got argnum={place}, but only {len(args)} positional inputs")
        places = tuple([place % len(args) for place in places])
        self.single = isinstance(argnums, int)
        self.tensors, self.tree = flat_tensors(tuple([args[place] for place in places]))

        def function(*values: Any) -> Any:
            given = list(args)
            for place, value in zip(places, values, strict=True):
                given[place] = value
            return func(*given, **kwargs)

        self.function = function

    def build(self, tensors: list[Tensor]) -> Any:
        """Tensors in the containers of the chosen arguments."""
        built = tree_unflatten(self.tree, tensors)
        return built[0] if self.single else built


def _finish(out: Rebuilt, aux: Rebuilt, has_aux: bool, name: str) -> Callable[[Any], list[Any]]:
    """From a result, and what comes beside it, to a flat list of arrays."""

    def finish(given: Any) -> list[Any]:
        if not has_aux:
            return [*out.flatten(given), *aux.flatten(())]
        if not (isinstance(given, tuple) and len(given) == 2):
            raise RuntimeError(
                f"{name}(f, *primals): output of function f should be a tuple: (output, aux) if "
                "has_aux is True"
            )
        return [*out.flatten(given[0]), *aux.flatten(given[1])]

    return finish


def _size(found: Rebuilt) -> int:
    return found.tree.num_leaves


def _require_scalar(out: Any) -> None:
    if not isinstance(out, Tensor):
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(out)}"
        )
    if out.ndim:
        raise RuntimeError(
            "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor "
            f"with {out.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
        )
