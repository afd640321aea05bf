"""How tensors look: the text of ``repr``, to the letter that of PyTorch.

A `_Format` is chosen once for all elements shown (whole numbers, fixed point, or powers of ten);
then rows are laid out within the line width, long tensors with their edges only.
Read next: `fnx_nn.tensor.tensor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.devices import get_default_device
from fnx_nn.dtypes import dtype_of
from fnx_nn.tensor.table import METHODS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["set_printoptions", "tensor_text"]


@dataclass(frozen=True, slots=True)
class Options:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}
#: The options of the process; `set_printoptions` replaces them, as PyTorch's does.
_options = [Options()]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are printed.

    Parameters
    ----------
    precision : int, optional
        Digits after the point.
    threshold : float, optional
        With more elements, only the edges are shown.
    edgeitems : int, optional
        How many at each edge.
    linewidth : int, optional
        Characters in a line.
    profile : {"default", "short", "full"}, optional
        All options at once.
    sci_mode : bool, optional
        Powers of ten always, or never.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.set_printoptions(profile="default")
    """
    chosen = _options[0] if profile is None else _PROFILES[profile]
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    chosen = replace(chosen, **changes)
    _options[0] = replace(chosen, sci_mode=sci_mode)


def tensor_text(x: Tensor, prefix: str = "tensor(") -> str:
    """The text of a tensor.

    Parameters
    ----------
    x : Tensor
        What to show.
    prefix : str
        What it begins with.
    """
    options, data, indent = _options[0], x._data, len(prefix)
    kind, default = dtype_of(data.dtype), ambient().default_dtype
    suffixes = []
    if x.device != get_default_device():
        suffixes.append(f"device='{x.device}'")
    if not data.size:
        body = "[]"
        if data.ndim != 1:
            suffixes.append(f"size={tuple(data.shape)}")
        shows_dtype = data.dtype != default
    else:
        body = _body(data, indent, options)
        usual = (default, dtype_of(default).to_complex().numpy, np.int64, np.bool_)
        shows_dtype = data.dtype not in usual
    if shows_dtype:
        suffixes.append(f"dtype={kind!r}")
    node = x.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn=<{type(node).__name__}>")
    elif x._requires:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + body, suffixes, indent, options.linewidth)


def _with_suffixes(text: str, suffixes: list[str], indent: int, width: int) -> str:
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > width:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


# ----------------------------------------------------------------------------------------- elements


@dataclass(slots=True)
class _Format:
    """How to write an element."""

    width: int = 1
    mode: str = "plain"  # plain, whole, fixed, power
    precision: int = 4

    def text(self, value: Any) -> str:
        """One element, padded."""
        if self.mode == "plain":
            written = str(value)
        elif self.mode == "power":
            written = f"{value:.{self.precision}e}"
        elif self.mode == "whole":
            written = f"{value:.0f}" + ("." if math.isfinite(value) else "")
        else:
            written = f"{value:.{self.precision}f}"
        return written.rjust(self.width)


def _format_of(values: np.ndarray[Any, Any], options: Options) -> _Format:
    if values.dtype.kind not in "fV":
        return _Format(max([len(str(v)) for v in values.tolist()], default=1))
    numbers = values.astype(np.float64)
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    result = _Format(mode="whole", precision=options.precision)
    if not numbers.size:
        return result
    size = np.abs(numbers)
    with np.errstate(over="ignore"):
        low, high, spread = size.min(), size.max(), size.max() / size.min()
    whole = bool(np.all(numbers == np.ceil(numbers)))
    powers = spread > 1000.0 or high > 1.0e8 or (not whole and low < 1.0e-4)
    if options.sci_mode is not None:
        powers = options.sci_mode
    result.mode = "power" if powers else "whole" if whole else "fixed"
    result.width = max(len(result.text(v)) for v in numbers.tolist())  # as yet without padding
    return result


def _body(data: np.ndarray[Any, Any], indent: int, options: Options) -> str:
    summarized = data.size > options.threshold
    shown = _edges(data, options.edgeitems) if summarized else data
    if data.dtype.kind == "c":
        forms = [_format_of(part.reshape(-1), options) for part in (shown.real, shown.imag)]
    else:
        forms = [_format_of(shown.reshape(-1), options)]
    return _nested(data, indent, summarized, forms, options)


def _edges(data: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    for axis in range(data.ndim):
        if data.shape[axis] > 2 * count:
            first, last = np.split(data, [count], axis)[0], np.split(data, [-count], axis)[1]
            data = np.concatenate([first, last], axis)
    return data


def _nested(
    data: np.ndarray[Any, Any],
    indent: int,
    summarized: bool,
    forms: list[_Format],
    options: Options,
) -> str:
    if data.ndim == 0:
        return _scalar(data.item() if data.dtype.kind != "V" else float(data), forms)
    if data.ndim == 1:
        return _vector(data, indent, summarized, forms, options)
    count = options.edgeitems
    inner = [indent + 1, summarized, forms, options]
    if summarized and len(data) > 2 * count:
        parts = [_nested(data[k], *inner) for k in range(count)]  # type: ignore[arg-type]
        parts.append("...")
        parts += [_nested(data[k], *inner) for k in range(-count, 0)]  # type: ignore[arg-type]
    else:
        parts = [_nested(row, *inner) for row in data]  # type: ignore[arg-type]
    return "[" + ("," + "\n" * (data.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _vector(
    data: np.ndarray[Any, Any],
    indent: int,
    summarized: bool,
    forms: list[_Format],
    options: Options,
) -> str:
    length = forms[0].width + 2
    if len(forms) == 2:
        length += forms[1].width + 1
    per_line = max(1, (options.linewidth - indent) // length)
    count = options.edgeitems
    if summarized and len(data) > 2 * count:
        texts = [_scalar(v, forms) for v in _values(data[:count])]
        texts.append(" ...")
        texts += [_scalar(v, forms) for v in _values(data[len(data) - count :])]
    else:
        texts = [_scalar(v, forms) for v in _values(data)]
    lines = [", ".join(texts[k : k + per_line]) for k in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _values(data: np.ndarray[Any, Any]) -> list[Any]:
    return (data.astype(np.float64) if data.dtype.kind == "V" else data).tolist()


def _scalar(value: Any, forms: list[_Format]) -> str:
    if len(forms) == 1:
        return forms[0].text(value)
    imaginary = forms[1].text(value.imag).lstrip() + "j"
    sign = "" if imaginary[0] in "+-" else "+"
    return forms[0].text(value.real) + sign + imaginary


def _repr(self: Tensor) -> str:
    return tensor_text(self)


def _format(self: Tensor, specification: str) -> str:
    if self._data.ndim == 0:
        return self._data.item().__format__(specification)
    return object.__format__(self, specification)


METHODS["__repr__"] = _repr
METHODS["__format__"] = _format
