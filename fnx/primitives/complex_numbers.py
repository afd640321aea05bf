"""Complex numbers and their parts: complex, real, imag, conj.

Linear over the reals.  A cotangent pairs with a tangent by ``Re(ct * t)``, without conjugation, as
in JAX: so the transpose of ``real`` is ``ct -> ct + 0i`` and that of ``imag`` is ``ct -> -i ct``.
Read next: `cast`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Primitive
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import neg
from fnx.primitives.families import COMPLEX, infer_elementwise, linear, same_rank_vmap
from fnx.primitives.samplers import arrays, elementwise_samples
from fnx.primitives.shaping import zeros

__all__ = ["complex", "complex_p", "conj", "conj_p", "imag", "imag_p", "real", "real_p"]

_PARTS: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.complex64): np.dtype("f4"),
    np.dtype(np.complex128): np.dtype("f8"),
}
_WHOLE: dict[np.dtype[Any], np.dtype[Any]] = {part: whole for whole, part in _PARTS.items()}


def _whole_type(name: str) -> Any:
    infer = infer_elementwise(name, "f", 2, lambda *dtypes: _WHOLE[dtypes[0]])

    def rule(*avals: ShapedArray) -> ShapedArray:
        for aval in avals:
            if aval.dtype.kind == "V" or aval.dtype not in _WHOLE:
                raise ArgumentTypeError(
                    f"{name}: parts must be float32 or float64, got {', '.join(map(repr, avals))}. "
                    "Convert them with `astype`."
                )
        return infer(*avals)

    return rule


def _complex_evaluate(x: Any, y: Any) -> Any:
    result = np.empty(x.shape, _WHOLE[x.dtype])
    result.real = x
    result.imag = y
    return result


def _complex_transpose(ct: Any, x: Any, y: Any) -> Any:
    # Re(ct (x + iy)) = Re(ct) x - Im(ct) y
    return [
        real(ct) if type(x) is Linear else None,
        neg(imag(ct)) if type(y) is Linear else None,
    ]


def _part_fold(position: int) -> Any:
    def fold(staging: Any, atoms: Any, params: Any) -> Any:
        eqn = staging.definition(atoms[0])
        if eqn is None or eqn.primitive is not complex_p:
            return None
        part = eqn.inputs[position]
        return part if part.aval.weak_type == atoms[0].aval.weak_type else None

    return fold


def _conj_fold(staging: Any, atoms: Any, params: Any) -> Any:
    eqn = staging.definition(atoms[0])
    return eqn.inputs[0] if eqn is not None and eqn.primitive is conj_p else None


complex_p: Primitive = linear(
    "complex",
    infer=_whole_type("complex"),
    evaluate=_complex_evaluate,
    transpose=_complex_transpose,
    vmap=same_rank_vmap(lambda: complex_p),
    lower=Element(lambda b, i, x, y: b.complex(x(*i), y(*i))),
    sample=lambda rng: (
        sample for dtype in ("f8", "f4") for sample in _pairs(rng, np.dtype(dtype))
    ),
)

real_p: Primitive = linear(
    "real",
    infer=infer_elementwise("real", COMPLEX, 1, lambda dtype: _PARTS[dtype]),
    evaluate=lambda x: x.real,
    transpose=lambda ct, x: [complex(ct, zeros(ct.aval))],
    vmap=same_rank_vmap(lambda: real_p),
    lower=Element(lambda b, i, x: b.real(x(*i))),
    fold=_part_fold(0),
    sample=elementwise_samples(COMPLEX, (-2.0, 2.0), linear=(0,)),
)

imag_p: Primitive = linear(
    "imag",
    infer=infer_elementwise("imag", COMPLEX, 1, lambda dtype: _PARTS[dtype]),
    evaluate=lambda x: x.imag,
    transpose=lambda ct, x: [complex(zeros(ct.aval), neg(ct))],
    vmap=same_rank_vmap(lambda: imag_p),
    lower=Element(lambda b, i, x: b.imag(x(*i))),
    fold=_part_fold(1),
    sample=elementwise_samples(COMPLEX, (-2.0, 2.0), linear=(0,)),
)

conj_p: Primitive = linear(
    "conj",
    infer=infer_elementwise("conj", COMPLEX, 1),
    evaluate=np.conjugate,
    transpose=lambda ct, x: [conj(ct)],
    vmap=same_rank_vmap(lambda: conj_p),
    lower=Element(lambda b, i, x: b.conj(x(*i))),
    fold=_conj_fold,
    sample=elementwise_samples(COMPLEX, (-2.0, 2.0), linear=(0,)),
)


def _pairs(rng: np.random.Generator, dtype: np.dtype[Any]) -> Any:
    from_reals = elementwise_samples("f", (-2.0, 2.0), (-2.0, 2.0), linear=(0, 1))
    for sample in from_reals(rng):
        if sample.args[0].dtype == dtype:
            yield sample
    strided = tuple(arrays(rng, (3, 4), dtype, strided=True) for _ in range(2))
    yield type(sample)(strided, {}, (0, 1))


def complex(x: Any, y: Any) -> Any:
    """A complex number from its parts.

    Parameters
    ----------
    x, y : Array
        The real and the imaginary part: float32 or float64, of one shape and one dtype.

    Returns
    -------
    Array
        complex64 or complex128.
    """
    return complex_p(x, y)


def real(x: Any) -> Any:
    """The real part.

    Parameters
    ----------
    x : Array
        Complex.
    """
    return real_p(x)


def imag(x: Any) -> Any:
    """The imaginary part.

    Parameters
    ----------
    x : Array
        Complex.
    """
    return imag_p(x)


def conj(x: Any) -> Any:
    """The conjugate; of a real number, the number as a complex one.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return conj_p(x) if x.dtype.kind == "c" else complex(x, zeros(x.aval))
