"""`Rule`: what an optimizer does to one parameter, apart from how parameters are held.

A rule comes in two parts.  `numbers` turns hyperparameters and the step count into the few numbers
that one step needs (a step size, a correction of bias); `leaf` turns a parameter, its gradient and
its slots (running averages and the like) into an update and new slots, by elementwise arithmetic.
So a facade computes the numbers once a step, and evaluates `leaf` on buffers for each parameter.
`pair` makes the pure ``init``/``update`` of a rule; `RULES` in `fnx.optim` lists all of them.

The formulas, and their order, are PyTorch's; `numbers` works on Python numbers as on traced 0-d
arrays, so that hyperparameters can be differentiated and the count can be a tracer.
Read next: `descent`, `moments`, `adaptive` (the rules).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fnx import dtypes, tree_util
from fnx import numpy as jnp
from fnx.optim.transformations import Optimizer

__all__ = ["Rule", "RuleState", "as_number", "choose", "is_used", "pair", "rounded", "wide_dtype"]

#: Hyperparameters by PyTorch's names.
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """An optimizer as seen by a single parameter.

    Parameters
    ----------
    name : str
        For errors.
    switches : callable
        ``switches(options) -> tuple of str``: which variants of the formula the options choose.
        They are static: a program is made for each choice.
    slots : callable
        ``slots(switches) -> tuple of str``: names of what is kept for each parameter.
    numbers : callable
        ``numbers(count, carried, options) -> (numbers, carried)``: what step number `count` (from
        1) needs, in double precision, and the carried numbers after it.
    leaf : callable
        ``leaf(switches, param, grad, slots, numbers) -> (update, slots)``.
    carried : callable
        ``carried(options) -> dict``: numbers that go from step to step, at the start.
    initial : callable
        ``initial(options) -> dict``: slots that do not start from zero, and what they start from.
    """

    name: str
    switches: Callable[[Options], tuple[str, ...]]
    slots: Callable[[tuple[str, ...]], tuple[str, ...]]
    numbers: Callable[[Any, dict[str, Any], Options], tuple[tuple[Any, ...], dict[str, Any]]]
    leaf: Callable[..., tuple[Any, tuple[Any, ...]]]
    carried: Callable[[Options], dict[str, Any]] = lambda options: {}
    initial: Callable[[Options], dict[str, Any]] = lambda options: {}

    def apply(
        self, switches: tuple[str, ...], param: Any, grad: Any, others: Sequence[Any]
    ) -> list[Any]:
        """The parameter and its slots after a step.

        Parameters
        ----------
        switches : tuple of str
            From `switches`.
        param, grad : Array
            A parameter and its gradient.
        others : sequence of Array
            Its slots, then the numbers of this step, in the parameter's dtype.
        """
        count = len(self.slots(switches))
        update, slots = self.leaf(switches, param, grad, others[:count], others[count:])
        return [param + update, *slots]


class RuleState(NamedTuple):
    """What an optimizer remembers.

    Parameters
    ----------
    count : Array
        Steps done, int32.
    slots : dict
        Trees like the parameters, by name.
    carried : dict
        Numbers that go from step to step.
    """

    count: Any
    slots: dict[str, Any]
    carried: dict[str, Any]


def pair(rule: Rule, options: Options) -> Optimizer:
    """A rule as a pair of pure functions on trees of parameters.

    Parameters
    ----------
    rule : Rule
        What happens to each parameter.
    options : mapping
        Its hyperparameters.

    Returns
    -------
    Optimizer
    """
    switches = rule.switches(options)
    names = rule.slots(switches)
    first = rule.initial(options)

    def init(params: Any) -> RuleState:
        slots = {name: tree_util.tree_map(_filled(first.get(name)), params) for name in names}
        carried = {k: jnp.asarray(v, wide_dtype()) for k, v in rule.carried(options).items()}
        return RuleState(jnp.zeros((), "int32"), slots, carried)

    def update(grads: Any, state: RuleState, params: Any = None) -> tuple[Any, RuleState]:
        count = state.count + 1
        numbers, carried = rule.numbers(count.astype(wide_dtype()), state.carried, options)
        leaves, tree = tree_util.tree_flatten(grads)
        if params is None:
            if rule.name in _READS_PARAMS or "decay" in switches or "decoupled" in switches:
                raise ValueError(
                    f"{rule.name}: the update reads the parameters (weight decay, or an average of "
                    "them). Call update(grads, state, params)."
                )
            params = grads  # of the right types; not read
        columns = [tree_util.tree_leaves(params)]
        columns += [tree_util.tree_leaves(state.slots[name]) for name in names]
        if any(len(column) != len(leaves) for column in columns):
            raise ValueError(
                f"{rule.name}: the gradients have {len(leaves)} leaves, the parameters and the "
                f"state {[len(column) for column in columns]}. Give trees of one structure."
            )
        updates, after = [], []
        for g, p, *kept in zip(leaves, *columns, strict=True):
            u, new = _on_leaf(rule, switches, p, g, kept, numbers)
            updates.append(u)
            after.append(new)
        slots = {
            name: tree_util.tree_unflatten(tree, [new[k] for new in after])
            for k, name in enumerate(names)
        }
        carried = {k: jnp.asarray(v, wide_dtype()) for k, v in carried.items()}
        return tree_util.tree_unflatten(tree, updates), RuleState(count, slots, carried)

    return Optimizer(init, update)


#: Rules whose update reads the parameters whatever the options.
_READS_PARAMS = frozenset(("asgd",))


def _on_leaf(
    rule: Rule, switches: tuple[str, ...], p: Any, g: Any, slots: list[Any], numbers: Any
) -> tuple[Any, list[Any]]:
    """One leaf; a complex one counts as pairs of real numbers, as in PyTorch."""
    p, g = jnp.asarray(p), jnp.asarray(g)
    is_complex = jnp.issubdtype(p.dtype, jnp.complexfloating)
    if is_complex:
        p, g, *slots = [_as_real(x) for x in (p, g, *slots)]
    cast = [x.astype(p.dtype) if hasattr(x, "astype") else x for x in numbers]
    update, after = rule.leaf(switches, p, g, slots, cast)
    if is_complex:
        return _as_complex(update), [_as_complex(x) for x in after]
    return update, list(after)


def _as_real(x: Any) -> Any:
    return jnp.stack([jnp.real(x), jnp.imag(x)])


def _as_complex(x: Any) -> Any:
    return x[0] + 1j * x[1]


def _filled(value: Any) -> Callable[[Any], Any]:
    def fill(p: Any) -> Any:
        if value is None:
            return jnp.zeros_like(p)
        if jnp.issubdtype(jnp.asarray(p).dtype, jnp.complexfloating):
            return jnp.zeros_like(p) + value * (1 + 1j)
        return jnp.full_like(p, value)

    return fill


def wide_dtype() -> Any:
    """The dtype of the numbers of a step: float64, where the settings allow it."""
    return dtypes.canonicalize_dtype(np.float64)


def is_used(number: Any) -> bool:
    """Whether a hyperparameter takes part: all do that are traced, or not zero.

    Parameters
    ----------
    number : float or Array
        The hyperparameter.
    """
    return number != 0 if isinstance(number, (int, float)) else True


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """One of two numbers, for conditions that are known and for traced ones.

    Parameters
    ----------
    condition : bool or Array
        What decides.
    yes, no : float or Array
        The numbers.
    """
    if isinstance(condition, bool):
        return yes if condition else no
    wide = wide_dtype()
    return jnp.where(condition, jnp.asarray(yes, wide), jnp.asarray(no, wide))


def as_number(number: Any) -> Any:
    """A carried number in double precision.

    Parameters
    ----------
    number : float or numpy scalar or Array
        Carried from the step before.
    """
    if isinstance(number, np.floating):
        return float(number)
    return number.astype(wide_dtype()) if hasattr(number, "astype") else number


def rounded(number: Any, like: Any) -> Any:
    """A number in the precision of a carried one.

    Parameters
    ----------
    number : float or Array
        The number.
    like : float or numpy scalar or Array
        The carried one; Python's numbers take the precision of what they meet by themselves.
    """
    return number.astype(like.dtype) if hasattr(number, "astype") else number
