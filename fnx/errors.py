"""The errors of fnx, each a help page, and the two helpers that their messages are made with.

    FnxError                                    (mixin; `except FnxError` catches whatever is ours)
    ├── ArgumentTypeError(TypeError)            an argument of the wrong kind, dtype or structure
    ├── ArgumentValueError(ValueError)          an argument of the right kind that has no meaning
    ├── AxisError(numpy.exceptions.AxisError)   an axis that an array doesn't have
    ├── AxisNameError(NameError)                a named axis that no `vmap` around has
    ├── LoopBoundError(OverflowError)           a loop longer than its derivative covers
    ├── NumberOverflowError(OverflowError)      a Python integer that its dtype can't hold
    ├── UnsupportedError(NotImplementedError)   an option that fnx doesn't have
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
    ├── NonFiniteError(FloatingPointError)      a NaN or an infinity, under debug_nans or debug_infs
    ├── UnknownSettingError(AttributeError)     a setting that doesn't exist
    ├── UnsetRuleError(AttributeError)          a custom function was called before its rule was set
    └── JaxRuntimeError(RuntimeError)
        ├── CompilationError                    a kernel could not be generated or built
        ├── DeletedArrayError                   an array was used after it was deleted or donated
        ├── DonationError                       an argument can't be donated, others have its memory
        ├── KernelError                         a kernel failed, or was misused
        └── CacheError                          the persistent cache can't be used

In come messages that name the operation, what it got, and the remedy. An error finds the user's
line itself when it is made (`FnxError.where`), and what follows the user's function (`Flat`, in
`transforms.trees`) adds which of its arguments the operation got (`FnxError.operands`); the text of
an error ends with both. `type_string` writes types as printed Jaxprs do. Each class derives from
the builtin that fits, so that programs may catch either. Read next: `docs/errors.md`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np

__all__ = [
    "ArgumentTypeError",
    "ArgumentValueError",
    "AxisError",
    "AxisNameError",
    "CacheError",
    "CompilationError",
    "ConcretizationTypeError",
    "DeletedArrayError",
    "DonationError",
    "DtypePromotionError",
    "FnxError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KernelError",
    "KeyReuseError",
    "LoopBoundError",
    "MissingRuleError",
    "NonConcreteBooleanIndexError",
    "NonFiniteError",
    "NumberOverflowError",
    "ShapeError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TypePromotionError",
    "UnexpectedTracerError",
    "UnknownSettingError",
    "UnsetRuleError",
    "UnsupportedError",
    "dtype_string",
    "is_internal_file",
    "type_string",
    "user_frame",
    "user_operation",
]


class FnxError(Exception):
    """Whatever fnx raises about the use of fnx derives from this, beside a builtin error.

    The text is what happened, then which arguments of the user's function were in it, then where::

        matmul: inner sizes differ, f32[3,4] @ f32[5,6] (4 against 5). Transpose one operand.
          with params['w']: f32[3,4], x: f32[5,6] (from the arguments of loss)
          at train.py:12 (loss)

    Parameters
    ----------
    *args
        The message.

    Attributes
    ----------
    where : str
        The user's innermost line when the error was made; empty if there is none.
    operands : dict of str to tuple of str
        The arguments that the failing operation got, by the function under transformation whose
        arguments they are.
    """

    where: str
    operands: dict[str, tuple[str, ...]]

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.where = user_frame(whole_path=True)
        self.operands = {}

    @property
    def message(self) -> str:
        """What happened, without the place."""
        return BaseException.__str__(self)

    def __str__(self) -> str:
        lines = [self.message]
        for function, arguments in self.operands.items():
            lines.append(f"with {', '.join(arguments)} (from the arguments of {function})")
        if self.where:
            lines.append(f"at {self.where}")
        return "\n  ".join(lines)


class ArgumentTypeError(FnxError, TypeError):
    """An argument of the wrong kind, dtype or structure.

    The mistake::

        fnx.grad(loss)(jnp.arange(3))            # gradients are with respect to floats

    The message names the argument, what it is, and what it should be.
    """


class ArgumentValueError(FnxError, ValueError):
    """An argument of the right kind whose value has no meaning here.

    The mistake::

        fnx.vmap(f, in_axes=(0, 0))(x)           # two entries, one argument

    The message names the argument, what it is, and what it should be.
    """


class AxisError(FnxError, np.exceptions.AxisError):
    """An axis that an array doesn't have; a `ValueError` and an `IndexError`, as NumPy's is.

    The mistake::

        jnp.ones((2, 3)).sum(axis=2)
    """


class AxisNameError(FnxError, NameError):
    """A collective along a named axis that no `vmap` around it has.

    The mistake::

        fnx.vmap(lambda x: lax.psum(x, "batch"))(x)

    The remedy is to name the axis: `fnx.vmap(..., axis_name="batch")`.
    """


class LoopBoundError(FnxError, OverflowError):
    """A `while_loop` of unknown length took more steps than its reverse mode covers.

    The derivative would be that of a part of the loop, so there is none.  The remedies: forward
    mode (`fnx.jvp`, `fnx.jacfwd`), which has no bound; or a predicate that ends the loop earlier.
    """


class NumberOverflowError(FnxError, OverflowError):
    """A Python integer that does not fit into the dtype it would get.

    The mistake::

        jnp.array(2**40)                         # int32 is the default

    The remedy is a wider dtype: `jnp.array(2**40, "int64")`.
    """


class UnsupportedError(FnxError, NotImplementedError):
    """An option or a combination that fnx does not have, such as `out=`: arrays are immutable."""


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


class NonFiniteError(FnxError, FloatingPointError):
    """A result holds NaN (under `debug_nans`) or infinity (under `debug_infs`).

    The usual mistake chooses too late::

        jnp.where(x > 0, jnp.sqrt(x), 0.0)      # the gradient of sqrt at x <= 0 is NaN all the same

    The remedy chooses before::

        positive = jnp.where(x > 0, x, 1.0)
        jnp.where(x > 0, jnp.sqrt(positive), 0.0)
    """


class UnknownSettingError(FnxError, AttributeError):
    """A setting that `fnx.config` doesn't have, or one that is assigned instead of updated.

    The mistake::

        fnx.config.jax_enable_x64 = True

    The remedy is `fnx.config.update("jax_enable_x64", True)`.
    """


class UnsetRuleError(FnxError, AttributeError):
    """A function with a custom rule was called before the rule was set (with `defjvp`, `defvjp`).

    The mistake::

        @fnx.custom_jvp
        def f(x): ...

        f(1.0)                                   # f.defjvp was forgotten
    """


class JaxRuntimeError(FnxError, RuntimeError):
    """Something failed while a program was built or run, after it was found to be well typed."""


class CompilationError(JaxRuntimeError):
    """A kernel could not be generated or built. The message names the eqns that it stands for."""


class DeletedArrayError(JaxRuntimeError):
    """An array was used after its memory was given away: donated to a jitted call, or deleted.

    The mistake::

        step = fnx.jit(step, donate_argnums=0)
        new = step(params, batch)
        loss(params, batch)             # params are gone, new has their memory

    The remedy is to go on with the result, `params = step(params, batch)`.
    """


class DonationError(JaxRuntimeError):
    """An argument can't be donated, since somebody else has the same memory.

    The mistake::

        view = np.asarray(params)       # shares the memory; a result would be written over it
        params = step(params, batch)

    The remedy is to donate a copy, `step(jnp.array(params), batch)`, or to copy the view.
    """


class KernelError(JaxRuntimeError):
    """A kernel failed, or was called with operands that it can't take."""


