"""Operations that take many elements to one: sums, means, products, extrema.

Dimensions are given as in PyTorch (`dim`, `keepdim`); without any, all of them. Sums of integers
are int64. Full reductions share the gradient among equal extrema, those along one dimension give
it to the element that the index names.
Read next: `statistics`.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

import fnx.nn
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.dtypes import dtype_of, name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.table import FUNCTIONS, METHODS, method, operator, write_out
from fnx_nn.tensor.tensor import Tensor, check_dim

__all__ = ["axes_of", "cast_param", "named_pair", "reduction"]

_INT64 = np.dtype(np.int64)


def axes_of(dim: Any, ndim: int, name: str = "") -> tuple[int, ...]:
    """Dimensions as a tuple of numbers from 0; all of them for None and for an empty sequence.

    Parameters
    ----------
    dim : int, sequence of int, or None
        As users give them.
    ndim : int
        How many there are.
    name : str
        The operation, for errors.
    """
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        if ndim == 0:
            check_dim(int(dim), 0)
            return ()
        return (check_dim(int(dim), ndim),)
    if not len(dim):
        return tuple(range(ndim))
    axes = tuple([check_dim(int(d), ndim) for d in dim]) if ndim else ()
    if len(set(axes)) != len(axes):
        repeated = next(a for k, a in enumerate(axes) if a in axes[:k])
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return axes


def reduction(function: Any) -> Any:
    """A function ``(x, axes, keepdim)`` that casts to the dtype in its parameter `dtype`, if given.

    Parameters
    ----------
    function : callable
        Of an array.
    """

    def operation(x: Any, axes: Any, keepdim: bool, dtype: Any = None, **params: Any) -> Any:
        if dtype is not None:
            x = x.astype(dtype)
        return function(x, axes, keepdim, **params)

    return operation


_SUM = TensorOperation(reduction(lambda x, a, k: jnp.sum(x, a, keepdims=k)), "SumBackward0")
_SUM_DIM = TensorOperation(_SUM.function, "SumBackward1")
_MEAN = TensorOperation(reduction(lambda x, a, k: jnp.mean(x, a, keepdims=k)), "MeanBackward0")
_MEAN_DIM = TensorOperation(_MEAN.function, "MeanBackward1")
_PROD = TensorOperation(reduction(lambda x, a, k: jnp.prod(x, a, keepdims=k)), "ProdBackward0")
_PROD_DIM = TensorOperation(_PROD.function, "ProdBackward1")
_AMAX = TensorOperation(
    reduction(lambda x, a, k: jnp.max(x, a, keepdims=k)), "AmaxBackward0", reuse_results=True
)
_AMIN = TensorOperation(
    reduction(lambda x, a, k: jnp.min(x, a, keepdims=k)), "AminBackward0", reuse_results=True
)
_MAX_ALL = TensorOperation(_AMAX.function, "MaxBackward1", reuse_results=True)
_MIN_ALL = TensorOperation(_AMIN.function, "MinBackward1", reuse_results=True)
_ALL = TensorOperation(
    lambda x, axes, keepdim: jnp.all(x != 0, axes, keepdims=keepdim), "AllBackward0"
)
_ANY = TensorOperation(
    lambda x, axes, keepdim: jnp.any(x != 0, axes, keepdims=keepdim), "AnyBackward0"
)
_LOGSUMEXP = TensorOperation(
    lambda x, axes, keepdim: fnx.nn.logsumexp(x, axis=axes, keepdims=keepdim),
    "LogsumexpBackward0",
    reuse_results=True,
)
_COUNT = TensorOperation(
    lambda x, axes: jnp.sum((x != 0).astype(_INT64), axes), "CountNonzeroBackward0"
)


def cast_param(input: Tensor, dtype: Any, whole_to_int64: bool) -> dict[str, Any]:
    """The parameter that makes a reduction cast first; empty where it need not.

    Parameters
    ----------
    input : Tensor
        The operand.
    dtype : dtype or None
        What the user asked for.
    whole_to_int64 : bool
        Whether integers and bools become int64 otherwise.
    """
    if dtype is not None:
        target = dtype.numpy
    elif whole_to_int64 and input._data.dtype.kind in "biu":
        target = _INT64
    else:
        return {}
    return {} if target == input._data.dtype else {"dtype": target}


@operator()
def sum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Any:
    """The sum of the elements.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    dtype : dtype, optional
        Convert first.
    """
    require_tensor(input, "sum")
    params = {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}
    params.update(cast_param(input, dtype, True))
    return (_SUM if dim is None else _SUM_DIM), (input,), params


@operator()
def nansum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Any:
    """The sum of the elements that are not NaN.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    dtype : dtype, optional
        Convert first.
    """
    params = {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}
    params.update(cast_param(input, dtype, True))
    return _NANSUM, (input,), params


_NANSUM = TensorOperation(
    reduction(lambda x, a, k: jnp.sum(jnp.where(x != x, jnp.zeros_like(x), x), a, keepdims=k)),
    "NansumBackward0",
)


@operator()
def mean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Any:
    """The mean of the elements.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    dtype : dtype, optional
        Convert first.
    """
    found = dtype_of(input._data.dtype) if dtype is None else dtype
    if found.category < 2:
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point "
            f"or complex dtype. Got: {name_in_messages(found.numpy)}"
        )
    params = {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}
    params.update(cast_param(input, dtype, False))
    return (_MEAN if dim is None else _MEAN_DIM), (input,), params


@operator()
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Any:
    """The product of the elements.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        Along this dimension only.
    keepdim : bool
        Whether it stays, with extent 1.
    dtype : dtype, optional
        Convert first.
    """
    params = {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}
    params.update(cast_param(input, dtype, True))
    return (_PROD if dim is None else _PROD_DIM), (input,), params


def _refuse_empty(input: Tensor, dim: Any, axes: tuple[int, ...], name: str) -> None:
    empty = [axis for axis in axes if input._data.shape[axis] == 0]
    if not empty:
        return
    if dim is None or dim == ():
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    raise IndexError(f"{name}(): Expected reduction dim {empty[0]} to have non-zero size.")


@operator()
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element; equal ones share the gradient.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    """
    axes = axes_of(dim, input._data.ndim)
    _refuse_empty(input, dim, axes, "amax")
    return _AMAX, (input,), {"axes": axes, "keepdim": bool(keepdim)}


