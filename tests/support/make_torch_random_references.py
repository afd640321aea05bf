"""Write tests/fnx_nn/data/torch_random.json: what PyTorch's CPU generator draws.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra), on a processor whose
`bernoulli_` draws from the generator (AMD; on Intel, MKL's stream is used for a scalar p):

    python tests/support/make_torch_random_references.py

For each case it stores the SHA-256 of the drawn bytes and of the state after, and up to 16 values
as hexadecimal floats (the ones that pass through the C library's functions are compared by
value, since the last bit is the library's).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

SEED = 17
SIZES = (1, 2, 3, 15, 16, 17, 33, 1001, 40000)
DATA = Path(__file__).resolve().parents[1] / "fnx_nn" / "data" / "torch_random.json"
FLOATS = (torch.float32, torch.float64)
INTEGERS = (torch.int64, torch.int32, torch.uint8)

# method, arguments, dtypes
FILLS = [
    ("uniform_", (), (*FLOATS, torch.float16)),
    ("uniform_", (-0.3, 0.7), FLOATS),
    ("uniform_", (0.1, 0.7001), FLOATS),
    ("normal_", (), (*FLOATS, torch.float16)),
    ("normal_", (0.3, 2.1), FLOATS),
    ("normal_", (0.0, 0.01), FLOATS),
    ("bernoulli_", (0.3,), (*FLOATS, torch.bool, torch.int64)),
    ("exponential_", (1.7,), FLOATS),
    ("cauchy_", (0.3, 1.7), FLOATS),
    ("log_normal_", (0.3, 0.7), FLOATS),
    ("geometric_", (0.3,), (*FLOATS, torch.int64)),
    ("random_", (), (*INTEGERS, torch.int8, torch.bool, *FLOATS)),
    ("random_", (0, 10), (*INTEGERS, *FLOATS)),
    ("random_", (-5, 1 << 28), (torch.int64, torch.int32)),
    ("random_", (-(1 << 33), 1 << 35), (torch.int64, torch.float64)),
]


def digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:16]


def state_digest() -> str:
    return digest(torch.get_rng_state())


def values(tensor: torch.Tensor) -> list:
    flat = tensor.reshape(-1)[:16].tolist()
    return [value.hex() if isinstance(value, float) else value for value in flat]


def fills() -> list[dict]:
    cases = []
    for method, arguments, dtypes in FILLS:
        for dtype in dtypes:
            for size in SIZES:
                torch.manual_seed(SEED)
                tensor = torch.empty(size, dtype=dtype)
                getattr(tensor, method)(*arguments)
                cases.append(
                    {
                        "method": method,
                        "arguments": arguments,
                        "dtype": str(dtype).removeprefix("torch."),
                        "size": size,
                        "sha256": digest(tensor),
                        "state": state_digest(),
                        "values": values(tensor) if size == 33 else [],
                    }
                )
    return cases


def strided() -> list[dict]:
    """Tensors with gaps or permuted axes, filled in the order of their memory."""
    cases = []
    for method in ("uniform_", "normal_"):
        for layout in ("transposed", "every second column"):
            torch.manual_seed(SEED)
            base = torch.zeros(12, 9)
            view = base.t() if layout == "transposed" else base[:, ::2]
            getattr(view, method)()
            cases.append({"method": method, "layout": layout, "sha256": digest(base)})
    return cases


def chains() -> list[list]:
    """Normals by small pieces: the second of a pair waits for the next call."""
    torch.manual_seed(SEED)
    pieces = []
    for size in (3, 1, 5, 20, 2, 7):
        pieces.append([size, values(torch.randn(size)), state_digest()])
    return pieces


def permutations() -> list[dict]:
    cases = []
    for size in (0, 1, 2, 10, 40):
        torch.manual_seed(SEED)
        cases.append({"size": size, "values": torch.randperm(size).tolist()})
    return cases


def multinomials() -> dict:
    torch.manual_seed(SEED)
    weights = torch.rand(4, 9)
    cases = []
    for dtype in FLOATS:
        for count, replacement in ((1, False), (1, True), (4, False), (9, False), (20, True)):
            torch.manual_seed(SEED)
            drawn = torch.multinomial(weights.to(dtype), count, replacement)
            cases.append(
                {
                    "dtype": str(dtype).removeprefix("torch."),
                    "count": count,
                    "replacement": replacement,
                    "values": drawn.tolist(),
                    "state": state_digest(),
                }
            )
    return {"weights": [[w.hex() for w in row] for row in weights.tolist()], "cases": cases}


def probabilities() -> list[dict]:
    """`bernoulli_` with a tensor of probabilities."""
    cases = []
    for dtype in FLOATS:
        torch.manual_seed(SEED)
        chances = torch.rand(1001, dtype=dtype)
        drawn = torch.bernoulli(chances)
        cases.append({"dtype": str(dtype).removeprefix("torch."), "sha256": digest(drawn)})
    return cases


def dropout() -> list[int]:
    torch.manual_seed(SEED)
    kept = torch.nn.functional.dropout(torch.ones(100), 0.3) != 0
    return kept.int().tolist()


def truncated_normals() -> list[dict]:
    cases = []
    for arguments in ((0.0, 1.0, -2.0, 2.0), (0.1, 0.02, -0.03, 2.0), (0.0, 1.0, 1.0, 3.0)):
        for dtype in FLOATS:
            torch.manual_seed(SEED)
            tensor = torch.empty(1001, dtype=dtype)
            torch.nn.init.trunc_normal_(tensor, *arguments)
            cases.append(
                {
                    "arguments": arguments,
                    "dtype": str(dtype).removeprefix("torch."),
                    "values": values(tensor),
                    "state": state_digest(),
                }
            )
    return cases


def main() -> None:
    torch.manual_seed(SEED)
    torch.randn(3)
    state = torch.get_rng_state()
    references = {
        "torch": torch.__version__,
        "seed": SEED,
        "fills": fills(),
        "strided": strided(),
        "normal_chain": chains(),
        "permutations": permutations(),
        "multinomial": multinomials(),
        "bernoulli_of_tensor": probabilities(),
        "dropout_kept": dropout(),
        "truncated_normals": truncated_normals(),
        # The bytes around the 624 words, after randn(3): a second normal is waiting.
        "state_head": state[:32].tolist(),
        "state_tail": state[-48:].tolist(),
        "state_size": state.numel(),
    }
    DATA.write_text(json.dumps(references, indent=None, separators=(",", ":")) + "\n")
    print(DATA.name, DATA.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
