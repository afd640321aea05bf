"""Short programs of attention, transformers and CTC, the same for PyTorch and for fnx_nn.

They stand in tests/fnx_nn/data/sequence_programs.txt and are read and run as those of
`nn_programs`, with all digits of float64 kept, and see in addition

- `b(*shape)`: random bools; `end(batch, length)`: true for what pads sequences of different
  lengths; `causal(length)`: the mask of numbers in float64;
- `made(module)`: its text, and of each tensor of its state the name, shape, dtype and bytes;
- `paths(function, logits, ...)`: `call` of a loss of ``logits.log_softmax(-1)``;
- `twice(module, *operands)`: the gradients of a weighted sum of the gradients.

PyTorch's outcomes are stored by `make_torch_sequences_references.py`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from tests.support.nn_programs import DATA, leaves, outcome, read_programs, scope_of, weights

__all__ = ["STORED", "sequence_outcome", "read_sequence_programs"]

STORED = DATA / "torch_sequences.json"


def read_sequence_programs() -> dict[str, str]:
    """All programs, by the name of the group and their number in it."""
    return read_programs("sequence_programs.txt")


def sequence_outcome(torch: Any, program: str) -> Any:
    """What a program gives, as a tree that JSON can hold."""
    scope = scope_of(torch)
    integers = scope["i"]

    def b(*shape: int) -> Any:
        return integers(2, *shape).bool()

    def end(*shape: int) -> Any:
        lengths = shape[-1] - 1 - np.arange(shape[0] if len(shape) == 2 else 1)
        padded = np.arange(shape[-1]) >= lengths[:, None]
        return torch.from_numpy(padded.reshape(shape))

    def causal(length: int) -> Any:
        return torch.nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64)

    def made(module: Any) -> Any:
        state = {
            name: [str(t.dtype), list(t.shape), hashlib.sha256(t.numpy().tobytes()).hexdigest()[:9]]
            for name, t in module.state_dict().items()
        }
        return [repr(module), state]

    def twice(module: Any, *operands: Any) -> Any:
        module = module.double()
        wanted = [*dict.fromkeys(operands), *module.parameters()]
        total = weighted(torch, leaves(torch, module(*operands)))
        first = torch.autograd.grad(total, wanted, create_graph=True)
        second = weighted(torch, first)
        return [first, torch.autograd.grad(second, wanted, allow_unused=True)]

    def paths(function: Any, logits: Any, *rest: Any, **options: Any) -> Any:
        def loss(x: Any) -> Any:
            return function(x.log_softmax(-1), *rest, **options)

        return scope["call"](loss, logits)

    extra = {"b": b, "paths": paths, "end": end, "causal": causal, "made": made, "twice": twice}
    return outcome(torch, program, scope | extra, digits=17)


def weighted(torch: Any, outs: Any) -> Any:
    """A sum of the elements with weights that tell them apart."""
    return sum((t * torch.from_numpy(weights(t.shape, t.detach().numpy()))).sum() for t in outs)
