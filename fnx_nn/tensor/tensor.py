"""`Tensor`: a mutable handle on a buffer, with its place on the tape.

A tensor holds an ndarray, which may be a view of the buffer of other tensors (or of a user's NumPy
array); the `Cell` with the version counter that it shares with them; and, where it takes part in
differentiation, the node that made it. A view remembers its base and the steps that lead from the
base to it, so that a write through any of them is seen by the gradients of all.

What is here: the state and its rules. Operations are installed as methods by the modules beside
this one (see `table`), `backward` and hooks by `fnx_nn.autograd`.
Read next: `dispatch`.
"""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.devices import CPU, device
from fnx_nn.dtypes import dtype, dtype_of
from fnx_nn.tensor.cell import Cell
from fnx_nn.tensor.tape import AccumulateGrad, Edge, Node

__all__ = ["Size", "Tensor", "wrap"]

NDArray = np.ndarray[Any, Any]


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of extents.

    Examples
    --------
    >>> Size([2, 3]).numel(), Size([2, 3])
    (6, torch.Size([2, 3]))
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements."""
        count = 1
        for extent in self:
            count *= extent
        return count

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        return Size(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))


class Tensor:
    """An n-dimensional array that can be written to and takes part in differentiation.

    Parameters
    ----------
    *args : int, or Size, or sequence, or Tensor
        Extents (the contents are zeros then), or data. `tensor` is the better constructor.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    # Defaults of what most tensors never set.
    _data: NDArray
    _cell: Cell | None = None
    _requires = False
    _node: Node | None = None
    _output = 0
    _base: Tensor | None = None
    _steps: tuple[Any, ...] = ()
    _view_origin: str | None = None  # why writing through this view is refused, if it is
    _output_shown = 0  # which part of a split this is
    _held = 0  # while tracing: the version at which a view's value was read
    _seen = 0  # the version at which `_node` of a view was true
    _accumulator: Any = None
    _hooks: dict[int, Any] | None = None
    _post_hooks: dict[int, Any] | None = None
    _grad: Tensor | None = None
    _device: device = CPU
    _inference = False
    _is_parameter = False

    #: NumPy leaves binary operations with tensors to the tensors.
    __array_priority__ = 1000
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make one from extents or data."""
        self = object.__new__(cls)
        default = ambient().default_dtype
        if len(args) == 1 and isinstance(args[0], Tensor):
            self._data = args[0]._data
            self._cell = args[0].cell()
        elif len(args) == 1 and isinstance(args[0], (list, np.ndarray)):
            self._data = np.array(args[0], default)
        elif len(args) == 1 and isinstance(args[0], tuple):
            shape = args[0]
            is_size = isinstance(shape, Size)
            self._data = np.zeros(shape, default) if is_size else np.array(shape, default)
        elif all(isinstance(n, int) for n in args):
            self._data = np.zeros(args if args else (0,), default)
        else:
            raise TypeError(f"new(): invalid data type '{type(args[0]).__name__}'")
        return self

    if TYPE_CHECKING:  # what the modules beside this one install

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...

    # ------------------------------------------------------------------------------------ shape

    @property
    def shape(self) -> Size:
        """The extents."""
        return Size(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The extents, or one of them.

        Parameters
        ----------
        dim : int, optional
            Which one.
        """
        if dim is None:
            return Size(self._data.shape)
        return self._data.shape[check_dim(dim, self._data.ndim)]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory from one element to the next along each axis, in elements.

        Parameters
        ----------
        dim : int, optional
            Only of this axis.
        """
        if type(self._data) is not np.ndarray:  # an array of fnx: in row-major order
            extents = self._data.shape
            strides = tuple([math.prod(extents[k + 1 :]) for k in range(len(extents))])
        else:
            strides = tuple([s // self._data.itemsize for s in self._data.strides])
        return strides if dim is None else strides[check_dim(dim, len(strides))]

    def storage_offset(self) -> int:
        """The position of the first element in the shared memory, in elements."""
        owner = memory_owner(self._data)
        return (_address(self._data) - _address(owner)) // self._data.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return _address(self._data)

    def element_size(self) -> int:
        """Bytes per element."""
        return self._data.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return self._data.nbytes

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in row-major order.

        Parameters
        ----------
        memory_format : optional
            Only the contiguous format is there.
        """
        return type(self._data) is not np.ndarray or bool(self._data.flags.c_contiguous)

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    # --------------------------------------------------------------------------- kind and place

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return dtype_of(self._data.dtype)

    @property
    def device(self) -> device:
        """Where the tensor is."""
        return self._device

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self._data.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Whether the elements can be negative."""
        return self.dtype.is_signed

    @property
    def is_cpu(self) -> bool:
        """Whether the tensor is on the CPU."""
        return self._device.type == "cpu"

    is_cuda = is_sparse = is_quantized = is_meta = is_mkldnn = is_mps = is_xpu = False

    # -------------------------------------------------------------------------- differentiation

    @property
    def requires_grad(self) -> bool:
        """Whether gradients with respect to this tensor, or through it, are wanted."""
        if self._base is not None:
            self.refresh()
        return self._requires

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether operations on this leaf are recorded; gives the tensor itself.

        Parameters
        ----------
        requires_grad : bool
            Whether they are.
        """
        if not self.is_leaf:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to "
                    "use a computed variable in a subgraph that doesn't require differentiation "
                    "use var_no_grad = var.detach()."
                )
            return self
        if requires_grad and dtype_of(self._data.dtype).category < 2:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if requires_grad and self._inference and not ambient().inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed."
            )
        self._requires = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, or needs no gradient."""
        if self._base is not None:
            self.refresh()
        return self._node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None of a leaf."""
        if self._base is not None:
            self.refresh()
        return self._node

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` this tensor is."""
        return self._output

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, after `backward`."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type "
                            f"{type(value).__name__}")  # fmt: skip
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value._data.dtype != self._data.dtype:
            raise RuntimeError(
                f"assigned grad has data of a different type: {value.dtype!r} for a tensor of "
                f"{self.dtype!r}"
            )
        if value._data.shape != self._data.shape:
            raise RuntimeError("assigned grad has data of a different size")

    @property
    def _version(self) -> int:
        return 0 if self._cell is None else self._cell.version

    @property
    def data(self) -> Tensor:
        """The same memory, outside of differentiation and without the version counter."""
        return wrap(detached_value[0](self) if ambient().traced else self._data)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._data = value._data
        self._device = value._device
        if value._cell is not None and self._cell is None:
            self._cell = Cell()

    def detach(self) -> Tensor:
        """The same memory, outside of differentiation; writes are counted together."""
        out = wrap(detached_value[0](self) if ambient().traced else self._data)
        out._cell = self.cell()
        return out

    def detach_(self) -> Tensor:
        """Take this tensor itself out of the graph; it becomes a leaf."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node = None
        self._output = 0
        self._requires = False
        return self

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode."""
        return self._inference

    def _is_view(self) -> bool:
        return self._base is not None

    # ------------------------------------------------------------------------ for fnx_nn itself

    def cell(self) -> Cell:
        """The version counter shared with all that alias this tensor."""
        cell = self._cell
        if cell is None:
            cell = self._cell = Cell()
        return cell

    def edge(self) -> Edge | None:
        """Where gradients of this tensor go: to its node, or to its accumulator, or nowhere."""
        if self._node is not None:
            return self._node, self._output
        if not self._requires:
            return None
        return self.accumulator(), 0

    def accumulator(self) -> AccumulateGrad:
        """The node through which gradients arrive at this leaf."""
        found = self._accumulator
        node = found() if type(found) is weakref.ref else found
        if node is None:
            node = AccumulateGrad(self)
            self._accumulator = weakref.ref(node)
        return node

    def refresh(self) -> None:
        """Of a view: make the node true again after the base was written to."""
        cell = self._cell
        if cell is not None and self._seen != cell.version:
            self._seen = cell.version
            rebuild_view[0](self)

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
        made: Tensor = object.__new__(cls)
        made._data = data._data
        made._cell = data._cell
        made._device = data._device
        made.requires_grad_(require_grad)
        return made


def wrap(data: NDArray) -> Tensor:
    """A tensor on a buffer, outside of the tape; no copy."""
    out = object.__new__(Tensor)
    out._data = data
    return out


#: Set once by `dispatch`, which sits above this module: gives a stale view its node again.
rebuild_view: list[Any] = [None]
#: Set once by `traced`: what a detached tensor holds while tracing.
detached_value: list[Any] = [None]


def check_dim(dim: int, ndim: int) -> int:
    """An axis as a number from 0.

    Raises
    ------
    IndexError
        There is no such axis.
    """
    extent = ndim or 1
    if not -extent <= dim < extent:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-extent}, {extent - 1}], but "
            f"got {dim})"
        )
    return dim % extent


def memory_owner(data: NDArray) -> NDArray:
    """The ndarray that owns the memory of a view."""
    while isinstance(data.base, np.ndarray):
        data = data.base
    return data


def _address(data: NDArray) -> int:
    return int(data.__array_interface__["data"][0])
