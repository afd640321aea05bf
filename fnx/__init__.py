"""fnx: pure functions over immutable arrays, traced and transformed by grad, vmap, jet and jit.

The names are those of `jax`.  A program written for it runs after ``import fnx as jax, fnx.numpy as
jnp``.
"""

from fnx import (
    ad_checkpoint,
    core,
    custom_batching,
    custom_derivatives,
    debug,
    dlpack,
    dtypes,
    errors,
    experimental,
    extend,
    flatten_util,
    interpreters,
    lax,
    nn,
    numpy,
    ops,
    optim,
    random,
    scipy,
    sharding,
    stages,
    test_util,
    tree,
    tree_util,
)
from fnx.config import (
    check_tracer_leaks,
    checking_leaks,
    config,
    debug_infs,
    debug_key_reuse,
    debug_nans,
    default_device,
    default_matmul_precision,
    default_prng_impl,
    disable_jit,
    enable_checks,
    enable_custom_prng,
    enable_x64,
    explain_cache_misses,
    log_compiles,
    no_retrace,
    numpy_dtype_promotion,
    numpy_rank_promotion,
)
from fnx.control import policies as checkpoint_policies
from fnx.control.callbacks import pure_callback
from fnx.control.checkpoint import checkpoint
from fnx.control.costs import cost
from fnx.control.custom_api import custom_gradient, custom_jvp, custom_vjp
from fnx.control.forward_and_backward import fwd_and_bwd
from fnx.control.jit import clear_caches, jit
from fnx.control.placement import (
    default_backend,
    device_count,
    device_get,
    device_put,
    local_device_count,
    local_devices,
    print_environment_info,
    typeof,
)
from fnx.control.staging_api import ShapeDtypeStruct, block_until_ready, eval_shape, make_jaxpr
from fnx.control.tracing_api import (
    closure_convert,
    effects_barrier,
    ensure_compile_time_eval,
    named_call,
    named_scope,
)
from fnx.core.array import Array
from fnx.core.device import Device, devices
from fnx.dtypes import float0
from fnx.kernels.threads import set_threads
from fnx.numpy.dynamic_slices import ds
from fnx.parallel import pmap, shard_map
from fnx.sharding import make_mesh
from fnx.transforms.grad import grad, jvp, linear_transpose, linearize, value_and_grad, vjp
from fnx.transforms.jacobian import hessian, jacfwd, jacrev
from fnx.transforms.vmap import vmap

jacobian = jacrev
remat = checkpoint

__all__ = [
    "Array",
    "Device",
    "ShapeDtypeStruct",
    "ad_checkpoint",
    "block_until_ready",
    "check_tracer_leaks",
    "checking_leaks",
    "checkpoint",
    "checkpoint_policies",
    "clear_caches",
    "closure_convert",
    "config",
    "core",
    "cost",
    "custom_batching",
    "custom_derivatives",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "debug",
    "debug_infs",
    "debug_key_reuse",
    "debug_nans",
    "default_backend",
    "default_device",
    "default_matmul_precision",
    "default_prng_impl",
    "device_count",
    "device_get",
    "device_put",
    "devices",
    "disable_jit",
    "dlpack",
    "ds",
    "dtypes",
    "effects_barrier",
    "enable_checks",
    "enable_custom_prng",
    "enable_x64",
    "ensure_compile_time_eval",
    "errors",
    "eval_shape",
    "experimental",
    "explain_cache_misses",
    "extend",
    "flatten_util",
    "float0",
    "fwd_and_bwd",
    "grad",
    "hessian",
    "interpreters",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linear_transpose",
    "linearize",
    "local_device_count",
    "local_devices",
    "log_compiles",
    "make_jaxpr",
    "make_mesh",
    "named_call",
    "named_scope",
    "nn",
    "no_retrace",
    "numpy",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "ops",
    "optim",
    "pmap",
    "print_environment_info",
    "pure_callback",
    "random",
    "remat",
    "scipy",
    "set_threads",
    "shard_map",
    "sharding",
    "stages",
    "test_util",
    "tree",
    "tree_util",
    "typeof",
    "value_and_grad",
    "vjp",
    "vmap",
]
