"""Write tests/fnx_nn/data/torch_data.json: what PyTorch's data sets, samplers and loaders give.

Run it from the root of the repository with an interpreter that has torch 2.13.0:

    python -m tests.support.make_torch_data_references
"""

from __future__ import annotations

import json

import torch

from tests.support.data_trials import STORED, TRIALS


def main() -> None:
    stored = {name: trial(torch) for name, trial in TRIALS.items()}
    text = json.dumps({"torch": torch.__version__, **stored}, separators=(",", ":"))
    STORED.write_text(text + "\n")
    print(STORED.name, STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
