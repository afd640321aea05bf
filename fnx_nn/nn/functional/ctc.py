"""`ctc_loss`: how likely a sequence of labels is, summed over all its alignments.

An alignment walks through the states blank, label 1, blank, label 2, ..., blank: at each step it
stays, goes on, or skips a blank between different labels. One scan over the steps holds, for each
state, the logarithm of the probability of all alignments up to there.
Read next: `fnx_nn.nn.ctc_loss`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.loss_reduction import reduction_of
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["ctc_loss"]


def _log_sum(terms: Any) -> Any:
    """The logarithm of a sum of exponentials along axis 0; -inf, and no slope, if all are 0."""
    largest = lax.stop_gradient(jnp.max(terms, 0))
    largest = jnp.where(jnp.isfinite(largest), largest, jnp.zeros_like(largest))
    total = jnp.sum(jnp.exp(terms - largest), 0)
    empty = total == 0
    safe = jnp.where(empty, jnp.ones_like(total), total)
    return jnp.where(empty, jnp.full_like(total, -math.inf), jnp.log(safe) + largest)


def _delayed(alpha: Any, places: int) -> Any:
    """The states moved up by some places."""
    missing = jnp.full((alpha.shape[0], places), -math.inf, alpha.dtype)
    return jnp.concatenate([missing, alpha], 1)[:, : alpha.shape[1]]


@fnx.custom_jvp
def _nothing(total: Any, slope: Any) -> Any:
    """Zero, with a slope in `total`."""
    return jnp.zeros_like(total)


@_nothing.defjvp
def _nothing_jvp(primals: Any, tangents: Any) -> Any:
    return _nothing(*primals), tangents[0] * primals[1]


def _losses(
    logs: Any, labels: Any, steps: Any, counts: Any, *, blank: int, zero_infinity: bool
) -> Any:
    """Of (steps, batch, classes), (batch, labels) and the lengths of both: (batch,)."""
    batch = logs.shape[1]
    used = jnp.arange(labels.shape[1]) < counts[:, None]
    labels = jnp.where(used, labels, jnp.full_like(labels, blank))
    blanks = jnp.full_like(labels, blank)
    states = jnp.reshape(jnp.stack([blanks, labels], 2), (batch, -1))
    states = jnp.concatenate([states, jnp.full((batch, 1), blank, states.dtype)], 1)
    before = jnp.concatenate([jnp.full((batch, 2), blank, states.dtype), states[:, :-2]], 1)
    may_skip = (states != blank) & (states != before[:, : states.shape[1]])
    emitted = jnp.take_along_axis(logs, jnp.broadcast_to(states, (logs.shape[0], *states.shape)), 2)

    def step(alpha: Any, now: Any) -> Any:
        emission, inside = now
        skipped = jnp.where(may_skip, _delayed(alpha, 2), jnp.full_like(alpha, -math.inf))
        moved = emission + _log_sum(jnp.stack([alpha, _delayed(alpha, 1), skipped]))
        return jnp.where(inside[:, None], moved, alpha), None

    inside = jnp.arange(logs.shape[0])[:, None] < steps
    # Before the first step all are at the first blank: from there the first label can be reached.
    start = jnp.where(jnp.arange(states.shape[1]) == 0, 0.0, -math.inf).astype(logs.dtype)
    alpha, _ = lax.scan(step, jnp.broadcast_to(start, states.shape), (emitted, inside))
    last = 2 * counts[:, None]
    ends = jnp.take_along_axis(alpha, jnp.concatenate([last, jnp.maximum(last - 1, 0)], 1), 1)
    both = (jnp.arange(2) == 0) | (last > 0)
    ends = jnp.where(both, ends, jnp.full_like(ends, -math.inf))
    losses = -_log_sum(ends.T)

    # PyTorch's gradient is that of logits, whose exponentials add up to 1: one more term, which
    # `log_softmax` takes away again. Where a loss is infinite, there is none.
    infinite = losses == math.inf
    absent = 0.0 if zero_infinity else math.nan
    slope = jnp.where(infinite, jnp.full_like(losses, absent), jnp.ones_like(losses))
    total = jnp.sum(jnp.where(inside[:, :, None], jnp.exp(logs), jnp.zeros_like(logs)), (0, 2))
    if zero_infinity:
        losses = jnp.where(infinite, jnp.zeros_like(losses), losses)
    return losses + _nothing(total, slope)


def _reduced(*arrays: Any, reduction: str, **params: Any) -> Any:
    losses = _losses(*arrays, **params)
    if reduction == "mean":
        return jnp.mean(losses / jnp.maximum(arrays[3], 1).astype(losses.dtype))
    return jnp.sum(losses) if reduction == "sum" else losses


_CTC = {
    "none": TensorOperation(_reduced, "CtcLossBackward0"),
    "mean": TensorOperation(_reduced, "MeanBackward0"),
    "sum": TensorOperation(_reduced, "SumBackward0"),
}


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the logarithm of the probability of the labels, whatever their alignment.

    Parameters
    ----------
    log_probs : Tensor
        (steps, batch, classes) or (steps, classes): logarithms of probabilities.
    targets : Tensor
        (batch, labels), or the labels of all one after the other; none of them blank.
    input_lengths : Tensor or sequence of int
        How many steps each has.
    target_lengths : Tensor or sequence of int
        How many labels each has.
    blank : int
        The class that stands for no label.
    reduction : str
        ``"mean"``, of losses divided by the numbers of their labels; ``"sum"``, or ``"none"``.
    zero_infinity : bool
        Whether infinite losses, of fewer steps than the labels need, count as 0.

    Raises
    ------
    RuntimeError
        Shapes or lengths don't fit.
    IndexError
        A label is none of the classes.

    Notes
    -----
    The gradient is PyTorch's, that of the logits before `log_softmax`: ``exp(log_probs)`` minus the
    probability of each class in an alignment. Second derivatives with respect to logits exist.

    References
    ----------
    Graves et al., *Connectionist temporal classification* (2006), section 4.1.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> probabilities = torch.full((2, 1, 2), 0.5)
    >>> loss = ctc_loss(probabilities.log(), torch.tensor([[1]]), (2,), (1,))
    >>> round(loss.exp().item(), 4)  # of the four alignments three give the label
    1.3333
    """
    logs = require_tensor(log_probs, "ctc_loss", "log_probs")._data
    require_tensor(targets, "ctc_loss", "targets")
    reduction = reduction_of(None, None, reduction)
    if logs.dtype not in (np.float32, np.float64):
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{name_in_messages(logs.dtype)}'"
        )
    single = logs.ndim != 3
    if single:
        log_probs, targets = log_probs.unsqueeze(1), targets.unsqueeze(0)
    if log_probs.ndim != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for "
            "argument #1 'log_probs' (while checking arguments for ctc_loss_allocate_outputs)"
        )
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    times = _lengths("input_lengths", input_lengths, batch, steps)
    counts = _lengths("target_lengths", target_lengths, batch, None)
    targets = _one_row_each(targets, counts, batch)
    given = targets._data
    if type(given) is np.ndarray and type(counts._data) is np.ndarray:
        wrong = (given < 0) | (given >= classes)
        wrong &= np.arange(given.shape[1]) < counts._data[:, None]
        if wrong.any():
            raise IndexError(f"ctc_loss: target {given[wrong][0]} is out of bounds.")
    params = {"blank": int(blank), "zero_infinity": bool(zero_infinity), "reduction": reduction}
    out: Tensor = apply(_CTC[reduction], (log_probs, targets, times, counts), params)
    return out.squeeze(0) if single and reduction == "none" else out


