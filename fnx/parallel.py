"""`pmap` and `shard_map`, for the one device that there is.

Programs written for many devices run: an axis of devices has size 1, a collective along it is over
one lane, and what needs more devices says so.  On one machine `fnx.vmap` is the way to many lanes;
its kernels run on all cores.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.jit import jit
from fnx.control.placement import device_count
from fnx.core.device import checked_device
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.sharding import Mesh, PartitionSpec
from fnx.transforms.trees import check_callable, function_name
from fnx.transforms.vmap import vmap

__all__ = ["pmap", "shard_map"]


def pmap(
    fun: Callable[..., Any],
    axis_name: Hashable | None = None,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    static_broadcasted_argnums: int | Sequence[int] = (),
    devices: Any = None,
    backend: str | None = None,
    axis_size: int | None = None,
    donate_argnums: int | Sequence[int] = (),
) -> Callable[..., Any]:
    """Map a function over an axis of its arguments, one device for each element: over one.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    axis_name : hashable, optional
        For collectives, as of `vmap`.
    in_axes, out_axes : int, None or pytree of them
        As of `vmap`.  The mapped axis has size ``device_count()``, which is 1.
    static_broadcasted_argnums : int or sequence of int
        Arguments that are Python values and are not mapped.
    devices, backend : sequence of Device, str or None
        The CPU.
    axis_size : int, optional
        The size of the mapped axis.
    donate_argnums : int or sequence of int
        As of `jit`.

    Returns
    -------
    callable
        Compiled: ``jit(vmap(fun))`` for an axis of size 1.

    Raises
    ------
    ValueError
        The mapped axis has another size; use `vmap`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.pmap(lambda x: x * 2)(jnp.ones((1, 3)))
    Array([[2., 2., 2.]], dtype=float32)
    """
    check_callable("pmap", fun)
    name = f"pmap of {function_name(fun)}"
    for device in devices or ():
        checked_device("pmap", device)
    count = device_count(backend)
    numbers = static_broadcasted_argnums
    static = (numbers,) if isinstance(numbers, int) else tuple(numbers)

    @functools.wraps(fun)
    def mapped(*args: Any) -> Any:
        fixed = {k % len(args): args[k % len(args)] for k in static}
        rest = [a for k, a in enumerate(args) if k not in fixed]

        def of_rest(*xs: Any) -> Any:
            it = iter(xs)
            return fun(*[fixed[k] if k in fixed else next(it) for k in range(len(args))])

        axes = in_axes
        if fixed and isinstance(in_axes, (tuple, list)):
            axes = tuple([a for k, a in enumerate(in_axes) if k not in fixed])
        size = axis_size if axis_size is not None else _mapped_size(name, rest, axes)
        if size != count:
            raise ArgumentValueError(
                f"{name}: the mapped axis has size {size}, there is {count} device. Use fnx.vmap, "
                "which means the same and runs all lanes on this device, with all of its cores."
            )
        return vmap(of_rest, axes, out_axes, axis_name, size)(*rest)

    return jit(mapped, static_argnums=static or None, donate_argnums=donate_argnums)


def _mapped_size(name: str, args: Sequence[Any], in_axes: Any) -> int:
    """The size of the axis that the first mapped leaf is mapped over."""
    axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
    dims = tree_util.broadcast_prefix(
        axes, tuple(args), is_leaf=lambda x: x is None, operation=name, name="in_axes"
    )
    for leaf, dim in zip(tree_util.tree_leaves(tuple(args)), dims, strict=True):
        if dim is not None:
            shape = tuple(getattr(leaf, "shape", ()))
            if not -len(shape) <= dim < len(shape):
                raise ArgumentValueError(
                    f"{name}: an argument of shape {shape} has no axis {dim} to map over."
                )
            return int(shape[dim])
    raise ArgumentValueError(f"{name}: at least one argument must have a mapped axis.")


def shard_map(
    f: Callable[..., Any] | None = None,
    /,
    *,
    out_specs: Any,
    in_specs: Any = None,
    mesh: Mesh | None = None,
    axis_names: Collection[str] = frozenset(),
    check_vma: bool = True,
) -> Any:
    """Run a function on each device's part of its arguments: on all of them, there is one device.

    Parameters
    ----------
    f : callable
        Takes and gives pytrees of arrays; may use collectives along the axes of the mesh.
    out_specs, in_specs : pytree of PartitionSpec
        Prefixes of the trees of results and arguments. They are checked; each axis of the mesh has
        size 1, so that a part is the whole. `in_specs` may be left out.
    mesh : Mesh
        From `fnx.make_mesh`.
    axis_names : collection of str
        The axes of the mesh along which collectives go; all by default.
    check_vma : bool
        Whether results must not be divided along axes that `out_specs` leave out; along axes of
        size 1 nothing is, so both values do the same.

    Returns
    -------
    callable
        Of the same arguments.

    Raises
    ------
    TypeError, ValueError
        There is no mesh, or specs don't fit it, the arguments or the results.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> from fnx.sharding import PartitionSpec
    >>> mesh = fnx.make_mesh((1,), ("data",))
    >>> mean = fnx.shard_map(lambda x: lax.pmean(x.sum(), "data"), mesh=mesh,
    ...     in_specs=PartitionSpec("data"), out_specs=PartitionSpec())
    >>> mean(jnp.arange(3.))
    Array(3., dtype=float32)
    """
    if f is None:
        return functools.partial(
            shard_map, out_specs=out_specs, in_specs=in_specs, mesh=mesh,
            axis_names=axis_names, check_vma=check_vma,
        )  # fmt: skip
    check_callable("shard_map", f)
    name = f"shard_map of {function_name(f)}"
    if not isinstance(mesh, Mesh):
        raise ArgumentTypeError(
            f"{name}: mesh must be a Mesh, got {type(mesh).__name__}. Make one with "
            "fnx.make_mesh((1,), ('data',))."
        )
    strangers = sorted(set(axis_names) - set(mesh.axis_names))
    if strangers:
        raise ArgumentValueError(f"{name}: axis_names {strangers} aren't axes of {mesh!r}.")
    names = [n for n in mesh.axis_names if not axis_names or n in axis_names]

    @functools.wraps(f)
    def sharded(*args: Any) -> Any:
        if in_specs is not None:
            _check_specs(f"{name}: in_specs", mesh, in_specs, args)
        function: Callable[[], Any] = functools.partial(f, *args)
        for axis in names:
            function = functools.partial(_one_lane, function, axis)
        out = function()
        _check_specs(f"{name}: out_specs", mesh, out_specs, out)
        return out

    return sharded


def _one_lane(function: Callable[[], Any], axis: str) -> Any:
    """What a function without arguments gives in the only lane of a named axis."""
    out = vmap(lambda _: function(), None, 0, axis, 1)(0)
    return tree_util.tree_map(lambda x: x[0], out)


def _check_specs(what: str, mesh: Mesh, specs: Any, tree: Any) -> None:
    if isinstance(specs, list):
        specs = tuple(specs)
    found = tree_util.broadcast_prefix(
        specs,
        tree,
        is_leaf=lambda s: isinstance(s, PartitionSpec) or s is None,
        operation=what,
        name="specs",
    )
    for spec, leaf in zip(found, tree_util.tree_leaves(tree), strict=True):
        mesh.check_spec(what, spec, len(getattr(leaf, "shape", ())))
