"""What surrounds a piece of running code: grad mode, inference mode, anomaly mode, default dtype.

One context variable holds one frozen `Ambient`; `ambient.changed(...)` changes fields for a block,
`set_ambient` until further notice. Threads and asyncio tasks each see their own.
Read next: `fnx_nn.autograd.modes`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Ambient", "ambient", "changed", "set_ambient"]


_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True, slots=True)
class Ambient:
    """What operations on tensors read from their surroundings.

    Parameters
    ----------
    grad : bool
        Whether operations are recorded for differentiation.
    inference : bool
        Whether results are outside of differentiation for good.
    anomaly : bool
        Whether nodes remember where they were made, and gradients are searched for NaN.
    check_nan : bool
        With `anomaly`: whether NaN raises.
    default_dtype : numpy.dtype
        Of numbers that bring none.
    traced : bool
        Whether tensors may hold arrays and tracers of `fnx`; see `fnx_nn.tensor.traced`.
    journal : Journal, optional
        What a pure trace notes of tensors from outside; see `fnx_nn.tensor.traced`.
    initializes : bool
        Whether `fnx_nn.nn.init` writes first values; see `fnx_nn.nn.utils.skip_init`.
    """

    grad: bool = True
    inference: bool = False
    anomaly: bool = False
    check_nan: bool = True
    default_dtype: np.dtype[Any] = _FLOAT32
    traced: bool = False
    journal: Any = None
    initializes: bool = True


#: The one context variable of fnx_nn.
AMBIENT: ContextVar[Ambient] = ContextVar("fnx_nn_ambient", default=Ambient())  # noqa: B039 (frozen)

#: The current surroundings. (The variable's own method: nothing is quicker.)
ambient: Callable[[], Ambient] = AMBIENT.get


def set_ambient(**fields: Any) -> Token[Ambient]:
    """Change fields until further notice.

    Parameters
    ----------
    **fields
        Fields of `Ambient` with new values.
    """
    return AMBIENT.set(dataclasses.replace(AMBIENT.get(), **fields))


class changed:
    """Context manager: change fields for a block; the former ones come back however it ends.

    Parameters
    ----------
    **fields
        Fields of `Ambient` with new values.
    """

    __slots__ = ("_fields", "_token")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def __enter__(self) -> None:
        self._token = set_ambient(**self._fields)

    def __exit__(self, *exception: object) -> None:
        AMBIENT.reset(self._token)
