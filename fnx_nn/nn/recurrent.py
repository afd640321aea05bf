"""`RNN`, `LSTM` and `GRU`: recurrent layers over sequences, also of different lengths.

`RNNBase` has their parameters, checks, and the way from what users pass to the states that
`fnx_nn.nn.functional.recurrence` runs on; a layer says what its states are.
Read next: `recurrent_cells`, which are single steps; `fnx_nn.nn.utils.rnn` for packed batches.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx_nn.nn import init
from fnx_nn.nn.functional.recurrence import CELLS, run_layers
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.nn.utils.rnn import PackedSequence
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

Sizes = tuple[int, int, int]


class RNNBase(Module):
    """What recurrent layers share; they are made by `RNN`, `LSTM` and `GRU`.

    Parameters
    ----------
    mode : {'RNN_TANH', 'RNN_RELU', 'LSTM', 'GRU'}
        The cell.
    input_size, hidden_size : int
        Numbers of features.
    num_layers : int
        Layers on top of each other.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether inputs and outputs are (batch, steps, ...), not (steps, batch, ...).
    dropout : float
        With which probability outputs of all layers but the last are set to zero in training.
    bidirectional : bool
        Whether each layer runs backward, too.
    proj_size : int
        Of an LSTM: to how many features its output is projected; not if 0.
    device, dtype : optional
        Of the parameters.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_dropout(dropout, num_layers)
        _check_types(bias, batch_first, input_size, hidden_size)
        _check_sizes(mode, num_layers, hidden_size, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        output_size = proj_size or hidden_size
        gates = CELLS[mode].gates * hidden_size
        for layer in range(num_layers):
            width = output_size * self._directions if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (gates, width),
                "weight_hh": (gates, output_size),
            }
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[: self._directions]:
                names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
                for name, shape in names.items():
                    empty = FUNCTIONS["empty"](shape, device=device, dtype=dtype)
                    setattr(self, name, Parameter(empty))
                self._all_weights.append(list(names))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly up to ``1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: parameters need not lie together here. It is there for programs that call it."""

    # -------------------------------------------------------------------------------------- checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise unless an input fits.

        Parameters
        ----------
        input : Tensor
            (steps, batch, inputs), or packed rows.
        batch_sizes : Tensor, optional
            Of packed rows.

        Raises
        ------
        ValueError
            Its dtype is not that of the parameters.
        RuntimeError
            Its shape does not fit.
        """
        wanted = self.all_weights[0][0].dtype
        if input.dtype != wanted:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({wanted}). Convert "
                f"input: input.to({wanted}), or convert model: model.to({input.dtype})"
            )
        axes = 3 if batch_sizes is None else 2
        if input.dim() != axes:
            raise RuntimeError(f"input must have {axes} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> Sizes:
        """The shape of the hidden state: (layers * directions, batch, size).

        Parameters
        ----------
        input : Tensor
            What the layer is applied to.
        batch_sizes : Tensor, optional
            Of packed rows.
        """
        return self._state_shape(input, batch_sizes, self.proj_size or self.hidden_size)

    def _state_shape(self, input: Tensor, batch_sizes: Tensor | None, size: int) -> Sizes:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0 if self.batch_first else 1)
        return self.num_layers * self._directions, batch, size

    def _state_shapes(self, input: Tensor, batch_sizes: Tensor | None) -> list[Sizes]:
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)
        return [
            self._state_shape(input, batch_sizes, size) for size in sizes[: CELLS[self.mode].states]
        ]

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: Sizes,
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise unless a state has the expected shape.

        Parameters
        ----------
        hx : Tensor
            The state.
        expected_hidden_size : tuple of int
            Its shape.
        msg : str
            What to say, with places for the two shapes.
        """
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless an input and a state fit.

        Parameters
        ----------
        input : Tensor
            (steps, batch, inputs), or packed rows.
        hidden : Tensor, or tuple of Tensor for an LSTM
            The first state.
        batch_sizes : Tensor, optional
            Of packed rows.
        """
        self.check_input(input, batch_sizes)
        states, shapes = self._states(hidden), self._state_shapes(input, batch_sizes)
        for k, (state, shape) in enumerate(zip(states, shapes, strict=True)):
            which = f"[{k}]" if len(states) > 1 else ""
            self.check_hidden_size(state, shape, f"Expected hidden{which} size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its sequences in another order.

        Parameters
        ----------
        hx : Tensor, or tuple of Tensor for an LSTM
            The state.
        permutation : Tensor of int64, optional
            The order.
        """
        if permutation is None:
            return hx
        return self._given([s.index_select(1, permutation) for s in self._states(hx)])

    # --------------------------------------------------------------------------------- application

    def _states(self, given: Any) -> list[Tensor]:
        """States as a list, from what users pass."""
        return [given[0], given[1]] if CELLS[self.mode].states == 2 else [given]

    def _given(self, states: Sequence[Tensor]) -> Any:
        """States as users pass them: a tensor, or a pair for an LSTM."""
        return tuple(states) if CELLS[self.mode].states == 2 else states[0]

    def _zeros(self, input: Tensor, batch_sizes: Tensor | None) -> list[Tensor]:
        shapes = self._state_shapes(input, batch_sizes)
        like = {"dtype": input.dtype, "device": input.device}
        return [FUNCTIONS["zeros"](*shape, **like) for shape in shapes]

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Outputs of all steps, and the last state.

        Parameters
        ----------
        input : Tensor or PackedSequence
            (steps, batch, inputs), or (steps, inputs).
        hx : Tensor, or tuple of Tensor for an LSTM, optional
            The first state, (layers * directions, batch, size), or that and the memory; zeros if it
            is None.
        """
        states = None if hx is None else self._states(hx)
        if isinstance(input, PackedSequence):
            return self._apply_packed(input, states)
        return self._apply_padded(input, states)

    def _apply_padded(self, input: Tensor, states: Any) -> tuple[Tensor, Any]:
        if input.dim() not in (2, 3):
            name = "RNN" if self.mode.startswith("RNN") else self.mode
            what = "D tensor instead" if name == "RNN" else "D instead"
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.dim()}{what}"
            )  # fmt: skip
        batched = input.dim() == 3
        batch_axis = 0 if self.batch_first else 1
        if states is not None:
            _check_axes(states, batched)
        if not batched:
            input = input.unsqueeze(batch_axis)
            states = None if states is None else [s.unsqueeze(1) for s in states]
        states = self._zeros(input, None) if states is None else states
        self.check_forward_args(input, self._given(states), None)
        if self.batch_first:
            input = input.transpose(0, 1)
        output, *last = self._run(input, states)
        if self.batch_first:
            output = output.transpose(0, 1)
        if not batched:
            output, last = output.squeeze(batch_axis), [s.squeeze(1) for s in last]
        return output, self._given(last)

    def _apply_packed(self, packed: PackedSequence, states: Any) -> tuple[PackedSequence, Any]:
        rows, batch_sizes, order, inverse = packed
        if states is None:
            states = self._zeros(rows, batch_sizes)
        elif order is not None:
            states = [s.index_select(1, order) for s in states]
        self.check_forward_args(rows, self._given(states), batch_sizes)
        output, *last = self._run(rows, states, np.asarray(batch_sizes._data))
        hidden = self.permute_hidden(self._given(last), inverse)
        return PackedSequence(output, batch_sizes, order, inverse), hidden

    def _run(
        self, input: Tensor, states: Sequence[Tensor], batch_sizes: Any = None
    ) -> tuple[Tensor, ...]:
        return run_layers(
            self.mode,
            input,
            states,
            self.all_weights,
            biased=self.bias,
            bidirectional=self.bidirectional,
            dropped=self.dropout if self.training else 0.0,
            batch_sizes=batch_sizes,
        )

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size != 0:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if self.batch_first is not False:
            parts.append(f"batch_first={self.batch_first}")
        if self.dropout != 0:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            parts.append(f"bidirectional={self.bidirectional}")
        return ", ".join(parts)


