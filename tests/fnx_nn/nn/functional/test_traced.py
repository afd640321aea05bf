"""Functions of `nn.functional` inside of fnx's transforms: the same values, and derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
import fnx_nn.nn.functional as F
from fnx_nn.tensor.traced import from_array, to_array, tracing

LABELS = torch.tensor([2, 0])
WEIGHT = torch.tensor(np.random.default_rng(0).standard_normal((3, 2, 3, 3)))
TARGET = torch.tensor(np.random.default_rng(1).standard_normal((2, 3)))
TABLE = torch.tensor(np.random.default_rng(2).standard_normal((3, 3)))


def _attended(x):
    projections = torch.cat([TABLE, TABLE.T, TABLE])
    return F.multi_head_attention_forward(
        x, x, x, 3, 3, projections, None, None, None, True, 0.0, TABLE, None
    )


#: name: (function, shape of its operand)
FUNCTIONS = {
    "conv2d": (lambda x: F.conv2d(x, WEIGHT, padding=1), (1, 2, 4, 4)),
    "conv_transpose2d": (lambda x: F.conv_transpose2d(x, WEIGHT, stride=2), (1, 3, 2, 2)),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), (1, 2, 4, 4)),
    "max_pool2d, indices": (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], (1, 2, 4, 4)),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), (1, 2, 4, 4)),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 3), (1, 2, 4, 4)),
    "gelu": (F.gelu, (2, 3)),
    "relu, in place": (lambda x: F.relu(x * 1, inplace=True), (2, 3)),
    "glu": (F.glu, (2, 4)),
    "softmax": (lambda x: F.softmax(x, 1), (2, 3)),
    "mse_loss": (lambda x: F.mse_loss(x, TARGET), (2, 3)),
    "cross_entropy": (lambda x: F.cross_entropy(x, LABELS), (2, 3)),
    "multilabel_margin_loss": (
        lambda x: F.multilabel_margin_loss(x, torch.tensor([[1, -1, 0], [2, 0, -1]])),
        (2, 3),
    ),
    "bce": (lambda x: F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(TARGET)), (2, 3)),
    "pad": (lambda x: F.pad(x, (1, 1), mode="reflect"), (2, 3)),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), (4, 3)),
    "layer_norm": (lambda x: F.layer_norm(x, (3,)), (2, 3)),
    "group_norm": (lambda x: F.group_norm(x, 2), (2, 4, 3)),
    "normalize": (F.normalize, (2, 3)),
    "interpolate": (lambda x: F.interpolate(x, (5, 3), mode="bilinear"), (1, 2, 4, 4)),
    "unfold": (lambda x: F.unfold(x, 2), (1, 2, 4, 4)),
    "fold": (lambda x: F.fold(x, (3, 3), 2), (1, 4, 4)),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), (1, 4, 2, 2)),
    "embedding": (lambda x: F.embedding(LABELS, x), (3, 2)),
    "embedding_bag": (lambda x: F.embedding_bag(LABELS[None], x, mode="max"), (3, 2)),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), (2, 3, 4)),
    "multi-head attention": (lambda x: _attended(x)[0], (3, 2, 3)),
    "ctc_loss": (lambda x: F.ctc_loss(x.log_softmax(-1), LABELS[:1], (4,), (1,)), (4, 1, 3)),
    "dropout": (lambda x: F.dropout(x, 0.4), (4, 5)),
}


def _scalar(out):
    return (out * out).sum() + out.sum()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_gradients_are_those_of_the_tape(name, rng):
    function, shape = FUNCTIONS[name]
    values = rng.standard_normal(shape)
    x = torch.tensor(values, requires_grad=True)
    torch.manual_seed(3)
    want = _scalar(function(x))
    want.backward()

    def traced(array):
        torch.manual_seed(3)
        with tracing():
            return to_array(_scalar(function(from_array(array))))

    value, gradient = fnx.jit(fnx.value_and_grad(traced))(jnp.asarray(values))
    np.testing.assert_allclose(float(value), want.item(), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(gradient), x.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_running_statistics_move_while_traced(rng):
    values = rng.standard_normal((5, 2))

    def step(x, mean, variance):
        with tracing():
            m, v = from_array(mean), from_array(variance)
            out = F.batch_norm(from_array(x), m, v, training=True)
            return to_array(out), to_array(m), to_array(v)

    zeros, ones = jnp.zeros(2, np.float64), jnp.ones(2, np.float64)
    _, mean, variance = fnx.jit(step)(jnp.asarray(values), zeros, ones)
    np.testing.assert_allclose(np.asarray(mean), 0.1 * values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(variance), 0.9 + 0.1 * values.var(0, ddof=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: F.rrelu(x, training=True), "rrelu"),
        (lambda x: F.embedding(x.long(), TABLE, max_norm=1.0), "max_norm"),
        (lambda x: F.one_hot(x.long()), "num_classes"),
    ],
)
def test_what_needs_values_says_so(function, words):
    def traced(array):
        with tracing():
            return to_array(function(from_array(array)))

    with pytest.raises(TypeError, match=words):
        fnx.jit(traced)(jnp.ones(2))
