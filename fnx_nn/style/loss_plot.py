"""The plot of a style transfer's losses, with matplotlib, if it is installed.

In: the history of (style, content) losses. Out: a PNG file that is complete or absent.

Read next: `pictures`.
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Sequence

from fnx_nn.atomic_files import open_atomically

__all__ = ["MATPLOTLIB_REMEDY", "can_plot", "plot_losses"]

MATPLOTLIB_REMEDY = "install matplotlib (the extra 'viz': pip install 'fnx[viz]')"


def can_plot() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def plot_losses(history: Sequence[tuple[float, float]], path: str | os.PathLike[str]) -> None:
    """Draw both losses over the evaluations, on a logarithmic scale.

    Parameters
    ----------
    history : sequence of (style, content)
        The weighted losses of each evaluation.
    path : path
        The PNG file to write.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed; the message says how to get it.
    ValueError
        If the history is empty.
    """
    if not history:
        raise ValueError("plot_losses: the history is empty.")
    if not can_plot():
        raise ModuleNotFoundError(f"plot_losses: matplotlib is absent; {MATPLOTLIB_REMEDY}.")
    # Without pyplot, and so without its global state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.2), dpi=120, layout="constrained")
    axes = figure.subplots()
    steps = range(1, len(history) + 1)
    for index, (name, colour) in enumerate((("style", "#c8641e"), ("content", "#1e5ac8"))):
        # A logarithm has no place for the content loss of the first step, which is 0.
        values = [pair[index] if pair[index] > 0 else float("nan") for pair in history]
        axes.plot(steps, values, label=f"{name} loss", color=colour, linewidth=1.6)
    axes.set_yscale("log")
    axes.set_xlabel("evaluation")
    axes.set_ylabel("weighted loss")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    with open_atomically(path) as file:
        file.write(buffer.getvalue())