def _check_dropout(dropout: Any, num_layers: int) -> None:
    is_number = isinstance(dropout, numbers.Real) and not isinstance(dropout, bool)
    if not is_number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            "being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}",
            stacklevel=4,
        )


def _check_types(bias: Any, batch_first: Any, input_size: Any, hidden_size: Any) -> None:
    for name, value, kind in (
        ("bias", bias, bool),
        ("batch_first", batch_first, bool),
        ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
    ):
        if not isinstance(value, kind):
            given = type(value).__name__
            raise TypeError(f"{name} should be of type {kind.__name__}, got: {given}")
        if kind is int and value <= 0:
            raise ValueError(f"{name} must be greater than zero")


def _check_sizes(mode: str, num_layers: int, hidden_size: int, proj_size: int) -> None:
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections"
        )  # fmt: skip
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if mode not in CELLS:
        raise ValueError("Unrecognized RNN mode: " + mode)
    if proj_size and mode != "LSTM":
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


def _check_axes(states: Sequence[Tensor], batched: bool) -> None:
    """Raise unless first states have as many axes as the input asks for."""
    axes = 3 if batched else 2
    if all(s.dim() == axes for s in states):
        return
    given = ", ".join(f"{s.dim()}-D" for s in states)
    names, given = ("hx", given) if len(states) == 1 else ("hx and cx", f"({given})")
    raise RuntimeError(
        f"For {'batched' if batched else 'unbatched'} {axes}-D input, {names} should also be "
        f"{axes}-D but got {given} tensor{'' if len(states) == 1 else 's'}"
    )


