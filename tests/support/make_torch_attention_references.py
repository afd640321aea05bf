"""Write what PyTorch gives for the programs of tests/fnx_nn/data/attention_programs.txt.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra) and numpy:

    python tests/support/make_torch_attention_references.py

It writes torch_attention.json beside them, for tests/fnx_nn/nn/test_attention.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.attention_programs import STORED, attention_outcome, read_attention_programs


def main() -> None:
    torch.set_num_threads(1)
    stored = {
        name: {"program": program, "outcome": attention_outcome(torch, program)}
        for name, program in read_attention_programs().items()
    }
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in stored.items()]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(STORED.name, len(stored), "programs", STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
