"""Recurrent layers: a cell is applied to one step of sequences after the other.

A layer in one direction is one operation on the tape: the inputs of all steps are multiplied by
their weights at once, the rest is a `fnx.lax.scan` of the cell's step. So derivatives of all orders
and in both modes are those of the scan. Sequences of several steps run compiled.

Packed sequences lie row by row in one matrix without gaps (see `fnx_nn.nn.utils.rnn`). They are
laid out as a rectangle, and where a sequence is over (or, backward, has not begun) the state stays;
so what is compiled depends on the number of steps and sequences only, not on the lengths.
Read next: `fnx_nn.nn.recurrent`, `fnx_nn.nn.recurrent_cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.dropout import dropout
from fnx_nn.nn.functional.packing import pack, packed_places, unpack
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["CELLS", "Cell", "run_cell", "run_layers"]

NDArray = np.ndarray[Any, Any]
State = tuple[Any, ...]

#: Steps from which a layer runs compiled: step by step, NumPy takes some 2 ms for each, forward and
#: backward; to compile takes 0.1 s once (0.5 s if it is not on the disk), then some 0.1 ms.
COMPILED_FROM = 4


class Cell(NamedTuple):
    """A recurrent cell.

    Attributes
    ----------
    gates : int
        Rows of its weights, in units of the hidden size.
    states : int
        What it hands from step to step; the first is its output.
    step : callable
        ``step(from_input, from_hidden, state)``: the next state, from what the weights make of the
        input and of the hidden state.
    """

    gates: int
    states: int
    step: Callable[[Any, Any, State], State]


def _tanh_step(from_input: Any, from_hidden: Any, state: State) -> State:
    return (jnp.tanh(from_input + from_hidden),)


def _relu_step(from_input: Any, from_hidden: Any, state: State) -> State:
    return (fnx.nn.relu(from_input + from_hidden),)


def _lstm_step(from_input: Any, from_hidden: Any, state: State) -> State:
    let_in, keep, new, let_out = jnp.split(from_input + from_hidden, 4, -1)
    memory = fnx.nn.sigmoid(keep) * state[1] + fnx.nn.sigmoid(let_in) * jnp.tanh(new)
    return fnx.nn.sigmoid(let_out) * jnp.tanh(memory), memory


def _gru_step(from_input: Any, from_hidden: Any, state: State) -> State:
    reset_x, keep_x, new_x = jnp.split(from_input, 3, -1)
    reset_h, keep_h, new_h = jnp.split(from_hidden, 3, -1)
    new = jnp.tanh(new_x + fnx.nn.sigmoid(reset_x + reset_h) * new_h)
    return (new + fnx.nn.sigmoid(keep_x + keep_h) * (state[0] - new),)


#: By PyTorch's names of modes.
CELLS = {
    "RNN_TANH": Cell(1, 1, _tanh_step),
    "RNN_RELU": Cell(1, 1, _relu_step),
    "LSTM": Cell(4, 2, _lstm_step),
    "GRU": Cell(3, 1, _gru_step),
}


class _Weights(NamedTuple):
    """The weights of one layer in one direction, in PyTorch's order."""

    input: Any
    hidden: Any
    input_bias: Any
    hidden_bias: Any
    projection: Any

    @classmethod
    def of(cls, given: Sequence[Any], biased: bool) -> _Weights:
        """From those that there are."""
        w_ih, w_hh, *rest = given
        b_ih, b_hh = rest[:2] if biased else (None, None)
        return cls(w_ih, w_hh, b_ih, b_hh, rest[-1] if len(rest) % 2 else None)


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    out = jnp.matmul(x, weight.T)
    return out if bias is None else out + bias


def _next(cell: Cell, from_input: Any, state: State, weights: _Weights) -> State:
    """One step."""
    from_hidden = _affine(state[0], weights.hidden, weights.hidden_bias)
    after = cell.step(from_input, from_hidden, state)
    if weights.projection is not None:
        after = (_affine(after[0], weights.projection, None), *after[1:])
    return after


def _stepped(x: Any, *operands: Any, kind: str, biased: bool) -> State:
    cell = CELLS[kind]
    weights = _Weights.of(operands[cell.states :], biased)
    from_input = _affine(x, weights.input, weights.input_bias)
    return _next(cell, from_input, operands[: cell.states], weights)


def _scanned(
    x: Any, *operands: Any, kind: str, biased: bool, backward: bool, packed: bool
) -> tuple[Any, ...]:
    """(outputs, last state...) of (inputs, first state..., weights..., presence if packed)."""
    cell = CELLS[kind]
    first, rest = operands[: cell.states], operands[cell.states :]
    weights = _Weights.of(rest[:-1] if packed else rest, biased)
    from_input = _affine(x, weights.input, weights.input_bias)

    def step(state: State, now: Any) -> tuple[State, Any]:
        after = _next(cell, now, state, weights)
        return after, after[0]

    def step_where_present(state: State, now: Any) -> tuple[State, Any]:
        after, _ = step(state, now[0])
        after = tuple([jnp.where(now[1][:, None], a, b) for a, b in zip(after, state)])
        return after, after[0]

    if packed:
        last, outputs = lax.scan(
            step_where_present, first, (from_input, rest[-1]), reverse=backward
        )
    else:
        last, outputs = lax.scan(step, first, from_input, reverse=backward)
    return outputs, *last


