"""Keys of the counter-based generator threefry 2x32.

A raw key is a uint32 array whose last axis has two words; `key` gives it typed, as a `KeyArray`,
which is a pytree with that array as its leaf.  Splitting hashes counters, as JAX does with
``jax_threefry_partitionable`` (its default). Reference: Salmon, Moraes, Dror and Shaw, *Parallel
random numbers: as easy as 1, 2, 3* (2011).  Read next: `words`, what is computed from keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx import tree_util
from fnx.config import settings
from fnx.core.array import adopt
from fnx.core.conversion import as_value, is_arraylike
from fnx.core.extended import ExtendedArray
from fnx.core.tracing import Tracer
from fnx.dtypes import ExtendedDType, prng_key
from fnx.errors import ArgumentTypeError, ArgumentValueError, NumberOverflowError
from fnx.primitives.bits import shift_right_logical, threefry2x32
from fnx.primitives.shaping import full, reshape
from fnx.random.reuse import consumed, fresh
from fnx.random.words import Pair, hashed_counters
from fnx.transforms.structural import structural

__all__ = [
    "KEY_DTYPE",
    "KeyArray",
    "KeyDType",
    "PRNGKey",
    "clone",
    "fold_in",
    "key",
    "key_data",
    "key_dtype",
    "key_impl",
    "raw",
    "split",
    "used",
    "wrap_key_data",
]


class KeyDType(ExtendedDType):
    """The dtype of typed keys of threefry 2x32; there is one, see `key_dtype`."""

    __slots__ = ()
    type = prng_key
    name = "key<fry>"
    itemsize = 8


KEY_DTYPE = KeyDType()


@tree_util.register_pytree_node_class
class KeyArray(ExtendedArray):
    """An array of typed keys; made by `key`.

    Functions that only place elements take it (``jnp.stack([k1, k2])``, ``jnp.where``); what
    computes refuses it.

    Parameters
    ----------
    data : Array
        uint32, with a last axis of two words.

    Examples
    --------
    >>> import fnx
    >>> fnx.random.key(0)
    KeyArray(shape=(), impl=threefry2x32)
    """

    __slots__ = ()
    remedy = "Draw numbers with keys, or take their words, random.key_data(keys)."

    @property
    def dtype(self) -> KeyDType:
        """See `key_dtype`."""
        return KEY_DTYPE

    @property
    def at(self) -> KeyIndexHelper:
        """Updates: ``keys.at[index].set(values)``."""
        return KeyIndexHelper(self)

    copy = jnp.copy
    flatten = jnp.ravel
    ravel = jnp.ravel
    squeeze = jnp.squeeze
    swapaxes = jnp.swapaxes
    take = jnp.take
    T = property(lambda self: jnp.transpose(self), doc="The axes in reversed order.")

    def __getitem__(self, index: Any) -> KeyArray:
        index = index if isinstance(index, tuple) else (index,)
        if not any(part is Ellipsis for part in index):
            index = (*index, Ellipsis)
        return KeyArray(self.data[(*index, slice(None))])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise ArgumentTypeError(
            "keys[index] = k: arrays are immutable. Write keys = keys.at[index].set(k)."
        )

    def __len__(self) -> int:
        if not self.shape:
            raise ArgumentTypeError("len() of a single key")
        return self.shape[0]

    def __iter__(self) -> Iterator[KeyArray]:
        return iter([self[k] for k in range(len(self))])

    def __eq__(self, other: object) -> Any:
        return jnp.equal(self, other) if _is_array(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return jnp.not_equal(self, other) if _is_array(other) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of all arrays

    def __contains__(self, key: object) -> bool:
        return bool(jnp.any(self == key))

    def reshape(self, *shape: Any, order: str = "C") -> KeyArray:
        """The keys in another shape; see `fnx.numpy.reshape`.

        Parameters
        ----------
        *shape : int
            The extents.
        order : {"C", "F"}
            The order in which keys are read and placed.
        """
        found: KeyArray = jnp.reshape(self, shape[0] if len(shape) == 1 else shape, order)
        return found

    def transpose(self, *axes: Any) -> KeyArray:
        """The axes in another order; see `fnx.numpy.transpose`.

        Parameters
        ----------
        *axes : int
            For each axis of the result, that of the keys; reversed by default.
        """
        order = axes[0] if len(axes) == 1 else axes or None
        found: KeyArray = jnp.transpose(self, order)
        return found

    def astype(self, dtype: Any) -> KeyArray:
        """The keys, if that is their dtype.

        Parameters
        ----------
        dtype : dtype
            Of keys.

        Raises
        ------
        TypeError
            It's another one.
        """
        return self if dtype == KEY_DTYPE else self.refuse("astype")

    def block_until_ready(self) -> KeyArray:
        """The keys, computed."""
        self.data.block_until_ready()
        return self

    def __repr__(self) -> str:
        return f"KeyArray(shape={self.shape}, impl=threefry2x32)"

    def tree_flatten(self) -> tuple[tuple[Any], None]:
        """The words."""
        return (self.data,), None

    @classmethod
    def tree_unflatten(cls, aux: None, children: tuple[Any]) -> KeyArray:
        """A key from its words."""
        return cls(children[0])


def _is_array(x: Any) -> bool:
    return isinstance(x, KeyArray) or is_arraylike(x)


class KeyIndexHelper:
    """``keys.at``: ``keys.at[index]`` gives what updates keys."""

    __slots__ = ("keys",)

    def __init__(self, keys: KeyArray) -> None:
        self.keys = keys

    def __getitem__(self, index: Any) -> KeyIndexUpdate:
        return KeyIndexUpdate(self.keys, index)


class KeyIndexUpdate:
    """Updates of the keys at an index."""

    __slots__ = ("index", "keys")

    def __init__(self, keys: KeyArray, index: Any) -> None:
        self.keys = keys
        self.index = index

    def get(self, **options: Any) -> KeyArray:
        """The keys there; see `fnx.numpy.index_updates.IndexUpdate.get`.

        Parameters
        ----------
        **options
            ``mode``, ``fill_value`` and promises.
        """

        @structural("keys")
        def get(keys: Any) -> Any:
            return keys.at[self.index].get(**options)

        return get(self.keys)

    def set(self, values: Any, **options: Any) -> KeyArray:
        """Keys replaced; see `fnx.numpy.index_updates.IndexUpdate.set`.

        Parameters
        ----------
        values : KeyArray
            Broadcast to the indexed shape.
        **options
            ``mode`` and promises.
        """

        @structural("keys", "values")
        def set(keys: Any, values: Any) -> Any:
            return keys.at[self.index].set(values, **options)

        return set(self.keys, values)


def PRNGKey(seed: Any, *, impl: Any = None) -> Any:
    """A raw key: two uint32 words.

    Under ``enable_custom_prng`` it is a typed one, as `key` gives.

    Parameters
    ----------
    seed : int
        Of 64 bits.
    impl : {None, "threefry2x32"}
        The generator.

    Examples
    --------
    >>> PRNGKey(0)
    Array([0, 0], dtype=uint32)
    """
    _check_impl("PRNGKey", impl)
    words = fresh("PRNGKey", _seeded("PRNGKey", seed))
    return KeyArray(words) if settings().enable_custom_prng else words


def _seeded(operation: str, seed: Any) -> Any:
    if isinstance(seed, KeyArray):
        raise ArgumentTypeError(f"{operation}: the seed must be an integer scalar, got a key.")
    offset = settings().random_seed_offset
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        number = int(seed) + offset
        if not -(2**63) <= number < 2**64:
            raise NumberOverflowError(f"{operation}: the seed {number} doesn't fit into 64 bits.")
        narrow = not settings().enable_x64 and -(2**31) <= number < 2**31
        # An int32, where that is what Python's integers are: a negative one has no upper word.
        whole = number & (2**32 - 1 if narrow else 2**64 - 1)
        return adopt(np.array([whole >> 32, whole & 0xFFFFFFFF], np.uint32))
    value = as_value(seed, operation, "seed")
    if value.shape != () or value.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"{operation}: the seed must be an integer scalar, got {value.aval!r}."
        )
    if offset:
        value = value + jnp.asarray(offset, value.dtype)
    low = value.astype("uint32")
    high = (
        shift_right_logical(value, full((), 32, value.dtype)).astype("uint32")
        if value.dtype.itemsize == 8
        else full((), 0, np.uint32)
    )
    return jnp.stack([high, low])


def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """A typed key.

    Parameters
    ----------
    seed : int
        Of 64 bits.
    impl : {None, "threefry2x32"}
        The generator.
    dtype : dtype or str, optional
        Says the generator, too: `key_dtype`, or its name.

    Examples
    --------
    >>> key(0).dtype
    key<fry>
    """
    _check_impl("key", _one_spec("key", impl, dtype))
    return KeyArray(fresh("key", _seeded("key", seed)))


def _one_spec(operation: str, impl: Any, dtype: Any) -> Any:
    if impl is not None and dtype is not None:
        raise ArgumentValueError(f"{operation}: give impl or dtype, not both.")
    return dtype if impl is None else impl


def _check_impl(operation: str, impl: Any) -> None:
    if impl is not None and impl != KEY_DTYPE and impl != settings().default_prng_impl:
        raise ArgumentValueError(
            f"{operation}: the generator {impl!r} doesn't exist; there is 'threefry2x32'."
        )


def key_dtype(impl_spec: Any = None) -> KeyDType:
    """The dtype of typed keys.

    Parameters
    ----------
    impl_spec : {None, "threefry2x32"}
        The generator.

    Examples
    --------
    >>> import fnx
    >>> fnx.dtypes.issubdtype(key_dtype(), fnx.dtypes.prng_key)
    True
    """
    _check_impl("key_dtype", impl_spec)
    return KEY_DTYPE


def raw(operation: str, k: Any, single: bool = True) -> Any:
    """The words of a key, checked.

    Raises
    ------
    TypeError
        Not a key.
    """
    data = k.data if isinstance(k, KeyArray) else k
    if not hasattr(data, "dtype"):
        raise ArgumentTypeError(
            f"{operation}: expected a key, got {type(k).__name__}. Make one with random.key(seed)."
        )
    value = data if isinstance(data, Tracer) else as_value(data, operation, "key")
    if value.dtype != np.uint32 or value.ndim < 1 or value.shape[-1] != 2:
        raise ArgumentTypeError(
            f"{operation}: expected a key (uint32 with a last axis of 2), got {value.aval!r}. "
            "Make one with random.key(seed)."
        )
    if single and value.ndim != 1:
        raise ArgumentValueError(
            f"{operation}: expected one key, got an array of keys of shape {value.shape[:-1]}. Map "
            "with vmap."
        )
    return value


def used(operation: str, k: Any) -> Pair:
    """The two words of a key that is used up by this."""
    words = consumed(operation, raw(operation, k))
    return reshape(words[0:1], ()), reshape(words[1:2], ())


def _like(model: Any, data: Any) -> Any:
    typed = isinstance(model, KeyArray) or settings().enable_custom_prng
    return KeyArray(data) if typed else data


def split(key: Any, num: Any = 2) -> Any:
    """New keys from one.

    Parameters
    ----------
    key : key
        Not to be used any more.
    num : int or tuple of int
        How many, or in which shape.

    Examples
    --------
    >>> split(PRNGKey(0)).shape
    (2, 2)
    """
    shape = (num,) if isinstance(num, (int, np.integer)) else tuple(num)
    a, b = hashed_counters(used("split", key), shape)
    return _like(key, fresh("split", jnp.stack([a, b], axis=-1)))


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer.

    Parameters
    ----------
    key : key
        May be folded with other integers, too.
    data : int
        Of 32 bits.

    Examples
    --------
    >>> per_step = [fold_in(PRNGKey(0), step) for step in range(3)]
    """
    words = raw("fold_in", key)
    number = jnp.asarray(data)
    if number.ndim or number.dtype.kind not in "iu":
        raise ArgumentTypeError(f"fold_in: data must be an integer scalar, got {number.aval!r}.")
    a, b = threefry2x32(words[0], words[1], full((), 0, np.uint32), number.astype("uint32"))
    return _like(key, fresh("fold_in", jnp.stack([a, b])))


