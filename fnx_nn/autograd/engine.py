"""Running the tape backward.

`run` starts from some outputs with their cotangents and visits nodes in the opposite order of their
making, so that a node runs when all that used its outputs have run. Cotangents are ndarrays; under
`create_graph` they are tensors, and every pullback is applied as a recorded operation of its own.
A leaf's gradient is complete when its `AccumulateGrad` is visited, at the end.
Read next: `api` (what users call).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient, changed
from fnx_nn.autograd.anomaly import explain_failure, refuse_nan
from fnx_nn.dtypes import dtype_of
from fnx_nn.tensor.arithmetic import ADD
from fnx_nn.tensor.dispatch import TensorOperation, apply, from_edge
from fnx_nn.tensor.tape import AccumulateGrad, Edge, Hooks, Node
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["run"]

NDArray = np.ndarray[Any, Any]


def run(
    roots: Sequence[tuple[Edge, Any]],
    retain_graph: bool,
    create_graph: bool,
    capture: Sequence[Edge] | None = None,
    accumulate: bool = True,
) -> list[Any]:
    """Propagate cotangents from the roots to the leaves, or to chosen edges.

    Parameters
    ----------
    roots : sequence of (edge, cotangent)
        Where to start; cotangents are tensors.
    retain_graph : bool
        Whether nodes keep what they saved.
    create_graph : bool
        Whether the computation is recorded itself.
    capture : sequence of Edge, optional
        Where gradients are wanted; nodes that lead to none of these do not run.
    accumulate : bool
        Whether gradients are added to ``grad`` of leaves (those captured, if some are).

    Returns
    -------
    list
        The captured gradients, one for each edge; None where nothing arrived.
    """
    walk = _Walk(create_graph or ambient().traced, accumulate)
    captured: list[Any] = []
    if capture is not None:
        walk.captured = {edge: None for edge in capture}
        walk.needed = _leading_to({edge[0] for edge in capture}, [edge[0] for edge, _ in roots])
    for edge, cotangent in roots:
        walk.add(edge, cotangent if walk.as_tensors else cotangent._data)
    with changed(grad=create_graph), np.errstate(all="ignore"):
        walk.run(retain_graph)
    if capture is not None:
        captured = [walk.captured[edge] for edge in capture]
    return captured


class _Walk:
    """One backward run: what has arrived where."""

    __slots__ = (
        "accumulate",
        "anomaly",
        "captured",
        "as_tensors",
        "heap",
        "needed",
        "owned",
        "pending",
    )

    def __init__(self, as_tensors: bool, accumulate: bool) -> None:
        #: Whether cotangents are tensors: to be recorded, or to be traced by `fnx`.
        self.as_tensors = as_tensors
        self.accumulate = accumulate
        self.anomaly = ambient().anomaly
        self.heap: list[tuple[int, int, Node]] = []
        #: Cotangents that arrived, one place for each output.
        self.pending: dict[Node, list[Any]] = {}
        #: Accumulators whose gradient so far is an array that nothing else refers to.
        self.owned: set[Node] = set()
        self.captured: dict[Edge, Any] = {}
        self.needed: set[Node] | None = None

    def add(self, edge: Edge, cotangent: Any, owned: bool = False) -> None:
        """Let a cotangent arrive at an output of a node."""
        node, k = edge
        places = self.pending.get(node)
        if places is None:
            if self.needed is not None and node not in self.needed:
                return
            places = self.pending[node] = [None] * (len(node.outputs) or 1)
            heapq.heappush(self.heap, (-node.sequence, id(node), node))
        before = places[k]
        if before is None:
            places[k] = cotangent
            if owned:
                self.owned.add(node)
            return
        if self.as_tensors:
            places[k] = apply(ADD, (before, cotangent))
        else:
            places[k] = np.add(before, cotangent)
            self.owned.add(node)

    def run(self, retain_graph: bool) -> None:
        """Visit all nodes that something arrives at."""
        heap, pending = self.heap, self.pending
        plain = not (self.as_tensors or self.anomaly or self.captured)
        while heap:
            node = heapq.heappop(heap)[2]
            cotangents = pending.pop(node)
            if plain and node.hooks is None and node.sequence:
                self.visit_plainly(node, cotangents, retain_graph)
            else:
                self.visit(node, cotangents, retain_graph)

    def visit_plainly(self, node: Node, cotangents: list[Any], retain_graph: bool) -> None:
        """The common case of `visit`: ndarrays, and nobody watching."""
        gradients = node.pull(cotangents)
        if not retain_graph:
            node.release()
        for edge, gradient in zip(node.edges, gradients):
            if edge is None or gradient is None:
                continue
            target = edge[0]
            if target.sequence:  # not a leaf
                self.add(edge, gradient)
            else:
                self.add(edge, gradient, _is_own(gradient, gradients, cotangents, node))

    def visit(self, node: Node, cotangents: list[Any], retain_graph: bool) -> None:
        """Run a node and hand its gradients on."""
        if isinstance(node, AccumulateGrad):
            self.arrive(node, cotangents[0])
            return
        hooks = node.hooks
        if hooks is not None:
            cotangents = self.before(node, hooks, cotangents)
        if self.captured:
            for k, cotangent in enumerate(cotangents):
                if (node, k) in self.captured:
                    self.captured[node, k] = cotangent
            if all(e is None or e[0] not in self.needed for e in node.edges):  # type: ignore[operator]
                return
        try:
            if self.as_tensors:
                gradients = _pull_recorded(node, cotangents)
            else:
                gradients = node.pull(cotangents)
        except Exception:
            if self.anomaly:
                explain_failure(node)
            raise
        if hooks is not None and hooks.post:
            gradients = self.after(hooks, gradients, cotangents)
        if self.anomaly:
            refuse_nan(node, gradients)
        if not retain_graph:
            node.release()
        for edge, gradient in zip(node.edges, gradients):
            if edge is not None and gradient is not None:
                own = not self.as_tensors and _is_own(gradient, gradients, cotangents, node)
                self.add(edge, gradient, own)

    def before(self, node: Node, hooks: Hooks, cotangents: list[Any]) -> list[Any]:
        """Hooks of the tensors that a node made, then of the node."""
        given = list(cotangents)
        for k, found in hooks.tensor.items():
            for hook in list(found.values()):
                if given[k] is not None:
                    given[k] = self.replaced(given[k], hook(self.shown(given[k])))
        for k, reference in hooks.retained.items():
            tensor = reference()
            if tensor is not None and given[k] is not None:
                gradient = self.shown(given[k])
                tensor._grad = gradient if self.as_tensors else wrap(gradient._data.copy())
        for hook in list(hooks.pre.values()):
            result = hook(tuple([self.shown(c) for c in given]))
            if result is not None:
                result = result if isinstance(result, tuple) else (result,)
                given = [self.replaced(c, r) for c, r in zip(given, result, strict=True)]
        return given

    def after(self, hooks: Hooks, gradients: list[Any], cotangents: list[Any]) -> list[Any]:
        """Hooks of a node after it ran."""
        for hook in list(hooks.post.values()):
            shown = tuple([self.shown(g) for g in gradients])
            result = hook(shown, tuple([self.shown(c) for c in cotangents]))
            if result is not None:
                result = result if isinstance(result, tuple) else (result,)
                gradients = [self.replaced(g, r) for g, r in zip(gradients, result, strict=True)]
        return gradients

    def shown(self, cotangent: Any) -> Any:
        """A cotangent as hooks see it."""
        return cotangent if cotangent is None or self.as_tensors else wrap(np.asarray(cotangent))

    def replaced(self, cotangent: Any, answer: Any) -> Any:
        """What a hook gave in place of a cotangent."""
        if answer is None:
            return cotangent
        if not isinstance(answer, Tensor):
            raise TypeError(f"expected Tensor or None from a hook, got {type(answer).__name__}")
        if cotangent is not None and answer._data.shape != cotangent.shape:
            raise RuntimeError(
                f"hook '{answer!r}' has changed the size of value: {list(answer._data.shape)} in "
                f"place of {list(cotangent.shape)}"
            )
        return answer if self.as_tensors else answer._data

    def arrive(self, node: AccumulateGrad, gradient: Any) -> None:
        """A complete gradient at a leaf."""
        variable = node.variable
        if variable._hooks:
            for hook in list(variable._hooks.values()):
                gradient = self.replaced(gradient, hook(self.shown(gradient)))
            self.owned.discard(node)
        if node.hooks is not None:
            gradient = self.before(node, node.hooks, [gradient])[0]
            self.owned.discard(node)
        if (node, 0) in self.captured:
            self.captured[node, 0] = gradient
        if self.accumulate and gradient is not None:
            self.store(variable, gradient, node in self.owned)
            if variable._post_hooks:
                for hook in list(variable._post_hooks.values()):
                    if hook(variable) is not None:
                        raise RuntimeError("Tensor post accumulate grad hooks should return None.")
        if node.hooks is not None and node.hooks.post:
            self.after(node.hooks, [], [gradient])

    def store(self, variable: Tensor, gradient: Any, owned: bool) -> None:
        """Make a gradient the leaf's, or add it to the one that is there."""
        present = variable._grad
        if self.as_tensors:
            variable._grad = gradient if present is None else apply(ADD, (present, gradient))
            return
        if present is None:
            if not (owned and type(gradient) is np.ndarray and gradient.flags.c_contiguous):
                gradient = np.array(gradient, order="C")
            variable._grad = wrap(gradient)
        elif present._requires or 0 in present._data.strides:
            variable._grad = wrap(np.add(present._data, gradient))
        else:
            np.add(present._data, gradient, out=present._data)
            present.cell().version += 1


