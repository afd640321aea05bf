"""The command line of the style transfer: what may be asked, and what is refused at once.

In: the words of the command line. Out: `StyleOptions`, checked: everything that can be found
wrong before the work starts is found here, with one message.

Read next: `pictures`, then the driver.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fnx_nn.style.loss_plot import MATPLOTLIB_REMEDY, can_plot

__all__ = ["StyleOptions", "check_options", "make_parser", "parse_options"]

SMALLEST_SIZE = 32  # below this the deeper layers see a handful of pixels
LARGEST_SIZE = 4096
LARGEST_WEIGHT = 1e30  # single precision holds it, with room for the losses
EMBEDDED = "random"  # the name, in place of a file, of the filters that come with the program


@dataclass(frozen=True, slots=True)
class StyleOptions:
    """One style transfer: three pictures, its length and its weights."""

    content: Path
    style: Path
    output: Path
    size: int = 256
    steps: int = 300
    weights: str | None = None
    style_weight: float = 1e6
    content_weight: float = 1.0
    seed: int = 0
    dtype: str = "float32"
    strip: Path | None = None
    plot: Path | None = None
    quiet: bool = False

    @property
    def weights_file(self) -> Path | None:
        """The file of weights that was named, or None."""
        return None if self.weights in (None, EMBEDDED) else Path(str(self.weights))

    @property
    def wants_embedded(self) -> bool:
        """Whether the embedded filters are asked for, even if the official weights are there."""
        return self.weights == EMBEDDED

    @property
    def strip_path(self) -> Path:
        """Where content, style and result go side by side: `result.png` has `result-strip.png`."""
        return self.strip or self.output.with_name(f"{self.output.stem}-strip.png")

    @property
    def plot_path(self) -> Path:
        """Where the plot of the losses goes: `result.png` has `result-losses.png`."""
        return self.plot or self.output.with_name(f"{self.output.stem}-losses.png")


def parse_options(words: Sequence[str] | None = None) -> StyleOptions:
    """Read the command line; a wrong one ends the program with a usage message.

    Parameters
    ----------
    words : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    StyleOptions
        Checked by `check_options`.
    """
    parser = make_parser()
    options = StyleOptions(**vars(parser.parse_args(words)))
    try:
        check_options(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def check_options(options: StyleOptions) -> None:
    """Raise ValueError if the options contradict themselves or name what is not there."""
    if not SMALLEST_SIZE <= options.size <= LARGEST_SIZE:
        raise ValueError(f"--size is {SMALLEST_SIZE} to {LARGEST_SIZE} pixels, not {options.size}")
    if options.steps < 1:
        raise ValueError(f"--steps is 1 or more, not {options.steps}")
    for name, weight in (
        ("--style-weight", options.style_weight),
        ("--content-weight", options.content_weight),
    ):
        if not 0 <= weight <= LARGEST_WEIGHT:
            raise ValueError(f"{name} is a number from 0 to {LARGEST_WEIGHT:g}, not {weight:g}")
    if options.style_weight == options.content_weight == 0:
        raise ValueError("--style-weight and --content-weight are both 0: nothing to optimise")
    if options.weights_file is not None and not options.weights_file.is_file():
        raise ValueError(
            f"--weights: there is no file '{options.weights}'; give a VGG-19 state dict, or "
            f"'{EMBEDDED}' for the embedded filters"
        )
    if options.plot is not None and not can_plot():
        raise ValueError(f"--plot needs matplotlib: {MATPLOTLIB_REMEDY}")
    _check_inputs(options)
    _check_outputs(options)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fnx_nn.style",
        description="Paint the content of one picture in the style of another.",
    )
    add = parser.add_argument
    add("--content", type=Path, required=True, help="the picture that shows what is painted")
    add("--style", type=Path, required=True, help="the picture that shows how")
    add("--output", type=Path, required=True, help="the PNG file to write")
    add("--size", type=int, default=256, help="side of the result in pixels (%(default)s)")
    add("--steps", type=int, default=300, help="evaluations of the losses (%(default)s)")
    add(
        "--weights",
        metavar="FILE",
        help=f"a file of VGG-19 weights (.pth), or '{EMBEDDED}' for the embedded filters; by "
        "default the official file if PyTorch's cache folder has it, else the embedded filters",
    )
    add("--style-weight", type=float, default=1e6, help="weight of the style (%(default)s)")
    add("--content-weight", type=float, default=1.0, help="weight of the content (%(default)s)")
    add("--seed", type=int, default=0, help="of everything random (%(default)s)")
    add("--dtype", choices=("float32", "float64"), default="float32", help="(%(default)s)")
    add("--strip", type=Path, help="where content | style | result goes (OUTPUT-strip.png)")
    add("--plot", type=Path, help="where the plot of the losses goes (OUTPUT-losses.png)")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def _check_inputs(options: StyleOptions) -> None:
    for name, path in (("--content", options.content), ("--style", options.style)):
        if path.is_dir():
            raise ValueError(f"{name}: '{path}' is a folder, not a picture")
        if not path.exists():
            raise ValueError(f"{name}: there is no file '{path}'")


def _check_outputs(options: StyleOptions) -> None:
    outputs = {
        "--output": options.output,
        "--strip": options.strip_path,
        "--plot": options.plot_path,
    }
    seen = {_identity(path): name for name, path in _inputs(options).items()}
    for name, path in outputs.items():
        if path.suffix.lower() != ".png":
            raise ValueError(f"{name}: '{path}' does not end with .png")
        if path.is_dir():
            raise ValueError(f"{name}: '{path}' is a folder")
        if not path.absolute().parent.is_dir():
            raise ValueError(f"{name}: there is no folder '{path.absolute().parent}'")
        if not os.access(path.absolute().parent, os.W_OK):
            raise ValueError(f"{name}: the folder '{path.absolute().parent}' is not writable")
        other = seen.setdefault(_identity(path), name)
        if other != name:
            raise ValueError(f"{name} would overwrite {other}: both are '{path}'")


def _inputs(options: StyleOptions) -> dict[str, Path]:
    inputs = {"--content": options.content, "--style": options.style}
    if options.weights_file is not None:
        inputs["--weights"] = options.weights_file
    return inputs


def _identity(path: Path) -> str:
    return str(path.resolve())
