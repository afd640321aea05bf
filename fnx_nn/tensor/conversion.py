"""Out of tensors and between dtypes: item, tolist, numpy, to, copy_, fill_, deepcopy.

`numpy()` shares memory; `to` gives the tensor itself where nothing changes. Conversions between
floating dtypes are operations, so gradients come back in the old dtype.
Read next: `printing`.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.devices import CPU, check_device
from fnx_nn.devices import device as Device
from fnx_nn.dtypes import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.tensor.dispatch import TensorOperation, apply, write
from fnx_nn.tensor.promotion import number
from fnx_nn.tensor.table import METHODS, method
from fnx_nn.tensor.tensor import Tensor, memory_owner, wrap

_CAST = TensorOperation(lambda x, dtype: _converted(x, dtype), "ToCopyBackward0", elementwise=True)


def _converted(x: Any, dtype: np.dtype[Any]) -> Any:
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = jnp.real(x)
    return x.astype(dtype)


def _cast(self: Tensor, dtype: Dtype, copies: bool = False) -> Tensor:
    if self._data.dtype == dtype.numpy:
        return self.clone() if copies else self
    return apply(_CAST, (self,), {"dtype": dtype.numpy})


@method(function=False)
def to(
    self: Tensor,
    *args: Any,
    dtype: Dtype | None = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """The tensor in another dtype or on another device; itself where nothing changes.

    Parameters
    ----------
    *args : dtype, device, str or Tensor
        What to have; of a tensor, dtype and device are taken.
    dtype : dtype, optional
        The dtype.
    device : device or str, optional
        The device.
    copy : bool
        Whether to copy in any case.
    non_blocking : bool
        Accepted.
    memory_format : optional
        Accepted.
    """
    for arg in args:
        if isinstance(arg, Dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, (str, Device)):
            device = arg
        elif isinstance(arg, bool) or arg is None:
            continue
        else:
            raise TypeError(
                f"to() received an invalid combination of arguments - got ({type(arg).__name__})"
            )
    out = self
    if dtype is not None or copy:
        out = _cast(self, self.dtype if dtype is None else dtype, copy)
    if device is not None:
        where = check_device(device)
        if where.type != out._device.type:
            out = out.clone() if out is self else out
            out._device = where
    return out


def _shortcut(name: str, dtype: Dtype) -> None:
    def function(self: Tensor, memory_format: Any = None) -> Tensor:
        return _cast(self, dtype)

    function.__name__ = name
    function.__doc__ = f"The tensor as {dtype!r}."
    METHODS[name] = function


for _name, _dtype in {
    "float": float32,
    "double": float64,
    "half": float16,
    "bfloat16": bfloat16,
    "int": int32,
    "long": int64,
    "short": int16,
    "char": int8,
    "byte": uint8,
    "bool": bool_,
    "cfloat": complex64,
    "cdouble": complex128,
}.items():
    _shortcut(_name, _dtype)


@method(function=False)
def cpu(self: Tensor) -> Tensor:
    """The tensor on the CPU; itself if it is there."""
    return self if self._device.type == "cpu" else to(self, device=CPU)


@method(function=False)
def cuda(self: Tensor, device: Any = None) -> Tensor:
    """Raises: there is no CUDA device.

    Parameters
    ----------
    device : optional
        Which one.
    """
    check_device("cuda" if device is None else device)
    return self


@method(function=False)
def pin_memory(self: Tensor) -> Tensor:
    """The tensor itself: host memory is all there is."""
    return self


@method(function=False)
def is_pinned(self: Tensor) -> bool:
    """Whether the memory is pinned; never."""
    return False


@method(function=False)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another one."""
    return _cast(self, other.dtype)


