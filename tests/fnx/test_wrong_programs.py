"""Wrong programs: every error names operation, argument, types, the user's line and a remedy."""

from __future__ import annotations

import functools
import importlib
import re

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx import errors
from tests.support.wrong_programs import WRONG_PROGRAMS, Wrong

for _module in ("operations", "arrays", "conversions", "transforms", "control"):
    importlib.import_module(f"tests.support.wrong_{_module}")

each = pytest.mark.parametrize("case", WRONG_PROGRAMS, ids=lambda case: case.name)


@functools.cache
def error_of(case: Wrong) -> BaseException:
    """What a wrong program raises."""
    try:
        case.program()
    except Exception as error:
        # What the frames hold, tracers too, must not outlive the program.
        return error.with_traceback(None)
    raise AssertionError(f"{case.name} ran without an error")


@each
def test_the_class_is_ours_and_the_builtin_one(case: Wrong) -> None:
    error = error_of(case)
    assert type(error) is case.kind
    assert isinstance(error, case.builtin) and isinstance(error, errors.FnxError)


@each
def test_the_operation_comes_first(case: Wrong) -> None:
    assert re.match(rf"{re.escape(case.operation)}[:.,]", str(error_of(case)))


@each
def test_both_types_are_told(case: Wrong) -> None:
    text = str(error_of(case))
    assert [t for t in case.types if t not in text] == []


@each
def test_arguments_have_the_names_that_the_user_gave_them(case: Wrong) -> None:
    text = str(error_of(case))
    assert [a for a in case.arguments if a not in text] == []


@each
def test_the_last_line_is_the_place(case: Wrong) -> None:
    last = str(error_of(case)).splitlines()[-1]
    assert re.match(rf"  at (\S*/)?{re.escape(case.place)} \(", last)


@each
def test_there_is_a_remedy(case: Wrong) -> None:
    error = error_of(case)
    assert isinstance(error, errors.FnxError)
    assert case.remedy in error.message


def test_ndarrays_of_arrays_can_not_be_written_to() -> None:
    # NumPy's own error: the ndarray is NumPy's by then. What counts is that x stays as it is.
    x = jnp.ones(3)
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 2.0
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_there_are_many_and_none_twice() -> None:
    names = [case.name for case in WRONG_PROGRAMS]
    assert len(names) >= 170 and len(set(names)) == len(names)
    assert sum(1 for case in WRONG_PROGRAMS if case.arguments) >= 50
