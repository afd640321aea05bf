"""A row for every name of `fnx` and its small modules: a call of it, and whether it gave the right
value.

`ROWS[module][name]` calls the name and gives True. The rows are small on purpose: what a name does
in depth is tested beside it.  Read next: `tests/fnx/test_names.py`, which lists the names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import core, errors, lax, tree, tree_util
from tests.support.tree_util_rows import TREE_UTIL_ROWS

__all__ = ["ROWS"]

Row = Callable[[], Any]


def raises(kind: type[BaseException], call: Callable[[], Any]) -> bool:
    """Whether a call raises an error of exactly this class."""
    try:
        call()
    except BaseException as error:
        return type(error) is kind
    return False


def printed(call: Callable[[], Any]) -> str:
    """What a call prints."""
    target = io.StringIO()
    with contextlib.redirect_stdout(target):
        call()
    return target.getvalue()


def logged(call: Callable[[], Any], name: str) -> list[str]:
    """The messages that a call logs."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        call()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    return messages


def same(value: Any, expected: Any) -> bool:
    """Whether arrays agree to single precision."""
    return bool(np.allclose(np.asarray(value), expected, rtol=1e-5, atol=1e-6))


def square(x: Any) -> Any:
    return x * x


def cubed() -> Any:
    @fnx.custom_jvp
    def f(x: Any) -> Any:
        return x**3

    f.defjvp(lambda primals, tangents: (f(*primals), 100.0 * tangents[0]))
    return f


def reversed_rule() -> Any:
    @fnx.custom_vjp
    def f(x: Any) -> Any:
        return x**3

    f.defvjp(lambda x: (f(x), x), lambda x, ct: (7.0 * ct,))
    return f


def primitives_in(function: Any, *args: Any) -> list[str]:
    return [eqn.primitive.name for eqn in fnx.make_jaxpr(function)(*args).eqns]


def fails_to_leak() -> None:
    kept: list[Any] = []
    with fnx.checking_leaks():
        fnx.jit(lambda x: kept.append(x * 2) or x)(1.0)


def traced_again() -> list[str]:
    f = fnx.jit(lambda x: x + 1)

    def calls() -> None:
        with fnx.explain_cache_misses():
            f(1.0)
            f(1)

    return logged(calls, "fnx.control.jit")


def one_trace_after_clearing() -> bool:
    f = fnx.jit(lambda x: x + 1)
    f(1.0)
    fnx.clear_caches()
    return f._cache_size() == 0 and float(f(1.0)) == 2


def x64_inside() -> bool:
    with fnx.enable_x64(True):
        inside = jnp.ones(1).dtype == np.float64
    return bool(inside) and jnp.ones(1).dtype == np.float32


def strict_promotion() -> None:
    with fnx.numpy_dtype_promotion("strict"):
        jnp.ones(1, "float32") + jnp.ones(1, "int32")


def sized_while_tracing(x: Any) -> Any:
    with fnx.ensure_compile_time_eval():
        n = int(jnp.sum(jnp.ones(3)))
    return jnp.zeros(n) + x


def gradient_clipped() -> Any:
    @fnx.custom_gradient
    def f(x: Any) -> Any:
        return x**2, lambda ct: 5.0 * ct

    return fnx.grad(f)(3.0)


def under(manager: Any, call: Callable[[], Any]) -> Any:
    with manager:
        return call()


def shown_scope() -> bool:
    with fnx.named_scope("layer"):
        return float(jnp.sin(0.0)) == 0


CPU = fnx.devices()[0]

