"""The tape: nodes, their edges, and what they saved.

A `Node` is one application of an operation. Its edges lead to the nodes that made the operands (or
to the `AccumulateGrad` of a leaf); it saved the buffers that the operation's pullback reads, with
the versions that they had. `Node.pull` gives cotangents of the operands, from ndarrays to ndarrays.
Nothing here knows a derivative: pullbacks come from `fnx.extend`.
Read next: `engine` (which walks the graph), `fnx_nn.tensor.dispatch` (which makes it).
"""

from __future__ import annotations

import functools
import itertools
import re
import traceback
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.extend import Pullback
from fnx_nn.ambient import AMBIENT
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.cell import Cell

__all__ = ["AccumulateGrad", "Edge", "Hooks", "Node", "Saved", "node_class", "short_name"]

NDArray = np.ndarray[Any, Any]
_sequence = itertools.count(1)


class Hooks:
    """What users hung on a node; most nodes have none.

    Attributes
    ----------
    tensor : dict
        Output number to ``{id: hook}``: called with the gradient of that output.
    pre, post : dict
        ``{id: hook}`` of the node itself.
    retained : dict
        Output number to a weak reference of the tensor that keeps its gradient.
    """

    __slots__ = ("post", "pre", "retained", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, dict[int, Callable[..., Any]]] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.retained: dict[int, weakref.ref[Any]] = {}


class Node:
    """One application of an operation on the tape; what ``tensor.grad_fn`` shows.

    Nodes run backward in the opposite order of their numbers: an edge always leads to a node with
    a smaller one.
    """

    pullback: Pullback
    hooks: Hooks | None = None
    _metadata: dict[str, Any] | None = None

    def __init__(self, edges: tuple[Edge | None, ...], outputs: Sequence[NDArray]) -> None:
        self.edges = edges
        #: Shape and dtype of every output, hidden ones included.
        self.outputs = [(o.shape, o.dtype) for o in outputs]
        #: The order of making; an accumulator, which runs last, has 0.
        self.sequence = next(_sequence)
        self.saved: list[Saved] | None = []
        if AMBIENT.get().anomaly:
            self.metadata["traceback_"] = traceback.format_stack()[:-3]

    def pull(self, cotangents: list[NDArray | None]) -> list[Any]:
        """Cotangents of the operands that need one, from those of the outputs.

        Parameters
        ----------
        cotangents : list of ndarray or None
            One for each output; None is zero.

        Returns
        -------
        list
            One for each edge; None where there is no edge.
        """
        pullback = self.pullback
        saved = self.saved
        if saved is None:
            raise RuntimeError(_FREED)
        values: list[Any] = []
        for data, cell, version in saved:
            if cell is not None and cell.version != version:
                raise self.changed_error()
            values.append(data)
        if pullback.full is not None:
            pullback = self.fitting(cotangents)
        if len(cotangents) == 1:
            ct = cotangents[0]
            dtype = self.outputs[0][1]
            values.append(ct if ct.dtype == dtype else ct.astype(dtype))  # type: ignore[union-attr]
        else:
            values += self.filled(pullback, cotangents)
        pulled = pullback.program.function(*values)
        if len(self.edges) == 1:
            return pulled
        given = iter(pulled)
        return [None if edge is None else next(given) for edge in self.edges]

    def fitting(self, cotangents: Sequence[Any]) -> Pullback:
        """The pullback; the full one when a hidden result has a cotangent (at higher orders)."""
        full = self.pullback.full
        if full is not None and any(
            cotangents[k] is not None for k in full.cotangents if k not in self.pullback.cotangents
        ):
            return full
        return self.pullback

    def unpack(self) -> list[NDArray]:
        """The saved buffers, unchanged since they were saved."""
        if self.saved is None:
            raise RuntimeError(_FREED)
        if any(cell is not None and cell.version != version for _, cell, version in self.saved):
            raise self.changed_error()
        return [data for data, _, _ in self.saved]

    def filled(self, pullback: Pullback, cotangents: Sequence[NDArray | None]) -> list[NDArray]:
        """The cotangents that a pullback takes: zeros in place of None, in the outputs' dtypes."""
        chosen = []
        for k in pullback.cotangents:
            ct, (shape, dtype) = cotangents[k], self.outputs[k]
            if ct is None:
                ct = np.zeros(shape, dtype)
            chosen.append(ct if ct.dtype == dtype else ct.astype(dtype))
        return chosen

    def release(self) -> None:
        """Forget what was saved; a second run raises."""
        if self.saved:
            self.saved = None

    def changed_error(self) -> RuntimeError:
        """What to raise when a saved buffer was written to: it names the first one."""
        assert self.saved is not None
        position, (data, cell, version) = next(
            (k, entry)
            for k, entry in enumerate(self.saved)
            if entry[1] is not None and entry[1].version != entry[2]
        )
        assert cell is not None
        count = len(self.pullback.operands)
        which = ""
        if position >= count:
            output = self.pullback.results[position - count]
            which = f", which is output {output} of {short_name(self)},"
        elif (edge := self.edges[self.pullback.operands[position]]) is not None and not isinstance(
            edge[0], AccumulateGrad
        ):
            which = f", which is output {edge[1]} of {short_name(edge[0])},"
        return RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: [torch.{name_in_messages(data.dtype)}Tensor {list(data.shape)}]{which} "
            f"is at version {cell.version}; expected version {version} instead. Hint: enable "
            "anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )

    def name(self) -> str:
        """The name of the node, as in ``AddBackward0``."""
        return type(self).__name__

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for notes; anomaly mode keeps the traceback of the forward call here."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that made the operands, with output numbers; None where none needs grad."""
        return tuple([(None, 0) if edge is None else edge for edge in self.edges])

    @property
    def requires_grad(self) -> bool:
        """Whether anything below needs a gradient."""
        return True

    def hooked(self) -> Hooks:
        """The place for hooks."""
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def _sequence_nr(self) -> int:
        return self.sequence

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self))}>"


Edge = tuple[Node, int]
#: A buffer, the counter of its writes (None where nobody else writes), the count when saved.
Saved = tuple[NDArray, Cell | None, int]


class AccumulateGrad(Node):
    """Where a gradient arrives at a leaf.

    Parameters
    ----------
    variable : Tensor
        The leaf. It refers to this node weakly, so that the two make no cycle.
    """

    def __init__(self, variable: Any) -> None:
        super().__init__((), ())
        self.variable = variable
        self.sequence = 0  # runs last, when the gradient is complete

    def name(self) -> str:
        """The name of the node."""
        return "torch::autograd::AccumulateGrad"


def short_name(node: Node) -> str:
    """The name of a node's operation, as error messages have it: ``Exp`` of ``ExpBackward0``."""
    return re.sub(r"Backward\d*$", "", type(node).__name__)


@functools.lru_cache(maxsize=4096)
def node_class(name: str) -> type[Node]:
    """The class of nodes of a name; its name is what users see.

    Parameters
    ----------
    name : str
        As in ``AddBackward0``.
    """
    return type(name, (Node,), {"__doc__": f"One `{name}` on the tape."})


_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)
