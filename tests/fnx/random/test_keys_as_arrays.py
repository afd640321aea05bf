"""Keys are placed by every function that only places elements, as NumPy places their numbers."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx import lax, random
from fnx import numpy as jnp

KEYS = random.split(random.key(3), (2, 3))
#: The number of each key: what NumPy does to the numbers, a function must do to the keys.
NUMBERS = np.arange(6).reshape(2, 3)
WORDS = np.asarray(random.key_data(KEYS)).reshape(6, 2)
MASK = np.array([True, False, True])

#: Of `jnp` and of `np`: the module, an array of shape (2, 3).
SAME_IN_NUMPY = {
    "append": lambda xp, x: xp.append(x[0], x[1, :2]),
    "array": lambda xp, x: xp.array([x[0], x[1]]),
    "array_split": lambda xp, x: xp.array_split(x, 2, axis=1),
    "asarray": lambda xp, x: xp.asarray(x),
    "atleast_1d": lambda xp, x: xp.atleast_1d(x[0, 1]),
    "atleast_2d": lambda xp, x: xp.atleast_2d(x[0]),
    "atleast_3d": lambda xp, x: xp.atleast_3d(x),
    "block": lambda xp, x: xp.block([[x, x], [x, x]]),
    "broadcast_arrays": lambda xp, x: xp.broadcast_arrays(x, x[1, 0]),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x[0], (4, 3)),
    "choose": lambda xp, x: xp.choose(np.array([0, 1, 0]), [x[0], x[1]]),
    "column_stack": lambda xp, x: xp.column_stack([x[0], x[1]]),
    "compress": lambda xp, x: xp.compress(MASK, x, axis=1),
    "concat": lambda xp, x: xp.concat([x, x[:1]]),
    "concatenate": lambda xp, x: xp.concatenate((x, x[:, ::2]), axis=1),
    "concatenate all": lambda xp, x: xp.concatenate([x, x[0]], axis=None),
    "concatenate of an array": lambda xp, x: xp.concatenate(x),
    "copy": lambda xp, x: xp.copy(x),
    "delete": lambda xp, x: xp.delete(x, 1, axis=1),
    "diagonal": lambda xp, x: xp.diagonal(x, 1),
    "dsplit": lambda xp, x: xp.dsplit(x[None], 3),
    "dstack": lambda xp, x: xp.dstack([x, x]),
    "expand_dims": lambda xp, x: xp.expand_dims(x, (0, -1)),
    "extract": lambda xp, x: xp.extract(MASK, x[1]),
    "flip": lambda xp, x: xp.flip(x),
    "fliplr": lambda xp, x: xp.fliplr(x),
    "flipud": lambda xp, x: xp.flipud(x),
    "full": lambda xp, x: xp.full((2, 2), x[1, 2]),
    "full_like": lambda xp, x: xp.full_like(x, x[1, 2]),
    "hsplit": lambda xp, x: xp.hsplit(x, 3),
    "hstack": lambda xp, x: xp.hstack([x[0], x[1]]),
    "insert": lambda xp, x: xp.insert(x, 1, x[:, 2], axis=1),
    "matrix_transpose": lambda xp, x: xp.matrix_transpose(x),
    "meshgrid": lambda xp, x: xp.meshgrid(x[0], x[1, :2]),
    "moveaxis": lambda xp, x: xp.moveaxis(x[None], 0, -1),
    "permute_dims": lambda xp, x: xp.permute_dims(x, (1, 0)),
    "ravel": lambda xp, x: xp.ravel(x, order="F"),
    "repeat": lambda xp, x: xp.repeat(x, 2, axis=1),
    "repeat each": lambda xp, x: xp.repeat(x, np.array([1, 0, 2]), axis=1),
    "reshape": lambda xp, x: xp.reshape(x, (3, -1)),
    "resize": lambda xp, x: xp.resize(x, (4, 2)),
    "roll": lambda xp, x: xp.roll(x, 1, axis=1),
    "roll all": lambda xp, x: xp.roll(x, 2),
    "rollaxis": lambda xp, x: xp.rollaxis(x, 1),
    "rot90": lambda xp, x: xp.rot90(x),
    "select": lambda xp, x: xp.select([MASK, ~MASK], [x[0], x[1]], x[0, 0]),
    "split": lambda xp, x: xp.split(x, [1], axis=1),
    "squeeze": lambda xp, x: xp.squeeze(x[:1]),
    "stack": lambda xp, x: xp.stack([x[0], x[1]], axis=1),
    "swapaxes": lambda xp, x: xp.swapaxes(x, 0, 1),
    "take": lambda xp, x: xp.take(x, np.array([[0, 2]]), axis=1),
    "take all": lambda xp, x: xp.take(x, 4),
    "take_along_axis": lambda xp, x: xp.take_along_axis(x, np.array([[0], [2]]), axis=1),
    "tile": lambda xp, x: xp.tile(x, (2, 1)),
    "transpose": lambda xp, x: xp.transpose(x),
    "unstack": lambda xp, x: xp.unstack(x, axis=1),
    "vsplit": lambda xp, x: xp.vsplit(x, 2),
    "vstack": lambda xp, x: xp.vstack([x[0], x]),
    "where": lambda xp, x: xp.where(MASK, x, x[0, 0]),
    "T": lambda xp, x: x.T,
    ".copy": lambda xp, x: x.copy(),
    ".flatten": lambda xp, x: x.flatten(),
    ".ravel": lambda xp, x: x.ravel(),
    ".reshape": lambda xp, x: x.reshape(3, 2),
    ".reshape in columns": lambda xp, x: x.reshape((-1,), order="F"),
    ".squeeze": lambda xp, x: x[:1].squeeze(0),
    ".swapaxes": lambda xp, x: x.swapaxes(0, 1),
    ".take": lambda xp, x: x.take(np.array([5, 0])),
    ".transpose": lambda xp, x: x[None].transpose(1, 2, 0),
    "index: number": lambda xp, x: x[1, -1],
    "index: slices": lambda xp, x: x[::-1, 1:],
    "index: new axis": lambda xp, x: x[:, None],
    "index: ellipsis": lambda xp, x: x[..., 0],
    "index: list of places": lambda xp, x: x[np.array([1, 0, 1])],
    "index: pairs of places": lambda xp, x: x[np.array([1, 0]), np.array([2, 2])],
    "index: mask": lambda xp, x: x[:, MASK],
}

#: Of `lax`: the function of keys, that of their numbers.
OF_LAX = {
    "broadcast": (lambda x: lax.broadcast(x, (2,)), lambda n: np.stack([n, n])),
    "broadcast_in_dim": (
        lambda x: lax.broadcast_in_dim(x, (2, 4, 3), (0, 2)),
        lambda n: np.broadcast_to(n[:, None], (2, 4, 3)),
    ),
    "broadcast_to_rank": (lambda x: lax.broadcast_to_rank(x, 3), lambda n: n[None]),
    "collapse": (lambda x: lax.collapse(x, 0), np.ravel),
    "concatenate": (lambda x: lax.concatenate([x, x], 1), lambda n: np.concatenate([n, n], 1)),
    "dynamic_index_in_dim": (
        lambda x: lax.dynamic_index_in_dim(x, 2, 1, keepdims=False),
        lambda n: n[:, 2],
    ),
    "dynamic_slice": (lambda x: lax.dynamic_slice(x, (1, 1), (1, 2)), lambda n: n[1:, 1:]),
    "dynamic_slice_in_dim": (lambda x: lax.dynamic_slice_in_dim(x, 1, 2, 1), lambda n: n[:, 1:]),
    "dynamic_update_index_in_dim": (
        lambda x: lax.dynamic_update_index_in_dim(x, x[0], 1, 0),
        lambda n: n[[0, 0]],
    ),
    "dynamic_update_slice": (
        lambda x: lax.dynamic_update_slice(x, x[:1], (1, 0)),
        lambda n: n[[0, 0]],
    ),
    "dynamic_update_slice_in_dim": (
        lambda x: lax.dynamic_update_slice_in_dim(x, x[:, :1], 2, axis=1),
        lambda n: n[:, [0, 1, 0]],
    ),
    "expand_dims": (lambda x: lax.expand_dims(x, (1,)), lambda n: n[:, None]),
    "full": (lambda x: lax.full((2,), x[1, 1]), lambda n: np.full(2, n[1, 1])),
    "full_like": (lambda x: lax.full_like(x, x[1, 1]), lambda n: np.full_like(n, n[1, 1])),
    "index_in_dim": (lambda x: lax.index_in_dim(x, 1), lambda n: n[1:]),
    "index_take": (lambda x: lax.index_take(x, (np.array([2, 0]),), (1,)), lambda n: n.T[[2, 0]]),
    "reshape": (lambda x: lax.reshape(x, (3, 2)), lambda n: n.reshape(3, 2)),
    "reshape, transposed": (lambda x: lax.reshape(x, (6,), (1, 0)), lambda n: n.T.ravel()),
    "rev": (lambda x: lax.rev(x, (1,)), lambda n: n[:, ::-1]),
    "select": (
        lambda x: lax.select(MASK, x[0], x[1]),
        lambda n: np.where(MASK, n[0], n[1]),
    ),
    "select_n": (
        lambda x: lax.select_n(MASK, x[0], x[1]),
        lambda n: np.where(MASK, n[1], n[0]),
    ),
    "slice": (lambda x: lax.slice(x, (0, 0), (2, 3), (1, 2)), lambda n: n[:, ::2]),
    "slice_in_dim": (lambda x: lax.slice_in_dim(x, 1, 3, axis=1), lambda n: n[:, 1:]),
    "split": (lambda x: lax.split(x, (1, 2), 1), lambda n: [n[:, :1], n[:, 1:]]),
    "squeeze": (lambda x: lax.squeeze(x[:1], (0,)), lambda n: n[0]),
    "stack": (lambda x: lax.stack([x[0], x[1]], 1), lambda n: n.T),
    "tile": (lambda x: lax.tile(x, (1, 2)), lambda n: np.tile(n, 2)),
    "transpose": (lambda x: lax.transpose(x, (1, 0)), np.transpose),
    "unstack": (lambda x: lax.unstack(x, 1), lambda n: list(n.T)),
    "fill_diagonal": (
        lambda x: jnp.fill_diagonal(x, x[1, 2], inplace=False),
        lambda n: np.array([[5, 1, 2], [3, 5, 5]]),
    ),
    "put_along_axis": (
        lambda x: jnp.put_along_axis(x, np.array([[0], [2]]), x[:, 1:2], 1, inplace=False),
        lambda n: np.array([[1, 1, 2], [3, 4, 4]]),
    ),
    ".at.set": (lambda x: x.at[1, ::2].set(x[0, 0]), lambda n: np.array([[0, 1, 2], [0, 4, 0]])),
    ".at.set at places": (
        lambda x: x.at[:, np.array([2, 0])].set(x[:, :2]),
        lambda n: np.array([[1, 1, 0], [4, 4, 3]]),
    ),
    ".at.set outside": (lambda x: x.at[7].set(x[0], mode="drop"), lambda n: n),
    ".at.get": (lambda x: x.at[0, 9].get(mode="clip"), lambda n: n[0, 2]),
}
for _name, _call in SAME_IN_NUMPY.items():
    OF_LAX[f"jnp {_name}"] = (
        lambda x, call=_call: call(jnp, x),
        lambda n, call=_call: call(np, n),
    )


def check(found, expected):
    """Each array of keys has the words of the keys of these numbers."""
    found = found if isinstance(found, (list, tuple)) else [found]
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    assert len(found) == len(expected)
    for keys, numbers in zip(found, expected):
        assert isinstance(keys, random.KeyArray) and keys.shape == np.shape(numbers)
        np.testing.assert_array_equal(random.key_data(keys), WORDS[numbers])


@pytest.mark.parametrize("name", OF_LAX)
def test_keys_go_where_their_numbers_go(name):
    ours, theirs = OF_LAX[name]
    check(ours(KEYS), theirs(NUMBERS))


def test_compiled_keys_go_where_their_numbers_go():
    chosen = ("jnp stack", "jnp where", "jnp take_along_axis", "select", ".at.set", "jnp roll")
    found = fnx.jit(lambda x: [OF_LAX[name][0](x) for name in chosen])(KEYS)
    for keys, name in zip(found, chosen):
        check(keys, OF_LAX[name][1](NUMBERS))


def test_mapped_keys_go_where_their_numbers_go():
    check(fnx.vmap(lambda x: jnp.roll(x, 1))(KEYS), np.roll(NUMBERS, 1, axis=1))
    picked = fnx.vmap(lambda x, m, n: jnp.where(m, x[0], x[n]), (1, 0, 0))(
        KEYS, MASK, np.array([0, 1, 1])
    )
    check(picked, np.array([0, 4, 2]))
    traced_places = fnx.vmap(lambda n: lax.dynamic_index_in_dim(KEYS, n, 1, False), out_axes=1)
    check(traced_places(np.array([2, 0])), NUMBERS[:, [2, 0]])


def test_keys_as_carries_and_elements_of_loops():
    def step(carry, x):
        latest, all_seen = carry
        at = x.at[0].set(latest)
        return (x[1], jnp.roll(all_seen, 1).at[0].set(x[1])), jnp.stack([at[0], at[2]])

    (latest, seen), pairs = fnx.jit(lambda keys: lax.scan(step, (keys[0, 0], keys[0]), keys))(KEYS)
    check(latest, 4)
    check(seen, np.array([4, 1, 0]))
    check(pairs, np.array([[0, 2], [1, 5]]))
    swapped = lax.fori_loop(0, 3, lambda n, x: x.at[0].set(x[1]).at[1].set(x[0]), KEYS)
    check(swapped, NUMBERS[[1, 0]])


def test_placed_keys_draw_what_they_drew():
    drawn = np.stack([random.normal(KEYS[i, j], (2,)) for i in (0, 1) for j in range(3)])
    placed = jnp.where(MASK, jnp.flip(KEYS[0]), KEYS[1])
    found = fnx.vmap(lambda k: random.normal(k, (2,)))(placed)
    np.testing.assert_array_equal(found, drawn[[2, 4, 0]])
    joined = jnp.concatenate([random.split(random.key(1)), KEYS[0]])
    np.testing.assert_array_equal(random.bits(joined[3]), random.bits(KEYS[0, 1]))


def test_what_an_array_of_keys_is():
    assert (jnp.shape(KEYS), jnp.ndim(KEYS), jnp.size(KEYS), jnp.size(KEYS, 1)) == ((2, 3), 2, 6, 3)
    assert (KEYS.itemsize, KEYS.nbytes) == (8, 48)
    assert KEYS.astype(KEYS.dtype) is KEYS and KEYS.block_until_ready() is KEYS
    check(jnp.asarray(KEYS, KEYS.dtype), NUMBERS)
    zeros = jnp.zeros_like(KEYS)
    assert zeros.dtype == KEYS.dtype and not np.asarray(random.key_data(zeros)).any()


def test_equality_is_that_of_all_words():
    one_word = random.wrap_key_data(np.array([[1, 2], [1, 3], [4, 2]], np.uint32))
    assert (one_word == one_word[0]).tolist() == [True, False, False]
    assert (one_word != one_word[0]).tolist() == [False, True, True]
    np.testing.assert_array_equal(fnx.jit(jnp.equal)(KEYS, KEYS[0]), [[True] * 3, [False] * 3])
    np.testing.assert_array_equal(lax.eq(KEYS, KEYS), np.full((2, 3), True))
    np.testing.assert_array_equal(lax.ne(KEYS[0], KEYS[1]), np.full(3, True))
    assert jnp.array_equal(KEYS, KEYS) and not jnp.array_equal(KEYS, KEYS[::-1])
    assert not jnp.array_equal(KEYS, KEYS[0])
    assert KEYS[0, 1] in KEYS and random.key(99) not in KEYS
    assert (KEYS == None) is False and (KEYS != "key") is True  # noqa: E711  # not of arrays


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: np.asarray(KEYS), r"np.asarray: the elements .*random.key_data\(keys\)"),
        (lambda: np.stack([KEYS, KEYS]), "random.key_data"),
        (lambda: KEYS + 1, "add: the elements of KeyArray.* aren't numbers"),
        (lambda: 1 - KEYS, "sub: the elements"),
        (lambda: np.ones(3) * KEYS, "mul: the elements"),
        (lambda: jnp.ones(3) @ KEYS, "matmul: the elements"),
        (lambda: -KEYS, "neg: the elements"),
        (lambda: KEYS < KEYS, "lt: the elements"),
        (lambda: bool(KEYS[0, 0]), "bool: the elements"),
        (lambda: KEYS[0, 0].item(), "item: the elements"),
        (lambda: KEYS.tolist(), "tolist: the elements"),
        (lambda: KEYS.astype(int), "astype: the elements"),
        (lambda: jnp.sin(KEYS), "sin: the elements"),
        (lambda: jnp.sum(KEYS), "sum: the elements"),
        (lambda: lax.add(KEYS, KEYS), "add: the elements"),
        (lambda: KEYS == 3, "equal: x and y must be keys all or none"),
        (lambda: jnp.where(MASK, KEYS, 0), "where: x and y must be keys all or none"),
        (lambda: jnp.stack([KEYS[0], np.ones(3)]), r"stack: arrays must be keys all or none.*wrap"),
        (lambda: jnp.stack([jnp.ones(()), KEYS[0, 0]]), "stack|asarray: .*aren't numbers"),
        (lambda: KEYS.at[0].set(1), "keys and values must be keys all or none"),
        (lambda: jnp.concatenate([KEYS], dtype=float), "concatenate: the elements"),
        (lambda: jnp.asarray(KEYS, np.uint32), "asarray: the elements"),
        (lambda: jnp.where(KEYS[0], 1, 2), "where: the elements"),
        (lambda: jnp.take(MASK, KEYS), "take: the elements"),
        (lambda: KEYS.__setitem__(0, KEYS[1]), r"keys.at\[index\].set"),
        (lambda: hash(KEYS), "unhashable"),
    ],
)
def test_keys_are_not_numbers(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_errors_of_shape_are_those_of_the_function():
    with pytest.raises(ValueError, match="stack: shapes must be equal"):
        jnp.stack([KEYS, KEYS[0]])
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        jnp.flip(KEYS, 2)
    with pytest.raises(ValueError, match="reshape"):
        KEYS.reshape(4)
