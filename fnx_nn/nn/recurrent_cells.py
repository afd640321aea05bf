"""`RNNCell`, `LSTMCell` and `GRUCell`: single steps of the layers in `recurrent`.

Read next: `fnx_nn.nn.functional.recurrence`, where a step is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fnx_nn.nn import init
from fnx_nn.nn.functional.recurrence import run_cell
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What cells share: their parameters, and steps of batches or of single inputs.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    bias : bool
        Whether there are biases.
    num_chunks : int
        Rows of the weights, in units of `hidden_size`.
    device, dtype : optional
        Of the parameters.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            if name.startswith("weight") or bias:
                empty = FUNCTIONS["empty"](shape, device=device, dtype=dtype)
                self.register_parameter(name, Parameter(empty))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly up to ``1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _next(
        self, kind: str, input: Tensor, states: Sequence[Tensor] | None, count: int
    ) -> tuple[Tensor, ...]:
        """One step of a batch, or of one input, from given states or from zeros."""
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if states is None:
            size = (input.size(0), self.hidden_size)
            zeros = FUNCTIONS["zeros"](*size, dtype=input.dtype, device=input.device)
            states = [zeros] * count
        elif not batched:
            states = [s.unsqueeze(0) for s in states]
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        after = run_cell(kind, input, states, weights)
        return after if batched else tuple([s.squeeze(0) for s in after])

    def _check_axes(self, tensor: Tensor, what: str) -> None:
        if tensor.dim() not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {tensor.dim()}D "
                "instead"
            )

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if vars(self).get("nonlinearity", "tanh") != "tanh":
            parts.append(f"nonlinearity={vars(self)['nonlinearity']}")
        return ", ".join(parts)


class RNNCell(RNNCellBase):
    """One step of Elman's network: ``tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    bias : bool
        Whether there are biases.
    nonlinearity : {'tanh', 'relu'}
        What is applied last.
    device, dtype : optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.RNNCell(3, 4)(torch.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state.

        Parameters
        ----------
        input : Tensor
            (batch, inputs), or (inputs,).
        hx : Tensor, optional
            (batch, hidden size), or (hidden size,); zeros if it is None.
        """
        self._check_axes(input, "input")
        if hx is not None:
            self._check_axes(hx, "hidden")
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        kind = f"RNN_{self.nonlinearity.upper()}"
        (after,) = self._next(kind, input, None if hx is None else [hx], 1)
        return after


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory; see `LSTM`.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    bias : bool
        Whether there are biases.
    device, dtype : optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> hidden, memory = torch.nn.LSTMCell(3, 4)(torch.zeros(2, 3))
    >>> hidden.shape, memory.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The next hidden state and memory.

        Parameters
        ----------
        input : Tensor
            (batch, inputs), or (inputs,).
        hx : tuple of Tensor, optional
            Hidden state and memory: (batch, hidden size), or (hidden size,); zeros if it is None.
        """
        self._check_axes(input, "input")
        for k, state in enumerate(hx or ()):
            self._check_axes(state, f"hx[{k}]")
        hidden, memory = self._next("LSTM", input, None if hx is None else [hx[0], hx[1]], 2)
        return hidden, memory


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit; see `GRU`.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features.
    bias : bool
        Whether there are biases.
    device, dtype : optional
        Of the parameters.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.GRUCell(3, 4)(torch.zeros(3)).shape
    torch.Size([4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state.

        Parameters
        ----------
        input : Tensor
            (batch, inputs), or (inputs,).
        hx : Tensor, optional
            (batch, hidden size), or (hidden size,); zeros if it is None.
        """
        self._check_axes(input, "input")
        if hx is not None:
            self._check_axes(hx, "hidden")
        (after,) = self._next("GRU", input, None if hx is None else [hx], 1)
        return after
