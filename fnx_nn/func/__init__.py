"""Functions of tensors and modules, transformed: gradients, Jacobians, batches.

The names and semantics are those of `torch.func`; the transforms themselves are those of `fnx`.
A transformed function is pure: what it writes to tensors from outside, it sees itself, and is
forgotten when it returns.
Read next: `functional_call`, `transforms`, `batching`.
"""

from fnx_nn.func.batching import replace_all_batch_norm_modules_, vmap
from fnx_nn.func.functional_call import functional_call, stack_module_state
from fnx_nn.func.transforms import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
)

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
