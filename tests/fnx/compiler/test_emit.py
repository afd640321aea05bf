"""The two printers of a kernel give the same bits, for every operation and every form of loop."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import fnx.numpy  # noqa: F401  (registers the primitives)
from fnx.compiler import build
from fnx.compiler.emit_ir import module_text
from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.launches import launch_of
from fnx.compiler.loops import CODES, DTYPES, Buffer
from fnx.compiler.lower import compile_group
from fnx.compiler.nests import Nest, Root
from fnx.compiler.positions import Space
from fnx.compiler.scalar_expressions import FUNCTIONS
from fnx.compiler.scheduling import schedule
from fnx.config import config
from fnx.kernels import vector_math
from tests.fnx.compiler.test_lower import GROUPS, operands
from tests.support.element_groups import call_launch, random_group, run_group

bfloat16 = np.dtype(ml_dtypes.bfloat16)

REALS = ["neg", "abs", "sign", "is_finite", "is_nan", "square", "reciprocal", *FUNCTIONS]
REAL_PAIRS = (
    """add sub mul div rem min max pow atan2 nextafter hypot copysign eq ne lt le""".split()
)
INTEGERS = "neg abs sign not_ population_count clz square".split()
INTEGER_PAIRS = """add sub mul div rem min max pow mulhi eq ne lt le and_ or_ xor shift_left
    shift_right_logical shift_right_arithmetic""".split()


def kernel_of_many(dtype, rules):
    """One kernel that stores the values of many rules of two operands."""
    space = Space()
    b = ElementBuilder(space)
    axis = space.loop("i0", 1000)
    place = space.of(axis)
    x, y = b.load(0, place, dtype), b.load(1, place, dtype)
    buffers = [Buffer("in", 0, x.code), Buffer("in", 1, x.code)]
    roots = []
    for k, rule in enumerate(rules):
        value = rule(b, x, y)
        roots.append(Root(len(buffers), place, value, 1))
        buffers.append(Buffer("out", k, value.code))
    kernel = schedule(b, Nest((axis,), tuple(roots)), tuple(buffers))
    return launch_of(kernel), [DTYPES[buffer.code] for buffer in buffers[2:]]


def assert_same_bits(got, want, what=""):
    """NaNs may differ in sign and payload, nothing else may."""
    assert got.dtype == want.dtype
    if got.dtype.kind in "iub":
        np.testing.assert_array_equal(got, want, err_msg=str(what))
        return
    both = np.isnan(got) & np.isnan(want)
    bits = f"u{got.dtype.itemsize}"
    same = (got.view(bits) == want.view(bits)) | both
    assert same.all(), (what, got[~same][:5], want[~same][:5])


def compare_rules(dtype, names, rules, x, y):
    launch, kinds = kernel_of_many(dtype, rules)
    outs = {}
    launch = dataclasses.replace(launch, units=x.size)
    for printer, filler in (("ir", 0x11), ("text", 0x22)):  # so that what is not written shows
        arrays = [np.full(x.size * kind.itemsize, filler, np.uint8).view(kind) for kind in kinds]
        call_launch(launch, {"in": [x, y], "out": arrays, "temp": []}, 2, printer)
        outs[printer] = arrays
    for name, got, want in zip(names, outs["ir"], outs["text"]):
        assert_same_bits(got, want, name)


def real_numbers(dtype, rng):
    limits = ml_dtypes.finfo(dtype)
    special = [0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 9.0, 50.0, 1e3, 1e7, np.inf, np.nan]
    tiny = [float(limits.smallest_subnormal), float(limits.tiny), float(limits.max)]
    edge = np.array([*special, *tiny], np.float64)
    edge = np.concatenate([edge, -edge])
    x = np.concatenate([np.repeat(edge, edge.size), rng.standard_normal(500) * 4])
    y = np.concatenate([np.tile(edge, edge.size), rng.standard_normal(500) * 4])
    with np.errstate(over="ignore"):
        return x.astype(dtype), y.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, bfloat16], ids=str)
def test_real_operations(dtype, rng):
    dtype = np.dtype(dtype)
    x, y = real_numbers(dtype, rng)
    names = [n for n in REALS if dtype.itemsize > 2 or n in ("neg", "abs", "exp", "floor")]
    rules = [lambda b, x, y, n=n: getattr(b, n)(x) for n in names]
    pairs = [n for n in REAL_PAIRS if dtype.itemsize > 2 or n in ("add", "div", "nextafter", "lt")]
    rules += [lambda b, x, y, n=n: getattr(b, n)(x, y) for n in pairs]
    rules.append(lambda b, x, y: b.fma(x, y, x))
    rules.append(lambda b, x, y: b.clamp(-1.0, x, y))
    rules.append(lambda b, x, y: b.reduce_precision(x, 5, 3))
    rules.append(lambda b, x, y: b.select(b.lt(x, y), y, 2.0))
    compare_rules(
        dtype, [*names, *pairs, "fma", "clamp", "reduce_precision", "select"], rules, x, y
    )


@pytest.mark.parametrize("code", ["i8", "u8", "i32", "u32", "i64", "u64"])
def test_integer_operations(code, rng):
    dtype = DTYPES[code]
    limits = np.iinfo(dtype)
    edge = np.array([0, 1, 2, 3, 7, 31, 64, limits.max, limits.max - 1, limits.min], dtype)
    if code[0] == "i":
        edge = np.concatenate([edge, np.array([-1, -2, -7, -33], dtype)])
    x = np.concatenate([np.repeat(edge, edge.size), rng.integers(0, 100, 50).astype(dtype)])
    y = np.concatenate([np.tile(edge, edge.size), rng.integers(0, 9, 50).astype(dtype)])
    rules = [lambda b, x, y, n=n: getattr(b, n)(x) for n in INTEGERS]
    rules += [lambda b, x, y, n=n: getattr(b, n)(x, y) for n in INTEGER_PAIRS]
    rules.append(lambda b, x, y: b.rotate_left(x, 5))
    compare_rules(dtype, [*INTEGERS, *INTEGER_PAIRS, "rotate_left"], rules, x, y)


@pytest.mark.parametrize("source", ["f32", "f64", "i64", "u8", "b1", "bf16", "f16"])
def test_conversions(source, rng):
    dtype = DTYPES[source]
    if dtype.kind in "iub":
        x = rng.integers(0, 2 if source == "b1" else 256, 200).astype(dtype)
    else:
        x = real_numbers(dtype, rng)[0]
    targets = [DTYPES[c] for c in sorted(CODES.values()) if c != source]
    rules = [lambda b, x, y, t=t: b.convert(x, t) for t in targets]
    compare_rules(dtype, targets, rules, x, x)


@pytest.mark.parametrize("name", [n for n in GROUPS if not n.startswith("long_chain")])
def test_groups(name, rng):
    jaxpr = GROUPS[name]()
    group = compile_group(jaxpr)
    arrays = operands(jaxpr, rng)
    for got, want in zip(run_group(group, arrays, 1, "text"), run_group(group, arrays, 3, "ir")):
        assert_same_bits(got, want)


@pytest.mark.parametrize("seed", range(100, 106))
def test_random_group(seed):
    rng = np.random.default_rng(seed)
    jaxpr = random_group(rng, 12)
    group = compile_group(jaxpr)
    arrays = operands(jaxpr, rng)
    for got, want in zip(run_group(group, arrays, 2, "text"), run_group(group, arrays, 1, "ir")):
        assert_same_bits(got, want)


def test_the_setting_forces_text(rng):
    group = compile_group(GROUPS["softmax"]())
    arrays = operands(GROUPS["softmax"](), rng)
    want = run_group(group, arrays)
    before = config.read("kernel_printer")
    config.update("kernel_printer", "text")
    try:
        launch = group.launches[0]
        assert build.load(launch) is build.load(launch, "text")
        assert build.load(launch) is not build.load(launch, "ir")
        got = run_group(group, arrays)
    finally:
        config.update("kernel_printer", before)
    assert_same_bits(got[0], want[0])


def test_source_is_readable(golden):
    golden("kernel_softmax", build.source(compile_group(GROUPS["softmax"]((64, 512)))))


def test_source_runs_by_itself(rng):
    """The text is a program: it imports two things and takes flat arrays."""
    text = build.source(compile_group(GROUPS["softmax"]((64, 512))))
    imports = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    assert {line.split()[1] for line in imports} <= {"math", "numba", "fnx.kernels.vector_math"}
    namespace = {}
    exec(text, namespace)
    x = rng.standard_normal((12, 40)).astype(np.float32)
    out = np.zeros_like(x)
    namespace["kernel"](x.ravel(), out.reshape(-1), 12, 40, 0, 12)
    e = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(out, e / e.sum(1, keepdims=True), rtol=1e-5)


def test_an_unknown_function_is_named():
    with pytest.raises(AttributeError, match="exp_f32"):
        vector_math.no_such_function_f32  # noqa: B018


def test_a_small_kernel_is_short():
    """Work that takes less time than compiling is printed once, masked."""
    g_small = compile_group(GROUPS["layer_norm"]((3, 5))).launches[0]
    g_large = compile_group(GROUPS["layer_norm"]((300, 500))).launches[0]
    assert g_small.small
    assert not g_large.small
    assert g_small.form.text == g_large.form.text
    short = module_text(g_small.kernel, "k", g_small.form, short=True)
    long = module_text(g_large.kernel, "k", g_large.form, short=False)
    assert len(short) < len(long)


_OTHER_CPU = """
import hashlib, sys
import numpy as np
import fnx.numpy
from fnx.compiler.lower import compile_group
from tests.fnx.compiler.test_lower import GROUPS, operands
from tests.support.element_groups import run_group
for name in ("softmax", "layer_norm", "column_sums", "variance", "narrow_numbers"):
    jaxpr = GROUPS[name]()
    arrays = operands(jaxpr, np.random.default_rng(1))
    outs = run_group(compile_group(jaxpr), arrays)
    print(name, hashlib.sha256(b"".join(o.tobytes() for o in outs)).hexdigest())
