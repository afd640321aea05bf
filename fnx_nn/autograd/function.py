"""`Function`: operations whose forward and backward a user writes with tensors.

The forward pass runs without recording; its results get a node that calls the user's backward.
Under `create_graph` the backward is recorded like any other computation.
Read next: `gradcheck`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient, changed
from fnx_nn.tensor.cell import Cell
from fnx_nn.tensor.dispatch import from_edge
from fnx_nn.tensor.tape import Node
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx(Node):
    """The context of one application of a `Function`: its node, with what the forward pass left."""

    needs_input_grad: tuple[bool, ...] = ()
    _function: type[Function]

    def save_for_backward(self, *tensors: Any) -> None:
        """Save operands or results for the backward pass.

        Parameters
        ----------
        *tensors : Tensor or None
            Any other tensors may be saved, too, but their gradients are lost.
        """
        self._to_save = tensors

    save_for_forward = save_for_backward

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which operands the forward pass wrote to; each must be a result.

        Parameters
        ----------
        *args : Tensor
            The operands.
        """
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which results have no gradient.

        Parameters
        ----------
        *args : Tensor
            The results.
        """
        self._without_gradient = args

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether gradients that never came are zeros (the default) or None in backward.

        Parameters
        ----------
        value : bool
            Whether they are zeros.
        """
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved, with its place in the graph.

        Raises
        ------
        RuntimeError
            It was written to since, or the graph was freed.
        """
        if self._saved is None:
            raise RuntimeError(_FREED)
        tensors: list[Any] = []
        for entry in self._saved:
            if entry is None:
                tensors.append(None)
                continue
            data, cell, version, edge = entry
            if cell.version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: a tensor of shape {list(data.shape)} saved by "
                    f"{self.name()} is at version {cell.version}; expected version {version} "
                    "instead. Hint: enable anomaly detection to find the operation that failed to "
                    "compute its gradient, with torch.autograd.set_detect_anomaly(True)."
                )
            tensors.append(from_edge(data, cell, (self, edge) if type(edge) is int else edge))
        return tuple(tensors)

    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _without_gradient: tuple[Any, ...] = ()
    _materialize = True
    _saved: list[Any] | None = None
    _kept_count = 0

    def run_user_backward(self, cotangents: Sequence[Any]) -> list[Any]:
        """Gradients of the operands, as tensors, from those of the results."""
        given: list[Any] = []
        for k, c in enumerate(cotangents):
            if c is None and self._materialize:
                given.append(wrap(np.zeros(*self.outputs[k])))
            else:
                given.append(c)
        answers = self._function.backward(self, *given)
        answers = answers if isinstance(answers, (tuple, list)) else (answers,)
        count = len(self._is_tensor)
        extra = answers[count:]
        if len(answers) < count or any(a is not None for a in extra):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected "
                f"{count}, got {len(answers)})"
            )
        gradients = []
        for k, place in enumerate(self._tensor_places):
            answer = answers[place]
            if answer is not None and self.edges[k] is not None:
                answer = self._fitted(k, answer)
            gradients.append(answer if self.edges[k] is not None else None)
        return gradients

    def _fitted(self, k: int, answer: Any) -> Any:
        if not isinstance(answer, Tensor):
            raise TypeError(
                f"function {self.name()} returned a gradient that is a {type(answer).__name__}; "
                "return Tensors or None"
            )
        shape, dtype = self._operands[k]
        if answer._data.shape != shape:
            lead = answer._data.ndim - len(shape)
            stretched = [
                a for a in range(answer._data.ndim)
                if a < lead or (shape[a - lead] == 1 and answer._data.shape[a] != 1)
            ]  # fmt: skip
            reduced = answer.sum(stretched, keepdim=True) if lead >= 0 and stretched else answer
            if reduced.numel() != int(np.prod(shape)):
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {k} - got "
                    f"{list(answer._data.shape)} but expected shape compatible with {list(shape)}"
                )
            answer = reduced.reshape(shape)
        if answer._data.dtype != dtype:
            answer = answer.to(dtype=wrap(np.empty(0, dtype)).dtype)
        return answer

    def pull(self, cotangents: list[Any]) -> list[Any]:
        """Gradients of the operands as ndarrays; see `Node.pull`."""
        shown = [None if c is None else wrap(np.asarray(c)) for c in cotangents]
        return [None if g is None else g._data for g in self.run_user_backward(shown)]

    def release(self) -> None:
        """Forget what was saved."""
        if self._saved:
            self._saved = None

    _is_tensor: tuple[bool, ...] = ()
    _tensor_places: tuple[int, ...] = ()
    _operands: tuple[Any, ...] = ()


class Function:
    """Base class of operations with a backward of their own.

    A subclass has the static methods ``forward(ctx, *args)`` (or ``forward(*args)`` and
    ``setup_context(ctx, inputs, output)``) and ``backward(ctx, *grad_outputs)``. Use it by `apply`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> x = torch.ones(1, requires_grad=True)
    >>> Double.apply(x)
    tensor([2.], grad_fn=<DoubleBackward>)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the results; to be written by the user."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what backward needs, where forward takes no context; to be written by the user."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients of the operands from those of the results; to be written by the user."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run the forward pass, and record it.

        Parameters
        ----------
        *args, **kwargs
            As `forward` takes them, without the context.
        """
        places = tuple([k for k, a in enumerate(args) if isinstance(a, Tensor)])
        tensors = [args[k] for k in places]
        recording = ambient().grad and any([t.requires_grad for t in tensors])
        edges = tuple([t.edge() if recording else None for t in tensors])
        ctx = _context_class(cls)(edges, ())  # type: ignore[arg-type]
        ctx._function = cls
        ctx._is_tensor = tuple([isinstance(a, Tensor) for a in args])
        ctx._tensor_places = places
        ctx._operands = tuple([(t._data.shape, t._data.dtype) for t in tensors])
        ctx.needs_input_grad = tuple(
            [isinstance(a, Tensor) and recording and a.requires_grad for a in args]
        )
        with changed(grad=False):
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        return _recorded(ctx, output, tensors, recording)


@functools.lru_cache(maxsize=1024)
def _context_class(function: type[Function]) -> type[FunctionCtx]:
    return type(f"{function.__name__}Backward", (FunctionCtx,), {})


def _recorded(ctx: FunctionCtx, output: Any, tensors: Sequence[Tensor], recording: bool) -> Any:
    several = isinstance(output, (tuple, list))
    results = list(output) if several else [output]
    if not recording:
        ctx._saved = []
        return output
    made: list[Any] = []
    for k, result in enumerate(results):
        if not isinstance(result, Tensor):
            ctx.outputs.append(((), np.dtype(np.float32)))
            made.append(result)
            continue
        ctx.outputs.append((result._data.shape, result._data.dtype))
        dirty = any([result is d for d in ctx._dirty])
        passed = any([result is t for t in tensors])
        out = result if dirty or not passed else result.detach()
        if passed and not dirty:
            out = wrap(result._data)
            out._cell = result.cell()
        fixed = any([result is n for n in ctx._without_gradient])
        if result._data.dtype.kind in "fcV" and not fixed:
            if dirty and result._node is None and result._requires:
                raise RuntimeError(
                    "a leaf Variable that requires grad is being used in an in-place operation."
                )
            out._base, out._steps = None, ()
            out._node, out._output, out._requires = ctx, k, True
        made.append(out)
    ctx._saved = [_saved(t, ctx, results, tensors) for t in ctx._to_save]
    ctx._to_save = ()
    return type(output)(made) if several else made[0]


def _saved(
    tensor: Any, ctx: FunctionCtx, results: Sequence[Any], operands: Sequence[Tensor]
) -> tuple[Any, Cell, int, Any] | None:
    if tensor is None:
        return None
    if not isinstance(tensor, Tensor):
        raise TypeError(
            "save_for_backward can only save variables, but an argument is of type "
            f"{type(tensor).__name__}"
        )
    cell = tensor.cell()
    for place, operand in enumerate(operands):
        if tensor is operand:
            return tensor._data, cell, cell.version, ctx.edges[place]
    for k, result in enumerate(results):
        if tensor is result:  # by number: the node must not hold itself
            return tensor._data, cell, cell.version, k if tensor._node is ctx else None
    return tensor._data, cell, cell.version, tensor.edge()


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward whose result cannot be differentiated again.

    Parameters
    ----------
    fn : callable
        The static method ``backward``.
    """

    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with changed(grad=False):
            outputs = fn(ctx, *args)
        if not ambient().grad or not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            return outputs
        several = isinstance(outputs, tuple)
        refused = [
            _Refusal.apply(*[a for a in args if isinstance(a, Tensor)], out)
            if isinstance(out, Tensor)
            else out
            for out in (outputs if several else (outputs,))
        ]
        return tuple(refused) if several else refused[0]

    return wrapper


class _Refusal(Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        return args[-1].clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)
