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

from fnx import dtypes, lax, tree_util
from fnx import numpy as jnp
from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
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
        ``switches(options) -> tuple``: which variants of the formula the options choose, as names,
        or pairs of a name and a value. They are static: a program is made for each choice.
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
    shape : callable
        ``shape(name, shape) -> tuple of int``: of a slot, for a parameter's shape.
    reads_params : bool
        Whether the update reads the parameters, whatever the options.
    elementwise : bool
        Whether `leaf` treats all elements alike, each by itself.
    """

    name: str
    switches: Callable[[Options], tuple[Any, ...]]
    slots: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    numbers: Callable[[Any, dict[str, Any], Options], tuple[tuple[Any, ...], dict[str, Any]]]
    leaf: Callable[..., tuple[Any, tuple[Any, ...]]]
    carried: Callable[[Options], dict[str, Any]] = lambda options: {}
    initial: Callable[[Options], dict[str, Any]] = lambda options: {}
    shape: Callable[[str, tuple[int, ...]], tuple[int, ...]] = lambda name, shape: shape
    reads_params: bool = False
    elementwise: bool = True

    def apply(
        self, switches: tuple[Any, ...], param: Any, grad: Any, others: Sequence[Any]
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
        update, slots = self.step(switches, param, grad, others[:count], others[count:])
        return [param + update, *slots]

    def step(
        self,
        switches: tuple[Any, ...],
        param: Any,
        grad: Any,
        slots: Sequence[Any],
        numbers: Sequence[Any],
    ) -> tuple[Any, list[Any]]:
        """An update and new slots; a complex parameter counts as two real ones, as in PyTorch.

        Parameters
        ----------
        switches : tuple
            From `switches`.
        param, grad : Array
            A parameter and its gradient.
        slots : sequence of Array
            What is kept for it.
        numbers : sequence of Array
            Of this step.
        """
        if not jnp.issubdtype(param.dtype, jnp.complexfloating):
            update, new = self.leaf(switches, param, grad, slots, numbers)
            return update, list(new)
        if not self.elementwise:
            raise ArgumentTypeError(
                f"{self.name}: parameters must be real, got {param.dtype}. Give complex ones as "
                "their real and imaginary parts."
            )
        parts = []
        for part in (jnp.real, jnp.imag):
            real = part(param), part(grad), [part(x) for x in slots]
            update, new = self.leaf(switches, *real, numbers)
            parts.append([update, *new])
        whole = [lax.complex(x, y) for x, y in zip(*parts, strict=True)]
        return whole[0], whole[1:]


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
        Its hyperparameters; the learning rate may be a function of the number of updates done.

    Returns
    -------
    Optimizer
    """
    switches = rule.switches(options)
    names = rule.slots(switches)

    def init(params: Any) -> RuleState:
        now = _at(options, jnp.zeros((), "int32"))
        first = rule.initial(now)
        slots = {
            name: tree_util.tree_map(_filled(rule, name, first.get(name)), params) for name in names
        }
        carried = {k: jnp.asarray(v, wide_dtype()) for k, v in rule.carried(now).items()}
        return RuleState(jnp.zeros((), "int32"), slots, carried)

    def update(grads: Any, state: RuleState, params: Any = None) -> tuple[Any, RuleState]:
        count = state.count + 1
        now = _at(options, state.count)
        numbers, carried = rule.numbers(count.astype(wide_dtype()), state.carried, now)
        leaves, tree = tree_util.tree_flatten(grads)
        if params is None:
            if rule.reads_params or "decay" in switches or "decoupled" in switches:
                raise ArgumentValueError(
                    f"{rule.name}: the update reads the parameters (weight decay, or an average of "
                    "them). Call update(grads, state, params)."
                )
            params = grads  # of the right types; not read
        _check_like(rule.name, "params", params, grads)
        for name in names:
            _check_like(rule.name, f"state.slots[{name!r}]", state.slots[name], grads)
        columns = [tree_util.tree_leaves(params)]
        columns += [tree_util.tree_leaves(state.slots[name]) for name in names]
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


def _check_like(name: str, what: str, given: Any, grads: Any) -> None:
    """Parameters and gradients are trees of one structure, and of equal shapes."""
    for path, mine, theirs, _ in tree_util.equality_errors(grads, given):
        place = tree_util.keystr(path)
        raise ArgumentValueError(
            f"{name}: grads{place} is {mine}, {what}{place} is {theirs}. Give trees of one "
            "structure."
        )
    if what != "params":
        return  # a slot may have a shape of its own
    for (path, g), p in zip(
        tree_util.tree_leaves_with_path(grads), tree_util.tree_leaves(given), strict=True
    ):
        if np.shape(g) != np.shape(p):
            place = tree_util.keystr(path)
            raise ShapeError(
                f"{name}: grads{place} is {as_value(g).aval!r}, params{place} is "
                f"{as_value(p).aval!r}. A gradient has the shape of its parameter."
            )


def _at(options: Options, count: Any) -> Options:
    """Options with the learning rate of a schedule at a count."""
    lr = options["lr"]
    return {**options, "lr": jnp.asarray(lr(count), wide_dtype())} if callable(lr) else options


def _on_leaf(
    rule: Rule, switches: tuple[Any, ...], p: Any, g: Any, slots: list[Any], numbers: Any
) -> tuple[Any, list[Any]]:
    p, g = jnp.asarray(p), jnp.asarray(g)
    kind = jnp.real(p).dtype
    cast = [x.astype(kind) if hasattr(x, "astype") else x for x in numbers]
    return rule.step(switches, p, g, slots, cast)


def _filled(rule: Rule, name: str, value: Any) -> Callable[[Any], Any]:
    def fill(p: Any) -> Any:
        p = jnp.asarray(p)
        start = jnp.zeros(rule.shape(name, p.shape), p.dtype)
        if value is None:
            return start
        is_complex = jnp.issubdtype(p.dtype, jnp.complexfloating)
        return start + value * (1 + 1j) if is_complex else jnp.full_like(start, value)

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
