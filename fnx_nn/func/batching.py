"""`vmap` of functions of tensors, and what batch normalization needs to take part in it.

Read next: `transforms`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import fnx
from fnx.tree_util import tree_flatten, tree_unflatten
from fnx_nn.func.array_calls import Rebuilt, run
from fnx_nn.nn.module import Module
from fnx_nn.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor
from fnx_nn.tensor.traced import from_array, pure_tracing

__all__ = ["replace_all_batch_norm_modules_", "vmap"]

_RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function, applied to all parts of its arguments along a dimension at once.

    Parameters
    ----------
    func : callable
        Takes containers of tensors, and gives containers of tensors.
    in_dims : int, None, or containers of them
        Along which dimension each argument is cut; None is not.
    out_dims : int, or containers of it
        Where the new dimension stands in the results.
    randomness : {"error", "same", "different"}
        Whether random numbers of the default generator may be drawn: not; once, for all parts; or
        for each part, which are then computed one after the other.
    chunk_size : int, optional
        How many parts are computed at once; all if left out.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = tree_flatten(args)
        dims = _leaf_dims(func, in_dims, args, leaves)
        count = _batch_size(leaves, dims)
        step = 1 if randomness == "different" else chunk_size or count or 1
        out = Rebuilt()
        parts = []
        for start in range(0, max(count, 1), step):
            cut = leaves
            if step < count:
                length = min(step, count - start)
                cut = [
                    leaf if dim is None else leaf.narrow(dim, start, length)
                    for leaf, dim in zip(leaves, dims, strict=True)
                ]
            state = default_generator.state_bytes() if randomness == "error" else None
            parts.append(_at_once(func, kwargs, cut, dims, tree, out))
            if state is not None and (state != default_generator.state_bytes()).any():
                default_generator.load_state_bytes(state)
                raise RuntimeError(_RANDOM)
        places = _broadcast(out_dims, out.build(parts[0]), "out_dims")
        results = []
        for k, place in enumerate(places):
            values = [part[k] for part in parts]
            whole = values[0] if len(values) == 1 else FUNCTIONS["cat"](values)
            results.append(_placed(func, whole, place))
        return out.build(results)

    return batched


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Let batch normalization keep no running statistics, which `vmap` could not write to.

    Parameters
    ----------
    root : Module
        Changed, with all its descendants.

    Examples
    --------
    >>> from fnx_nn import nn
    >>> replace_all_batch_norm_modules_(nn.BatchNorm1d(3)).running_mean is None
    True
    """
    for module in root.modules():
        if isinstance(module, (BatchNorm1d, BatchNorm2d, BatchNorm3d)):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def _at_once(
    func: Callable[..., Any],
    kwargs: dict[str, Any],
    leaves: list[Any],
    dims: list[int | None],
    tree: Any,
    out: Rebuilt,
) -> list[Tensor]:
    """The results for all parts, which lie along the first dimension."""
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    name = getattr(func, "__name__", repr(func))

    def refuse(leaf: Any) -> None:
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(leaf)}. Did "
                "you mean to set out_dims= to None for output?"
            )

    def part(*values: Any) -> list[Any]:
        with pure_tracing():
            given = list(leaves)
            for place, value in zip(places, values, strict=True):
                given[place] = from_array(value)
            return out.flatten(func(*tree_unflatten(tree, given), **kwargs), refuse)

    axes = tuple([dims[k] for k in places])
    return run(fnx.vmap(part, in_axes=axes), [leaves[k] for k in places])


def _placed(func: Callable[..., Any], whole: Tensor, place: Any) -> Tensor:
    if place is None:
        return whole[0]
    if not -whole.ndim <= place < whole.ndim:
        raise IndexError(
            f"vmap({getattr(func, '__name__', func)}, ...): out_dims={place} is out of range for a "
            f"result with {whole.ndim} dimensions; give one from {-whole.ndim} to {whole.ndim - 1}."
        )
    return whole.movedim(0, place)


def _leaf_dims(
    func: Callable[..., Any], in_dims: Any, args: tuple[Any, ...], leaves: list[Any]
) -> list[int | None]:
    name = getattr(func, "__name__", repr(func))
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
    found: list[int | None] = []
    for leaf, dim in zip(leaves, _broadcast(in_dims, args, "in_dims"), strict=True):
        if dim is None:
            found.append(None)
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but in_dim must be either an integer "
                "dimension or None."
            )
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We "
                "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise ValueError(
                f"{call}: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {leaf.ndim} so expected in_dim to satisfy {-leaf.ndim} <= in_dim "
                f"< {leaf.ndim}."
            )
        found.append(dim % leaf.ndim)
    if all(dim is None for dim in found):
        raise ValueError(
            f"{call}: no input is cut along a dimension; give at least one dimension that is not "
            "None."
        )
    return found


def _broadcast(dims: Any, value: Any, name: str) -> list[Any]:
    """One dimension for every leaf, of containers that begin like those of the value."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(tree_flatten(value)[0])
    if isinstance(dims, dict) and isinstance(value, dict) and dims.keys() == value.keys():
        return [d for key in sorted(value) for d in _broadcast(dims[key], value[key], name)]
    sequences = isinstance(dims, (tuple, list)) and isinstance(value, (tuple, list))
    if sequences and len(dims) == len(value):
        return [d for a, b in zip(dims, value, strict=True) for d in _broadcast(a, b, name)]
    raise ValueError(
        f"vmap: {name} is not compatible with the structure it describes: {dims} for "
        f"{type(value).__name__}. Give an int, or the same containers with ints in them."
    )


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [leaf.shape[d] for leaf, d in zip(leaves, dims, strict=True) if d is not None]
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]