def _lengths(name: str, given: Any, batch: int, most: int | None) -> Tensor:
    if not isinstance(given, Tensor):
        given = wrap(np.array(list(given), np.int64).reshape(-1))
    data = given._data
    if data.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be integral")
    if data.size != batch:
        raise RuntimeError(f"{name} must be of size batch_size")
    if type(data) is not np.ndarray:
        return given.reshape(batch).long()
    if batch:
        for wrong, words, value in (
            (data.min() < 0, "at least 0", data.min()),
            (most is not None and data.max() > most, f"at most {most}", data.max()),
        ):
            if wrong:
                raise RuntimeError(
                    f"Expected {name} to have value {words}, but got value {value} (while checking "
                    "arguments for ctc_loss_allocate_outputs)"
                )
    return wrap(data.reshape(batch).astype(np.int64))  # known while tracing, too


def _one_row_each(targets: Tensor, counts: Tensor, batch: int) -> Tensor:
    """(batch, labels), from that or from all labels one after the other."""
    if targets.ndim not in (1, 2):
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for argument "
            "#2 'targets' (while checking arguments for ctc_loss_allocate_outputs)"
        )
    known = counts._data if type(counts._data) is np.ndarray else None
    if targets.ndim == 1:
        if known is None:
            raise TypeError(
                "ctc_loss: labels one after the other need target_lengths that are known while "
                "tracing. Give targets of shape (batch, labels)."
            )
        axis, least, exact = 0, int(known.sum()), True
    else:
        axis, least, exact = 1, int(known.max()) if known is not None and batch else 0, False
        if targets.shape[0] != batch:
            raise RuntimeError(_size(str(batch), 0, targets))
    if targets.shape[axis] < least or (exact and targets.shape[axis] != least):
        raise RuntimeError(_size(str(least) if exact else f"at least {least}", axis, targets))
    targets = targets.long()
    if known is None or axis == 1:
        return targets
    if not least:
        return targets.reshape(batch, 0)
    places = np.arange(int(known.max())) + (np.cumsum(known) - known)[:, None]
    return targets[wrap(np.minimum(places, least - 1))]


def _size(wanted: str, axis: int, targets: Tensor) -> str:
    return (
        f"Expected tensor to have size {wanted} at dimension {axis}, but got size "
        f"{targets.shape[axis]} for argument #2 'targets' (while checking arguments for "
        "ctc_loss_allocate_outputs)"
    )
