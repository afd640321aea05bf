"""Write tests/fnx_nn/data/torch_tensor_programs.json: what PyTorch shows for short programs.

Run it from the root of the repository with an interpreter that has torch 2.13.0:

    python -m tests.support.make_torch_tensor_references
"""

from __future__ import annotations

import json
import warnings

import torch

from tests.support.tensor_programs import DATA, outcome, read_programs

STORED = DATA / "torch_tensor_programs.json"


def main() -> None:
    warnings.simplefilter("ignore")
    stored = {
        name: {"program": program, "outcome": outcome(torch, program)}
        for name, program in read_programs().items()
    }
    STORED.write_text(json.dumps(stored, indent=1) + "\n")
    print(STORED.name, len(stored), "programs", STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