def _pull_recorded(node: Node, cotangents: list[Any]) -> list[Any]:
    """Gradients as tensors, computed by operations that are recorded themselves."""
    recorded = getattr(node, "run_user_backward", None)
    if recorded is not None:
        return list(recorded(cotangents))
    values = node.unpack()
    pullback = node.fitting(cotangents)
    tensors = []
    saved = node.saved or []
    for place, k in enumerate(pullback.operands):
        tensors.append(from_edge(values[place], saved[place][1], node.edges[k]))
    for place, k in enumerate(pullback.results, len(pullback.operands)):
        edge = (node, k) if k in _inexact(node) else None
        tensors.append(from_edge(values[place], saved[place][1], edge))
    for k in pullback.cotangents:
        shape, dtype = node.outputs[k]
        tensors.append(
            wrap(np.zeros(shape, dtype))
            if cotangents[k] is None
            else cotangents[k].to(dtype_of(dtype))
        )
    results = apply(_operation(pullback), tensors)
    pulled = iter(results if isinstance(results, tuple) else (results,))
    return [None if edge is None else next(pulled) for edge in node.edges]


def _inexact(node: Node) -> tuple[int, ...]:
    full = node.pullback.full or node.pullback
    return full.cotangents


def _operation(pullback: Any) -> TensorOperation:
    """The pullback of an operation as an operation on tensors."""
    recorded = pullback.recorded
    if not isinstance(recorded, TensorOperation):
        name = f"{pullback.operation.name}BackwardBackward0"
        made = TensorOperation(
            recorded.function,
            name,
            elementwise=recorded.elementwise,
            compiled=recorded.compiled,
        )
        recorded = pullback._recorded = made
    return recorded


def _is_own(gradient: Any, gradients: list[Any], cotangents: list[Any], node: Node) -> bool:
    """Whether nothing else refers to a gradient, so that it may become a leaf's without a copy."""
    if type(gradient) is not np.ndarray or gradient.base is not None:
        return False
    if not gradient.flags.writeable or sum([g is gradient for g in gradients]) > 1:
        return False
    if any([c is gradient for c in cotangents]):
        return False
    return not any([saved[0] is gradient for saved in node.saved or ()])


def _leading_to(targets: set[Node], roots: Sequence[Node]) -> set[Node]:
    """All nodes from which one of the targets is reached."""
    found: dict[Node, bool] = {}
    stack: list[Node] = list(roots)
    while stack:
        node = stack[-1]
        if node in found:
            stack.pop()
            continue
        below = [e[0] for e in node.edges if e is not None]
        missing = [n for n in below if n not in found]
        if missing:
            stack.extend(missing)
            continue
        found[node] = node in targets or any([found[n] for n in below])
        stack.pop()
    return {node for node, leads in found.items() if leads}