"""


@pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="names two generations of one architecture"
)
def test_every_cpu_gives_the_same_bits():
    """The lanes of a reduction are written in the program, not taken from the CPU."""
    outputs = []
    for cpu in (None, "haswell"):
        environment = dict(os.environ)
        environment.pop("FNX_CPU", None)
        if cpu is not None:
            environment["FNX_CPU"] = cpu
        result = subprocess.run(
            [sys.executable, "-c", _OTHER_CPU],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
        )
        outputs.append(result.stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 5


def test_the_words_are_read_in_order(rng):
    """Sizes and numbers are words: one kernel's code serves other sizes and numbers."""
    small, large = GROUPS["layer_norm"]((300, 500)), GROUPS["layer_norm"]((301, 333))
    first, second = compile_group(small).launches[0], compile_group(large).launches[0]
    assert first.key == second.key
    arrays = operands(large, rng)
    outs = [np.zeros(a.shape, a.dtype) for a in large.out_avals]
    module, address = build.address(first)
    words = [
        v if kind == "word" else {"in": arrays, "out": outs}[kind][v].ctypes.data
        for kind, v in second.words
    ]
    vector = np.array(words, np.int64)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    kind(address)(vector.ctypes.data, 0, second.units)
    for got, want in zip(outs, run_group(compile_group(large), arrays)):
        assert got.tobytes() == want.tobytes()
    del module
