"""The calls of numpy_cases.py, tried on `fnx.numpy`.

Dtypes are compared with JAX's, values with NumPy's on operands widened to float64 or complex128,
derivatives with central differences, and compiled and mapped calls with eager ones.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_cases import KINDS, described, evaluated, operands

__all__ = [
    "assert_compiled_and_mapped",
    "assert_derivatives",
    "assert_dtypes",
    "assert_values",
    "differentiable",
    "outcome",
]

STORED = json.loads(
    (Path(__file__).parents[1] / "fnx" / "data" / "jax_numpy_dtypes.json").read_text()
)
_NARROW = [kind for kind in KINDS if kind not in ("int64", "uint64", "float64", "complex128")]
#: What the operands are made of, and as arrays of fnx.
VALUES = {kind: operands(kind) for kind in KINDS}
ARRAYS = {kind: {n: jnp.asarray(a) for n, a in VALUES[kind].items()} for kind in KINDS}

#: Where we differ on purpose. JAX refuses lists as operands or indices, rounding of bools,
#: or of integers to tens, products and powers of bools, dicts of widths, several modes, and cuts
#: outside of an array; NumPy accepts them, and so do we.
ACCEPTED = {
    "append(v, [1, 2])", "atleast_1d([1, 2])", "choose(m, (x, y))",
    "compress([False, True, True], c, axis=-2)", "compress([True, False, True], x, 0)",
    "compress([True, False], x)", "concatenate([x, [[1, 2, 3, 4]]])", "delete(v, [])",
    "delete(x, [0, 2], 1)", "delete(x, [True, False, True], 0)", "dot(2, x)",
    "insert(x, [0, 2], 1, axis=1)", "insert(x, [1], v[:3, None], 1)", "kron(e, v)", "kron(s, x)",
    "kron(v, v)", "kron(v, x)", "kron(x, v)", "pad(x, {0: 1, 1: (0, 2)})",
    "piecewise(v, m[0], [lambda a: a * a])", "polymul(2, v)",
    "ravel_multi_index((i, 5 * i), (3, 4), ('raise', 'clip'))", "repeat(v, [1, 2, 3, 0])",
    "repeat(v, [2])", "repeat(x, [1, 0, 2], axis=0)", "round(True)", "round(e)", "round(s)",
    "round(s, 2)", "round(x)", "round(x, -1)", "round(x, 1)", "split(v, [-1])", "split(v, [1, 9])",
    "vander(v)", "vander(v, 0)", "vander(v, 3)", "vander(v, increasing=True)",
}  # fmt: skip
#: JAX's dtypes that follow from no rule: a 0-d float's angle and `tri` in the default float even if
#: that is narrower or wider than asked, weakness lost where a bool meets a Python number,
#: and places of `searchsorted` in int32 even where the default is int64, as the standard has it.
IRREGULAR = {
    "cross(i[1:], v[1:])", "angle(s)", "gcd(6, x)", "hypot(7, y)", "hypot(x, 2)", "lcm(3, x)",
    "power(2, x)", "tri(2, 4)", "tri(3)", "tri(3, 2, -7)", "tri(3, 3, 1)", "unwrap(e)",
    "searchsorted(e[0], v)", "searchsorted(i[:2] * 0, i)",
    "searchsorted(k[1, :2], i, side='right')", "searchsorted(p[0] * 0, p)",
    "searchsorted(p[0].cumsum(), p)", "searchsorted(p[0].cumsum(), p[1], 'right')",
    "searchsorted(v[:1], 2)", "searchsorted(v[:1], v)",
}  # fmt: skip


#: Refused by all three.
REFUSED = {"negative(True)", "positive(True)", "sign(True)"}


def outcome(expression: str, values: dict[str, Any]) -> str:
    """The dtypes of an expression's result, or the class of its error."""
    try:
        return described(evaluated(jnp, expression, values))
    except (TypeError, ValueError, IndexError, OverflowError, NotImplementedError) as error:
        builtin = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
        return f"!{builtin.__name__}"


def assert_dtypes(section: str, expression: str) -> None:
    """Dtypes and weakness are those of JAX, with 64 bits and without, for operands of each dtype.

    Weakness of bools, which has no consequences, and what JAX traces only to refuse it while it
    compiles (argmax of complex numbers), are left aside.
    """
    with warnings.catch_warnings():  # of an imaginary part or of 32 bits lost, as asked for
        warnings.simplefilter("ignore")
        _compare_dtypes(section, expression)


def _compare_dtypes(section: str, expression: str) -> None:
    both = STORED[section][expression].replace("bool*", "bool").split(" | ")
    for x64, row in zip((True, False), both, strict=True):
        kinds = KINDS if x64 else _NARROW
        wanted = row.split()
        wanted = wanted * len(kinds) if len(wanted) == 1 else wanted
        with fnx.enable_x64(x64):
            found = [outcome(expression, _inputs(kind, x64)) for kind in kinds]
        for kind, ours, theirs in zip(kinds, found, wanted, strict=True):
            complex_place = "arg" in expression and kind.startswith("complex") and theirs[0] == "i"
            if (expression in IRREGULAR and theirs[0] != "!") or complex_place:
                assert ours[0] != "!" or complex_place, f"{expression} of {kind} raised {ours}"
            elif expression in ACCEPTED and theirs[0] == "!":
                assert ours[0] != "!", f"{expression} of {kind} raised {ours}"
            else:
                assert ours == theirs, f"{expression} of {kind}, enable_x64={x64}"


