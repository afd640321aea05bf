"""Write tests/fnx_nn/data/torch_optim.json: what PyTorch's optimizers and schedulers do.

Run it from the root of the repository with an interpreter that has torch 2.13.0:

    python -m tests.support.make_torch_optim_references
"""

from __future__ import annotations

import json

import numpy as np
import torch
from torch.optim.lbfgs import _strong_wolfe

from tests.support.line_search_trials import line_cases, value_and_gradient
from tests.support.optim_trials import (
    COMPLEX,
    OPTIMIZERS,
    SCHEDULER_TRIALS,
    STORED,
    run_optimizer,
    run_scheduler,
)


def end_of_line_search(case: dict) -> list[float]:
    """The step that PyTorch's line search gives, the value there, and the evaluations made."""
    direction = torch.tensor(case["direction"])

    def evaluate(x: torch.Tensor, t: float, d: torch.Tensor) -> tuple[float, torch.Tensor]:
        value, gradient = value_and_gradient(case, (x + t * d).numpy(), np)
        return float(value), torch.tensor(gradient)

    x = torch.tensor(case["start"])
    value, gradient = evaluate(x, 0.0, direction)
    found, _, t, count = _strong_wolfe(
        evaluate,
        x,
        case["first_step"],
        direction,
        value,
        gradient,
        gradient.dot(direction),
        max_ls=case["most_trials"],
    )
    return [float(t), found, count]


def main() -> None:
    stored = {
        "torch": torch.__version__,
        "optimizers": {name: run_optimizer(torch, name) for name in OPTIMIZERS},
        "complex": {name: run_optimizer(torch, name, True) for name in COMPLEX},
        "schedulers": {name: run_scheduler(torch, name) for name in SCHEDULER_TRIALS},
        "schedulers of Adam": {
            name: run_scheduler(torch, name, "Adam") for name in ("cyclic", "one cycle")
        },
        "line searches": [end_of_line_search(case) for case in line_cases()],
    }
    STORED.write_text(json.dumps(stored, separators=(",", ":")) + "\n")
    print(STORED.name, STORED.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
