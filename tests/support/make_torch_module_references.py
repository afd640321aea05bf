"""Write what PyTorch notes for the programs of tests/fnx_nn/data/module_programs.txt.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra) and numpy:

    python tests/support/make_torch_module_references.py

It writes torch_modules.json beside them, for test_module.py, test_containers.py and their
neighbours in tests/fnx_nn/nn, and for tests/fnx_nn/func.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.module_programs import STORED, notes, read_module_programs


def main() -> None:
    torch.set_num_threads(1)
    stored = {name: notes(torch, program) for name, program in read_module_programs().items()}
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in stored.items()]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(STORED.name, len(stored), "programs", STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