def _inputs(kind: str, x64: bool) -> dict[str, Any]:
    arrays = ARRAYS[kind]
    return arrays if x64 else arrays | {"p": arrays["p"].astype(np.float32)}


def assert_values(expression: str) -> None:
    """Values are NumPy's, rounded to the result's dtype; at least one dtype can be compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _compare_values(expression)


def _compare_values(expression: str) -> None:
    compared = 0
    for kind in KINDS:
        with fnx.enable_x64(True):
            if outcome(expression, ARRAYS[kind])[0] == "!":
                continue
            found = evaluated(jnp, expression, ARRAYS[kind])
        parts = found if isinstance(found, (tuple, list)) else [found]
        inexact = any(np.asarray(p).dtype.kind in "fcV" for p in parts)
        text, values = expression, VALUES[kind]
        if inexact:  # NumPy computes int8 and bool in float16, and 1 / 3 as integers
            text = expression.replace("(True)", "(1.0)")
            text = "reciprocal(3.0)" if expression == "reciprocal(3)" else text
            values = {n: _widened(a) if n in "xyvcoesw" else a for n, a in values.items()}
        try:
            wanted = evaluated(np, text, values)
        except (TypeError, ValueError, OverflowError, np.exceptions.AxisError):
            continue
        references = wanted if isinstance(wanted, (tuple, list)) else [wanted]
        assert len(parts) == len(references), expression
        for part, reference in zip(parts, references, strict=True):
            _assert_close(np.asarray(part), np.asarray(reference), f"{expression} of {kind}")
        compared += 1
    if not compared:
        results = {outcome(expression, ARRAYS[kind]) for kind in KINDS}
        assert expression in REFUSED and all(r[0] == "!" for r in results), (
            f"{expression}: NumPy has nothing to compare with"
        )


def _widened(a: np.ndarray) -> np.ndarray:
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)


def _assert_close(found: np.ndarray, wanted: np.ndarray, message: str) -> None:
    assert found.shape == wanted.shape, message
    if found.dtype.kind in "biu":
        np.testing.assert_array_equal(found, wanted.astype(found.dtype), err_msg=message)
        return
    eps, largest = (float(getattr(ml_dtypes.finfo(found.dtype), n)) for n in ("eps", "max"))
    wide = found.astype(np.complex128 if found.dtype.kind == "c" else np.float64)
    wanted = np.where(np.abs(wanted) > largest, np.sign(wanted) * np.inf, wanted)
    scale = np.max(np.abs(wanted), initial=1, where=np.isfinite(wanted))
    np.testing.assert_allclose(wide, wanted, rtol=8 * eps, atol=8 * eps * scale, err_msg=message)


#: Nothing varies, or a square root of a variance of 0, whose derivative is NaN as in JAX.
_WITHOUT_DERIVATIVE = {"std(s)", "std(x, axis=())", "std(x, axis=0, where=m)"}


def differentiable(expression: str) -> bool:
    """Whether float64 operands occur in an expression, and its results are floats."""
    with fnx.enable_x64(True):
        kinds = outcome(expression, ARRAYS["float64"])
    return "f64" in kinds and bool(_varied(expression)) and expression not in _WITHOUT_DERIVATIVE


def _varied(expression: str) -> list[str]:
    words = "".join(c if c.isalnum() or c in "_" else " " for c in expression).split()
    return [n for n in "xyvcs" if n in words]


def _function_of(expression: str) -> tuple[Any, list[Any]]:
    """The expression as a function of its float operands, and these; others stay as they are."""
    values = VALUES["float64"]
    names = _varied(expression)
    smooth = [_apart(values[n], n) for n in names]

    def function(*args: Any) -> Any:
        result = evaluated(jnp, expression, values | dict(zip(names, args, strict=True)))
        parts = result if isinstance(result, (tuple, list)) else [result]
        return [p for p in parts if p.dtype.kind in "fc"]

    return function, smooth


def _apart(a: np.ndarray, name: str) -> np.ndarray:
    """Numbers inside (0.1, 0.9), no two alike: away from kinks and inside of domains."""
    rng = np.random.default_rng(ord(name))
    spread = np.arange(1, a.size + 1) / (a.size + 1) * 0.8 + 0.1 + 0.001 * rng.uniform(1, 9)
    return rng.permutation(spread).reshape(a.shape)


def assert_derivatives(expression: str) -> None:
    """Forward and reverse derivatives agree with central differences."""
    function, args = _function_of(expression)
    check_grads(function, args, order=1, rtol=1e-5, atol=1e-6)


def assert_compiled_and_mapped(expression: str) -> None:
    """`jit` and `vmap`, together, agree with eager calls one by one."""
    function, args = _function_of(expression)
    lanes = [np.stack([a, a[..., ::-1] if a.ndim else a / 2]) for a in args]
    found = fnx.jit(fnx.vmap(function))(*lanes)
    for lane in range(2):
        wanted = function(*[a[lane] for a in lanes])
        for part, reference in zip(found, wanted, strict=True):
            np.testing.assert_allclose(part[lane], reference, rtol=1e-12, atol=1e-13)