def key_data(keys: Any) -> Any:
    """The words of typed keys.

    Parameters
    ----------
    keys : KeyArray
        Typed or raw keys.

    Examples
    --------
    >>> key_data(key(7))
    Array([0, 7], dtype=uint32)
    """
    return raw("key_data", keys, single=False)


def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """Typed keys from words.

    Parameters
    ----------
    key_bits_array : Array
        uint32, with a last axis of two words.
    impl : {None, "threefry2x32"}
        The generator.
    dtype : dtype or str, optional
        Says the generator, too.

    Examples
    --------
    >>> wrap_key_data(PRNGKey(7))
    KeyArray(shape=(), impl=threefry2x32)
    """
    _check_impl("wrap_key_data", _one_spec("wrap_key_data", impl, dtype))
    return KeyArray(fresh("wrap_key_data", raw("wrap_key_data", key_bits_array, single=False)))


def key_impl(keys: Any) -> str:
    """The generator of keys.

    Parameters
    ----------
    keys : key
        Typed or raw keys.

    Examples
    --------
    >>> key_impl(key(0))
    'threefry2x32'
    """
    raw("key_impl", keys, single=False)
    return "threefry2x32"


def clone(key: Any) -> Any:
    """The key, to be used again on purpose.

    Parameters
    ----------
    key : key
        Typed or raw.

    Examples
    --------
    >>> import fnx
    >>> with fnx.debug_key_reuse(True):
    ...     k = fnx.random.key(0)
    ...     same = fnx.random.bits(k) == fnx.random.bits(clone(k))
    >>> bool(same)
    True
    """
    words = fresh("clone", raw("clone", key, single=False))
    return KeyArray(words) if isinstance(key, KeyArray) else words
