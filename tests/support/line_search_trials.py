"""Functions of three variables with many valleys, and lines through them, for line searches.

`line_cases` gives the numbers of each, `value_and_gradient` evaluates one, with NumPy or with
`fnx.numpy`.
`make_torch_optim_references.py` stores where PyTorch's line search ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

COUNT = 120


def line_cases() -> list[dict[str, Any]]:
    """Sines plus a quadratic form, a start, a direction that falls, a first step, and a limit."""
    rng = np.random.default_rng(5)
    cases = []
    for _ in range(COUNT):
        case: dict[str, Any] = {
            "form": rng.standard_normal((3, 3)),
            "frequency": rng.uniform(0.2, 6.0, 3),
            "phase": rng.uniform(0.0, 6.0, 3),
            "height": rng.uniform(0.0, 3.0, 3),
            "curvature": rng.uniform(0.0, 1.5),
            "start": rng.standard_normal(3) * 2,
        }
        gradient = value_and_gradient(case, case["start"], np)[1]
        case["direction"] = -gradient * rng.uniform(0.1, 2.0, 3)
        case["first_step"] = float(rng.choice([1e-3, 0.1, 1.0, 5.0, 50.0]))
        case["most_trials"] = int(rng.choice([0, 1, 2, 3, 5, 25]))
        cases.append(case)
    return cases


def value_and_gradient(case: dict[str, Any], x: Any, numpy: Any) -> tuple[Any, Any]:
    """The function and its gradient, with the functions of a NumPy."""
    form, frequency = case["form"], case["frequency"]
    angle = frequency * x + case["phase"]
    y = form @ x
    value = numpy.sum(case["height"] * numpy.sin(angle)) + case["curvature"] * numpy.sum(y * y)
    slopes = case["height"] * frequency * numpy.cos(angle)
    return value, slopes + 2 * case["curvature"] * (form.T @ y)
