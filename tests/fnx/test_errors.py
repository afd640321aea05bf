"""fnx.errors: the hierarchy, the help pages, the user's line, types as text."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx import errors
from fnx.errors import FnxError, dtype_string, type_string, user_frame, user_operation

CLASSES = {
    name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and name[0] != "_"
}
OURS = {name: kind for name, kind in CLASSES.items() if issubclass(kind, FnxError)}


def builtin_bases(kind: type) -> set[str]:
    return {
        base.__name__
        for base in kind.__mro__
        if base.__module__ == "builtins" and base not in (Exception, BaseException, object)
    }


# JAX 0.10.2: [c.__name__ for c in getattr(jax.errors, name).__mro__], the builtin ones.
@pytest.mark.parametrize(
    ("name", "parent", "builtins"),
    [
        ("JAXTypeError", "FnxError", {"TypeError"}),
        ("ConcretizationTypeError", "JAXTypeError", {"TypeError"}),
        ("TracerBoolConversionError", "ConcretizationTypeError", {"TypeError"}),
        ("TracerArrayConversionError", "JAXTypeError", {"TypeError"}),
        ("TracerIntegerConversionError", "JAXTypeError", {"TypeError"}),
        ("UnexpectedTracerError", "JAXTypeError", {"TypeError"}),
        ("KeyReuseError", "JAXTypeError", {"TypeError"}),
        ("JAXIndexError", "FnxError", {"IndexError", "LookupError"}),
        ("NonConcreteBooleanIndexError", "JAXIndexError", {"IndexError", "LookupError"}),
        ("JaxprTypeError", "FnxError", {"TypeError"}),
        ("JaxRuntimeError", "FnxError", {"RuntimeError"}),
        ("InconclusiveDimensionOperation", "FnxError", set()),
    ],
)
def test_the_hierarchy_is_jax_s(name: str, parent: str, builtins: set[str]) -> None:
    kind = CLASSES[name]
    assert CLASSES[parent] in kind.__bases__
    assert builtin_bases(kind) == builtins


def test_errors_of_our_own_derive_from_builtins_too() -> None:
    assert builtin_bases(errors.ShapeError) == {"TypeError", "ValueError"}
    assert builtin_bases(errors.TypePromotionError) == {"TypeError", "ValueError"}
    for name, builtin in {
        "ArgumentTypeError": TypeError,
        "ArgumentValueError": ValueError,
        "AxisError": np.exceptions.AxisError,
        "AxisNameError": NameError,
        "LoopBoundError": OverflowError,
        "MissingRuleError": NotImplementedError,
        "NumberOverflowError": OverflowError,
        "UnknownSettingError": AttributeError,
        "UnsetRuleError": AttributeError,
        "UnsupportedError": NotImplementedError,
    }.items():
        assert issubclass(OURS[name], builtin)
    for kind in (errors.CompilationError, errors.KernelError, errors.CacheError):
        assert issubclass(kind, errors.JaxRuntimeError)
    assert errors.DtypePromotionError is errors.TypePromotionError


def test_every_class_is_drawn_in_the_tree_and_explained() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w*(?:Error|Operation)\b", errors.__doc__ or ""))
    assert {kind.__name__ for kind in OURS.values()} <= drawn
    for name, kind in OURS.items():
        assert kind.__doc__ and len(kind.__doc__) > 60, name


@pytest.mark.parametrize("name", sorted(OURS))
def test_errors_keep_their_message_and_find_their_place(name: str) -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    error = OURS[name]("what happened")
    place = f"{__file__}:{line} (test_errors_keep_their_message_and_find_their_place)"
    assert error.message == "what happened" and error.where == place
    assert str(error) == f"what happened\n  at {place}"
    error.operands["f"] = ("x: f32[3]",)
    text = f"what happened\n  with x: f32[3] (from the arguments of f)\n  at {place}"
    assert str(error) == text
    # A worker's error that comes back to the main process tells the worker's line.
    assert str(pickle.loads(pickle.dumps(error))) == text


def test_the_place_of_an_error_is_the_users_line(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text("def loss(np, jnp):\n    return np.sum(jnp.ones(3), axis=\\\n        1)\n")
    user: dict[str, Any] = {}
    exec(compile(program.read_text(), str(program), "exec"), user)
    with pytest.raises(errors.AxisError) as found:
        user["loss"](np, jnp)
    # The first line of the statement, and not that of ours, which NumPy calls.
    assert found.value.where == f"{program}:2 (loss)"


def test_the_operation_is_what_the_user_called() -> None:
    assert user_operation() == ""
    root = Path(errors.__file__).parent
    scope: dict[str, Any] = {}
    code = "def total(f):\n    return shared('sum', f)\ndef shared(operation, f):\n    return f()\n"
    code += "def _hidden(f):\n    return f()\ndef plain(f):\n    return _hidden(f)\n"
    exec(compile(code, str(root / "numpy" / "inner.py"), "exec"), scope)
    assert scope["total"](user_operation) == "sum"
    assert scope["plain"](user_operation) == "plain" and scope["_hidden"](user_operation) == ""


def test_user_frame_is_the_line_that_called() -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    place = user_frame()
    assert place == f"test_errors.py:{line} (test_user_frame_is_the_line_that_called)"
    assert user_frame(skip=1) != place
    assert user_frame(skip=10_000) == ""


def test_user_frame_passes_over_the_packages_themselves(tmp_path: Path) -> None:
    # Code compiled under a file name within fnx and fnx_nn stands for their own frames.
    root = Path(errors.__file__).parents[1]
    caller = "def call(f):\n    return f()\n"
    scope: dict[str, object] = {}
    exec(compile(caller, str(root / "fnx" / "numpy" / "inner.py"), "exec"), scope)
    inner = scope["call"]
    exec(compile(caller, str(root / "fnx_nn" / "nn" / "outer.py"), "exec"), scope)
    outer = scope["call"]
    program = tmp_path / "train.py"
    program.write_text("def loss(outer, inner, f):\n    return outer(lambda: inner(f))\n")
    user: dict[str, object] = {}
    exec(compile(program.read_text(), str(program), "exec"), user)
    place = user["loss"](outer, inner, user_frame)  # type: ignore[operator]
    assert place == "train.py:2 (<lambda>)"


def test_user_frame_knows_programs_given_on_the_command_line() -> None:
    code = "from fnx.errors import user_frame\nprint(user_frame())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "<string>:2 (<module>)"


@pytest.mark.parametrize(
    ("dtype", "shape", "weak", "text"),
    [
        ("float32", (3, 4), False, "f32[3,4]"),
        ("bfloat16", (2,), False, "bf16[2]"),
        ("float16", (), False, "f16[]"),
        ("float64", (), True, "~f64[]"),
        ("uint8", (0,), False, "u8[0]"),
        ("int64", (1, 1), False, "i64[1,1]"),
        ("complex128", (), False, "c128[]"),
        ("bool", (5,), False, "bool[5]"),
        ("float8_e4m3fn", (), False, "f8_e4m3fn[]"),
    ],
)
def test_types_are_written_as_in_jaxprs(
    dtype: str, shape: tuple[int, ...], weak: bool, text: str
) -> None:
    assert type_string(np.dtype(dtype), shape, weak) == text


def test_float0_has_a_name() -> None:
    assert dtype_string(np.dtype([("float0", np.void, 0)])) == "float0"