FNX_ROWS: dict[str, Row] = {
    "Array": lambda: isinstance(jnp.ones(1), fnx.Array) and not isinstance(1.0, fnx.Array),
    "Device": lambda: isinstance(CPU, fnx.Device) and fnx.Device() == CPU,
    "ShapeDtypeStruct": lambda: fnx.ShapeDtypeStruct((2,), "float32").size == 2,
    "check_tracer_leaks": lambda: under(
        fnx.check_tracer_leaks(True), lambda: fnx.config.jax_check_tracer_leaks
    ),
    "checking_leaks": lambda: raises(errors.UnexpectedTracerError, fails_to_leak),
    "checkpoint": lambda: same(fnx.grad(fnx.checkpoint(square))(3.0), 6),
    "checkpoint_policies": lambda: same(
        fnx.grad(fnx.checkpoint(square, policy=fnx.checkpoint_policies.everything_saveable))(3.0),
        6,
    ),
    "clear_caches": one_trace_after_clearing,
    "closure_convert": lambda: fnx.closure_convert(square, 1.0)[1] == [],
    "config": lambda: fnx.config.read("jax_debug_nans") is False,
    "core": lambda: fnx.core.Literal(2.0).val == 2,
    "cost": lambda: fnx.cost(jnp.matmul)(jnp.ones((2, 3)), jnp.ones((3, 4))).flops == 48,
    "custom_gradient": lambda: same(gradient_clipped(), 5),
    "custom_jvp": lambda: same(fnx.grad(cubed())(2.0), 100),
    "custom_vjp": lambda: same(fnx.grad(reversed_rule())(2.0), 7),
    "debug_infs": lambda: under(
        fnx.debug_infs(True),
        lambda: raises(errors.NonFiniteError, lambda: 1.0 / jnp.zeros(1)),
    ),
    "debug_nans": lambda: under(
        fnx.debug_nans(True),
        lambda: raises(errors.NonFiniteError, lambda: jnp.log(jnp.float32(-1.0))),
    ),
    "default_backend": lambda: fnx.default_backend() == "cpu",
    "default_device": lambda: under(
        fnx.default_device(CPU), lambda: fnx.config.jax_default_device == CPU
    ),
    "default_matmul_precision": lambda: under(
        fnx.default_matmul_precision("highest"),
        lambda: fnx.config.jax_default_matmul_precision == "highest",
    ),
    "default_prng_impl": lambda: under(
        fnx.default_prng_impl("threefry2x32"),
        lambda: str(fnx.random.key_impl(fnx.random.key(0))) == "threefry2x32",
    ),
    "device_count": lambda: fnx.device_count() == 1,
    "device_get": lambda: type(fnx.device_get([jnp.ones(1)])[0]) is np.ndarray,
    "device_put": lambda: isinstance(fnx.device_put(np.ones(1), CPU), fnx.Array),
    "devices": lambda: [d.platform for d in fnx.devices()] == ["cpu"],
    "disable_jit": lambda: under(
        fnx.disable_jit(), lambda: fnx.jit(lambda x: x if x > 0 else -x)(-2.0) == 2
    ),
    "ds": lambda: same(fnx.jit(lambda x, i: x[fnx.ds(i, 2)])(jnp.arange(5), 3), [3, 4]),
    "effects_barrier": lambda: fnx.effects_barrier() is None,
    "enable_checks": lambda: under(fnx.enable_checks(), lambda: same(fnx.jit(square)(3.0), 9)),
    "enable_custom_prng": lambda: under(
        fnx.enable_custom_prng(), lambda: fnx.random.PRNGKey(0).shape == ()
    ),
    "enable_x64": x64_inside,
    "ensure_compile_time_eval": lambda: fnx.jit(sized_while_tracing)(1.0).shape == (3,),
    "eval_shape": lambda: fnx.eval_shape(jnp.sum, jnp.ones((2, 3))).shape == (),
    "explain_cache_misses": lambda: len(traced_again()) == 2 and "dtype of x" in traced_again()[1],
    "float0": lambda: fnx.float0 == np.dtype([("float0", np.void, 0)]),
    "fwd_and_bwd": lambda: same(
        (lambda pair: pair[1](pair[0](3.0)[1], 1.0)[0])(fnx.fwd_and_bwd(square, argnums=(0,))), 6
    ),
    "grad": lambda: same(fnx.grad(square)(3.0), 6),
    "hessian": lambda: same(fnx.hessian(lambda x: (x**3).sum())(jnp.ones(2)), 6 * np.eye(2)),
    "jacfwd": lambda: same(fnx.jacfwd(square)(jnp.arange(3.0)), np.diag([0, 2, 4])),
    "jacobian": lambda: same(fnx.jacobian(square)(jnp.arange(3.0)), np.diag([0, 2, 4])),
    "jacrev": lambda: same(fnx.jacrev(square)(jnp.arange(3.0)), np.diag([0, 2, 4])),
    "jit": lambda: same(fnx.jit(square)(3.0), 9),
    "jvp": lambda: same(fnx.jvp(square, (3.0,), (2.0,))[1], 12),
    "linear_transpose": lambda: same(fnx.linear_transpose(lambda x: 3 * x, 1.0)(2.0)[0], 6),
    "linearize": lambda: same(fnx.linearize(square, 3.0)[1](2.0), 12),
    "local_device_count": lambda: fnx.local_device_count() == 1,
    "local_devices": lambda: fnx.local_devices() == [CPU],
    "log_compiles": lambda: any(
        "compiled" in m
        for m in logged(
            lambda: under(fnx.log_compiles(), lambda: fnx.jit(lambda x: x - 1)(1.0)),
            "fnx.control.jit",
        )
    ),
    "make_jaxpr": lambda: primitives_in(jnp.sin, 1.0) == ["sin"],
    "make_mesh": lambda: fnx.make_mesh((1,), ("x",)).shape == {"x": 1},
    "named_call": lambda: (
        fnx.make_jaxpr(fnx.named_call(square, name="sq"))(1.0).eqns[0].params["name"] == "sq"
    ),
    "named_scope": shown_scope,
    "numpy_dtype_promotion": lambda: raises(errors.TypePromotionError, strict_promotion),
    "pmap": lambda: same(fnx.pmap(square)(jnp.full((1, 2), 3.0)), [[9, 9]]),
    "print_environment_info": lambda: "numpy: " in printed(fnx.print_environment_info),
    "pure_callback": lambda: same(
        fnx.jit(
            lambda x: fnx.pure_callback(
                lambda v: np.asarray(v) * 2, fnx.ShapeDtypeStruct((), "float32"), x
            )
        )(jnp.float32(3)),
        6,
    ),
    "remat": lambda: same(fnx.grad(fnx.remat(square))(3.0), 6),
    "shard_map": lambda: same(
        fnx.shard_map(
            lambda x: lax.psum(x, "x"),
            mesh=fnx.make_mesh((1,), ("x",)),
            out_specs=fnx.sharding.PartitionSpec(),
        )(3.0),
        3,
    ),
    "typeof": lambda: str(fnx.typeof(jnp.ones(2))) == "f32[2]",
    "value_and_grad": lambda: same(fnx.value_and_grad(square)(3.0), (9, 6)),
    "vjp": lambda: same(fnx.vjp(square, 3.0)[1](2.0)[0], 12),
    "vmap": lambda: same(fnx.vmap(jnp.sum)(jnp.ones((2, 3))), [3, 3]),
}

