"""NumPy's functions on arrays that can be differentiated, mapped and compiled: `jax.numpy`."""

import numpy as _np

from fnx.core.array import Array as ndarray
from fnx.dlpack import from_dlpack
from fnx.dtypes import (
    can_cast,
    finfo,
    iinfo,
    isdtype,
    issubdtype,
    promote_types,
    result_type,
)
from fnx.numpy import fft, linalg
from fnx.numpy import methods as _methods
from fnx.numpy.array_api import VERSION as __array_api_version__
from fnx.numpy.array_api import array_namespace_info as __array_namespace_info__
from fnx.numpy.calculus import (
    cumulative_prod,
    cumulative_sum,
    diff,
    ediff1d,
    gradient,
    trapezoid,
)
from fnx.numpy.correlations import (
    convolve,
    corrcoef,
    correlate,
    cov,
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
from fnx.numpy.editing import (
    block,
    choose,
    compress,
    delete,
    extract,
    insert,
    piecewise,
    resize,
    select,
    trim_zeros,
)
from fnx.numpy.elementwise import (
    abs,
    absolute,
    angle,
    around,
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
from fnx.numpy.files import (
    array_repr,
    array_str,
    frombuffer,
    fromfile,
    fromfunction,
    fromiter,
    fromstring,
    isscalar,
    iterable,
    load,
    save,
    savez,
)
from fnx.numpy.grids import (
    c_,
    diag_indices,
    diag_indices_from,
    geomspace,
    index_exp,
    indices,
    ix_,
    logspace,
    mask_indices,
    meshgrid,
    mgrid,
    ogrid,
    r_,
    ravel_multi_index,
    s_,
    tril_indices,
    tril_indices_from,
    triu_indices,
    triu_indices_from,
    unravel_index,
)
from fnx.numpy.histograms import (
    bincount,
    histogram,
    histogram2d,
    histogram_bin_edges,
    histogramdd,
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
from fnx.numpy.mapping import (
    apply_along_axis,
    apply_over_axes,
    frompyfunc,
    ufunc,
    vectorize,
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
from fnx.numpy.number_parts import (
    bitwise_count,
    frexp,
    gcd,
    lcm,
    ldexp,
    nextafter,
    packbits,
    spacing,
    unpackbits,
    unwrap,
)
from fnx.numpy.overrides import install_overrides as _install_overrides
from fnx.numpy.padding import (
    pad,
)
from fnx.numpy.polynomials import (
    poly,
    polyadd,
    polyder,
    polydiv,
    polyfit,
    polyint,
    polymul,
    polysub,
    polyval,
    roots,
    vander,
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
    array_equiv,
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
    complex_,
    float16,
    float32,
    float64,
    float_,
    int8,
    int16,
    int32,
    int64,
    int_,
    uint,
    uint8,
    uint16,
    uint32,
    uint64,
)
from fnx.numpy.searching import (
    digitize,
    interp,
    searchsorted,
)
from fnx.numpy.sets import (
    intersect1d,
    isin,
    setdiff1d,
    setxor1d,
    union1d,
    unique,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
)
from fnx.numpy.sorting import (
    argpartition,
    argsort,
    lexsort,
    median,
    partition,
    sort,
    sort_complex,
)
from fnx.numpy.special import (
    copysign,
    fabs,
    fmax,
    fmin,
    heaviside,
    i0,
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
from fnx.numpy.vectors import (
    cross,
    diagflat,
    einsum_path,
    matvec,
    vecmat,
)
from fnx.numpy.windows import (
    bartlett,
    blackman,
    hamming,
    hanning,
    kaiser,
)
from fnx.numpy.writing import fill_diagonal, place, put, put_along_axis

ComplexWarning = _np.exceptions.ComplexWarning
get_printoptions = _np.get_printoptions
set_printoptions = _np.set_printoptions
printoptions = _np.printoptions
object_ = _np.object_
flexible = _np.flexible
integer = _np.integer
signedinteger = _np.signedinteger
unsignedinteger = _np.unsignedinteger
inexact = _np.inexact
floating = _np.floating
complexfloating = _np.complexfloating
number = _np.number
generic = _np.generic
dtype = _np.dtype
bool = bool_
newaxis = _np.newaxis
pi = _np.pi
e = _np.e
inf = _np.inf
nan = _np.nan
euler_gamma = _np.euler_gamma
single, double, csingle, cdouble = float32, float64, complex64, complex128

__all__ = [
    "ComplexWarning", "__array_api_version__", "__array_namespace_info__", "abs", "absolute",
    "acos", "acosh", "add", "all", "allclose", "amax", "amin", "angle", "any", "append",
    "apply_along_axis", "apply_over_axes", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "argwhere",
    "around", "array", "array_equal", "array_equiv", "array_repr", "array_split", "array_str",
    "asarray", "asin", "asinh", "astype", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d",
    "atleast_3d", "average", "bartlett", "bfloat16", "bincount", "bitwise_and", "bitwise_count",
    "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "blackman", "block", "bool", "bool_", "broadcast_arrays", "broadcast_shapes",
    "broadcast_to", "c_", "can_cast", "cbrt", "cdouble", "ceil", "choose", "clip", "column_stack",
    "complex128", "complex64", "complex_", "complexfloating", "compress", "concat", "concatenate",
    "conj", "conjugate", "convolve", "copy", "copysign", "corrcoef", "correlate", "cos", "cosh",
    "count_nonzero", "cov", "cross", "csingle", "cumprod", "cumsum", "cumulative_prod",
    "cumulative_sum", "deg2rad", "degrees", "delete", "diag", "diag_indices", "diag_indices_from",
    "diagflat", "diagonal", "diff", "digitize", "divide", "divmod", "dot", "double", "dsplit",
    "dstack", "dtype", "e", "ediff1d", "einsum", "einsum_path", "empty", "empty_like", "equal",
    "euler_gamma", "exp", "exp2", "expand_dims", "expm1", "extract", "eye", "fabs", "fft",
    "fill_diagonal", "finfo", "flatnonzero", "flexible", "flip", "fliplr", "flipud", "float16",
    "float32", "float64", "float_", "float_power", "floating", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "frexp", "from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter",
    "frompyfunc", "fromstring", "full", "full_like", "gcd", "generic", "geomspace",
    "get_printoptions", "gradient", "greater", "greater_equal", "hamming", "hanning", "heaviside",
    "histogram", "histogram2d", "histogram_bin_edges", "histogramdd", "hsplit", "hstack", "hypot",
    "i0", "identity", "iinfo", "imag", "index_exp", "indices", "inexact", "inf", "inner", "insert",
    "int16", "int32", "int64", "int8", "int_", "integer", "interp", "intersect1d", "invert",
    "isclose", "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isin", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "isrealobj", "isscalar", "issubdtype", "iterable", "ix_",
    "kaiser", "kron", "lcm", "ldexp", "left_shift", "less", "less_equal", "lexsort", "linalg",
    "linspace", "load", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logspace", "mask_indices", "matmul",
    "matrix_transpose", "matvec", "max", "maximum", "mean", "median", "meshgrid", "mgrid", "min",
    "minimum", "mod", "modf", "moveaxis", "multiply", "nan", "nan_to_num", "nanargmax", "nanargmin",
    "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray", "ndim", "negative",
    "newaxis", "nextafter", "nonzero", "not_equal", "number", "object_", "ogrid", "ones",
    "ones_like", "outer", "packbits", "pad", "partition", "percentile", "permute_dims", "pi",
    "piecewise", "place", "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul",
    "polysub", "polyval", "positive", "pow", "power", "printoptions", "prod", "promote_types",
    "ptp", "put", "put_along_axis", "quantile", "r_", "rad2deg", "radians", "ravel",
    "ravel_multi_index", "real", "reciprocal", "remainder", "repeat", "reshape", "resize",
    "result_type", "right_shift", "rint", "roll", "rollaxis", "roots", "rot90", "round", "s_",
    "save", "savez", "searchsorted", "select", "set_printoptions", "setdiff1d", "setxor1d", "shape",
    "sign", "signbit", "signedinteger", "sin", "sinc", "single", "sinh", "size", "sort",
    "sort_complex", "spacing", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract",
    "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "tril_indices", "tril_indices_from", "trim_zeros",
    "triu", "triu_indices", "triu_indices_from", "true_divide", "trunc", "ufunc", "uint", "uint16",
    "uint32", "uint64", "uint8", "union1d", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "unpackbits", "unravel_index", "unsignedinteger", "unstack",
    "unwrap", "vander", "var", "vdot", "vecdot", "vecmat", "vectorize", "vsplit", "vstack", "where",
    "zeros", "zeros_like",
]  # fmt: skip

_install_overrides(
    {
        name: value
        for name, value in globals().items()
        if name in __all__ and callable(value) and not isinstance(value, type)
    }
)

assert _methods is not None  # imported for what it installs
