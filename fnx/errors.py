"""The errors of fnx, each a help page, and the two helpers that their messages are made with.

    FnxError                                    (mixin; `except FnxError` catches whatever is ours)
    ├── JAXTypeError(TypeError)
    │   ├── ConcretizationTypeError             a value was needed where only its type is known
    │   │   └── TracerBoolConversionError         ... in an `if`, `while`, `and`, `or`, `not`
    │   ├── TracerArrayConversionError          a tracer was handed to NumPy
    │   ├── TracerIntegerConversionError        a tracer was used as an index of a Python list
    │   ├── UnexpectedTracerError               a tracer outlived its trace
    │   └── KeyReuseError                       a random key was used twice
    ├── JAXIndexError(IndexError)
    │   └── NonConcreteBooleanIndexError        a boolean mask whose values are not known
    ├── JaxprTypeError(TypeError)               a Jaxpr that is not well formed
    ├── ShapeError(TypeError, ValueError)       shapes that do not fit an operation
    ├── InconclusiveDimensionOperation          a comparison of extents without an answer
    ├── TypePromotionError(TypeError, ValueError)  dtypes without a common one
    ├── MissingRuleError(NotImplementedError)   a primitive lacks the rule that was asked for
    └── JaxRuntimeError(RuntimeError)
        ├── CompilationError                    a kernel could not be generated or built
        ├── KernelError                         a kernel failed, or was misused
        └── CacheError                          the persistent cache can't be used

In come messages that name the operation, what it got, and the remedy; `user_frame` adds the user's
line and `type_string` writes types as printed Jaxprs do. Each class derives from the builtin that
fits, so that programs may catch either. Read next: the module that raises.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from types import FrameType
from typing import Any

__all__ = [
    "CacheError",
    "CompilationError",
    "ConcretizationTypeError",
    "DtypePromotionError",
    "FnxError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KernelError",
    "KeyReuseError",
    "MissingRuleError",
    "NonConcreteBooleanIndexError",
    "ShapeError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TypePromotionError",
    "UnexpectedTracerError",
    "dtype_string",
    "type_string",
    "user_frame",
]


class FnxError(Exception):
    """Whatever fnx raises about the use of fnx derives from this, beside a builtin error."""


class JAXTypeError(FnxError, TypeError):
    """A tracer or a key was used where only a value can be. See the classes below it."""


class ConcretizationTypeError(JAXTypeError):
    """A value was needed while a function was traced, when only its shape and dtype are known.

    Under `jit`, `vmap`, `grad` of `jit`, `scan` and the like, arguments are tracers: types without
    values. `int(x)`, `float(x)`, `x.item()`, a shape or an axis taken from `x` ask for a value.

    The mistake::

        @fnx.jit
        def f(x, axis):
            return x.sum(axis)          # an axis decides the shape of the result

        f(jnp.ones((2, 3)), 0)

    The remedy, when the argument decides structure, is to keep it out of the trace::

        f = fnx.jit(f, static_argnums=1)

    and when it is data, to compute with it as an array: `x.astype(int)` instead of `int(x)`, a
    fixed size with a mask instead of a size that depends on `x`.
    """


class TracerBoolConversionError(ConcretizationTypeError):
    """A tracer was used as a condition: `if x > 0`, `while x`, `x and y`, `not x`, `assert x`.

    The mistake::

        @fnx.jit
        def clip(x):
            return x if x > 0 else 0.0

    The remedies::

        jnp.where(x > 0, x, 0.0)                                  # both sides, then choose
        lax.cond(x > 0, lambda x: x, lambda x: 0.0 * x, x)        # one side runs
        lax.while_loop(lambda x: x > 1, lambda x: x / 2, x)       # instead of `while`
        fnx.jit(clip, static_argnums=0)                           # one trace for each value
    """


class TracerArrayConversionError(JAXTypeError):
    """A tracer was handed to NumPy (or anything that calls `__array__`), which needs values.

    The mistake::

        @fnx.jit
        def f(x):
            return np.linalg.norm(np.asarray(x))

    The remedies: use the function of the same name in `fnx.numpy`; or, for a table that is
    indexed by a tracer, make the table an array first, `jnp.asarray(table)[i]`; or, when it must
    be NumPy, `fnx.pure_callback`.
    """


class TracerIntegerConversionError(JAXTypeError):
    """A tracer was used where Python needs an integer: to index a list, or in `range`.

    The mistake::

        @fnx.jit
        def f(i):
            return [10, 20, 30][i]

    The remedies: index an array, `jnp.array([10, 20, 30])[i]`; loop with `lax.fori_loop(0, n, ...)`
    instead of `range(n)`; or make the argument static, `fnx.jit(f, static_argnums=0)`.
    """


class UnexpectedTracerError(JAXTypeError):
    """A tracer was used after the trace that it belongs to had ended: it leaked.

    The mistake::

        kept = []

        @fnx.jit
        def f(x):
            kept.append(x + 1)          # a side effect keeps the tracer
            return x

        f(1.0)
        kept[0] * 2                     # there is no value behind it

    The remedy is to return the value instead: `return x, x + 1`. A generator, a cached property or
    a global that is filled while tracing are other ways to leak. `fnx.checking_leaks()` reports
    the leak where it happens.
    """


class KeyReuseError(JAXTypeError):
    """A random key was used twice, so that two draws would be the same (with `debug_key_reuse`).

    The mistake::

        x = random.normal(key)
        y = random.uniform(key)         # not independent of x

    The remedy::

        key_x, key_y = random.split(key)
        x, y = random.normal(key_x), random.uniform(key_y)
    """


class JAXIndexError(FnxError, IndexError):
    """An index that can't be used as it is. See the class below it."""