CLOSED = fnx.make_jaxpr(lambda x: fnx.jit(jnp.sin)(x) * jnp.arange(3.0))(2.0)
EQN = CLOSED.eqns[0]
NEXT = core.Primitive("next", infer=lambda x: x, evaluate=lambda x: x + 1)


def trace_now(x: Any) -> Any:
    assert isinstance(x, core.Tracer) and isinstance(x._trace, core.Trace)
    return x


def broken() -> None:
    core.check_jaxpr(CLOSED.jaxpr.replace(eqns=CLOSED.eqns[::-1]))


CORE_ROWS: dict[str, Row] = {
    "Atom": lambda: isinstance(EQN.invars[0], core.Atom),
    "ClosedJaxpr": lambda: same(core.ClosedJaxpr(CLOSED.jaxpr, CLOSED.consts)(0.0)[0], np.zeros(3)),
    "Effect": lambda: repr(core.Effect("prints")) == "prints",
    "InconclusiveDimensionOperation": lambda: (
        core.InconclusiveDimensionOperation is errors.InconclusiveDimensionOperation
    ),
    "Jaxpr": lambda: core.Jaxpr(CLOSED.jaxpr.in_vars, [], []).outvars == [],
    "JaxprEqn": lambda: isinstance(EQN, core.JaxprEqn) and EQN.primitive.name == "jit",
    "JaxprTypeError": lambda: raises(core.JaxprTypeError, broken),
    "Literal": lambda: core.Literal(3.0).val == 3,
    "Primitive": lambda: same(fnx.jit(NEXT)(1.0), 2),
    "ShapedArray": lambda: core.ShapedArray((2, 3), np.dtype("float32")).size == 6,
    "Trace": lambda: fnx.jit(trace_now)(1.0) == 1,
    "Tracer": lambda: fnx.grad(trace_now)(1.0) == 1,
    "Var": lambda: all(type(v) is core.Var for v in CLOSED.jaxpr.invars),
    "check_jaxpr": lambda: core.check_jaxpr(CLOSED) is None,
    "eval_jaxpr": lambda: same(
        core.eval_jaxpr(CLOSED.jaxpr, CLOSED.consts, 2.0)[0], np.sin(2) * np.arange(3)
    ),
    "jaxpr_as_fun": lambda: same(core.jaxpr_as_fun(CLOSED)(0.0)[0], np.zeros(3)),
    "jaxprs_in_params": lambda: len(list(core.jaxprs_in_params(EQN.params))) == 1,
    "new_jaxpr_eqn": lambda: (
        core.new_jaxpr_eqn(EQN.invars, EQN.outvars, EQN.primitive, {}).invars == EQN.invars
    ),
    "subjaxprs": lambda: next(core.subjaxprs(CLOSED.jaxpr)).eqns[0].primitive.name == "sin",
}


