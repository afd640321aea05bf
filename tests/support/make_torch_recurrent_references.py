"""Write what PyTorch gives for the programs of tests/fnx_nn/data/recurrent_programs.txt.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra) and numpy:

    python tests/support/make_torch_recurrent_references.py

Run it on a processor that is not Intel's: there PyTorch draws the masks of dropout from another
generator, MKL's. It writes torch_recurrent.json beside them, and recurrent_weights.pth (the state
of an LSTM, an input and its output), for tests/fnx_nn/nn/test_recurrent.py and its neighbours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.recurrent_programs import STORED, read_recurrent_programs, recurrent_outcome


def main() -> None:
    torch.set_num_threads(1)
    stored = {
        name: {"program": program, "outcome": recurrent_outcome(torch, program)}
        for name, program in read_recurrent_programs().items()
    }
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in stored.items()]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(STORED.name, len(stored), "programs", STORED.stat().st_size, "bytes")

    torch.manual_seed(5)
    layer = torch.nn.LSTM(3, 4, bidirectional=True, proj_size=2).double()
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    weights = {"state": layer.state_dict(), "input": x, "output": layer(x)[0].detach()}
    torch.save(weights, STORED.with_name("recurrent_weights.pth"))


if __name__ == "__main__":
    main()
