"""NumPy's functions on arrays that can be differentiated, mapped and compiled: `jax.numpy`."""

import numpy as _np

from fnx.core.array import Array as ndarray
from fnx.dtypes import (
    can_cast,
    finfo,
    iinfo,
    isdtype,
    issubdtype,
    promote_types,
    result_type,
)
from fnx.numpy import methods as _methods
from fnx.numpy.calculus import (
    cumulative_prod,
    cumulative_sum,
    diff,
    ediff1d,
    gradient,
    trapezoid,
)
from fnx.numpy.creation import (
    arange,
    array,
    asarray,
    astype,
    copy,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    ones,
    ones_like,
    tri,
    zeros,
    zeros_like,
)
from fnx.numpy.elementwise import (
    abs,
    absolute,
    angle,
    clip,
    conj,
    conjugate,
    deg2rad,
    degrees,
    divmod,
    float_power,
    floor_divide,
    fmod,
    hypot,
    imag,
    isclose,
    isfinite,
    isinf,
    isnan,
    log2,
    log10,
    logaddexp,
    mod,
    positive,
    pow,
    power,
    rad2deg,
    radians,
    real,
    reciprocal,
    remainder,
    round,
    sign,
    signbit,
)
from fnx.numpy.grids import (
    diag_indices,
    diag_indices_from,
    index_exp,
    indices,
    ix_,
    meshgrid,
    s_,
    tril_indices,
    tril_indices_from,
    triu_indices,
    triu_indices_from,
)
from fnx.numpy.indexing import (
    nonzero,
    take,
    take_along_axis,
)
from fnx.numpy.inspection import (
    argwhere,
    flatnonzero,
    iscomplexobj,
    isrealobj,
    ndim,
    shape,
    size,
)
from fnx.numpy.joining import (
    append,
    array_split,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    concat,
    concatenate,
    hstack,
    repeat,
    roll,
    split,
    stack,
    tile,
    unstack,
    vstack,
)
from fnx.numpy.manipulation import (
    expand_dims,
    flip,
    fliplr,
    flipud,
    matrix_transpose,
    moveaxis,
    permute_dims,
    ravel,
    reshape,
    rollaxis,
    squeeze,
    swapaxes,
    transpose,
)
from fnx.numpy.nan_reductions import (
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
)
from fnx.numpy.overrides import install_overrides as _install_overrides
from fnx.numpy.polynomials import (
    polyadd,
    polyder,
    polyint,
    polysub,
    polyval,
)
from fnx.numpy.products import (
    diag,
    diagonal,
    dot,
    einsum,
    inner,
    kron,
    matmul,
    outer,
    tensordot,
    trace,
    tril,
    triu,
    vdot,
    vecdot,
)
from fnx.numpy.promotion import (
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
)
from fnx.numpy.quantiles import (
    nanmedian,
    nanpercentile,
    nanquantile,
    percentile,
    quantile,
)
from fnx.numpy.reductions import (
    all,
    allclose,
    amax,
    amin,
    any,
    argmax,
    argmin,
    array_equal,
    average,
    count_nonzero,
    cumprod,
    cumsum,
    max,
    mean,
    min,
    prod,
    ptp,
    std,
    sum,
    var,
)
from fnx.numpy.scalar_types import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from fnx.numpy.sorting import (
    argsort,
    median,
    sort,
)
from fnx.numpy.special import (
    copysign,
    fabs,
    fmax,
    fmin,
    heaviside,
    iscomplex,
    isneginf,
    isposinf,
    isreal,
    logaddexp2,
    modf,
    nan_to_num,
    sinc,
)
from fnx.numpy.splitting import (
    column_stack,
    dsplit,
    dstack,
    hsplit,
    rot90,
    vsplit,
)
from fnx.numpy.ufuncs import (
    acos,
    acosh,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    cbrt,
    ceil,
    cos,
    cosh,
    divide,
    equal,
    exp,
    exp2,
    expm1,
    floor,
    greater,
    greater_equal,
    invert,
    left_shift,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    right_shift,
    rint,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
    where,
)
from fnx.numpy.windows import (
    bartlett,
    blackman,
    hamming,
    hanning,
)