def lanes_counted() -> Any:
    @fnx.custom_batching.custom_vmap
    def f(x: Any) -> Any:
        return x

    f.def_vmap(lambda size, mapped, x: (x * size, True))
    return fnx.vmap(f)(jnp.ones(3))


def linear_called() -> Any:
    def f(x: Any) -> Any:
        return derivatives.linear_call(lambda r, v: r * v, lambda r, ct: 10.0 * ct, 2.0, x)

    return fnx.grad(f)(1.0)


def symbolic_primal() -> bool:
    seen = []

    @fnx.custom_vjp
    def f(x: Any, y: Any) -> Any:
        return x * y

    def forward(x: Any, y: Any) -> Any:
        seen.append((type(x) is derivatives.CustomVJPPrimal, x.perturbed, y.perturbed))
        values = derivatives.custom_vjp_primal_tree_values((x, y))
        return values[0] * values[1], values

    f.defvjp(forward, lambda saved, ct: (ct * saved[1], ct * saved[0]), symbolic_zeros=True)
    return same(fnx.grad(f)(2.0, 3.0), 3) and seen == [(True, True, False)]


def symbolic_tangent() -> bool:
    kinds = []

    @fnx.custom_jvp
    def f(x: Any, y: Any) -> Any:
        return x * y

    def rule(primals: Any, tangents: Any) -> Any:
        kinds.append([type(t) is derivatives.SymbolicZero for t in tangents])
        return f(*primals), tangents[0] * primals[1]

    f.defjvp(rule, symbolic_zeros=True)
    return same(fnx.jvp(lambda x: f(x, 3.0), (2.0,), (1.0,))[1], 3) and kinds == [[False, True]]


derivatives = fnx.custom_derivatives

CUSTOM_DERIVATIVES_ROWS: dict[str, Row] = {
    "CustomVJPPrimal": symbolic_primal,
    "SymbolicZero": symbolic_tangent,
    "closure_convert": lambda: derivatives.closure_convert is fnx.closure_convert,
    "custom_gradient": lambda: derivatives.custom_gradient is fnx.custom_gradient,
    "custom_jvp": lambda: derivatives.custom_jvp is fnx.custom_jvp,
    "custom_jvp_call_p": lambda: (
        primitives_in(cubed(), 1.0) == [derivatives.custom_jvp_call_p.name]
    ),
    "custom_vjp": lambda: derivatives.custom_vjp is fnx.custom_vjp,
    "custom_vjp_call_p": lambda: (
        primitives_in(reversed_rule(), 1.0) == [derivatives.custom_vjp_call_p.name]
    ),
    "custom_vjp_primal_tree_values": symbolic_primal,
    "linear_call": lambda: same(linear_called(), 10),
    "zero_from_primal": lambda: same(derivatives.zero_from_primal(jnp.ones(2)), [0, 0]),
}


def stopped() -> str:
    before, sys.stdin = sys.stdin, io.StringIO("p 1 + 1\nc\n")
    try:
        return printed(fnx.debug.breakpoint)
    finally:
        sys.stdin = before


def effects_of(function: Any) -> list[Any]:
    return list(fnx.make_jaxpr(function)(1.0).effects)


def called_back() -> list[float]:
    seen: list[float] = []
    fnx.jit(lambda x: fnx.debug.callback(lambda v: seen.append(float(v)), x))(2.0)
    return seen


