"""`Parameter` and `Buffer`: tensors that a module takes as its own when they are assigned to it.

A parameter is a leaf that asks for a gradient. A buffer is an ordinary tensor with a mark. The
uninitialized ones have no shape yet; lazy layers give them one when they see their first input.
Read next: `module`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.devices import check_device
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.tensor.saving import make_parameters_with
from fnx_nn.tensor.tensor import Size, Tensor, wrap

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class _ParameterKind(type):
    """Tensors of a user's own class may be parameters, too: they carry a mark."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if cls is Parameter and isinstance(instance, Tensor) and instance._is_parameter:
            return True
        return super().__instancecheck__(instance)


class Parameter(Tensor, metaclass=_ParameterKind):
    """A tensor that is a parameter of the module to which it is assigned.

    Parameters
    ----------
    data : Tensor, optional
        The values; the memory is shared.
    requires_grad : bool
        Whether a gradient is wanted, also where none are recorded at the moment.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    _is_parameter = True

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """Make one that shares the memory of a tensor."""
        if data is None:
            data = _empty(None, None)
        if not isinstance(data, Tensor):
            raise AttributeError(
                f"Parameter: data must be a Tensor, not {type(data).__name__}; make one with "
                "torch.tensor(...)."
            )
        if requires_grad and data.dtype.category < 2:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        if type(data) is Tensor or isinstance(type(data), _ParameterKind):
            made = Tensor._make_subclass(cls, data, requires_grad)
        else:  # a class of a user's own stays what it is
            made = Tensor._make_subclass(type(data), data, requires_grad)
            made._is_parameter = True
        made._cell = data.cell()
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return found

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class _BufferKind(type):
    """Buffers are tensors with a mark."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if cls is Buffer and isinstance(instance, Tensor):
            return bool(vars(instance).get("_is_buffer", False))
        return super().__instancecheck__(instance)


class Buffer(Tensor, metaclass=_BufferKind):
    """A tensor that is a buffer of the module to which it is assigned: state without a gradient.

    Parameters
    ----------
    data : Tensor, optional
        The values; the memory is shared.
    persistent : bool
        Whether it is part of the module's `state_dict`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> buffer = Buffer(torch.ones(2), persistent=False)
    >>> buffer, isinstance(buffer, Buffer)
    (tensor([1., 1.]), True)
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Make one that shares the memory of a tensor."""
        if data is None:
            data = _empty(None, None)
        made = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet.

    Parameters
    ----------
    param : object
        Any object.

    Examples
    --------
    >>> is_lazy(UninitializedParameter()), is_lazy(Parameter())
    (True, False)
    """
    return isinstance(param, _Uninitialized)


class _Uninitialized(Tensor):
    """What both kinds without a shape share: a dtype, a device, and errors for all the rest."""

    cls_to_become: type
    _placeholder: Tensor

    @property
    def _data(self) -> Any:  # type: ignore[override]
        raise ValueError(
            f"Attempted to use an uninitialized parameter. This error happens when you are using "
            "a `LazyModule` or explicitly manipulating "
            f"`torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
            "`forward` with a dummy batch to initialize the parameters before calling torch "
            "functions"
        )

    def materialize(self, shape: Any, device: Any = None, dtype: Dtype | None = None) -> None:
        """Give it a shape; it becomes an ordinary parameter or buffer with arbitrary contents.

        Parameters
        ----------
        shape : sequence of int
            The extents.
        device : device or str, optional
            Where; by default where it is.
        dtype : dtype, optional
            Of the elements; by default the one that it has.
        """
        kind = (self._placeholder.dtype if dtype is None else dtype).numpy
        place = self._placeholder.device if device is None else check_device(device)
        del self._placeholder
        self.__class__ = self.cls_to_become
        vars(self)["_data"] = np.zeros(tuple(shape), kind)
        self._device = place

    @property
    def shape(self) -> Size:
        """Raises: there is none."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def share_memory_(self) -> Any:
        """Raises: there is no memory."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to "
            "initialize the parameters before calling `module.share_memory()`."
        )

    @property
    def data(self) -> Tensor:
        """An empty tensor of its dtype."""
        return self._placeholder

    @data.setter
    def data(self, value: Tensor) -> None:
        self._placeholder = value.detach()

    @property
    def dtype(self) -> Dtype:
        """The element type."""
        return self._placeholder.dtype

    @property
    def device(self) -> Any:
        """Where it is."""
        return self._placeholder.device

    def size(self, dim: int | None = None) -> Any:
        """The extents of the placeholder.

        Parameters
        ----------
        dim : int, optional
            Which one.
        """
        return self._placeholder.size(dim)

    def is_complex(self) -> bool:
        """Whether the elements are to be complex numbers."""
        return self._placeholder.is_complex()

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether a gradient is wanted.

        Parameters
        ----------
        requires_grad : bool
            Whether it is.
        """
        self._requires = bool(requires_grad)
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> Any:
        return type(self), (self._requires, self.device, self.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)(self._requires, self.device, self.dtype)
        return found


def _converting(name: str) -> Any:
    def convert(self: _Uninitialized, *args: Any, **kwargs: Any) -> Tensor:
        return getattr(self._placeholder, name)(*args, **kwargs)

    convert.__name__ = name
    convert.__doc__ = "An empty tensor, converted."
    return convert


for _name in ("half", "float", "double", "char", "short", "int", "long", "bfloat16", "cpu", "to"):
    setattr(_Uninitialized, _name, _converting(_name))


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter without a shape; `materialize` gives it one.

    Parameters
    ----------
    requires_grad : bool
        Whether a gradient is wanted.
    device : device or str, optional
        Where it will be.
    dtype : dtype, optional
        Of its elements.

    Examples
    --------
    >>> weight = UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> weight.shape, type(weight).__name__
    (torch.Size([2, 3]), 'Parameter')
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """Make one of a dtype."""
        made = object.__new__(cls)
        made._placeholder = _empty(device, dtype)
        made._requires = bool(requires_grad)
        return made


class UninitializedBuffer(_Uninitialized):
    """A buffer without a shape; `materialize` gives it one.

    Parameters
    ----------
    requires_grad : bool
        Whether a gradient is wanted.
    device : device or str, optional
        Where it will be.
    dtype : dtype, optional
        Of its elements.
    persistent : bool
        Whether it is part of the module's `state_dict`.

    Examples
    --------
    >>> UninitializedBuffer()
    <UninitializedBuffer>
    """

    cls_to_become = Tensor
    persistent: bool
    _is_buffer: bool

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        """Make one of a dtype."""
        made = object.__new__(cls)
        made._placeholder = _empty(device, dtype)
        made._requires = bool(requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


def _empty(device: Any, dtype: Dtype | None) -> Tensor:
    made = wrap(np.zeros(0, ambient().default_dtype if dtype is None else dtype.numpy))
    made._device = check_device(device)
    return made


make_parameters_with(Parameter)
