"""`RuleOptimizer`: steps by a rule of `fnx.optim`, parameter by parameter, in place.

For each parameter: the numbers of the step are computed in double precision (parameters with the
same count share them), the rule is evaluated on the buffers of the parameter, its gradient and its
state, and the results are written back, so that whatever aliases these sees them and version
counters rise. Under `differentiable=True`, and while a step is traced, the same rule is applied as
an operation on tensors, which is recorded.
Read next: `descent`, `moments`, `adaptive` (the classes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fnx.dtypes import canonicalize_dtype
from fnx.optim import Rule
from fnx_nn.ambient import ambient, changed
from fnx_nn.optim.optimizer import Optimizer
from fnx_nn.tensor.dispatch import TensorOperation, apply, write_raw
from fnx_nn.tensor.tensor import Tensor, wrap
from fnx_nn.tensor.traced import from_array, value_of

__all__ = ["RuleOptimizer", "operation_of"]

NDArray = np.ndarray[Any, Any]

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

#: On which devices PyTorch captures steps as graphs; the CPU is none of them.
_CAPTURABLE = ["cuda", "xpu", "hpu", "privateuseone"]


def operation_of(rule: Rule, node: str) -> TensorOperation:
    """A rule as an operation: from (parameter, gradient, slots, numbers) to (parameter, slots).

    Parameters
    ----------
    rule : Rule
        What it does.
    node : str
        Its name on the tape.
    """

    def function(p: Any, g: Any, *others: Any, switches: tuple[str, ...]) -> list[Any]:
        return rule.apply(switches, p, g, others)

    return TensorOperation(function, node, elementwise=rule.elementwise)


class RuleOptimizer(Optimizer):
    """An optimizer that steps by a rule of `fnx.optim`.

    Subclasses name the rule and give the options as PyTorch has them.
    """

    _rule: ClassVar[Rule]
    _operation: ClassVar[TensorOperation]
    #: Whether the state counts steps.
    _counts: ClassVar[bool] = True
    #: Options that older checkpoints do not have.
    _added: ClassVar[Mapping[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._added.items():
                group.setdefault(name, value)
            for p in group["params"]:
                kept = self.state.get(p)
                for name in ("step", *self._rule.carried(group)):
                    if kept and name in kept and not isinstance(kept[name], Tensor):
                        kept[name] = wrap(np.array(float(kept[name]), scalar_dtype()))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients anew, and gives the loss.

        Returns
        -------
        Tensor or None
            What the closure gave.
        """
        recorded = bool(self.defaults.get("differentiable"))
        loss = None
        with changed(grad=recorded):
            if closure is not None:
                with changed(grad=True):
                    loss = closure()
            for group in self.param_groups:
                self._step_group(group, recorded or ambient().traced)
        return loss

    def _step_group(self, group: dict[str, Any], recorded: bool) -> None:
        options = group if recorded else plain(group)
        rule = self._rule
        switches = rule.switches(options)
        names, carried_names = rule.slots(switches), tuple(rule.carried(options))
        params = [p for p in group["params"] if p._grad is not None]
        if params and group.get("capturable"):
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: "
                f"{_CAPTURABLE}."
            )
        prepared: dict[Any, Any] = {}
        for p in params:
            state = self._state_of(p, options, switches)
            slots = self._slots_of(p, state, names)
            if recorded:
                self._step_recorded(p, state, slots, options, switches)
                continue
            count = self._next_count(state)
            carried = {k: state[k]._data[()] for k in carried_names}
            dtype = number_dtype(p._data.dtype)
            key = (count, dtype, *carried.values())
            found = prepared.get(key)
            if found is None:
                numbers, after = rule.numbers(count, carried, options)
                found = prepared[key] = [np.array(x, dtype) for x in numbers], after
            for k, value in found[1].items():
                state[k]._data[...] = value
            self._evaluate(p, slots, found[0], switches)

    def _state_of(
        self, p: Tensor, options: Mapping[str, Any], switches: tuple[str, ...]
    ) -> dict[str, Any]:
        """The state of a parameter; made if there is none."""
        state = self.state[p]
        if not state:
            if self._counts:
                state["step"] = wrap(np.zeros((), scalar_dtype()))
            for k, value in self._rule.carried(options).items():
                state[k] = wrap(np.array(_number(value), scalar_dtype()))
            first = self._rule.initial(options)
            for name in self._rule.slots(switches):
                state[name] = filled_like(p, _number(first.get(name, 0.0)))
        return state

    def _slots_of(self, p: Tensor, state: dict[str, Any], names: tuple[str, ...]) -> list[Tensor]:
        return [state[name] for name in names]

    def _next_count(self, state: dict[str, Any]) -> float:
        step = state["step"]
        step._data += 1
        return float(step._data)

    def _evaluate(
        self, p: Tensor, slots: Sequence[Tensor], numbers: list[NDArray], switches: tuple[str, ...]
    ) -> None:
        assert p._grad is not None
        buffers = [p._data, p._grad._data, *[s._data for s in slots]]
        results = self._operation.evaluate([*buffers, *numbers], {"switches": switches})
        write_raw(p, lambda buffer: np.copyto(buffer, results[0], casting="unsafe"))
        for slot, result in zip(slots, results[1:]):
            np.copyto(slot._data, result, casting="unsafe")
            slot.cell().version += 1

    def _step_recorded(
        self,
        p: Any,
        state: dict[str, Any],
        slots: Sequence[Tensor],
        options: Mapping[str, Any],
        switches: tuple[str, ...],
    ) -> None:
        count = self._count_recorded(state)
        carried = {k: _scalar(value_of(state[k])) for k in self._rule.carried(options)}
        numbers, after = self._rule.numbers(count, carried, options)
        dtype = number_dtype(p._data.dtype)
        # The pullback reads its operands as they are now; these are about to be written to.
        before = [t.clone() for t in (p, *slots)] if ambient().grad else [p, *slots]
        operands = [before[0], p.grad, *before[1:], *[_tensor(x, dtype) for x in numbers]]
        results = apply(self._operation, operands, {"switches": switches})
        for target, result in zip([p, *slots], results if slots else [results]):
            target.copy_(result)
        for k, value in after.items():
            state[k].copy_(_tensor(value, state[k]._data.dtype))

    def _count_recorded(self, state: dict[str, Any]) -> Any:
        step = state["step"]
        step.add_(1)
        return _whole(value_of(step))