integer = _np.integer
signedinteger = _np.signedinteger
unsignedinteger = _np.unsignedinteger
inexact = _np.inexact
floating = _np.floating
complexfloating = _np.complexfloating
number = _np.number
generic = _np.generic
dtype = _np.dtype
newaxis = _np.newaxis
pi = _np.pi
e = _np.e
inf = _np.inf
nan = _np.nan
euler_gamma = _np.euler_gamma
single, double, csingle, cdouble = float32, float64, complex64, complex128

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "all", "allclose", "amax", "amin", "angle", "any",
    "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "argmax", "argmin", "argsort", "argwhere", "array", "array_equal", "array_split", "asarray",
    "asin", "asinh", "astype", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d",
    "average", "bartlett", "bfloat16", "bitwise_and", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman", "bool_",
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "can_cast", "cbrt", "cdouble", "ceil",
    "clip", "column_stack", "complex128", "complex64", "complexfloating", "concat", "concatenate",
    "conj", "conjugate", "copy", "copysign", "cos", "cosh", "count_nonzero", "csingle", "cumprod",
    "cumsum", "cumulative_prod", "cumulative_sum", "deg2rad", "degrees", "diag", "diag_indices",
    "diag_indices_from", "diagonal", "diff", "divide", "divmod", "dot", "double", "dsplit",
    "dstack", "dtype", "e", "ediff1d", "einsum", "empty", "empty_like", "equal", "euler_gamma",
    "exp", "exp2", "expand_dims", "expm1", "eye", "fabs", "finfo", "flatnonzero", "flip", "fliplr",
    "flipud", "float16", "float32", "float64", "float_power", "floating", "floor", "floor_divide",
    "fmax", "fmin", "fmod", "full", "full_like", "generic", "gradient", "greater", "greater_equal",
    "hamming", "hanning", "heaviside", "hsplit", "hstack", "hypot", "identity", "iinfo", "imag",
    "index_exp", "indices", "inexact", "inf", "inner", "int16", "int32", "int64", "int8", "integer",
    "invert", "isclose", "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "isrealobj", "issubdtype", "ix_", "kron", "left_shift",
    "less", "less_equal", "linspace", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "logical_and", "logical_not", "logical_or", "logical_xor", "matmul", "matrix_transpose", "max",
    "maximum", "mean", "median", "meshgrid", "min", "minimum", "mod", "modf", "moveaxis",
    "multiply", "nan", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax",
    "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum",
    "nanvar", "ndarray", "ndim", "negative", "newaxis", "nonzero", "not_equal", "number", "ones",
    "ones_like", "outer", "percentile", "permute_dims", "pi", "polyadd", "polyder", "polyint",
    "polysub", "polyval", "positive", "pow", "power", "prod", "promote_types", "ptp", "quantile",
    "rad2deg", "radians", "ravel", "real", "reciprocal", "remainder", "repeat", "reshape",
    "result_type", "right_shift", "rint", "roll", "rollaxis", "rot90", "round", "s_", "shape",
    "sign", "signbit", "signedinteger", "sin", "sinc", "single", "sinh", "size", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take",
    "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace", "transpose", "trapezoid", "tri",
    "tril", "tril_indices", "tril_indices_from", "triu", "triu_indices", "triu_indices_from",
    "true_divide", "trunc", "uint16", "uint32", "uint64", "uint8", "unsignedinteger", "unstack",
    "var", "vdot", "vecdot", "vsplit", "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip

_install_overrides(
    {
        name: value
        for name, value in globals().items()
        if name in __all__ and callable(value) and not isinstance(value, type)
    }
)

assert _methods is not None  # imported for what it installs
