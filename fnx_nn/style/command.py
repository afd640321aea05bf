"""The command `python -m fnx_nn.style`: from two picture files to the painted picture's files.

In: the words of the command line. Out: the result, a strip of content, style and result, and a plot
of the losses, each a PNG file that is complete or absent. What is wrong with the input is found
before the work begins, and said in one line; the exit status is 2 for a wrong command line and 1
for wrong data.

Read next: `options`, `driver`, `pictures`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

import fnx_nn as torch
from fnx_nn.generator import Generator
from fnx_nn.serialization import SerializationError
from fnx_nn.style.driver import Painting, paint
from fnx_nn.style.features import (
    StyleFeatures,
    WeightsMismatchError,
    embed_filters,
    load_filters,
)
from fnx_nn.style.loss_plot import MATPLOTLIB_REMEDY, can_plot, plot_losses
from fnx_nn.style.options import StyleOptions, parse_options
from fnx_nn.style.pictures import read_square, side_by_side, write_png
from fnx_nn.vision.models import VGG19_Weights

__all__ = ["main", "run"]

_PROGRAM = "python -m fnx_nn.style"
_OFFICIAL = VGG19_Weights.IMAGENET1K_V1


def main(words: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status.

    Parameters
    ----------
    words : sequence of str, optional
        The arguments; those of the process by default. Wrong ones end the process with status 2.
    """
    options = parse_options(words)
    try:
        run(options)
    except (OSError, OverflowError, SerializationError, WeightsMismatchError) as error:
        print(f"{_PROGRAM}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{_PROGRAM}: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def run(options: StyleOptions) -> Painting:
    """Paint, and write the files.

    Parameters
    ----------
    options : StyleOptions
        What to do, already checked.

    Raises
    ------
    PictureError
        If an input is no picture.
    SerializationError, WeightsMismatchError
        If the weight file is damaged, or holds no VGG-19.
    OverflowError
        If the weights of the losses are too large.
    """
    content = read_square(options.content, options.size)
    style = read_square(options.style, options.size)
    arrays = [_array(picture, options.dtype) for picture in (content, style)]
    network = StyleFeatures()
    print(_choose_filters(network, options, arrays))
    start = time.perf_counter()
    painting = _paint_with_progress(network, options, arrays)
    seconds = time.perf_counter() - start
    result = _image(painting.picture)
    written = [options.output, options.strip_path]
    write_png(result, options.output)
    write_png(side_by_side([content, style, result]), options.strip_path)
    if can_plot():
        plot_losses(painting.history, options.plot_path)
        written.append(options.plot_path)
    else:
        print(f"no plot of the losses: {MATPLOTLIB_REMEDY}")
    print(_summary(painting, seconds))
    print("wrote " + ", ".join(str(path) for path in written))
    return painting


def _choose_filters(
    network: StyleFeatures, options: StyleOptions, arrays: Sequence[NDArray[np.float32]]
) -> str:
    """Give the network its weights, and return what is to be said about them."""
    official = _OFFICIAL.file_path
    file = options.weights_file
    if file is None and not options.wants_embedded and official.is_file():
        file = official
    if file is not None:
        checked = load_filters(network, file)
        note = "hash checked" if checked else "its name announces no hash to check"
        network.to(_dtype(options))
        return f"weights: {file} ({note})"
    pictures = np.concatenate([array.astype(np.float32) for array in arrays])
    embed_filters(network, pictures, Generator().manual_seed(options.seed))
    network.to(_dtype(options))
    chosen = f"weights: embedded random filters, seed {options.seed}"
    if options.wants_embedded:
        return chosen
    megabytes = round(_OFFICIAL.meta["_file_size"])
    return (
        f"{chosen}; the trained ones of VGG-19 are not here.\n"
        f"  To paint with those, fetch {_OFFICIAL.url} ({megabytes} MB)\n"
        f"  and put it at {official}, or name it: --weights FILE.\n"
        f"  The hash in its name, {_OFFICIAL.hash_prefix}, is checked."
    )


def _paint_with_progress(
    network: StyleFeatures, options: StyleOptions, arrays: Sequence[NDArray[np.float32]]
) -> Painting:
    with tqdm(total=options.steps, desc="painting", unit="step", disable=options.quiet) as bar:

        def report(style: float, content: float) -> None:
            bar.set_postfix_str(f"style {style:.3e}, content {content:.3e}", refresh=False)
            bar.update()

        return paint(
            network,
            *arrays,
            steps=options.steps,
            style_weight=options.style_weight,
            content_weight=options.content_weight,
            on_evaluation=report,
        )


def _summary(painting: Painting, seconds: float) -> str:
    (style, content), (last_style, last_content) = painting.history[0], painting.best_losses
    share = f" ({100 * last_style / style:.3g} % of the first)" if style else ""
    lines = [
        f"style loss {style:.4g} -> {last_style:.4g}{share}, "
        f"content loss {content:.4g} -> {last_content:.4g}"
    ]
    if painting.leaps:
        lines.append(f"leaps of LBFGS that were taken back: {painting.leaps}")
    if painting.converged:
        lines.append("stopped early: nothing was left to improve")
    lines.append(f"evaluations: {len(painting.history)}, in {seconds:.1f} s, compilation included")
    return "\n".join(lines)


def _array(picture: Image.Image, dtype: str) -> NDArray[np.floating]:
    levels = np.asarray(picture, dtype=dtype).transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray(levels / 255)


def _image(array: NDArray[np.floating]) -> Image.Image:
    levels = np.rint(array[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    return Image.fromarray(levels)


def _dtype(options: StyleOptions) -> torch.dtype:
    return getattr(torch, options.dtype)
