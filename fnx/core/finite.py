"""Looking for NaN and infinity in results, under the settings ``debug_nans`` and ``debug_infs``.

`Primitive.__call__` asks for it after every eager operation, `jit` for the results of a compiled
program; when those hold what they must not, the program is run again equation by equation, so that
the operation is found here.  With the settings off nothing of this runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.config import settings
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import NonFiniteError

__all__ = ["check_finite", "offence"]


def offence(data: np.ndarray[Any, Any]) -> str:
    """What an array holds and must not: ``NaN``, ``infinity``, or nothing (an empty string).

    Parameters
    ----------
    data : ndarray
        Integers and booleans hold neither.
    """
    if kind_of(data.dtype) not in "fc":
        return ""
    chosen = settings()
    if chosen.debug_nans and bool(np.isnan(data).any()):
        return "NaN"
    return "infinity" if chosen.debug_infs and bool(np.isinf(data).any()) else ""


def check_finite(
    operation: str, results: Sequence[np.ndarray[Any, Any]], operands: Sequence[Any] = ()
) -> None:
    """Raise if a result holds what the settings forbid.

    Parameters
    ----------
    operation : str
        What made the results.
    results : sequence of ndarray
        The results.
    operands : sequence of ndarray
        What it was applied to, for the message.

    Raises
    ------
    NonFiniteError
        Names the operation, the element, the operands and the user's line.
    """
    for k, data in enumerate(results):
        found = offence(data)
        if not found:
            continue
        bad = np.isnan(data) if found == "NaN" else np.isinf(data)
        index = [int(n) for n in np.argwhere(bad)[0]] if data.ndim else ""
        which = f"result {k}" if len(results) > 1 else "its result"
        where = f", the first at {index}" if index else ""
        given = ", ".join([_described(x) for x in operands[:4]])
        applied = f", applied to {given}" if given else ""
        setting = "debug_nans" if found == "NaN" else "debug_infs"
        raise NonFiniteError(
            f"{operation}: {found} in {which} {ShapedArray(data.shape, data.dtype)!r} "
            f"({int(bad.sum())} of {data.size} elements{where}){applied}. Keep operands inside the "
            "domain (choose with jnp.where before the operation, not after it), or turn the "
            f"setting off: {setting}(False)."
        )


def _described(data: np.ndarray[Any, Any]) -> str:
    """The type of an operand, and the range of its elements."""
    text = repr(ShapedArray(data.shape, data.dtype))
    if kind_of(data.dtype) not in "fiub" or not data.size:
        return text
    values = data.astype(np.float64)
    if np.isnan(values).any():
        return f"{text} with NaN"
    return f"{text} from {values.min():g} to {values.max():g}"
