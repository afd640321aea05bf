"""The discrete Fourier transform: `fft`, of four kinds, over any axes, by pocketfft.

``y[k] = s * sum_j x[j] exp(-2 pi i j k / n)`` is FFT, and with the opposite sign IFFT.  RFFT is
FFT of real numbers, of whose last axis only the first ``n // 2 + 1`` places are kept, because the
others are their conjugates; IRFFT is the inverse of that, with real results.  The factor s is 1,
``1 / sqrt(n)`` or ``1 / n`` by `norm`; see the table.

The transforms are linear and symmetric, so FFT and IFFT are their own transposes.  That of RFFT is
an IRFFT, and the other way round, with the same factor; each kept place stands for itself and its
conjugate, but the first one and (of an even length) the last stand for themselves only.
Read next: `fnx.numpy.fft`.

References
----------
J. W. Cooley, J. W. Tukey, "An algorithm for the machine calculation of complex Fourier series",
1965. pocketfft: https://gitlab.mpcdf.mpg.de/mtr/pocketfft
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from fnx.core.conversion import as_value
from fnx.core.lowering import Host
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.dtypes import to_complex_dtype, to_inexact_dtype
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.primitives.bits import bitwise_or
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import eq, select
from fnx.primitives.complex_numbers import conj
from fnx.primitives.constants import times
from fnx.primitives.families import linear
from fnx.primitives.iota import broadcasted_iota
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import full

__all__ = ["SWAPPED", "FftType", "Norm", "fft", "fft_p", "transformed"]

NDArray = np.ndarray[Any, Any]
Norm = Literal["backward", "ortho", "forward"]


class FftType(enum.IntEnum):
    """The kinds of transforms."""

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


#: Which `norm` gives a transform the factor that another gives its inverse.
#:
#: =========  ============  =============
#: norm       FFT and RFFT  IFFT and IRFFT
#: =========  ============  =============
#: backward   1             1 / n
#: ortho      1 / sqrt(n)   1 / sqrt(n)
#: forward    1 / n         1
#: =========  ============  =============
SWAPPED: dict[Norm, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}

_COMPLEX = {np.dtype(f): np.dtype(c) for f, c in (("f4", "c8"), ("f8", "c16"))}
_REAL = {c: f for f, c in _COMPLEX.items()}


# -------------------------------------------------------------------------------------------- rules


def _infer(
    x: ShapedArray, *, kind: FftType, axes: tuple[int, ...], length: int, norm: Norm
) -> ShapedArray:
    accepted = _COMPLEX if kind is FftType.RFFT else _REAL
    if x.dtype not in accepted:
        raise ArgumentTypeError(
            f"fft: {kind.name} takes {' or '.join(d.name for d in accepted)}, got {x!r}. Convert "
            "it with `astype`."
        )
    if not axes or len(set(axes)) != len(axes) or not all(0 <= k < x.ndim for k in axes):
        raise ShapeError(f"fft: {axes} must be one or more different axes of {x!r}.")
    last = axes[-1]
    kept = length // 2 + 1
    given = kept if kind is FftType.IRFFT else length
    if x.shape[last] != given or length < 1 or 0 in [x.shape[k] for k in axes]:
        raise ShapeError(
            f"fft: {kind.name} of length {length} takes {given} elements along axis {last}, and at "
            f"least one along {axes}, got {x!r}. Cut it or pad it with zeros (`lax.pad`)."
        )
    shape = list(x.shape)
    if kind is FftType.RFFT:
        shape[last] = kept
        return ShapedArray(tuple(shape), _COMPLEX[x.dtype], x.weak_type)
    if kind is FftType.IRFFT:
        shape[last] = length
        return ShapedArray(tuple(shape), _REAL[x.dtype], x.weak_type)
    return x


def _evaluate(
    x: NDArray, *, kind: FftType, axes: tuple[int, ...], length: int, norm: Norm
) -> NDArray:
    import scipy.fft  # loads on first use

    if kind is FftType.FFT:
        return scipy.fft.fftn(x, axes=axes, norm=norm)
    if kind is FftType.IFFT:
        return scipy.fft.ifftn(x, axes=axes, norm=norm)
    if kind is FftType.RFFT:
        return scipy.fft.rfftn(x, axes=axes, norm=norm)
    sizes = [*[x.shape[k] for k in axes[:-1]], length]
    return scipy.fft.irfftn(x, sizes, axes=axes, norm=norm)


def _transpose(
    ct: Any, x: Any, *, kind: FftType, axes: tuple[int, ...], length: int, norm: Norm
) -> list[Any]:
    params: dict[str, Any] = {"axes": axes, "length": length, "norm": norm}
    if kind is FftType.RFFT:
        # Re sum_k ct[k] y[k], which IRFFT writes as the sum over kept places and conjugates.
        halves = _inner_scaled(conj(ct), axes[-1], length, 0.5)
        return [fft_p(halves, kind=FftType.IRFFT, **{**params, "norm": SWAPPED[norm]})]
    if kind is FftType.IRFFT:
        pulled = fft_p(ct, kind=FftType.RFFT, **{**params, "norm": SWAPPED[norm]})
        return [_inner_scaled(conj(pulled), axes[-1], length, 2.0)]
    return [fft_p(ct, kind=kind, **params)]


def _inner_scaled(x: Any, axis: int, length: int, factor: float) -> Any:
    """With the kept places multiplied that stand for two."""
    places = broadcasted_iota(np.dtype(np.int32), x.shape, axis)
    alone = eq(places, full(x.shape, 0, np.int32))
    if length % 2 == 0:
        alone = bitwise_or(alone, eq(places, full(x.shape, length // 2, np.int32)))
    return select(alone, x, times(x, factor))


def _vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, axes: tuple[int, ...], **params: Any
) -> tuple[Any, int]:
    place = dims[0]  # where it stays: pocketfft goes along any axes
    around = tuple([k + (k >= place) for k in axes])
    return fft_p(args[0], axes=around, **params), place


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    layouts: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
        ((5,), (0,)), ((6,), (0,)), ((1,), (0,)), ((2,), (0,)), ((0, 3), (1,)), ((4, 3), (0,)),
        ((2, 3, 4), (1, 2)), ((3, 2, 5), (2, 0)), ((2, 3, 2), (2, 0, 1)),
    )  # fmt: skip
    norms: tuple[Norm, ...] = ("backward", "ortho", "forward")
    for kind in FftType:
        wide, narrow = (np.float64, np.float32), (np.complex128, np.complex64)
        dtypes: Any = wide if kind is FftType.RFFT else narrow
        for count, (shape, axes) in enumerate(layouts):
            params = {"kind": kind, "axes": axes, "length": shape[axes[-1]]}
            kept = list(shape)
            if kind is FftType.IRFFT:
                kept[axes[-1]] = shape[axes[-1]] // 2 + 1
            norm = norms[count % 3]
            yield Sample((arrays(rng, kept, dtypes[0]),), {**params, "norm": norm}, (0,))
        shape = (3, 4)
        for dtype in dtypes:
            for strided in (False, True):
                x = arrays(rng, shape, dtype, strided=strided)
                length = 7 if kind is FftType.IRFFT else 4
                params = {"kind": kind, "axes": (0, 1), "length": length, "norm": "backward"}
                yield Sample((x,), params, (0,))


fft_p: Primitive = linear(
    "fft",
    infer=_infer,
    evaluate=_evaluate,
    transpose=_transpose,
    vmap=_vmap,
    lower=Host("pocketfft does it, called from Python"),
    sample=_samples,
)


# ---------------------------------------------------------------------------------------- functions


def transformed(
    kind: FftType, x: Any, axes: Sequence[int], length: int | None = None, norm: Norm = "backward"
) -> Any:
    """The transform over axes, of an array that is converted to a dtype which has it.

    Parameters
    ----------
    kind : FftType
        Which one.
    x : Array
        Real for RFFT; real numbers become complex for the others.
    axes : sequence of int
        Different, not negative; the last one is that of which RFFT keeps a half.
    length : int, optional
        How many elements the last axis has for its real numbers; IRFFT needs it.
    norm : {"backward", "ortho", "forward"}
        Which factor.
    """
    if kind is not FftType.RFFT:
        dtype = to_complex_dtype(x.dtype)
    elif x.dtype.kind == "c":
        raise ArgumentValueError(
            f"fft: RFFT takes real numbers, got {x.aval!r}. Use FFT, or take the real part."
        )
    else:
        inexact = to_inexact_dtype(x.dtype)
        dtype = inexact if inexact in _COMPLEX else np.dtype(np.float32)
    if x.dtype != dtype:
        x = convert_element_type(x, dtype, x.weak_type)
    if not axes:
        return x
    length = x.shape[axes[-1]] if length is None else length
    return fft_p(x, kind=kind, axes=tuple(axes), length=length, norm=norm)


def fft(x: Any, fft_type: FftType | str, fft_lengths: Sequence[int]) -> Any:
    """The discrete Fourier transform over the last axes.

    Parameters
    ----------
    x : array-like
        Numbers; real ones for RFFT.
    fft_type : FftType or str
        FFT, IFFT, RFFT or IRFFT.
    fft_lengths : sequence of int
        The lengths of the last axes; of IRFFT, those of the result.

    Returns
    -------
    Array
        complex64 or complex128; real for IRFFT.  The inverse kinds divide by the number of
        elements.

    Raises
    ------
    ShapeError
        The lengths are not those of the last axes (for IRFFT, the last axis must have
        ``fft_lengths[-1] // 2 + 1`` elements).
    TypeError
        `fft_type` is neither of the two.
    ValueError
        There is no such kind, or the operand of RFFT is complex.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.fft(jnp.array([1., 0., 0., 0.]), lax.FftType.RFFT, (4,))
    Array([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    kind = _kind(fft_type)
    x = as_value(x, "fft", "x")
    lengths = tuple(fft_lengths)
    axes = range(x.ndim - len(lengths), x.ndim)
    wanted = lengths
    if lengths and kind is FftType.IRFFT:
        wanted = (*lengths[:-1], lengths[-1] // 2 + 1)
    if len(lengths) > x.ndim or tuple([x.shape[k] for k in axes]) != wanted:
        raise ShapeError(
            f"fft: {kind.name} with fft_lengths={lengths} takes an array whose last axes are "
            f"{wanted}, got {x.aval!r}. Cut it or pad it with zeros (`lax.pad`)."
        )
    return transformed(kind, x, axes, lengths[-1] if lengths else None)


def _kind(fft_type: FftType | str) -> FftType:
    if isinstance(fft_type, FftType):
        return fft_type
    if not isinstance(fft_type, str):
        raise ArgumentTypeError(f"fft: fft_type must be an FftType or its name, got {fft_type!r}.")
    if fft_type.upper() not in FftType.__members__:
        names = ", ".join(FftType.__members__)
        raise ArgumentValueError(f"fft: there is no kind {fft_type!r}; the kinds are {names}.")
    return FftType[fft_type.upper()]
