"""From operations on tensors to operations on buffers, and on to the tape.

Every operation goes through here. `apply` computes and records; `view` aliases and records; `write`
replaces the contents of a tensor, in place, and gives it (or its base, if it is a view) the new
node. What an operation means and what its pullback is come from `fnx.extend`; this module knows
which buffers to save and whose history changes.
Read next: `table` (how operations become functions and methods), `fnx_nn.autograd.engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.extend import Operation, Program, Pullback, pullback_of
from fnx_nn.ambient import ambient
from fnx_nn.dtypes import can_cast, dtype_of, name_in_messages
from fnx_nn.tensor.cell import Cell
from fnx_nn.tensor.tape import AccumulateGrad, Edge, Node, node_class, short_name
from fnx_nn.tensor.tensor import Tensor, rebuild_view, wrap
from fnx_nn.tensor.traced import apply_traced, replace_contents, value_of
from fnx_nn.tensor.views import OVERLAP

__all__ = ["TensorOperation", "apply", "check_writable", "from_edge", "view", "write", "write_raw"]

NDArray = np.ndarray[Any, Any]
_NONE: dict[str, Any] = {}


class TensorOperation(Operation):
    """An operation with the name of its node on the tape.

    Parameters
    ----------
    function : callable
        See `fnx.extend.Operation`.
    node : str
        As in ``AddBackward0``.
    **options
        See `fnx.extend.Operation`.
    """

    def __init__(self, function: Callable[..., Any], node: str, **options: Any) -> None:
        name = node.rstrip("0123456789").removesuffix("Backward")
        super().__init__(function, name, adjoint=True, **options)
        self.node = node_class(node)


def apply(
    operation: TensorOperation, operands: Sequence[Tensor], params: dict[str, Any] = _NONE
) -> Any:
    """The results of an operation on tensors, recorded where a gradient is wanted.

    Parameters
    ----------
    operation : TensorOperation
        What to apply.
    operands : sequence of Tensor
        Its operands.
    params : dict
        Its static parameters: hashable, one type for each name.

    Returns
    -------
    Tensor or tuple of Tensor
        One for each result that is not hidden.
    """
    around = ambient()
    if around.traced:
        return _apply_traced(operation, operands, params)
    data = [t._data for t in operands]
    try:
        program, results = operation.apply(data, params)
    except ValueError:
        raise_shape_error(operation, data)
        raise
    if around.grad:
        needs = _needs(operands)
        if needs is not None:
            node = record(program, operation, operands, params, needs, data, results)
            if len(results) == 1 and node.pullback.cotangents:  # the commonest, at once
                out = object.__new__(Tensor)
                out._data = result = results[0]
                out._node, out._requires = node, True
                if node.pullback.results:
                    cell = out._cell = Cell()
                    node.saved.append((result, cell, 0))  # type: ignore[union-attr]
                return out
            return _outputs(operation, node, results)
    elif around.inference:
        return _inference(operation, results)
    if len(results) == 1:
        return wrap(results[0])
    visible = len(results) - operation.hidden
    return wrap(results[0]) if visible == 1 else tuple([wrap(r) for r in results[:visible]])


def _apply_traced(
    operation: TensorOperation, operands: Sequence[Tensor], params: dict[str, Any]
) -> Any:
    data = [value_of(t) for t in operands]
    raise_shape_error(operation, data)
    results = apply_traced(operation, operands, params)
    needs = _needs(operands) if ambient().grad else None
    if needs is not None:
        node = _record_traced(operation, operands, params, needs, data, results)
        return _outputs(operation, node, results)
    visible = len(results) - operation.hidden
    outs = tuple([wrap(r) for r in results[:visible]])
    return outs[0] if visible == 1 else outs


def _record_traced(
    operation: TensorOperation,
    operands: Sequence[Tensor],
    params: dict[str, Any],
    needs: tuple[bool, ...],
    data: Sequence[Any],
    results: Sequence[Any],
) -> Node:
    # A program of shapes and dtypes is all that is needed of the values.
    program = operation.program(data, params)
    return record(program, operation, operands, params, needs, data, results)


def _needs(operands: Sequence[Tensor]) -> tuple[bool, ...] | None:
    """Which operands want a gradient; None if none does."""
    wanted = False
    for t in operands:
        if t._base is not None:
            t.refresh()
        if t._requires:
            wanted = True
    return tuple([t._requires for t in operands]) if wanted else None


def record(
    program: Program,
    operation: TensorOperation,
    operands: Sequence[Tensor],
    params: dict[str, Any],
    needs: tuple[bool, ...],
    data: Sequence[NDArray],
    results: Sequence[NDArray],
) -> Node:
    """Put an application on the tape; results are saved by `save_results`.

    Parameters
    ----------
    program : Program
        What computes it.
    operation, operands, params
        What was applied.
    needs : tuple of bool
        Which operands want a gradient.
    data, results : sequence of ndarray
        Buffers of the operands, and what was computed.
    """
    found = pullback_of(program, operation, data, params, needs, results[0])
    edges = tuple([t.edge() if n else None for t, n in zip(operands, needs)])
    node = operation.node(edges, results)
    node.pullback = found
    saved = node.saved = []
    for k in found.operands:
        t = operands[k]
        cell = t._cell
        if cell is None:
            cell = t._cell = Cell()
        saved.append((t._data, cell, cell.version))
    return node


def _outputs(operation: Operation, node: Node, results: Sequence[NDArray]) -> Any:
    visible = len(results) - operation.hidden
    outs = []
    for k in range(visible):
        out = wrap(results[k])
        if k in node.pullback.cotangents:
            out._node, out._output, out._requires = node, k, True
        outs.append(out)
    save_results(node, results, outs)
    return outs[0] if visible == 1 else tuple(outs)


def save_results(node: Node, results: Sequence[NDArray], outs: Sequence[Tensor]) -> None:
    """Save what the pullback reads of the results; hidden ones belong to nobody else."""
    saved = node.saved
    assert saved is not None
    for k in node.pullback.results:
        if k < len(outs):
            cell = outs[k].cell()
            saved.append((results[k], cell, cell.version))
        else:
            saved.append((results[k], None, 0))


def _inference(operation: Operation, results: Sequence[NDArray]) -> Any:
    outs = [wrap(r) for r in results[: len(results) - operation.hidden]]
    for out in outs:
        out._inference = True
    return outs[0] if len(outs) == 1 else tuple(outs)


def from_edge(data: NDArray, cell: Cell | None, edge: Edge | None) -> Tensor:
    """A tensor on a saved buffer, with its place in the graph.

    Parameters
    ----------
    data : ndarray
        The buffer.
    cell : Cell, optional
        Its version counter.
    edge : tuple, optional
        Where its gradient goes.
    """
    out = wrap(data)
    out._cell = cell
    if edge is not None:
        out._requires = True
        if isinstance(edge[0], AccumulateGrad):
            out._accumulator = edge[0]
        else:
            out._node, out._output = edge
    return out


# -------------------------------------------------------------------------------------------- views

_reading = TensorOperation(lambda x, step: step.read(x), "ViewBackward0")
_writing = TensorOperation(lambda x, value, steps: _write_through(x, value, steps), "CopySlices")


def view(x: Tensor, step: Any, node: str, origin: str | None = None) -> Tensor:
    """A tensor that shares memory with another one.

    Parameters
    ----------
    x : Tensor
        The viewed.
    step : view step
        See `views`.
    node : str
        Name of the node on the tape.
    origin : str, optional
        Why writing through the result is refused where gradients are recorded.
    """
    around = ambient()
    out = wrap(step.read(value_of(x)) if around.traced else step.view(x._data))
    cell = out._cell = x.cell()
    out._device = x._device
    out._seen = cell.version
    if x._base is None:
        out._base, out._steps = x, (step,)
    else:
        x.refresh()
        out._base, out._steps = x._base, (*x._steps, step)
    if around.traced:
        out._held = cell.version
    if not around.grad:
        out._inference = around.inference
        out._view_origin = "no_grad"
        return out
    out._view_origin = origin or x._view_origin
    if x._requires:
        _attach_view(out, x, step, node)
    return out


def _attach_view(out: Tensor, x: Tensor, step: Any, node: str) -> None:
    made = node_class(node)((x.edge(),), (out._data,))
    made.pullback = _pullback_of_view(x._data, step)
    out._node, out._output, out._requires = made, 0, True


def _pullback_of_view(data: NDArray, step: Any) -> Pullback:
    params = {"step": step}
    program = _reading.program((data,), params)
    return pullback_of(program, _reading, (data,), params, (True,), data)


def _rebuild(x: Tensor) -> None:
    """Give a view, after a write to the shared memory, a node that reads the base as it is now."""
    base = x._base
    assert base is not None
    if x._view_origin == "no_grad" or not base._requires:
        x._node, x._requires = None, False
        return
    edge = base.edge()
    assert edge is not None
    data = base._data
    traced = type(data) is not np.ndarray
    for step in x._steps:
        found = step.read(data) if traced else step.view(data)
        made = node_class("AsStridedBackward0")((edge,), (found,))
        made.pullback = _pullback_of_view(data, step)
        data, edge = found, (made, 0)
    x._node, x._output, x._requires = edge[0], 0, True


rebuild_view[0] = _rebuild


def _write_through(x: Any, value: Any, steps: tuple[Any, ...]) -> Any:
    """The base with what a chain of views shows replaced."""
    step, rest = steps[0], steps[1:]
    inner = _write_through(step.read(x), value, rest) if rest else value
    return step.write(x, inner)


# ------------------------------------------------------------------------------------------- writes


def check_writable(target: Tensor, records: bool) -> None:
    """Raise unless a tensor may be written to in place.

    Parameters
    ----------
    target : Tensor
        What is to be written to.
    records : bool
        Whether the write is recorded on the tape.

    Raises
    ------
    RuntimeError
        A leaf that wants a gradient, a view that repeats itself in memory or whose history can't
        be changed, or an inference tensor.
    """
    data = target._data
    if (
        type(data) is np.ndarray
        and 0 in data.strides
        and any([s == 0 and n > 1 for s, n in zip(data.strides, data.shape)])
    ):
        raise RuntimeError(OVERLAP)
    if target._inference and not ambient().inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make "
            "a clone to get a normal tensor before doing inplace update."
        )
    if not ambient().grad:
        return
    base = target._base
    if base is None:
        if target._requires and target._node is None:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation."
            )
        return
    target.refresh()
    if not (records or target._requires or base._requires):
        return
    if target._view_origin == "no_grad":
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode "
            "enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You "
            "can clarify your code by moving both the view and the inplace either both inside the "
            "no_grad block (if you don't want the inplace to be tracked) or both outside (if you "
            "want the inplace to be tracked)."
        )
    if base._requires and base._node is None:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation."
        )
    if target._view_origin is not None:
        made_by = short_name(target._node) if target._node is not None else target._view_origin
        raise RuntimeError(
            f"Output {target._output_shown} of {made_by} is a view and is being modified inplace. "
            "This view is the output of a function that returns multiple views. Such functions do "
            "not allow the output views to be modified inplace. You should replace the inplace "
            "operation by an out-of-place one."
        )


def write(
    target: Tensor,
    operation: TensorOperation,
    operands: Sequence[Tensor],
    params: dict[str, Any] = _NONE,
    fill: Callable[[NDArray], None] | None = None,
) -> Tensor:
    """Replace the contents of a tensor by the result of an operation; gives the tensor itself.

    Parameters
    ----------
    target : Tensor
        Usually the first of the operands.
    operation, operands, params
        As for `apply`; one result.
    fill : callable, optional
        Writes the result into the buffer by itself, quicker than by way of a new one.
    """
    needs = _needs(operands) if ambient().grad else None
    check_writable(target, needs is not None)
    if ambient().traced:
        return _write_traced(target, operation, operands, params, needs)
    buffer = target._data
    if needs is None:
        if fill is not None:
            fill(buffer)
        else:
            _compute_into(buffer, operation, [t._data for t in operands], params)
        target.cell().version += 1
        return target
    data = [t._data for t in operands]
    program = operation.program(data, params)
    result = buffer if fill is not None else _result(operation, data, params, buffer)
    node = record(program, operation, operands, params, needs, data, [result])
    _keep_old_contents(node, target)
    cell = target.cell()
    if fill is not None:
        fill(buffer)
    else:
        np.copyto(buffer, result, casting="unsafe")
    cell.version += 1
    if node.pullback.results:
        assert node.saved is not None
        node.saved.append((buffer, cell, cell.version))
    _rebase(target, node)
    return target


def _write_traced(
    target: Tensor,
    operation: TensorOperation,
    operands: Sequence[Tensor],
    params: dict[str, Any],
    needs: tuple[bool, ...] | None,
) -> Tensor:
    data = [value_of(t) for t in operands]
    raise_shape_error(operation, data)
    before = value_of(target)
    result = apply_traced(operation, operands, params)[0]
    _check_fits(result, before)
    value = result if result.dtype == before.dtype else result.astype(before.dtype)
    if needs is None:
        replace_contents(target, value, _write_through)
        return target
    node = _record_traced(operation, operands, params, needs, data, [result])
    assert node.saved is not None
    # What was saved is immutable here: later writes do not change it.
    node.saved = [(saved, None, 0) for saved, _, _ in node.saved]
    if node.pullback.results:
        node.saved.append((result, None, 0))
    replace_contents(target, value, _write_through)
    _rebase(target, node)
    return target


def write_raw(target: Tensor, fill: Callable[[NDArray], None]) -> Tensor:
    """Replace the contents of a tensor outside of the tape; gives the tensor itself.

    Parameters
    ----------
    target : Tensor
        What to write to.
    fill : callable
        Writes into its buffer.
    """
    check_writable(target, False)
    fill(target._data)
    target.cell().version += 1
    return target


def _compute_into(
    buffer: NDArray, operation: Operation, data: list[NDArray], params: dict[str, Any]
) -> None:
    if operation.elementwise and all(
        [d is buffer or d.ndim == 0 or d.shape == buffer.shape for d in data]
    ):
        program = operation.program(data, params)
        if program.ufunc is not None and program.result_dtype == buffer.dtype:
            program.run_into(buffer, data)
            return
    np.copyto(buffer, _result(operation, data, params, buffer), casting="unsafe")


def _result(
    operation: Operation, data: list[NDArray], params: dict[str, Any], buffer: NDArray
) -> NDArray:
    """The result of an operation, checked to fit into a buffer."""
    try:
        result = operation.evaluate(data, params)[0]
    except ValueError:
        raise_shape_error(operation, data)
        raise
    _check_fits(result, buffer)
    return result


def _check_fits(result: Any, buffer: Any) -> None:
    """Raise unless a result may be written to a buffer."""
    if result.dtype != buffer.dtype and not can_cast(
        dtype_of(result.dtype), dtype_of(buffer.dtype)
    ):
        raise RuntimeError(
            f"result type {name_in_messages(result.dtype)} can't be cast to the desired output "
            f"type {name_in_messages(buffer.dtype)}"
        )
    if result.shape != buffer.shape:
        raise RuntimeError(
            f"output with shape {list(buffer.shape)} doesn't match the broadcast shape "
            f"{list(result.shape)}"
        )


def _keep_old_contents(node: Node, target: Tensor) -> None:
    """Copy what the pullback reads of a buffer that is about to be written to."""
    assert node.saved is not None
    for k, (data, cell, version) in enumerate(node.saved):
        if cell is not None and cell is target._cell and k < len(node.pullback.operands):
            operand = node.pullback.operands[k]
            if operand == 0 and data is target._data:
                node.saved[k] = (data.copy(), None, version)


def _rebase(target: Tensor, node: Node) -> None:
    """Make a node the history of a tensor that was written to, or of its base."""
    base = target._base
    if base is None:
        _move_retained(target, node)
        target._node, target._output, target._requires = node, 0, True
        return
    params = {"steps": target._steps}
    needs = (base._requires, True)
    old = base.edge()
    made = _writing.node((old, (node, 0)), (base._data,))
    data = (base._data, target._data)
    program = _writing.program(data, params)
    made.pullback = pullback_of(program, _writing, data, params, needs, base._data)
    base._node, base._output, base._requires = made, 0, True
    target.refresh()


def _move_retained(target: Tensor, node: Node) -> None:
    """A tensor that keeps its gradient goes on doing so for its new contents."""
    old = target._node
    if old is not None and old.hooks is not None:
        kept = old.hooks.retained.pop(target._output, None)
        if kept is not None:
            node.hooked().retained[0] = kept


def raise_shape_error(operation: Operation, data: Sequence[NDArray]) -> None:
    """Say which sizes of elementwise operands do not fit; give back where they do.

    Parameters
    ----------
    operation : Operation
        What was applied.
    data : sequence of ndarray
        To what.
    """
    if not operation.elementwise or len(data) < 2:
        return
    shape: tuple[int, ...] = data[0].shape
    for other in data[1:]:
        rank = max(len(shape), other.ndim)
        a = (1,) * (rank - len(shape)) + shape
        b = (1,) * (rank - other.ndim) + other.shape
        for axis in reversed(range(rank)):
            if a[axis] != b[axis] and 1 not in (a[axis], b[axis]):
                raise RuntimeError(
                    f"The size of tensor a ({a[axis]}) must match the size of tensor b "
                    f"({b[axis]}) at non-singleton dimension {axis}"
                ) from None
        shape = tuple([m if n == 1 else n for n, m in zip(a, b)])
