"""Every function of `fnx.numpy` is tried: in numpy_cases.py, or by its module's own test."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import fnx.numpy as jnp
from tests.support.numpy_cases import CASES, expressions, name_of

#: What the tests of dtypes try.
ELSEWHERE = {"can_cast", "finfo", "iinfo", "isdtype", "issubdtype", "promote_types", "result_type"}
#: It gives no array (test_promotion.py), or what isn't defined: memory as it was.
BY_HAND = {"broadcast_shapes", "empty", "empty_like"}
#: NumPy's own; and test_dlpack.py.
BORROWED = {"from_dlpack", "get_printoptions", "printoptions", "set_printoptions"}


def test_every_function_is_tried():
    rows = {name_of(e) for section in CASES for e in expressions(section)}
    functions = {
        name
        for name in jnp.__all__
        if callable(getattr(jnp, name)) and not isinstance(getattr(jnp, name), type)
    }
    assert rows <= functions
    missing = functions - rows - ELSEWHERE - BY_HAND - BORROWED
    for module in pkgutil.iter_modules(jnp.__path__):
        own = Path(__file__).with_name(f"test_{module.name}.py")
        if own.exists():
            text = own.read_text()
            names = importlib.import_module(f"fnx.numpy.{module.name}").__all__
            missing -= {name for name in names if name in text}
    assert missing == set()


def test_empty_arrays_have_shape_and_dtype():
    assert jnp.empty((2, 3), "int8").shape == (2, 3)
    assert jnp.empty_like(jnp.ones(2, "int8")).dtype == "int8"