_NODES = {
    "RNN_TANH": "RnnTanh",
    "RNN_RELU": "RnnRelu",
    "LSTM": "Lstm",
    "GRU": "Gru",
}
_STEPPED = {kind: TensorOperation(_stepped, f"{n}CellBackward0") for kind, n in _NODES.items()}
_SCANNED = {
    (kind, compiled): TensorOperation(_scanned, f"{n}Backward0", compiled=compiled)
    for kind, n in _NODES.items()
    for compiled in (False, True)
}


def run_cell(
    kind: str, input: Tensor, state: Sequence[Tensor], weights: Sequence[Tensor | None]
) -> tuple[Tensor, ...]:
    """One step of a cell.

    Parameters
    ----------
    kind : str
        A key of `CELLS`.
    input : Tensor
        (batch, inputs).
    state : sequence of Tensor
        (batch, hidden size) each.
    weights : sequence of Tensor or None
        Of the input, of the hidden state, and the biases of both, or None for both.

    Returns
    -------
    tuple of Tensor
        The next state.

    Raises
    ------
    RuntimeError
        Shapes or dtypes don't fit.
    """
    w_ih, w_hh = weights[0]._data, weights[1]._data  # type: ignore[union-attr]
    x, size = input._data, w_hh.shape[1]
    if x.shape[1] != w_ih.shape[1]:
        raise RuntimeError(
            f"input has inconsistent input_size: got {x.shape[1]} expected {w_ih.shape[1]}"
        )
    for k, hidden in enumerate(state):
        batch, *rest = hidden._data.shape
        if batch != x.shape[0]:
            raise RuntimeError(
                f"Input batch size {x.shape[0]} doesn't match hidden{k} batch size {batch}"
            )
        if rest != [size]:
            raise RuntimeError(
                f"hidden{k} has inconsistent hidden_size: got {rest[0] if rest else batch}, "
                f"expected {size}"
            )
    given = [w for w in weights if w is not None]
    _check_dtypes([input, *state], given[0])
    params = {"kind": kind, "biased": len(given) > 2}
    found = apply(_STEPPED[kind], (input, *state, *given), params)
    return found if isinstance(found, tuple) else (found,)


def run_layers(
    kind: str,
    input: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Sequence[Tensor]],
    *,
    biased: bool,
    bidirectional: bool = False,
    dropped: float = 0.0,
    batch_sizes: NDArray | None = None,
) -> tuple[Tensor, ...]:
    """Recurrent layers on top of each other, each in one direction or in both.

    Parameters
    ----------
    kind : str
        A key of `CELLS`.
    input : Tensor
        (steps, batch, inputs), or packed: (rows, inputs).
    state : sequence of Tensor
        The first ones of all layers and directions: (layers * directions, batch, size).
    weights : sequence of sequences of Tensor
        Of each layer and direction.
    biased : bool
        Whether biases are among them.
    bidirectional : bool
        Whether each layer runs backward, too.
    dropped : float
        With which probability the outputs of all layers but the last are set to zero.
    batch_sizes : ndarray of int64, optional
        Of packed sequences; see `packed_places`.

    Returns
    -------
    tuple of Tensor
        The outputs of the last layer, and the last states.

    Raises
    ------
    RuntimeError
        There is no step, or dtypes don't fit.
    """
    _check_dtypes([input, *state], weights[0][0])
    steps = input._data.shape[0] if batch_sizes is None else len(batch_sizes)
    if not steps:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    operation = _SCANNED[kind, steps >= COMPILED_FROM]
    directions = 2 if bidirectional else 1
    last: list[Sequence[Tensor]] = []
    present: list[Tensor] = []
    if batch_sizes is not None:
        row, place = packed_places(batch_sizes)
        present = [wrap(row >= 0)]
    for layer in range(len(weights) // directions):
        if layer and dropped:
            input = dropout(input, dropped)
        inputs = input if batch_sizes is None else unpack(input, row)
        outputs = []
        for backward in (False, True)[:directions]:
            k = len(last)
            operands = (inputs, *[s[k] for s in state], *weights[k], *present)
            params = {"kind": kind, "biased": biased, "backward": backward}
            params["packed"] = bool(present)
            output, *after = apply(operation, operands, params)
            outputs.append(output if batch_sizes is None else pack(output, place))
            last.append(after)
        input = FUNCTIONS["cat"](outputs, -1) if bidirectional else outputs[0]
    return input, *[FUNCTIONS["stack"](states) for states in zip(*last)]


def _check_dtypes(operands: Sequence[Tensor], weight: Tensor) -> None:
    wanted = weight._data.dtype
    for operand in operands:
        dtype = operand._data.dtype
        if dtype != wanted:
            raise RuntimeError(
                "mat1 and mat2 must have the same dtype, but got "
                f"{name_in_messages(dtype)} and {name_in_messages(wanted)}"
            )
