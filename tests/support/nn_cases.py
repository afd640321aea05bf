"""Calls of `jax.nn`, as text that runs with JAX and fnx alike; needs NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "ACTIVATIONS", "ATTENTIONS", "INITIALIZERS", "NORMALIZATIONS", "POINTS", "TABLE",
    "attention_operands", "initial",
]  # fmt: skip

#: Of one number; compared with their derivatives at POINTS.
ACTIVATIONS = """
celu(x); celu(x, 2.0); elu(x); elu(x, 0.5); gelu(x); gelu(x, False); hard_sigmoid(x); hard_silu(x)
hard_swish(x); hard_tanh(x); identity(x); leaky_relu(x); leaky_relu(x, 0.2); log_sigmoid(x); mish(x)
relu(x); relu6(x); selu(x); sigmoid(x); silu(x); swish(x); soft_sign(x); softplus(x); tanh(x)
sparse_sigmoid(x)
"""
#: Extreme ones and kinks among them.
POINTS = np.array(
    [0.0, -0.0, 0.3, -0.3, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0, 6.0, 7.5, -7.5, 20.0, -20.0, 40.0,
     -40.0, 100.0, -100.0, 750.0, -750.0, 1e5, -1e5, 1e30, -1e30, np.inf, -np.inf, np.nan]
)  # fmt: skip
#: Of a table; compared with the derivative of their product with weights.
NORMALIZATIONS = """
glu(t); glu(t, 0); logsumexp(t); logsumexp(t, 1); logsumexp(t, 0, keepdims=True)
logsumexp(t, (0, 1))
logsumexp(t, b=abs(t)); logsumexp(t, 1, where=t > 0.3); softmax(t); softmax(t, 0)
softmax(t, (0, 1))
softmax(t, where=t > -0.6); log_softmax(t); log_softmax(t, 0); standardize(t); standardize(t, 0)
standardize(t, epsilon=0.1); standardize(t, mean=0.5, variance=2.0); softmax(1e3 * t)
log_softmax(1e3 * t); logsumexp(1e3 * t, 1); standardize(t, (0, 1)); logsumexp(-1e30 * t)
log_softmax(t, where=t > -0.6); logmeanexp(t); logmeanexp(t, 1, keepdims=True)
logmeanexp(t, (0, 1), where=t > -0.6)
"""
TABLE = np.array([[0.5, -1.25, 2.0, 0.25], [1.5, 0.75, -0.5, 3.0]])
#: Called with a key, a shape and a dtype.
INITIALIZERS = """
zeros; ones; constant(2.5); uniform(); uniform(3.0); normal(); normal(0.5); truncated_normal(0.5)
truncated_normal(1.0, lower=-1.0, upper=3.0); glorot_normal(); glorot_uniform(); xavier_normal()
xavier_uniform(); he_normal(); he_uniform(); kaiming_normal(); kaiming_uniform(); lecun_normal()
lecun_uniform(); lecun_normal(in_axis=0, out_axis=1); he_uniform(in_axis=(0, 1), out_axis=2)
variance_scaling(2.0, 'fan_avg', 'normal'); variance_scaling(2.0, 'fan_out', 'uniform')
variance_scaling(0.5, 'fan_in', 'truncated_normal', batch_axis=0); orthogonal(); orthogonal(0.5, 0)
orthogonal(2.0, column_axis=1); delta_orthogonal(); delta_orthogonal(3.0, 0)
"""


#: Calls of `dot_product_attention`; see `attention_operands`.
ATTENTIONS = """
attend(q, k, v); attend(q, k[:, :, :1], v[:, :, :1]); attend(q, k[:, :, :2], v[:, :, :2])
attend(q[0], k[0], v[0]); attend(q, k, v, scale=0.3); attend(q, k, v, bias)
attend(q, k, v, bias[:, :1, :1]); attend(q, k, v, None, mask); attend(q, k, v, bias, mask[:1])
attend(q, k[:, :, :2], v[:, :, :2], bias, mask, is_causal=True)
attend(q[0], k[0], v[0], bias[0], mask[0]); attend(q, k, v, is_causal=True)
attend(q, k, v, local_window_size=1); attend(q, k, v, local_window_size=(2, 0), is_causal=True)
attend(q, k, v, query_seq_lengths=long); attend(q, k, v, key_value_seq_lengths=short)
attend(q, k, v, bias, query_seq_lengths=long, key_value_seq_lengths=short, is_causal=True)
attend(q, k, v, None, mask & False); attend(q, k, v, key_value_seq_lengths=0 * short)
attend(q, k, v, bias, implementation='xla', return_residual=True)
attend(q[0], k[0, :, :2], v[0, :, :2], is_causal=True, return_residual=True)
"""


def attention_operands(dtype: str) -> dict[str, Any]:
    """Queries, keys, values, a bias, a mask, lengths of the sequences."""
    rng = np.random.default_rng(3)
    shapes = {"q": (2, 4, 4, 3), "k": (2, 5, 4, 3), "v": (2, 5, 4, 3), "bias": (2, 4, 4, 5)}
    operands: dict[str, Any] = {
        name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()
    }
    lengths = {"long": np.array([4, 2], np.int32), "short": np.array([1, 4], np.int32)}
    return operands | lengths | {"mask": rng.random((2, 1, 4, 5)) > 0.4}


def initial(initializers: Any, random: Any, expression: str, dtype: str) -> Any:
    """What an initializer gives for a filter of shape (3, 4, 5)."""
    scope = {name: getattr(initializers, name) for name in dir(initializers) if name[0] != "_"}
    return eval(expression, scope)(random.PRNGKey(11), (3, 4, 5), dtype)