DEBUG_ROWS: dict[str, Row] = {
    "DebugEffect": lambda: (
        type(effects_of(lambda x: fnx.debug.print("{}", x))[0]) is fnx.debug.DebugEffect
    ),
    "OrderedDebugEffect": lambda: (
        type(effects_of(lambda x: fnx.debug.print("{}", x, ordered=True))[0])
        is fnx.debug.OrderedDebugEffect
    ),
    "breakpoint": lambda: "(fdb) 2" in stopped(),
    "callback": lambda: called_back() == [2.0],
    "inspect_array_sharding": lambda: (
        fnx.debug.inspect_array_sharding(jnp.ones(1), callback=lambda s: s.device == CPU or 1 / 0)
        is None
    ),
    "log": lambda: logged(lambda: fnx.debug.log("loss {}", 0.5), "fnx.debug") == ["loss 0.5"],
    "print": lambda: (
        printed(lambda: fnx.jit(lambda x: fnx.debug.print("x={}", x))(1.0)) == "x=1.0\n"
    ),
    "visualize_array_sharding": lambda: (
        "CPU 0" in printed(lambda: fnx.debug.visualize_array_sharding(jnp.ones((2, 2))))
    ),
    "visualize_sharding": lambda: (
        "CPU 0" in printed(lambda: fnx.debug.visualize_sharding((4,), CPU))
    ),
}


def reused_key() -> None:
    key = fnx.random.key(0)
    with fnx.debug_key_reuse(True):
        fnx.random.normal(key)
        fnx.random.normal(key)


def deleted() -> None:
    x = jnp.ones(1)
    x.delete()
    x + 1


def leaked() -> None:
    kept: list[Any] = []
    fnx.jit(lambda x: kept.append(x) or x)(1.0)
    kept[0] + 1


ERRORS_ROWS: dict[str, Row] = {
    "ConcretizationTypeError": lambda: raises(
        errors.ConcretizationTypeError, lambda: fnx.jit(lambda x: float(x))(1.0)
    ),
    "InconclusiveDimensionOperation": lambda: issubclass(
        errors.InconclusiveDimensionOperation, errors.FnxError
    ),
    "JAXIndexError": lambda: (
        issubclass(errors.JAXIndexError, IndexError)
        and issubclass(errors.NonConcreteBooleanIndexError, errors.JAXIndexError)
    ),
    "JAXTypeError": lambda: (
        issubclass(errors.JAXTypeError, TypeError)
        and issubclass(errors.ConcretizationTypeError, errors.JAXTypeError)
    ),
    "JaxRuntimeError": lambda: (
        issubclass(errors.JaxRuntimeError, RuntimeError)
        and raises(errors.DeletedArrayError, deleted)
    ),
    "JaxprTypeError": lambda: raises(errors.JaxprTypeError, broken),
    "KeyReuseError": lambda: raises(errors.KeyReuseError, reused_key),
    "NonConcreteBooleanIndexError": lambda: raises(
        errors.NonConcreteBooleanIndexError, lambda: fnx.jit(lambda x: x[x > 0])(jnp.ones(2))
    ),
    "TracerArrayConversionError": lambda: raises(
        errors.TracerArrayConversionError, lambda: fnx.jit(lambda x: np.asarray(x))(1.0)
    ),
    "TracerBoolConversionError": lambda: raises(
        errors.TracerBoolConversionError, lambda: fnx.jit(lambda x: not x)(1.0)
    ),
    "TracerIntegerConversionError": lambda: raises(
        errors.TracerIntegerConversionError, lambda: fnx.jit(lambda i: [1, 2][i])(1)
    ),
    "UnexpectedTracerError": lambda: raises(errors.UnexpectedTracerError, leaked),
}


def raveled() -> bool:
    flat, unravel = fnx.flatten_util.ravel_pytree({"a": jnp.ones(2), "b": 3.0})
    return same(flat, [1, 1, 3]) and same(unravel(flat)["b"], 3)


SPEC = fnx.sharding.PartitionSpec("x")
MESH = fnx.sharding.Mesh([CPU], ("x",))
WRAPPED = fnx.jit(lambda x: x * 3)


@tree_util.register_dataclass
@dataclasses.dataclass
class Layer:
    """A node with a part of its structure that is no child."""

    weight: Any
    name: str = tree.static(default="dense")


TREE: Any = {"a": 1, "b": (2, 3)}