_TYPE_NAMES = {
    "Float": float32,
    "Double": float64,
    "Half": float16,
    "BFloat16": bfloat16,
    "Byte": uint8,
    "Char": int8,
    "Short": int16,
    "Int": int32,
    "Long": int64,
    "Bool": bool_,
}


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, or the tensor in another one.

    Parameters
    ----------
    dtype : dtype or str, optional
        As in ``torch.FloatTensor``.
    """
    if dtype is None:
        for name, kind in _TYPE_NAMES.items():
            if kind.numpy == self._data.dtype:
                return f"torch.{name}Tensor"
        return (
            "torch.ComplexFloatTensor" if self.dtype is complex64 else "torch.ComplexDoubleTensor"
        )
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.").removesuffix("Tensor")
        if name not in _TYPE_NAMES:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = _TYPE_NAMES[name]
    return _cast(self, dtype)


METHODS["type"] = _type


# ---------------------------------------------------------------------------------------- to Python


def _item(self: Tensor) -> Any:
    """The only element as a Python number."""
    data = self._data
    if data.size != 1:
        raise RuntimeError(f"a Tensor with {data.size} elements cannot be converted to Scalar")
    value = data.reshape(-1)[0]
    return float(value) if data.dtype.kind == "V" else value.item()


METHODS["item"] = _item


@method(function=False)
def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers."""
    data = self._data
    return (data.astype(np.float64) if data.dtype.kind == "V" else data).tolist()


def _numpy(self: Tensor, *, force: bool = False) -> Any:
    """The elements as a NumPy array that shares memory.

    Parameters
    ----------
    force : bool
        Detach first, and copy where sharing is not possible.
    """
    if self.requires_grad and not force:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    if self._data.dtype.kind == "V" or self._data.dtype == bfloat16.numpy:
        raise TypeError("Got unsupported ScalarType BFloat16")
    return self._data


METHODS["numpy"] = _numpy


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    data = _numpy(self)
    if dtype is not None and np.dtype(dtype) != data.dtype:
        return data.astype(dtype)
    return data.copy() if copy else data


def _dlpack(self: Tensor, **options: Any) -> Any:
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return self._data.__dlpack__(**options)


METHODS["__array__"] = _array
METHODS["__dlpack__"] = _dlpack
METHODS["__dlpack_device__"] = lambda self: self._data.__dlpack_device__()
# A tensor's buffer enters an array of fnx by copy, for it may be written to.
METHODS["__jax_array__"] = lambda self: jnp.asarray(_numpy(self))
METHODS["__float__"] = lambda self: float(_item(self))
METHODS["__int__"] = lambda self: int(_item(self))
METHODS["__complex__"] = lambda self: complex(_item(self))


def _index(self: Tensor) -> int:
    if self._data.size != 1 or self._data.dtype.kind not in "biu":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(_item(self))


METHODS["__index__"] = _index


# ----------------------------------------------------------------------------------------- contents

_COPY = TensorOperation(
    lambda x, source: jnp.broadcast_to(_converted(source, x.dtype), x.shape), "CopyBackwards"
)
_FILL = TensorOperation(
    lambda x, value: jnp.broadcast_to(value.astype(x.dtype), x.shape), "FillBackward2"
)
_ZERO = TensorOperation(lambda x: jnp.zeros_like(x), "ZeroBackward0", elementwise=True)


@method(function=False)
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write the elements of another tensor to this one; gives the tensor itself.

    Parameters
    ----------
    self : Tensor
        Written to.
    src : Tensor
        Broadcast and converted.
    non_blocking : bool
        Accepted.
    """
    if not isinstance(src, Tensor):
        raise TypeError(
            f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}"
        )
    source = src._data
    lead = source.ndim - self._data.ndim
    if lead > 0 or any(
        n not in (1, m) for n, m in zip(source.shape, self._data.shape[-source.ndim :])
    ):
        _refuse_copy(self, src)

    def fill(buffer: Any) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            taken = source.real if source.dtype.kind == "c" and buffer.dtype.kind != "c" else source
            np.copyto(buffer, taken, casting="unsafe")

    return write(self, _COPY, (self, src), {}, fill)


def _refuse_copy(self: Tensor, src: Tensor) -> None:
    target, source = self._data.shape, src._data.shape
    if len(source) > len(target):
        raise RuntimeError(
            f"output with shape {list(target)} doesn't match the broadcast shape "
            f"{list(np.broadcast_shapes(target, source)) if _fit(target, source) else list(source)}"
        )
    for axis in reversed(range(len(target))):
        place = axis - (len(target) - len(source))
        n = source[place] if place >= 0 else 1
        if n not in (1, target[axis]):
            raise RuntimeError(
                f"The size of tensor a ({target[axis]}) must match the size of tensor b ({n}) at "
                f"non-singleton dimension {axis}"
            )


def _fit(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(n == m or 1 in (n, m) for n, m in zip(reversed(a), reversed(b), strict=False))


@method()
def fill_(self: Tensor, value: Any) -> Tensor:
    """Write one number to all elements; gives the tensor itself.

    Parameters
    ----------
    self : Tensor
        Written to.
    value : number or 0-d Tensor
        The number.
    """
    filler = value if isinstance(value, Tensor) else number(value, self._data.dtype)
    if filler._data.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{filler._data.ndim} dimensions."
        )
    return write(self, _FILL, (self, filler), {}, lambda buffer: buffer.fill(filler._data.item()))


@method()
def zero_(self: Tensor) -> Tensor:
    """Write zeros to all elements; gives the tensor itself.

    Parameters
    ----------
    self : Tensor
        Written to.
    """
    return write(self, _ZERO, (self,), {}, lambda buffer: buffer.fill(0))


@method(function=False)
def set_(self: Tensor, source: Tensor) -> Tensor:
    """Make this tensor share the memory of another one.

    Parameters
    ----------
    source : Tensor
        The other one.
    """
    self._data, self._cell = source._data, source.cell()
    return self


@method(function=False)
def apply_(self: Tensor, callable: Any) -> Tensor:
    """Replace each element by a Python function of it.

    Parameters
    ----------
    self : Tensor
        Written to.
    callable : callable
        Of a number.
    """
    flat = [callable(v) for v in self._data.reshape(-1).tolist()]
    return copy_(self, wrap(np.array(flat, self._data.dtype).reshape(self._data.shape)))


@method(function=False)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether two tensors have the same memory, shape and strides."""
    a, b = self._data, tensor._data
    return (a.shape, a.strides, self.data_ptr()) == (b.shape, b.strides, tensor.data_ptr())


