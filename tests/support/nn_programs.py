"""Short programs of `nn` and `nn.functional`, the same for PyTorch and for fnx_nn.

They stand in tests/fnx_nn/data/nn_programs.txt: a line ``=== name`` begins a group, each further
line is a program, an expression of `torch`, `nn`, `F` and of

- `d(*shape)`: a float64 tensor that wants a gradient; `f(...)`: float32; `n(...)`: one that wants
  no gradient; `p(...)`: probabilities; `i(high, *shape)`: integers. All depend on their number in
  the program alone; `at=` and `by=` shift and scale.
- `call(function, *operands, **options)`: the result, and the gradients of every operand and of
  every parameter that wants one, of a weighted sum of the results.
- `made(module)`: the text, the names and the contents of the module's state.

`outcome` runs one and gives a tree that JSON can hold: arrays as shape, dtype and some weighted
sums, errors and warnings as text. PyTorch's outcomes are stored by `make_torch_nn_references.py`.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "fnx_nn" / "data"
WHOLE = 4  # arrays of at most so many elements are stored whole


def read_nn_programs() -> dict[str, str]:
    """All programs, by the name of the group and their number in it."""
    return read_programs("nn_programs.txt")


def read_programs(file: str) -> dict[str, str]:
    """The programs of a file of such lines."""
    programs: dict[str, str] = {}
    text = (DATA / file).read_text()
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        group, _, lines = part.partition("\n")
        found = [line for line in lines.split("\n") if line.strip() and not line.startswith("#")]
        programs.update({f"{group} {k}": line for k, line in enumerate(found)})
    return programs


def scope_of(torch: Any) -> dict[str, Any]:
    """The names that a program sees, freshly seeded."""
    rng = np.random.default_rng(5)
    torch.manual_seed(0)

    def draw(shape: tuple[int, ...], dtype: Any, at: float, by: float) -> Any:
        return torch.from_numpy(np.asarray(rng.uniform(-1, 1, shape) * by + at).astype(dtype))

    def d(*shape: int, at: float = 0.0, by: float = 1.0) -> Any:
        return draw(shape, np.float64, at, by).requires_grad_()

    def f(*shape: int, at: float = 0.0, by: float = 1.0) -> Any:
        return draw(shape, np.float32, at, by).requires_grad_()

    def n(*shape: int, at: float = 0.0, by: float = 1.0) -> Any:
        return draw(shape, np.float64, at, by)

    def p(*shape: int) -> Any:
        return draw(shape, np.float64, 0.5, 0.4).requires_grad_()

    def i(high: int, *shape: int) -> Any:
        return torch.from_numpy(np.asarray(rng.integers(0, high, shape), np.int64))

    def made(module: Any) -> Any:
        return [repr(module), dict(module.state_dict())]

    nn = torch.nn
    return {
        "torch": torch, "nn": nn, "F": nn.functional, "np": np, "inf": float("inf"),
        "d": d, "f": f, "n": n, "p": p, "i": i, "made": made, "call": called(torch),
    }  # fmt: skip


def called(torch: Any) -> Any:
    """`call` of a program: results and gradients."""

    def call(function: Any, *operands: Any, **options: Any) -> Any:
        if isinstance(function, torch.nn.Module):
            function = function.double()
        wanted = differentiable(torch, function, operands, options)
        out = function(*operands, **options)
        outs = [o for o in leaves(torch, out) if o.requires_grad]
        if not outs:
            return [out]
        total = sum(
            (o * torch.from_numpy(weights(o.shape, o.detach().numpy()))).sum() for o in outs
        )
        grads = torch.autograd.grad(total, wanted, allow_unused=True)
        return [out, [g for g in grads]]

    return call


def differentiable(torch: Any, function: Any, operands: Any, options: Any) -> list[Any]:
    """The tensors of a call that want a gradient."""
    given = [*operands, *options.values()]
    if isinstance(function, torch.nn.Module):
        given += list(function.parameters())
    return [t for t in given if isinstance(t, torch.Tensor) and t.requires_grad]


def leaves(torch: Any, out: Any) -> list[Any]:
    """The tensors of a result."""
    if isinstance(out, (tuple, list)):
        return [t for item in out for t in leaves(torch, item)]
    return [out] if isinstance(out, torch.Tensor) else []


def weights(shape: Any, like: Any) -> Any:
    """Weights that no two elements share, in the dtype of an array."""
    count = int(np.prod(shape)) if len(shape) else 1
    values = np.cos(np.arange(count) * 1.3 + 0.2)
    return values.reshape(tuple(shape)).astype(like.dtype)


def outcome(torch: Any, program: str, scope: Any = None, digits: int = 10) -> Any:
    """What a program gives, as a tree that JSON can hold; in another scope, if given."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            found = digest(torch, eval(program, scope or scope_of(torch)), digits)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
    words = [f"{w.category.__name__}: {w.message}".split(" (Triggered")[0] for w in raised]
    return {"warns": words, "gives": found} if words else found


def digest(torch: Any, value: Any, digits: int = 10) -> Any:
    """A value as a tree: arrays by their weighted sums, other things by their text."""
    if isinstance(value, torch.Tensor):
        data = value.detach()
        return array_digest(str(data.dtype), data.double().numpy(), digits)
    if isinstance(value, dict):
        return {key: digest(torch, item, digits) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [digest(torch, item, digits) for item in value]
    return re.sub(r"0x[0-9a-f]+", "0x", repr(value))


def array_digest(dtype: str, data: Any, digits: int = 10) -> Any:
    """Shape, dtype, and the contents: whole, or as weighted sums."""
    flat = data.reshape(-1)
    if flat.size <= WHOLE:
        numbers = flat
    else:
        place = np.arange(flat.size)
        sums = [flat @ np.cos(place * step + step) for step in (0.9, 2.3)]
        numbers = np.array([flat.sum(), *sums])
    return [dtype, list(data.shape), [float(f"{v:.{digits}g}") for v in numbers]]


def agree(want: Any, got: Any, tolerance: float = 5e-8) -> bool:
    """Whether two outcomes are equal, numbers within a tolerance (wider in float32)."""
    if isinstance(want, dict) and isinstance(got, dict):
        return want.keys() == got.keys() and all(agree(want[k], got[k]) for k in want)
    if isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            return False
        wide = 1e-5 if want and want[0] in ("torch.float32", "torch.float16") else tolerance
        return all(agree(a, b, wide) for a, b in zip(want, got, strict=True))
    if isinstance(want, float) and isinstance(got, (float, int)):
        return want == got or (want != want and got != got) or (
            abs(want - got) <= tolerance * max(1.0, abs(want))
        )  # fmt: skip
    return bool(want == got)
