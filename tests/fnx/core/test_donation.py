"""Taking memory: all of it or none, writeable, and never what something else has."""

from __future__ import annotations

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx.core.array import adopt
from fnx.core.donation import take
from fnx.errors import DeletedArrayError


def test_memory_is_taken_and_may_be_written_to() -> None:
    x, y = jnp.arange(3.0) + 0, adopt(np.arange(6.0).reshape(2, 3))
    addresses = [x._data.ctypes.data, y._data.ctypes.data]
    taken = take([x, y], "given away")
    assert isinstance(taken, list)
    assert [t.ctypes.data for t in taken] == addresses
    for t in taken:
        t[...] = 7
    assert x.is_deleted() and y.is_deleted() and y.shape == (2, 3)
    with pytest.raises(DeletedArrayError, match="given away at test_donation.py"):
        take([x], "again")


@pytest.mark.parametrize("hold", [lambda a: a, lambda a: a[1:], lambda a: memoryview(a)])
def test_all_or_none(hold) -> None:
    x, y = jnp.arange(3.0) + 0, jnp.arange(3.0) + 1
    held = hold(y._data)
    assert take([x, y], "given away") == 1
    assert not x.is_deleted() and not y.is_deleted()
    del held
    assert isinstance(take([x, y], "given away"), list)


def test_a_view_that_outlives_its_owner_may_be_taken() -> None:
    owner = jnp.arange(6.0) + 0
    view = owner.reshape(2, 3)
    assert take([view], "given away") == 0
    del owner
    assert isinstance(take([view], "given away"), list)


def test_scalars_and_other_layouts_are_copied() -> None:
    scalar, turned = jnp.asarray(2.0), jnp.arange(6.0).reshape(2, 3).T
    data = [scalar._data, turned._data]
    taken = take([scalar, turned], "given away")
    assert isinstance(taken, list)
    for t, d in zip(taken, data, strict=True):
        assert not np.shares_memory(t, d) and t.flags.writeable
        np.testing.assert_array_equal(t, d)