class RNN(RNNBase):
    """Elman's network: ``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` from step to step.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    num_layers : int
        Layers on top of each other.
    nonlinearity : {'tanh', 'relu'}
        What is applied last.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether inputs and outputs are (batch, steps, ...), not (steps, batch, ...).
    dropout : float
        With which probability outputs of all layers but the last are set to zero in training.
    bidirectional : bool
        Whether each layer runs backward, too.
    proj_size : int
        0; only an LSTM projects.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Elman (1990), "Finding structure in time".

    Examples
    --------
    >>> import fnx_nn as torch
    >>> output, hidden = torch.nn.RNN(3, 4)(torch.zeros(5, 2, 3))
    >>> output.shape, hidden.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """Gated recurrent units: two gates say what to forget and what to keep.

    ``n = tanh(W_in x + b_in + r * (W_hn h + b_hn))``, then ``h = (1 - z) * n + z * h``, with the
    gates ``r`` and ``z`` between 0 and 1; weights are those of r, z, n.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    num_layers, bias, batch_first, dropout, bidirectional
        As for `RNN`.
    proj_size : int
        0; only an LSTM projects.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder"; the reset gate
    acts behind the matrix, as in cuDNN.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> output, hidden = torch.nn.GRU(3, 4, bidirectional=True)(torch.zeros(5, 2, 3))
    >>> output.shape, hidden.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )


class LSTM(RNNBase):
    """Long short-term memory: gates say what enters a memory, what stays in it, what it shows.

    ``c = f * c + i * g`` and ``h = o * tanh(c)``, with the gates ``i``, ``f``, ``o`` between 0 and
    1 and the candidate ``g`` between -1 and 1; weights are those of i, f, g, o.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    num_layers, bias, batch_first, dropout, bidirectional
        As for `RNN`.
    proj_size : int
        To how many features ``h`` is projected; not if 0.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long short-term memory"; Gers et al. (2000) for the gate of
    forgetting; Sak et al. (2014) for projections.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> output, (hidden, memory) = torch.nn.LSTM(3, 4, proj_size=2)(torch.zeros(5, 2, 3))
    >>> output.shape, hidden.shape, memory.shape
    (torch.Size([5, 2, 2]), torch.Size([1, 2, 2]), torch.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> Sizes:
        """The shape of the memory: (layers * directions, batch, hidden_size).

        Parameters
        ----------
        input : Tensor
            What the layer is applied to.
        batch_sizes : Tensor, optional
            Of packed rows.
        """
        return self._state_shape(input, batch_sizes, self.hidden_size)
