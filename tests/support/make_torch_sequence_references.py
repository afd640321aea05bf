"""Write what PyTorch gives for the programs of tests/fnx_nn/data/sequence_programs.txt.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra) and numpy:

    python tests/support/make_torch_sequences_references.py

It writes torch_sequences.json beside them, for test_attention.py and
test_ctc_loss.py in tests/fnx_nn/nn.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.sequence_programs import STORED, read_sequence_programs, sequence_outcome


def main() -> None:
    torch.set_num_threads(1)
    with warnings.catch_warnings(action="ignore"):  # once, that these are a prototype
        torch.nested.nested_tensor([torch.ones(1)])
    stored = {
        name: {"program": program, "outcome": sequence_outcome(torch, program)}
        for name, program in read_sequence_programs().items()
    }
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in stored.items()]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(STORED.name, len(stored), "programs", STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
