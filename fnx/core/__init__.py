"""The centre: arrays, types, primitives, tracing, the Jaxpr and its tools.

What those need who write interpreters and primitives of their own is exported here, under the names
of `jax.core` and `jax.extend.core`.

Reading order: ``types`` -> ``array`` -> ``primitive`` -> ``tracing`` -> ``jaxpr`` -> ``staging`` ->
``simplify`` -> ``check`` -> ``printing``. Nothing here knows a primitive or a transform by name.
"""

from fnx.core.interpretation import (
    check_jaxpr,
    eval_jaxpr,
    jaxpr_as_fun,
    jaxprs_in_params,
    new_jaxpr_eqn,
    subjaxprs,
)
from fnx.core.jaxpr import Atom, ClosedJaxpr, Jaxpr, Literal, Var
from fnx.core.jaxpr import Eqn as JaxprEqn
from fnx.core.printing import format_jaxpr
from fnx.core.tracing import Trace, Tracer
from fnx.core.types import Effect, ShapedArray
from fnx.core.user_primitive import UserPrimitive as Primitive
from fnx.errors import InconclusiveDimensionOperation, JaxprTypeError

__all__ = [
    "Atom",
    "ClosedJaxpr",
    "Effect",
    "InconclusiveDimensionOperation",
    "Jaxpr",
    "JaxprEqn",
    "JaxprTypeError",
    "Literal",
    "Primitive",
    "ShapedArray",
    "Trace",
    "Tracer",
    "Var",
    "check_jaxpr",
    "eval_jaxpr",
    "format_jaxpr",
    "jaxpr_as_fun",
    "jaxprs_in_params",
    "new_jaxpr_eqn",
    "subjaxprs",
]
