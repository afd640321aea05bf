"""Products of matrices and vectors, and `einsum`.

Each is one node on the tape. Shapes are checked here, with PyTorch's words; dtypes must be equal.
Read next: `shapes`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.promotion import NUMBERS, number
from fnx_nn.tensor.table import FUNCTIONS, METHODS, method, operator, write_out
from fnx_nn.tensor.tensor import Tensor

_NONE: dict[str, Any] = {}

_MM = TensorOperation(jnp.matmul, "MmBackward0")
_MV = TensorOperation(jnp.matmul, "MvBackward0")
_DOT = TensorOperation(jnp.matmul, "DotBackward0")
_BMM = TensorOperation(jnp.matmul, "BmmBackward0")
_MATMUL = TensorOperation(jnp.matmul, "UnsafeViewBackward0")
_OUTER = TensorOperation(lambda x, y: x[:, None] * y[None, :], "MulBackward0")
_VDOT = TensorOperation(lambda x, y: jnp.matmul(jnp.conj(x), y), "VdotBackward0")


def _scaled_sum(x: Any, product: Any, beta: Any, alpha: Any) -> Any:
    return x * beta + product * alpha


_ADDMM = TensorOperation(lambda x, a, b: x + a @ b, "AddmmBackward0")
_ADDMM_SCALED = TensorOperation(
    lambda x, a, b, beta, alpha: _scaled_sum(x, a @ b, beta, alpha), "AddmmBackward0"
)
_ADDBMM_SCALED = TensorOperation(
    lambda x, a, b, beta, alpha: _scaled_sum(x, jnp.sum(a @ b, 0), beta, alpha), "AddbmmBackward0"
)
_ADDR_SCALED = TensorOperation(
    lambda x, a, b, beta, alpha: _scaled_sum(x, a[:, None] * b[None, :], beta, alpha),
    "AddrBackward0",
)


def _same_dtype(x: Tensor, y: Tensor, name: str) -> None:
    require_tensor(x, name)
    require_tensor(y, name, "other")
    a, b = x._data.dtype, y._data.dtype
    if a != b:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}"
        )


def _c_name(dtype: Any) -> str:
    names = {"Float": "float", "Double": "double", "Int": "int", "Long": "long long"}
    name = name_in_messages(dtype)
    return names.get(name, name)


def _check_matrices(x: Tensor, y: Tensor) -> None:
    a, b = x._data, y._data
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and "
            f"{b.shape[0]}x{b.shape[1]})"
        )


@operator()
def mm(input: Tensor, mat2: Tensor) -> Any:
    """The product of two matrices.

    Parameters
    ----------
    input, mat2 : Tensor
        Matrices of one dtype.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    _same_dtype(input, mat2, "mm")
    _check_matrices(input, mat2)
    return _MM, (input, mat2), _NONE


@operator()
def mv(input: Tensor, vec: Tensor) -> Any:
    """The product of a matrix and a vector.

    Parameters
    ----------
    input : Tensor
        A matrix.
    vec : Tensor
        A vector of the same dtype.
    """
    _same_dtype(input, vec, "mv")
    a, b = input._data, vec._data
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {1}, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(_mismatch(a, b))
    return _MV, (input, vec), _NONE


def _mismatch(a: Any, b: Any) -> str:
    rows, columns = a.shape
    return f"size mismatch, got input ({rows}), mat ({rows}x{columns}), vec ({b.shape[0]})"


@operator()
def dot(input: Tensor, tensor: Tensor) -> Any:
    """The inner product of two vectors.

    Parameters
    ----------
    input, tensor : Tensor
        Vectors of one dtype and size.
    """
    _check_vectors(input, tensor, "dot")
    return _DOT, (input, tensor), _NONE


@operator()
def vdot(input: Tensor, other: Tensor) -> Any:
    """The inner product of the conjugate of a vector with another one.

    Parameters
    ----------
    input, other : Tensor
        Vectors of one dtype and size.
    """
    _check_vectors(input, other, "vdot")
    return _VDOT, (input, other), _NONE


def _check_vectors(x: Tensor, y: Tensor, name: str) -> None:
    a, b = require_tensor(x, name)._data, require_tensor(y, name, "tensor")._data
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name} : expected both vectors to have same dtype, but found "
            f"{name_in_messages(a.dtype)} and {name_in_messages(b.dtype)}"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the "
            f"same number of elements, but got {a.size} and {b.size} elements respectively"
        )


@operator()
def bmm(input: Tensor, mat2: Tensor) -> Any:
    """The products of two batches of matrices.

    Parameters
    ----------
    input, mat2 : Tensor
        Of shapes (b, n, m) and (b, m, p).
    """
    _same_dtype(input, mat2, "bmm")
    a, b = input._data, mat2._data
    if a.ndim != 3 or b.ndim != 3:
        which = "batch1" if a.ndim != 3 else "batch2"
        raise RuntimeError(f"{which} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, "
            f"{a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    return _BMM, (input, mat2), _NONE


@operator()
def matmul(input: Tensor, other: Tensor) -> Any:
    """The product of matrices, vectors, or batches of them, with broadcasting of the batches.

    Parameters
    ----------
    input, other : Tensor
        Of one dtype.
    """
    _same_dtype(input, other, "matmul")
    a, b = input._data, other._data
    if a.ndim == 2 and b.ndim == 2:
        _check_matrices(input, other)
        return _MM, (input, other), _NONE
    if not (a.ndim and b.ndim):
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
        )
    if a.ndim == 1 and b.ndim == 1:
        _check_vectors(input, other, "dot")
        return _DOT, (input, other), _NONE
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        if a.ndim == 2:
            raise RuntimeError(_mismatch(a, b))
        rows = a.size // a.shape[-1] if a.shape[-1] else 0
        columns = b.shape[-1] if b.ndim > 1 else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and "
            f"{b.shape[-2 if b.ndim > 1 else 0]}x{columns})"
        )
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"The size of tensor a ({a.shape[0]}) must match the size of tensor b ({b.shape[0]}) "
            "at non-singleton dimension 0"
        ) from None
    return (_MV if a.ndim == 2 else _MATMUL), (input, other), _NONE