TREE_ROWS: dict[str, Row] = {
    "all": lambda: tree.all({"a": True}) and not tree.all([True, False]),
    "broadcast": lambda: tree.broadcast(7, TREE) == {"a": 7, "b": (7, 7)},
    "flatten": lambda: tree.flatten(TREE)[0] == [1, 2, 3],
    "flatten_with_path": lambda: tree.flatten_with_path(TREE)[0][0][1] == 1,
    "leaves": lambda: tree.leaves(TREE) == [1, 2, 3],
    "leaves_with_path": lambda: tree_util.keystr(tree.leaves_with_path(TREE)[2][0]) == "['b'][1]",
    "map": lambda: tree.map(lambda x, y: x + y, TREE, TREE) == {"a": 2, "b": (4, 6)},
    "map_with_path": lambda: tree.map_with_path(lambda p, x: len(p) * x, TREE)["b"] == (4, 6),
    "reduce": lambda: tree.reduce(lambda x, y: x * y, TREE) == 6,
    "reduce_associative": lambda: tree.reduce_associative(lambda x, y: x + y, TREE) == 6,
    "static": lambda: (
        tree.leaves(Layer(1.0)) == [1.0] and "dense" in str(tree.structure(Layer(1.0)))
    ),
    "structure": lambda: tree.structure(TREE).num_leaves == 3,
    "transpose": lambda: (
        tree.transpose(tree.structure([0, 0]), tree.structure({"a": 0}), [{"a": 1}, {"a": 2}])
        == {"a": [1, 2]}
    ),
    "unflatten": lambda: tree.unflatten(tree.structure(TREE), [4, 5, 6]) == {"a": 4, "b": (5, 6)},
}

ROWS: dict[str, dict[str, Row]] = {
    "fnx": FNX_ROWS,
    "fnx.core": CORE_ROWS,
    "fnx.custom_batching": {
        "custom_vmap": lambda: same(lanes_counted(), [3, 3, 3]),
        "sequential_vmap": lambda: same(
            fnx.vmap(fnx.custom_batching.sequential_vmap(square))(jnp.arange(3.0)), [0, 1, 4]
        ),
    },
    "fnx.custom_derivatives": CUSTOM_DERIVATIVES_ROWS,
    "fnx.debug": DEBUG_ROWS,
    "fnx.dlpack": {
        "from_dlpack": lambda: same(fnx.dlpack.from_dlpack(np.arange(3)), [0, 1, 2]),
        "is_supported_dtype": lambda: fnx.dlpack.is_supported_dtype("float32"),
    },
    "fnx.errors": ERRORS_ROWS,
    "fnx.flatten_util": {"ravel_pytree": raveled},
    "fnx.sharding": {
        "Mesh": lambda: MESH.size == 1,
        "NamedSharding": lambda: fnx.sharding.NamedSharding(MESH, SPEC).device_set == {CPU},
        "PartitionSpec": lambda: SPEC.names == ("x",),
        "SingleDeviceSharding": lambda: (
            jnp.ones(1).sharding == fnx.sharding.SingleDeviceSharding(CPU)
        ),
    },
    "fnx.stages": {
        "ArgInfo": lambda: isinstance(WRAPPED.trace(1.0).args_info[0][0], fnx.stages.ArgInfo),
        "Compiled": lambda: same(WRAPPED.lower(1.0).compile()(2.0), 6),
        "Lowered": lambda: isinstance(WRAPPED.lower(1.0), fnx.stages.Lowered),
        "Traced": lambda: isinstance(WRAPPED.trace(1.0), fnx.stages.Traced),
        "Wrapped": lambda: isinstance(WRAPPED, fnx.stages.Wrapped),
    },
    "fnx.test_util": {
        name: lambda name=name, given=given: raises(
            AssertionError, lambda: getattr(fnx.test_util, name)(*given)
        )
        for name, given in {
            "check_grads": (cubed(), (2.0,), 1),
            "check_jvp": (square, lambda p, t: (square(*p), t[0]), (np.float64(3.0),)),
            "check_vjp": (square, lambda *p: (square(*p), lambda ct: (ct,)), (np.float64(3.0),)),
        }.items()
    },
    "fnx.tree": TREE_ROWS,
    "fnx.tree_util": TREE_UTIL_ROWS,
}