class CacheError(JaxRuntimeError):
    """The persistent cache can't be used: its directory belongs to somebody else, say.

    `FNX_CACHE_DIR` names another directory. (A damaged entry is no error: it is rebuilt.)
    """


def user_frame(skip: int = 0, whole_path: bool = False) -> str:
    """The innermost line of running code that is a user's: not part of fnx, fnx_nn or a library.

    Code of fnx that runs recorded equations again keeps the line of each in its local variable
    ``replayed``; that line is meant then, not the one that asked for the replay.

    Parameters
    ----------
    skip : int
        How many such frames to pass over.
    whole_path : bool
        Write the file with its folders.

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
                file = code.co_filename if whole_path else os.path.basename(code.co_filename)
                return f"{file}:{frame.f_lineno} ({code.co_name})"
            skip -= 1
        elif "replayed" in code.co_varnames:
            line = frame.f_locals.get("replayed")
            if line and type(line) is str:
                return line
        frame = frame.f_back
    return ""


def user_operation() -> str:
    """The function of fnx that the user's innermost line called; empty for conversions of Python.

    What several functions share takes the name of the one at work as its argument ``operation``.

    Returns
    -------
    str
        As in ``sum``; empty when that line named no function (``if x``, ``range(x)``).
    """
    frame: FrameType | None = sys._getframe(1)
    name = ""
    while frame is not None and frame.f_code.co_filename.startswith(_INTERNAL):
        code = frame.f_code
        if "operation" in code.co_varnames[: code.co_argcount] and frame.f_locals["operation"]:
            return str(frame.f_locals["operation"])
        name = code.co_name
        frame = frame.f_back
    return "" if name.startswith("_") else name


def is_internal_file(name: str) -> bool:
    """Whether code in a file belongs to fnx, fnx_nn or NumPy, and not to a user.

    Parameters
    ----------
    name : str
        As in ``code.co_filename``.
    """
    return name.startswith(_INTERNAL)


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
# NumPy and the wrappers of the standard library stand between a user's line and ours.
_INTERNAL = (
    _ROOT + os.sep,
    os.path.join(os.path.dirname(_ROOT), "fnx_nn") + os.sep,
    os.path.dirname(os.path.abspath(np.__file__)) + os.sep,
    contextlib.__file__,
    functools.__file__,
)
# The order matters: "uint" holds "int".
_ABBREVIATIONS = (("float", "f"), ("uint", "u"), ("int", "i"), ("complex", "c"))
