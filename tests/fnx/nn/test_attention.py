"""`dot_product_attention`: JAX's values and gradients in float32; NumPy's, per head, in float64."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import nn
from fnx.test_util import check_grads
from tests.support.nn_cases import ATTENTIONS, attention_operands

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_nn.json").read_text())
CALLS = [e.strip() for e in ATTENTIONS.replace("\n", ";").split(";") if e.strip()]


@pytest.mark.parametrize("text", CALLS)
def test_values_and_gradients_are_those_of_jax(text):
    given = attention_operands("float32")

    def attended(q, k, v):
        scope = given | {"attend": nn.dot_product_attention, "q": q, "k": k, "v": v}
        return fnx.tree.leaves(eval(text, scope))

    def weighed(*operands):
        outs = attended(*operands)
        return sum(
            (y * np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape)).sum() for y in outs
        )

    operands = given["q"], given["k"], given["v"]
    found = attended(*operands)
    found += [*fnx.grad(weighed, (0, 1, 2))(*operands)]
    for got, want in zip(found, STORED[text], strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(np.ravel(got), want, rtol=1e-5, atol=1e-6)


def _by_hand(q, k, v, bias, allowed):
    """One head after the other, in float64."""
    out = np.empty(q.shape)
    for b in range(q.shape[0]):
        for h in range(q.shape[2]):
            served = h // (q.shape[2] // k.shape[2])
            scores = q[b, :, h] @ k[b, :, served].T / np.sqrt(q.shape[3]) + bias[b, h]
            terms = np.where(allowed, np.exp(scores - scores.max()), 0)
            out[b, :, h] = terms / terms.sum(-1, keepdims=True) @ v[b, :, served]
    return out


@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_double_precision_stays(key_heads):
    given = attention_operands("float64")
    q, bias = given["q"], given["bias"]
    k, v = (given[name][:, :, :key_heads] for name in "kv")
    allowed = np.tri(4, 5, dtype=bool)
    want = _by_hand(q, k, v, bias, allowed)
    for attend in (nn.dot_product_attention, fnx.jit(nn.dot_product_attention)):
        found = attend(q, k, v, bias, allowed[None, None])
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, want, rtol=1e-13)


def test_derivatives():
    given = attention_operands("float64")
    q, k, v = (given[name][:1, :3, :2, :2] for name in "qkv")
    check_grads(
        lambda *x: nn.dot_product_attention(*x, is_causal=True), (q, k, v), order=2, rtol=1e-5
    )
    check_grads(
        lambda x, bias: nn.dot_product_attention(x, x, x, bias),
        (q, given["bias"][:1, :2, :3, :3]),
        order=2,
        rtol=1e-5,
    )


def test_a_batch_is_a_map():
    given = attention_operands("float64")
    q, k, v = (given[name] for name in "qkv")
    attend = fnx.vmap(lambda *x: nn.dot_product_attention(*x, local_window_size=1))
    np.testing.assert_allclose(
        attend(q, k, v), nn.dot_product_attention(q, k, v, local_window_size=1), rtol=1e-13
    )


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_short_floats_are_added_up_in_float32(dtype):
    given = attention_operands("float64")
    q, k, v = (jnp.asarray(given[name]).astype(dtype) for name in "qkv")
    found = nn.dot_product_attention(q, k, v)
    assert found.dtype == dtype
    want = nn.dot_product_attention(*(x.astype(np.float64) for x in (q, k, v)))
    error = np.abs(np.asarray(found.astype(np.float64)) - np.asarray(want)).max()
    assert error < 2 * float(jnp.finfo(dtype).eps)


X = np.zeros((2, 3, 4, 5), np.float32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: a(X, X, X[:, :2]), r"key and value .*got query f32\[2,3,4,5\]"),
        (lambda a: a(X, X[:1], X[:1]), "with or without a batch"),
        (lambda a: a(X[0, 0], X, X), "query must be"),
        (lambda a: a(X, X[..., :2], X[..., :2]), "features"),
        (lambda a: a(X, X[:, :, :3], X[:, :, :3]), "a multiple"),
        (lambda a: a(X, X.astype(np.float64), X), "one dtype"),
        (lambda a: a(X, X, X, X), r"bias must broadcast .*\(2, 4, 3, 3\), got shape \(2, 3, 4, 5"),
        (lambda a: a(X, X, X, None, np.ones((3, 3))), "mask must be of bools, got float64"),
        (lambda a: a(X, X, X, key_value_seq_lengths=np.ones(3, int)), "must be 2 integers"),
        (lambda a: a(X, X, X, query_seq_lengths=np.ones(2)), "query_seq_lengths must be"),
        (lambda a: a(X, X, X, implementation="cudnn"), "no implementation 'cudnn'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call(nn.dot_product_attention)