class NonConcreteBooleanIndexError(JAXIndexError):
    """An array was indexed by a boolean mask while tracing: the shape would depend on values.

    The mistake::

        @fnx.jit
        def f(x):
            return x[x > 0].sum()

    The remedies: `jnp.where(x > 0, x, 0).sum()`; `x.at[x < 0].set(0)` for assignment;
    `jnp.nonzero(x > 0, size=n)` when at most `n` are wanted.
    """


class JaxprTypeError(FnxError, TypeError):
    """A Jaxpr is not well formed: a variable unbound or bound twice, or an eqn of a wrong type.

    A transformation or a rule has a mistake; the message names the eqn and the stage.
    """


class ShapeError(FnxError, TypeError, ValueError):
    """Shapes that do not fit an operation.

    JAX raises `TypeError` for most and `ValueError` for some: this is both.

    The mistake::

        jnp.ones((3, 4)) @ jnp.ones((5, 6))

    The remedy is in the message: transpose, reshape, or name axes.
    """


class InconclusiveDimensionOperation(FnxError):
    """A comparison of extents that has no answer.

    Extents are integers here, so fnx itself never raises it; the name is for programs that catch
    it.
    """


class TypePromotionError(FnxError, TypeError, ValueError):
    """Dtypes that have no common dtype without loss that nobody asked for.

    The mistake::

        jnp.ones(3, jnp.float8_e4m3fn) + jnp.ones(3, jnp.float32)

    The remedy is to say which one is meant: `x.astype(jnp.float32)`. Under
    `numpy_dtype_promotion('strict')` this holds for any two dtypes.
    """


DtypePromotionError = TypePromotionError


class MissingRuleError(FnxError, NotImplementedError):
    """A primitive lacks the rule that a transformation asks for.

    The message names the slot and what to put there; a slot that mathematics leaves empty says
    why.
    """


class JaxRuntimeError(FnxError, RuntimeError):
    """Something failed while a program was built or run, after it was found to be well typed."""


class CompilationError(JaxRuntimeError):
    """A kernel could not be generated or built. The message names the eqns that it stands for."""


class KernelError(JaxRuntimeError):
    """A kernel failed, or was called with operands that it can't take."""


class CacheError(JaxRuntimeError):
    """The persistent cache can't be used: its directory belongs to somebody else, say.

    `FNX_CACHE_DIR` names another directory. (A damaged entry is no error: it is rebuilt.)
    """


def user_frame(skip: int = 0) -> str:
    """The innermost line of running code that is not part of fnx or fnx_nn.

    Parameters
    ----------
    skip : int
        How many such frames to pass over.

    Returns
    -------
    str
        As in ``train.py:12 (loss)``; empty when there is no such frame.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        # Files of generated code (a dataclass, say) begin with "<": unless the user typed them.
        if not code.co_filename.startswith(_INTERNAL):
            if skip == 0:
                return f"{os.path.basename(code.co_filename)}:{frame.f_lineno} ({code.co_name})"
            skip -= 1
        frame = frame.f_back
    return ""


def type_string(dtype: Any, shape: Sequence[int] = (), weak: bool = False) -> str:
    """A type as printed Jaxprs write it.

    Parameters
    ----------
    dtype : dtype
        The element type.
    shape : sequence of int
        The extents.
    weak : bool
        Whether the dtype is weak; written as ``~``.

    Returns
    -------
    str
        As in ``f32[3,4]``.

    Examples
    --------
    >>> import numpy as np
    >>> type_string(np.dtype("float32"), (3, 4)), type_string(np.dtype("int32"), (), weak=True)
    ('f32[3,4]', '~i32[]')
    """
    extents = ",".join([str(extent) for extent in shape])
    return f"{'~' if weak else ''}{dtype_string(dtype)}[{extents}]"


@lru_cache(maxsize=256)
def dtype_string(dtype: Any) -> str:
    """The short name of a dtype: ``f32``, ``bf16``, ``u8``, ``c64``, ``bool``, ``key<fry>``.

    Parameters
    ----------
    dtype : dtype
        A NumPy dtype, or an extended one such as that of keys.

    Returns
    -------
    str
        The short name.
    """
    if getattr(dtype, "names", None) == ("float0",):
        return "float0"
    short = str(getattr(dtype, "name", dtype))
    for long, brief in _ABBREVIATIONS:
        short = short.replace(long, brief)
    return short


_ROOT = os.path.dirname(os.path.abspath(__file__))
_INTERNAL = (
    _ROOT + os.sep,
    os.path.join(os.path.dirname(_ROOT), "fnx_nn") + os.sep,
)
# The order matters: "uint" holds "int".
_ABBREVIATIONS = (("float", "f"), ("uint", "u"), ("int", "i"), ("complex", "c"))
