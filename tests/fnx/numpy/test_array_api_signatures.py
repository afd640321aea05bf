"""Signatures of the array API standard: every call it allows binds, with the default it names."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

import fnx.numpy as jnp
from tests.support.array_api_signatures import FFT, FUNCTIONS, INFO, LINALG, METHODS

#: Defaults that say the same in other words, and `copy`, which immutable arrays need not.
SAME = {
    "arange.step": None,
    "astype.copy": False,
    "norm": None,
    "ord": None,
    "argmax.keepdims": None,
    "argmin.keepdims": None,
    "correction": None,
}


def _signature(text: str) -> inspect.Signature:
    space: dict[str, Any] = {}
    name = text.partition("(")[0]
    exec(f"def {text}: ...", space)
    return inspect.signature(space[name])


def _assert_signature(owner: Any, text: str) -> None:
    name = text.partition("(")[0]
    assert hasattr(owner, name), f"{name} is missing"
    ours = list(inspect.signature(getattr(owner, name)).parameters.values())
    named = {p.name: p for p in ours}
    wanted = list(_signature(text).parameters.values())
    for k, parameter in enumerate(wanted):
        word = f"{name}: {parameter.name}"
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.name in named, f"{word} is missing"
            found = named[parameter.name]
            assert found.kind in (found.KEYWORD_ONLY, found.POSITIONAL_OR_KEYWORD), word
        else:
            assert k < len(ours), f"{word} is missing"
            found = ours[k]
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                assert (found.name, found.kind) == (parameter.name, parameter.kind), word
            elif parameter.kind is parameter.VAR_POSITIONAL:
                assert found.kind is parameter.kind, word
            else:
                assert found.kind in (found.POSITIONAL_ONLY, found.POSITIONAL_OR_KEYWORD), word
        if parameter.default is not parameter.empty:
            same = {parameter.default}
            for key in (parameter.name, f"{name}.{parameter.name}"):
                same |= {SAME[key]} if key in SAME else set()
            assert found.default in same, f"{word} is {found.default!r} by default"
    required = [
        p.name
        for p in ours
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    assert len(required) <= len(wanted), f"{name} asks for {required}"


@pytest.mark.parametrize("text", [row for rows in FUNCTIONS.values() for row in rows])
def test_functions(text):
    _assert_signature(jnp, text)


@pytest.mark.parametrize("text", LINALG)
def test_linalg(text):
    _assert_signature(jnp.linalg, text)


@pytest.mark.parametrize("text", FFT)
def test_fft(text):
    _assert_signature(jnp.fft, text)


@pytest.mark.parametrize("text", METHODS)
def test_methods(text):
    _assert_signature(jnp.ndarray, text)


@pytest.mark.parametrize("text", INFO)
def test_info(text):
    signature = text.replace("(", "(self, ").replace("(self, )", "(self)")
    _assert_signature(type(jnp.__array_namespace_info__()), signature)


@pytest.mark.parametrize("name", "dtype device ndim shape size T mT".split())
def test_attributes(name):
    assert not callable(getattr(jnp.ones((2, 3)), name))


@pytest.mark.parametrize("name", "e inf nan newaxis pi".split())
def test_constants(name):
    assert getattr(jnp, name) == getattr(math, name, None) or name == "nan"
    assert name != "nan" or math.isnan(jnp.nan)