@operator()
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element; equal ones share the gradient.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    """
    axes = axes_of(dim, input._data.ndim)
    _refuse_empty(input, dim, axes, "amin")
    return _AMIN, (input,), {"axes": axes, "keepdim": bool(keepdim)}


@operator()
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements are true.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    """
    return _ALL, (input,), {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}


@operator()
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether one element is true.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    """
    return _ANY, (input,), {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}


@operator(out=False)
def count_nonzero(input: Tensor, dim: Any = None) -> Any:
    """How many elements are not zero.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int, optional
        Along these dimensions only.
    """
    return _COUNT, (input,), {"axes": axes_of(dim, input._data.ndim)}


@operator()
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Any:
    """``log(sum(exp(input)))`` without overflow.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or sequence of int
        Along these dimensions.
    keepdim : bool
        Whether they stay, with extent 1.
    """
    return _LOGSUMEXP, (input,), {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}


# ------------------------------------------------------------------------------------ with an index


def named_pair(name: str) -> Any:
    """The named tuple ``(values, indices)`` of an operation, as in ``torch.return_types``.

    Parameters
    ----------
    name : str
        The operation.
    """
    pair = namedtuple(name, ["values", "indices"])  # type: ignore[misc]
    pair.__module__ = "torch.return_types"
    pair.__qualname__ = name

    def show(self: Any) -> str:
        return f"torch.return_types.{name}(\nvalues={self[0]!r},\nindices={self[1]!r})"

    pair.__repr__ = show  # type: ignore[method-assign]
    return pair


def _picked(x: Any, dim: int, keepdim: bool, largest: bool) -> Any:
    fixed = lax.stop_gradient(x)
    if x.ndim == 0:
        return x, jnp.zeros((), _INT64)
    index = (jnp.argmax if largest else jnp.argmin)(fixed, dim, keepdims=True).astype(_INT64)
    # There is no window to gather where another dimension is empty.
    empty = 0 in index.shape
    values = jnp.max(x, dim, keepdims=True) if empty else jnp.take_along_axis(x, index, dim)
    return (values, index) if keepdim else (jnp.squeeze(values, dim), jnp.squeeze(index, dim))


_MAX_DIM = TensorOperation(
    lambda x, dim, keepdim: _picked(x, dim, keepdim, True), "MaxBackward0", reuse_results=True
)
_MIN_DIM = TensorOperation(
    lambda x, dim, keepdim: _picked(x, dim, keepdim, False), "MinBackward0", reuse_results=True
)
_ARG = TensorOperation(
    lambda x, axis, keepdim, largest: (jnp.argmax if largest else jnp.argmin)(
        x, axis, keepdims=keepdim
    ).astype(_INT64),
    "ArgmaxBackward0",
)
_PAIRS = {name: named_pair(name) for name in ("max", "min")}


def _extremum(input: Tensor, dim: Any, keepdim: bool, out: Any, name: str) -> Any:
    whole, along, two = {
        "max": (_MAX_ALL, _MAX_DIM, "maximum"),
        "min": (_MIN_ALL, _MIN_DIM, "minimum"),
    }[name]
    if isinstance(dim, Tensor):
        return FUNCTIONS[two](input, dim, out=out)
    if dim is None:
        axes = tuple(range(input._data.ndim))
        _refuse_empty(input, dim, axes, name)
        return apply(whole, (input,), {"axes": axes, "keepdim": False})
    axis = check_dim(int(dim), input._data.ndim)
    if input._data.ndim:
        _refuse_empty(input, axis, (axis,), name)
    result = apply(along, (input,), {"dim": axis, "keepdim": bool(keepdim)})
    pair = _PAIRS[name](*result)
    return pair if out is None else _PAIRS[name](*write_out(out, pair, name))


@method()
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The largest element; along a dimension with its index; of two tensors the larger ones.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or Tensor, optional
        A dimension, or the other tensor.
    keepdim : bool
        Whether the dimension stays, with extent 1.
    out : tuple of Tensor, optional
        Where to write values and indices.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.max(torch.tensor([[1, 5], [7, 2]]), 1).indices
    tensor([1, 0])
    """
    return _extremum(input, dim, keepdim, out, "max")


@method()
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The smallest element; along a dimension with its index; of two tensors the smaller ones.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or Tensor, optional
        A dimension, or the other tensor.
    keepdim : bool
        Whether the dimension stays, with extent 1.
    out : tuple of Tensor, optional
        Where to write values and indices.
    """
    return _extremum(input, dim, keepdim, out, "min")


@method()
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        Along this dimension only.
    keepdim : bool
        Whether it stays, with extent 1.
    """
    where = () if dim is None else dim
    return _MinMax(METHODS["amin"](input, where, keepdim), METHODS["amax"](input, where, keepdim))


_MinMax = namedtuple("_MinMax", ["min", "max"])


@operator()
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the largest element, of the flattened tensor without a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        Along this dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    """
    axis = None if dim is None or not input._data.ndim else check_dim(int(dim), input._data.ndim)
    return _ARG, (input,), {"axis": axis, "keepdim": bool(keepdim), "largest": True}


@operator()
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the smallest element, of the flattened tensor without a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        Along this dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    """
    axis = None if dim is None or not input._data.ndim else check_dim(int(dim), input._data.ndim)
    return _ARG, (input,), {"axis": axis, "keepdim": bool(keepdim), "largest": False}
