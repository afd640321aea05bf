"""`LBFGS`: steps along an inverse Hessian that the last gradients tell, and a line search.

All parameters are one flat vector here. One call of `step` makes up to `max_iter` iterations, and
calls the closure for each. The history is a list that grows, as in PyTorch's state, where the pure
form (`fnx.optim.lbfgs`) has an array of fixed size; the order of the arithmetic is PyTorch's.
Read next: `wolfe_search`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient, changed
from fnx_nn.optim.optimizer import Optimizer, check_learning_rate
from fnx_nn.optim.wolfe_search import Trial, strong_wolfe
from fnx_nn.tensor.dispatch import write_raw
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["LBFGS"]

NDArray = np.ndarray[Any, Any]

#: The least curvature y·s of a pair that enters the history.
_CURVATURE = 1e-10


class LBFGS(Optimizer):
    """The quasi-Newton method with limited memory, for losses without noise.

    Parameters
    ----------
    params : iterable
        Parameters; there can be one group only.
    lr : float or Tensor
        Learning rate.
    max_iter : int
        Iterations in one step.
    max_eval : int, optional
        Evaluations of the closure in one step; by default 1.25 `max_iter`.
    tolerance_grad : float
        Stop where no element of the gradient is larger.
    tolerance_change : float
        Stop where neither the parameters nor the loss change by more.
    history_size : int
        Pairs of differences that are kept.
    line_search_fn : str, optional
        ``"strong_wolfe"`` or None.

    References
    ----------
    Liu and Nocedal, *On the limited memory BFGS method for large scale optimization* (1989).

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.tensor([3.0, -1.0], requires_grad=True)
    >>> optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - 1.0) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> x
    tensor([1., 1.], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_learning_rate(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until a tolerance or a limit is met.

        Parameters
        ----------
        closure : callable
            Computes the loss and its gradients anew, and gives the loss.

        Returns
        -------
        Tensor
            The loss at the start.
        """
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        if ambient().traced:
            raise RuntimeError(
                "LBFGS.step: how often it calls the closure depends on values, so it can't be "
                "traced. Step outside of the traced function, or use fnx.optim.lbfgs there."
            )
        with changed(grad=False):
            return self._step(closure)

    def _step(self, closure: Callable[[], Any]) -> Any:
        def evaluate() -> tuple[Any, float, NDArray]:
            with changed(grad=True):
                loss = closure()
            return loss, float(loss), self._flat_gradient()

        group = self.param_groups[0]
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        max_iter, max_eval = group["max_iter"], group["max_eval"]
        tolerance_change = group["tolerance_change"]
        # The state is that of the first parameter, as a state_dict can hold it.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        orig_loss, loss, gradient = evaluate()
        evaluations = 1
        state["func_evals"] += 1
        if self._is_small(gradient):
            return orig_loss

        memory = _Memory.unpacked(state)
        iterations = 0
        while iterations < max_iter:
            iterations += 1
            state["n_iter"] += 1
            first = state["n_iter"] == 1
            if first:
                memory = _Memory(-gradient)
            else:
                memory.remember(gradient, group["history_size"])
            memory.gradient, memory.loss = gradient, loss
            size = 1.0 / np.abs(gradient).sum() if first else None
            memory.t = lr if size is None else min(1.0, size) * lr
            slope = gradient.dot(memory.direction)
            if slope > -tolerance_change:
                break
            spent = 0
            if group["line_search_fn"] is not None:
                best, spent = self._search(evaluate, memory, slope, max_eval - evaluations)
                memory.t, loss, gradient = best.t, best.value, best.gradient
            else:
                self._move(memory.t, memory.direction)
                if iterations != max_iter:  # the last point is evaluated by the next step
                    _, loss, gradient = evaluate()
                    spent = 1
            evaluations += spent
            state["func_evals"] += spent
            if iterations == max_iter or evaluations >= max_eval or self._is_small(gradient):
                break
            if np.abs(memory.direction * memory.t).max() <= tolerance_change:
                break
            if abs(loss - memory.loss) < tolerance_change:
                break
        memory.pack(state)
        return orig_loss

    def _search(
        self,
        evaluate: Callable[[], tuple[Any, float, NDArray]],
        memory: _Memory,
        slope: Any,
        most_trials: int,
    ) -> tuple[Trial, int]:
        group = self.param_groups[0]
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        start = [p._data.copy() for p in self._params]

        def at(t: Any) -> tuple[float, NDArray]:
            self._move(t, memory.direction)
            _, value, gradient = evaluate()
            for p, data in zip(self._params, start):
                write_raw(p, functools.partial(_fill, data))
            return value, gradient

        here = Trial(0, memory.loss, memory.gradient, slope)
        best, spent = strong_wolfe(
            at, memory.t, memory.direction, here, group["tolerance_change"], most_trials
        )
        self._move(best.t, memory.direction)
        return best, spent

    def _is_small(self, gradient: NDArray) -> bool:
        return bool(np.abs(gradient).max() <= self.param_groups[0]["tolerance_grad"])

    def _flat_gradient(self) -> NDArray:
        """All gradients as one new vector; complex ones as pairs of numbers."""
        parts = []
        for p in self._params:
            grad = np.zeros_like(p._data) if p.grad is None else p.grad._data
            flat = np.ascontiguousarray(grad).reshape(-1)
            parts.append(flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat)
        return np.concatenate(parts)

    def _move(self, t: Any, direction: NDArray) -> None:
        """Add ``t * direction`` to the parameters."""
        offset = 0
        for p in self._params:
            data = p._data
            is_complex = data.dtype.kind == "c"
            count = 2 * data.size if is_complex else data.size
            part = direction[offset : offset + count]
            offset += count
            part = (part.view(data.dtype) if is_complex else part).reshape(data.shape)

            write_raw(p, functools.partial(_add, t * part))


class _Memory:
    """What one iteration leaves to the next: the direction, and the pairs of differences.

    Parameters
    ----------
    direction : ndarray
        The last one.
    """

    def __init__(self, direction: NDArray) -> None:
        self.direction = direction
        self.t: Any = None
        self.changes: list[NDArray] = []  # y, of the gradient
        self.moves: list[NDArray] = []  # s, of the parameters
        self.inverse: list[Any] = []  # 1 / y·s
        self.scale: Any = 1  # of the first guess at the inverse Hessian
        self.shares: list[Any] | None = None
        self.gradient: NDArray = direction
        self.loss = 0.0

    def remember(self, gradient: NDArray, history_size: int) -> None:
        """Take in the last move, and find the next direction.

        Parameters
        ----------
        gradient : ndarray
            Where the last move led to.
        history_size : int
            How many moves are kept.
        """
        with np.errstate(all="ignore"):
            change = gradient - self.gradient
            move = self.direction * self.t
            curvature = change.dot(move)
            if curvature > _CURVATURE:
                if len(self.changes) == history_size:
                    for kept in (self.changes, self.moves, self.inverse):
                        kept.pop(0)
                self.changes.append(change)
                self.moves.append(move)
                self.inverse.append(1.0 / curvature)
                self.scale = curvature / change.dot(change)
            self._find_direction(gradient, history_size)

    def _find_direction(self, gradient: NDArray, history_size: int) -> None:
        """The inverse Hessian times the downhill gradient, by the two loops over the pairs."""
        if self.shares is None:
            self.shares = [None] * history_size
        shares = self.shares
        q = -gradient
        count = len(self.changes)
        for k in range(count - 1, -1, -1):
            shares[k] = self.moves[k].dot(q) * self.inverse[k]
            q += -shares[k] * self.changes[k]
        q *= self.scale
        for k in range(count):
            back = self.changes[k].dot(q) * self.inverse[k]
            q += (shares[k] - back) * self.moves[k]
        self.direction = q

    @classmethod
    def unpacked(cls, state: dict[str, Any]) -> _Memory:
        """From a state as PyTorch lays it out.

        Parameters
        ----------
        state : dict
            Of the first parameter.
        """
        found = cls(_raw(state.get("d")))
        found.t = _raw(state.get("t"))
        found.changes = [_raw(x) for x in state.get("old_dirs") or []]
        found.moves = [_raw(x) for x in state.get("old_stps") or []]
        found.inverse = [_raw(x) for x in state.get("ro") or []]
        found.scale = _raw(state.get("H_diag", 1))
        found.shares = [_raw(x) for x in state["al"]] if "al" in state else None
        found.gradient = _raw(state.get("prev_flat_grad"))
        found.loss = state.get("prev_loss", 0.0)
        return found

    def pack(self, state: dict[str, Any]) -> None:
        """Into a state as PyTorch lays it out.

        Parameters
        ----------
        state : dict
            Of the first parameter.
        """
        if self.shares is not None:
            state["al"] = [_tensor(x) for x in self.shares]
        state["d"] = _tensor(self.direction)
        state["t"] = _tensor(self.t)
        state["old_dirs"] = [_tensor(x) for x in self.changes]
        state["old_stps"] = [_tensor(x) for x in self.moves]
        state["ro"] = [_tensor(x) for x in self.inverse]
        state["H_diag"] = _tensor(self.scale)
        state["prev_flat_grad"] = _tensor(self.gradient)
        state["prev_loss"] = self.loss


def _fill(data: NDArray, buffer: NDArray) -> None:
    np.copyto(buffer, data)


def _add(move: NDArray, buffer: NDArray) -> None:
    np.add(buffer, move, out=buffer, casting="unsafe")


def _raw(value: Any) -> Any:
    """A tensor of the state as its buffer, or as a scalar of its dtype."""
    if not isinstance(value, Tensor):
        return value
    return value._data[()] if value._data.ndim == 0 else value._data


def _tensor(value: Any) -> Any:
    """An array, or a scalar with a dtype, as a tensor; Python numbers stay."""
    return wrap(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value