@method()
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    Parameters
    ----------
    input, other : Tensor
        The tensors.
    """
    return input._data.shape == other._data.shape


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if self._node is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
            "because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001"
        )
    found = memo.get(id(self))
    if found is not None:
        return found
    # Tensors that share memory go on sharing it in the copy.
    owner = memory_owner(self._data)
    copies = memo.setdefault(id(_deepcopy), {})
    if id(owner) not in copies:
        copies[id(owner)] = (owner.copy(), owner)
    fresh = copies[id(owner)][0]
    made = object.__new__(type(self))
    offset = self.data_ptr() - owner.__array_interface__["data"][0]
    made._data = (
        np.ndarray(self._data.shape, self._data.dtype, fresh.data, offset, self._data.strides)
        if fresh.flags.c_contiguous and owner.flags.c_contiguous
        else self._data.copy()
    )
    made._requires = self._requires
    made._device = self._device
    memo[id(self)] = made
    if self._grad is not None:
        made._grad = copy.deepcopy(self._grad, memo)
    for name, value in _attributes(self).items():
        setattr(made, name, copy.deepcopy(value, memo))
    return made


METHODS["__deepcopy__"] = _deepcopy


def _reduce(self: Tensor) -> Any:
    if self._node is not None:
        raise RuntimeError(
            "cannot pickle a tensor that was computed with gradients recorded; use .detach() first."
        )
    return _restored, (type(self), self._data.copy(), self._requires, _attributes(self))


def _restored(kind: type, data: Any, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    made: Tensor = object.__new__(kind)
    made._data = data
    made._requires = requires_grad
    vars(made).update(attributes)
    return made


def _attributes(self: Tensor) -> dict[str, Any]:
    """What users hung on a tensor, and the marks of parameters and buffers."""
    marks = ("_is_parameter", "_is_buffer")
    return {k: v for k, v in vars(self).items() if k in marks or not k.startswith("_")}


METHODS["__reduce__"] = _reduce


@method(as_method=False)
def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor.

    Parameters
    ----------
    obj : object
        Any object.
    """
    return isinstance(obj, Tensor)


@method(as_method=False)
def numel(input: Tensor) -> int:
    """The number of elements.

    Parameters
    ----------
    input : Tensor
        The tensor.
    """
    return input.numel()


@method(as_method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers.

    Parameters
    ----------
    input : Tensor
        The tensor.
    """
    return input.is_floating_point()


@method(as_method=False)
def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers.

    Parameters
    ----------
    input : Tensor
        The tensor.
    """
    return input.is_complex()


@method(as_method=False)
def detach(input: Tensor) -> Tensor:
    """The same memory, outside of differentiation.

    Parameters
    ----------
    input : Tensor
        The tensor.
    """
    return input.detach()