@operator("ger")
def outer(input: Tensor, vec2: Tensor) -> Any:
    """The products of each element of a vector with each of another one.

    Parameters
    ----------
    input, vec2 : Tensor
        Vectors.
    """
    if input._data.ndim != 1 or vec2._data.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {input._data.ndim}-D")
    return _OUTER, (input, vec2), _NONE


def _scales(x: Tensor, beta: Any, alpha: Any) -> tuple[Tensor, Tensor]:
    return number(beta, x._data.dtype), number(alpha, x._data.dtype)


@operator(inplace=True)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * mat1 @ mat2``.

    Parameters
    ----------
    input : Tensor
        Broadcast to the product.
    mat1, mat2 : Tensor
        Matrices.
    beta, alpha : number
        The factors.
    """
    _same_dtype(mat1, mat2, "addmm")
    _check_matrices(mat1, mat2)
    if beta == 1 and alpha == 1:
        return _ADDMM, (input, mat1, mat2), _NONE
    return _ADDMM_SCALED, (input, mat1, mat2, *_scales(mat1, beta, alpha)), _NONE


@operator(inplace=True)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * mat @ vec``.

    Parameters
    ----------
    input : Tensor
        Broadcast to the product.
    mat : Tensor
        A matrix.
    vec : Tensor
        A vector.
    beta, alpha : number
        The factors.
    """
    return _ADDMM_SCALED, (input, mat, vec, *_scales(mat, beta, alpha)), _NONE


@operator(inplace=True)
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * batch1 @ batch2``, for batches of matrices.

    Parameters
    ----------
    input : Tensor
        Broadcast to the products.
    batch1, batch2 : Tensor
        Of shapes (b, n, m) and (b, m, p).
    beta, alpha : number
        The factors.
    """
    return _ADDMM_SCALED, (input, batch1, batch2, *_scales(batch1, beta, alpha)), _NONE


@operator(inplace=True)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input`` plus alpha times the sum of the products of batches of matrices.

    Parameters
    ----------
    input : Tensor
        Broadcast to the sum.
    batch1, batch2 : Tensor
        Of shapes (b, n, m) and (b, m, p).
    beta, alpha : number
        The factors.
    """
    return _ADDBMM_SCALED, (input, batch1, batch2, *_scales(batch1, beta, alpha)), _NONE


@operator(inplace=True)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``.

    Parameters
    ----------
    input : Tensor
        Broadcast to the product.
    vec1, vec2 : Tensor
        Vectors.
    beta, alpha : number
        The factors.
    """
    return _ADDR_SCALED, (input, vec1, vec2, *_scales(vec1, beta, alpha)), _NONE


_EINSUM = TensorOperation(lambda *xs, equation: jnp.einsum(equation, *xs), "EinsumBackward0")


@method(as_method=False)
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products, by Einstein's notation.

    Parameters
    ----------
    equation : str
        As in ``"ij,jk->ik"``.
    *operands : Tensor
        One for each term.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.einsum("ij,ij->i", torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    terms = equation.replace(" ", "").split("->")[0].split(",")
    if len(terms) != len(operands):
        raise RuntimeError(
            f"einsum(): {'more' if len(operands) > len(terms) else 'fewer'} operands were "
            "provided than specified in the equation"
        )
    return apply(_EINSUM, operands, {"equation": equation})


_TENSORDOT = TensorOperation(lambda x, y, axes: jnp.tensordot(x, y, axes), "TensordotBackward0")


@method(as_method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, *, out: Tensor | None = None) -> Tensor:
    """The contraction of two tensors over some dimensions.

    Parameters
    ----------
    a, b : Tensor
        Of one dtype.
    dims : int or two lists of int
        How many of the last of `a` and the first of `b`, or which.
    out : Tensor, optional
        Where to write the result.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    axes = dims if isinstance(dims, int) else (tuple(dims[0]), tuple(dims[1]))
    result = apply(_TENSORDOT, (a, b), {"axes": axes})
    return result if out is None else write_out(out, result, "tensordot")


@method()
def inner(input: Tensor, other: Tensor) -> Tensor:
    """The products summed over the last dimensions.

    Parameters
    ----------
    input, other : Tensor
        Of equal last extents.
    """
    if not (input._data.ndim and other._data.ndim):
        return input * other
    return tensordot(input, other, ([-1], [-1]))


@method(as_method=False)
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices.

    Parameters
    ----------
    *matrices : Tensor
        Two or more.
    """
    product = matrices[0]
    for matrix in matrices[1:]:
        product = mm(product, matrix)
    return product


def _matmul_operator(self: Tensor, other: Any) -> Any:
    return FUNCTIONS["matmul"](self, other) if isinstance(other, Tensor) else NotImplemented


METHODS["__matmul__"] = _matmul_operator
METHODS["__rmatmul__"] = lambda self, other: (
    NotImplemented if isinstance(other, NUMBERS) else (FUNCTIONS["matmul"](other, self))
)
METHODS["__imatmul__"] = lambda self, other: self.copy_(self @ other)
