"""Short programs of recurrent layers and packed sequences, the same for PyTorch and for fnx_nn.

They stand in tests/fnx_nn/data/recurrent_programs.txt and are read and run as those of
`nn_programs`, with all digits of float64 kept, and see in addition

- `rnn`: the module `nn.utils.rnn`;
- `run(module, input, *states, lengths=None)`: results in float64, and the gradients of the input,
  of the first states and of all parameters, of a weighted sum of the results; with `lengths`, of
  the packed input;
- `twice(...)`: as `run`, the gradients of a weighted sum of the gradients;
- `loaded(module)`: the module with given numbers, by the names of PyTorch;
- `made(module)`: its text, and of each tensor of its state the name, shape, dtype and bytes.

PyTorch's outcomes are stored by `make_torch_recurrent_references.py`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from tests.support.nn_programs import DATA, leaves, outcome, read_programs, scope_of, weights

__all__ = ["STORED", "read_recurrent_programs", "recurrent_outcome"]

STORED = DATA / "torch_recurrent.json"


def read_recurrent_programs() -> dict[str, str]:
    """All programs, by the name of the group and their number in it."""
    return read_programs("recurrent_programs.txt")


def recurrent_outcome(torch: Any, program: str) -> Any:
    """What a program gives, as a tree that JSON can hold."""
    scope = scope_of(torch)
    rnn = torch.nn.utils.rnn

    def applied(module: Any, input: Any, states: Any, lengths: Any) -> Any:
        if lengths is not None:
            first = module.batch_first
            input = rnn.pack_padded_sequence(input, lengths, first, enforce_sorted=False)
        hx = states if len(states) != 1 else states[0]
        return module(input, hx) if states else module(input)

    def run(module: Any, input: Any, *states: Any, lengths: Any = None) -> Any:
        module = module.double()
        out = applied(module, input, states, lengths)
        wanted = [input, *states, *module.parameters()]
        return [out, torch.autograd.grad(weighted(torch, out), wanted)]

    def twice(module: Any, input: Any, *states: Any, lengths: Any = None) -> Any:
        module = module.double()
        out = applied(module, input, states, lengths)
        wanted = [input, *states, *module.parameters()]
        first = torch.autograd.grad(weighted(torch, out), wanted, create_graph=True)
        return torch.autograd.grad(weighted(torch, first), wanted, allow_unused=True)

    def loaded(module: Any) -> Any:
        state = {name: scope["n"](*t.shape) for name, t in module.state_dict().items()}
        module.double().load_state_dict(state)
        return module

    def made(module: Any) -> Any:
        state = {
            name: [str(t.dtype), list(t.shape), hashlib.sha256(t.numpy().tobytes()).hexdigest()[:9]]
            for name, t in module.state_dict().items()
        }
        return [repr(module), state, [[list(p.shape) for p in ps] for ps in layers(module)]]

    extra = {"rnn": rnn, "run": run, "twice": twice, "loaded": loaded, "made": made}
    return outcome(torch, program, scope | extra, digits=17)


def layers(module: Any) -> Any:
    """The parameters of a layer and direction each; of a cell, none."""
    return getattr(module, "all_weights", [])


def weighted(torch: Any, tree: Any) -> Any:
    """A sum of what has a gradient, with weights that tell the elements apart."""
    outs = [t for t in leaves(torch, tree) if t.requires_grad]
    return sum((t * torch.from_numpy(weights(t.shape, t.detach().numpy()))).sum() for t in outs)