def plain(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options with numbers in place of tensors.

    Parameters
    ----------
    options : mapping
        Of a group.
    """
    for value in options.values():
        if isinstance(value, (Tensor, tuple)):
            return {k: _plain_value(v) for k, v in options.items()}
    return options


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple([_number(v) for v in value])
    return _number(value)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def scalar_dtype() -> np.dtype[Any]:
    """The dtype of counts and other numbers of the state, as PyTorch chooses it."""
    return _FLOAT64 if ambient().default_dtype == _FLOAT64 else _FLOAT32


def number_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a parameter meets the numbers of a step: at least float32.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the parameter.
    """
    if dtype.kind == "c":
        return _FLOAT32 if dtype.itemsize == 8 else _FLOAT64
    return _FLOAT64 if dtype == _FLOAT64 else _FLOAT32


def filled_like(p: Tensor, value: float, shape: tuple[int, ...] | None = None) -> Tensor:
    """A tensor of a parameter's shape and dtype; a complex one has the value in both parts.

    Parameters
    ----------
    p : Tensor
        The parameter.
    value : float
        What it holds.
    shape : tuple of int, optional
        In place of the parameter's.
    """
    dtype = p._data.dtype
    filling = complex(value, value) if dtype.kind == "c" else value
    return wrap(np.full(p._data.shape if shape is None else shape, filling, dtype))


def _whole(value: Any) -> Any:
    """A number of the state: a Python number if it is known, in double precision if traced."""
    return float(value) if type(value) is np.ndarray else value.astype(canonicalize_dtype(_FLOAT64))


def _scalar(value: Any) -> Any:
    """A carried number as a NumPy scalar if it is known, or as it is if traced."""
    return value[()] if type(value) is np.ndarray else value


def _tensor(value: Any, dtype: np.dtype[Any]) -> Tensor:
    """A number of a step as an operand, with its history if it has one."""
    if isinstance(value, Tensor):
        return value if value._data.dtype == dtype else value.to(wrap(np.zeros((), dtype)).dtype)
    if hasattr(value, "aval"):
        return from_array(value.astype(dtype))
    return wrap(np.array(value, dtype))
