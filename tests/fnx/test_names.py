"""Every listed name is there, and a call of it gives what it should: see `name_rows`."""

from __future__ import annotations

import importlib

import pytest

from tests.support.name_rows import ROWS

#: What must exist, beside `fnx.lax`, `fnx.numpy`, `fnx.random` and `fnx.scipy`, which have tests of
#: their own.
NAMES: dict[str, list[str]] = {
    "fnx": """Array Device ShapeDtypeStruct check_tracer_leaks checking_leaks checkpoint
        checkpoint_policies clear_caches closure_convert config core cost custom_gradient custom_jvp
        custom_vjp debug_infs debug_nans default_backend default_device default_matmul_precision
        default_prng_impl device_count device_get device_put devices disable_jit ds effects_barrier
        enable_checks enable_custom_prng enable_x64 ensure_compile_time_eval eval_shape
        explain_cache_misses float0 fwd_and_bwd grad hessian jacfwd jacobian jacrev jit jvp
        linear_transpose linearize local_device_count local_devices log_compiles make_jaxpr
        make_mesh named_call named_scope numpy_dtype_promotion pmap print_environment_info
        pure_callback remat shard_map typeof value_and_grad vjp vmap""".split(),
    "fnx.core": """Atom ClosedJaxpr Effect InconclusiveDimensionOperation Jaxpr JaxprEqn
        JaxprTypeError Literal Primitive ShapedArray Trace Tracer Var check_jaxpr eval_jaxpr
        jaxpr_as_fun jaxprs_in_params new_jaxpr_eqn subjaxprs""".split(),
    "fnx.custom_batching": ["custom_vmap", "sequential_vmap"],
    "fnx.custom_derivatives": """CustomVJPPrimal SymbolicZero closure_convert custom_gradient
        custom_jvp custom_jvp_call_p custom_vjp custom_vjp_call_p custom_vjp_primal_tree_values
        linear_call zero_from_primal""".split(),
    "fnx.debug": """DebugEffect OrderedDebugEffect breakpoint callback inspect_array_sharding log
        print visualize_array_sharding visualize_sharding""".split(),
    "fnx.dlpack": ["from_dlpack", "is_supported_dtype"],
    "fnx.errors": """ConcretizationTypeError InconclusiveDimensionOperation JAXIndexError
        JAXTypeError JaxRuntimeError JaxprTypeError KeyReuseError NonConcreteBooleanIndexError
        TracerArrayConversionError TracerBoolConversionError TracerIntegerConversionError
        UnexpectedTracerError""".split(),
    "fnx.flatten_util": ["ravel_pytree"],
    "fnx.sharding": ["Mesh", "NamedSharding", "PartitionSpec", "SingleDeviceSharding"],
    "fnx.stages": ["ArgInfo", "Compiled", "Lowered", "Traced", "Wrapped"],
    "fnx.test_util": ["check_grads", "check_jvp", "check_vjp"],
    "fnx.tree": """all broadcast flatten flatten_with_path leaves leaves_with_path map map_with_path
        reduce reduce_associative static structure transpose unflatten""".split(),
    "fnx.tree_util": """DictKey FlattenedIndexKey GetAttrKey KeyEntry KeyPath Partial PyTreeDef
        SequenceKey all_leaves default_registry flatten_one_level flatten_one_level_with_keys
        is_tree_node keystr register_dataclass register_pytree_node register_pytree_node_class
        register_pytree_with_keys register_pytree_with_keys_class register_static tree_all
        tree_broadcast tree_flatten tree_flatten_with_path tree_leaves tree_leaves_with_path
        tree_map tree_map_with_path tree_reduce tree_reduce_associative tree_structure
        tree_transpose tree_unflatten treedef_children treedef_is_leaf treedef_tuple""".split(),
}

CASES = [(module, name) for module, names in NAMES.items() for name in names]


@pytest.mark.parametrize("module", list(NAMES))
def test_every_listed_name_is_public_and_has_a_row(module: str) -> None:
    public = importlib.import_module(module)
    assert [n for n in NAMES[module] if n not in public.__all__ or not hasattr(public, n)] == []
    assert sorted(ROWS[module]) == sorted(NAMES[module])


@pytest.mark.parametrize(("module", "name"), CASES, ids=[f"{m}.{n}" for m, n in CASES])
def test_a_call_gives_the_right_value(module: str, name: str) -> None:
    assert ROWS[module][name]()
