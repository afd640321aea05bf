"""Comparing gradients with finite differences: `gradcheck` and `gradgradcheck`.

Central differences in each element of each input, in double precision, against the Jacobian that
backward gives, row by row.
Read next: `functional`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx_nn.ambient import changed
from fnx_nn.autograd.api import grad
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """The gradient does not agree with finite differences."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the gradients of a function agree with finite differences.

    Parameters
    ----------
    func : callable
        Of tensors, gives a tensor or a tuple of them.
    inputs : Tensor or tuple
        In double precision where gradients are wanted.
    eps : float
        The step.
    atol, rtol : float
        Tolerances.
    raise_exception : bool
        Raise when they disagree; else give False.
    nondet_tol : float
        How much two backward runs may differ.
    check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, masked : bool
        Accepted; the full comparison is made.

    Returns
    -------
    bool

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x)
    True
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the "
            "them have requires_grad=True."
        )
    try:
        outputs = _outputs(func(*given))
        for k, out in enumerate(outputs):
            for place, x in enumerate(wanted):
                analytic = _analytic(out, x)
                again = _analytic(out, x)
                if np.abs(analytic - again).max(initial=0.0) > nondet_tol:
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and "
                        "grad_output multiple times gives different values, although analytical "
                        "gradient matches numerical gradient."
                    )
                numeric = _numeric(func, given, x, k, eps)
                _compare(analytic, numeric, k, place, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    **accepted: Any,
) -> bool:
    """Whether second derivatives of a function agree with finite differences of the first.

    Parameters
    ----------
    func : callable
        Of tensors, gives a tensor or a tuple of them.
    inputs : Tensor or tuple
        In double precision where gradients are wanted.
    grad_outputs : Tensor or tuple, optional
        Gradients of the outputs; random if left out.
    eps : float
        The step.
    atol, rtol : float
        Tolerances.
    gen_non_contig_grad_outputs : bool
        Accepted.
    raise_exception : bool
        Raise when they disagree; else give False.
    nondet_tol : float
        How much two backward runs may differ.
    **accepted
        Further options of PyTorch's.
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = _outputs(func(*given))
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        grad_outputs = tuple([wrap(_random(rng, out._data)).requires_grad_() for out in outputs])
    elif isinstance(grad_outputs, Tensor):
        grad_outputs = (grad_outputs,)
    count = len(grad_outputs)

    def first(*args: Any) -> Any:
        points, cotangents = args[:-count], args[-count:]
        active = [x for x in points if isinstance(x, Tensor) and x.requires_grad]
        found = grad(
            _outputs(func(*points)), active, cotangents, create_graph=True, allow_unused=True
        )
        return tuple([g for g in found if g is not None and g.requires_grad])

    return gradcheck(
        first,
        (*given, *grad_outputs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
    )


def _random(rng: np.random.Generator, like: Any) -> Any:
    values = rng.standard_normal(like.shape)
    if like.dtype.kind == "c":
        values = values + 1j * rng.standard_normal(like.shape)
    return np.asarray(values, like.dtype)


def _outputs(result: Any) -> list[Tensor]:
    results = result if isinstance(result, (tuple, list)) else (result,)
    return [r for r in results if isinstance(r, Tensor) and r.requires_grad]


def _analytic(out: Tensor, x: Tensor) -> Any:
    """One row for each (real) direction of the output's cotangent: the gradient of `x`."""
    rows = []
    units = (1.0,) if out._data.dtype.kind != "c" else (1.0, 1j)
    for place in range(out._data.size):
        for unit in units:
            cotangent = np.zeros(out._data.size, out._data.dtype)
            cotangent[place] = unit
            start = wrap(cotangent.reshape(out._data.shape))
            (found,) = grad(out, x, start, retain_graph=True, allow_unused=True)
            row = np.zeros(x._data.shape, x._data.dtype) if found is None else found._data
            rows.append(_reals(row.reshape(-1)))
    return np.array(rows).reshape(len(rows), -1)


def _numeric(func: Callable[..., Any], given: Sequence[Any], x: Tensor, k: int, eps: float) -> Any:
    columns = []
    flat = x._data
    with changed(grad=False):
        units = (1.0,) if flat.dtype.kind != "c" else (1.0, 1j)
        for index in np.ndindex(*flat.shape):
            for unit in units:
                kept = flat[index]
                flat[index] = kept + eps * unit
                above = _values(func, given, k)
                flat[index] = kept - eps * unit
                below = _values(func, given, k)
                flat[index] = kept
                columns.append((above - below) / (2 * eps))
    return np.array(columns).T


def _values(func: Callable[..., Any], given: Sequence[Any], k: int) -> Any:
    # Recorded, so that functions which differentiate inside themselves work, and that outputs
    # which need no gradient are left out as above.
    with changed(grad=True):
        return _reals(_outputs(func(*given))[k]._data.reshape(-1)).copy()


def _reals(values: Any) -> Any:
    """Complex numbers as pairs of reals."""
    if values.dtype.kind != "c":
        return values
    return np.stack([values.real, values.imag], -1).reshape(-1)


def _compare(analytic: Any, numeric: Any, k: int, place: int, atol: float, rtol: float) -> None:
    if analytic.size and not np.allclose(analytic, numeric.reshape(analytic.shape), rtol, atol):
        raise GradcheckError(
            f"Jacobian mismatch for output {k} with respect to input "
            f"{place},\nnumerical:{wrap(numeric)!r}\nanalytical:{wrap(analytic)!r}\n"
        )
