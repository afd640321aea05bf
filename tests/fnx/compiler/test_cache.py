"""The cache of programs: what is equal, what is not, and a second process without generation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fnx.compiler import cache
from fnx.compiler.pipeline import compile_jaxpr
from fnx.compiler.program import Program
from fnx.config import kernel_printer
from fnx.control.custom_api import custom_jvp
from fnx.control.scan import scan_p
from fnx.core.array import adopt
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Undefined
from fnx.kernels import native, store
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.contraction import dot_general
from fnx.primitives.exponential import exp
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import reshape
from tests.support.staged_programs import assert_same, aval, staged

ROOT = Path(__file__).resolve().parents[3]


def key(function, *avals, donated=()):
    return cache.program_key(staged(function, *avals), donated)


def test_programs_that_mean_the_same_have_one_key():
    x = aval((3, 4))
    assert key(lambda x: [exp(x)], x) == key(lambda renamed: [exp(renamed)], x)


@pytest.mark.parametrize(
    "other",
    [
        (lambda x: [add(x, x)], aval((3, 4))),
        (lambda x: [exp(x)], aval((4, 3))),
        (lambda x: [exp(x)], aval((3, 4), np.float64)),
        (lambda x: [exp(x), x], aval((3, 4))),
        (lambda x: [exp(exp(x))], aval((3, 4))),
    ],
)
def test_programs_that_differ_have_two_keys(other):
    assert key(lambda x: [exp(x)], aval((3, 4))) != key(*other)


def test_keys_see_parameters_literals_settings_and_donation():
    x = aval((6,))
    keys = [
        key(lambda x: [reshape(x, (2, 3))], x),
        key(lambda x: [reshape(x, (3, 2))], x),
        key(lambda x: [mul(reduce_sum(x, (0,)), adopt(np.float32(2)))], x),
        key(lambda x: [mul(reduce_sum(x, (0,)), adopt(np.float32(-0.0)))], x),
        key(lambda x: [mul(reduce_sum(x, (0,)), adopt(np.float32(0.0)))], x),
        key(lambda x: [exp(x)], x),
        key(lambda x: [exp(x)], x, donated=(0,)),
    ]
    with kernel_printer("text"):
        keys.append(key(lambda x: [exp(x)], x))
    assert len(set(keys)) == len(keys)
    assert None not in keys


def test_keys_see_the_bodies_of_loops():
    def loop(body):
        program = staged(body, aval(()), aval(()))

        def f(h, xs):
            return scan_p(
                h, xs, jaxpr=program, length=3, reverse=False, num_consts=0, num_carry=1, unroll=1
            )

        return key(f, aval(()), aval((3,)))

    assert loop(lambda h, x: [add(h, x)]) != loop(lambda h, x: [mul(h, x)])


def test_element_rules_of_users_are_compiled_in_every_process():
    """The key holds the source of fnx, not that of its users."""
    double = Primitive(
        "double_for_a_test",
        infer=lambda x: x,
        evaluate=lambda x: x + x,
        jvp=Undefined("a test"),
        vmap=Undefined("a test"),
        lower=Element(lambda b, i, x: b.add(x(*i), x(*i))),
    )
    jaxpr = staged(lambda x: [double(x)], aval((3,)))
    assert cache.program_key(jaxpr, ()) is None
    executable = compile_jaxpr(jaxpr)
    assert executable.explain().cache == "off"
    assert_same(executable([np.ones(3, np.float32)])[0], np.full(3, 2, np.float32))


def test_rules_for_transforms_do_not_count():
    """Only the function of a custom rule is compiled; the rule is a closure of the user's."""

    def wrapped(slope):
        f = custom_jvp(lambda x: exp(x))
        f.defjvp(lambda primals, tangents: (f(*primals), mul(tangents[0], adopt(slope))))
        return key(lambda x: [f(x)], aval((3,)))

    assert wrapped(np.float32(1)) == wrapped(np.float32(2)) is not None


def mixed(x, w, h, xs):
    """A fused group, a named kernel, a loop and a literal in memory."""
    body = staged(lambda h, x: [add(h, mul(x, x)), exp(h)], aval((4,)), aval((4,)))
    product = dot_general(exp(x), w, (((1,), (0,)), ((), ())))
    looped = scan_p(h, xs, jaxpr=body, length=3, reverse=False, num_consts=0, num_carry=1, unroll=1)
    return [add(product, product), *looped, adopt(np.float32(1.5))]


MIXED = [aval((40, 30)), aval((30, 50)), aval((4,)), aval((3, 4))]


def test_programs_go_to_json_and_back():
    program = compile_jaxpr(staged(mixed, *MIXED)).program
    text = json.dumps(program.to_json())
    again = Program.from_json(json.loads(text))
    assert again.to_json() == program.to_json()
    assert (again.inputs, again.outputs) == (program.inputs, program.outputs)
    with pytest.raises(ValueError, match="version"):
        Program.from_json({**program.to_json(), "version": -1})


def test_a_program_is_compiled_once(monkeypatch):
    first = compile_jaxpr(staged(mixed, *MIXED))
    monkeypatch.setattr(native, "compile_ir", _refuse)
    monkeypatch.setattr(native, "compile_numba", _refuse)
    cache.clear()  # only the store has it now
    second = compile_jaxpr(staged(mixed, *MIXED))
    assert second.explain().cache == "hit"
    arrays = [np.linspace(0, 1, a.size, dtype=np.float32).reshape(a.shape) for a in MIXED]
    for got, expected in zip(second(arrays), first(arrays), strict=True):
        np.testing.assert_array_equal(got, expected)


def _refuse(*args, **options):
    raise AssertionError("code was generated")


@pytest.fixture
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("FNX_CACHE_DIR", str(tmp_path / "store"))
    cache.clear()
    native._loaded.clear()
    yield tmp_path / "store"
    cache.clear()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_entries_are_rebuilt(own_store, damage):
    x = np.linspace(-1, 1, 7, dtype=np.float32)
    jaxpr = staged(lambda x: [exp(mul(x, x))], x)
    wanted = compile_jaxpr(jaxpr)([x])
    entries = sorted(p for p in own_store.rglob("*") if p.is_file())
    assert len(entries) >= 2, "a plan and a kernel"
    for path in entries:
        content = path.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"flip": flipped, "cut": content[:middle], "empty": b""}[damage])
    cache.clear()
    native._loaded.clear()
    again = compile_jaxpr(jaxpr)
    assert again.explain().cache == "miss"
    np.testing.assert_array_equal(again([x])[0], wanted[0])


def test_a_plan_whose_kernels_are_gone_is_made_anew(own_store):
    x = np.linspace(-1, 1, 9, dtype=np.float32)
    jaxpr = staged(lambda x: [exp(add(x, x))], x)
    wanted = compile_jaxpr(jaxpr)([x])
    plan = store.get(cache.program_key(jaxpr, ()))
    assert plan is not None
    store.clear()
    store.put(cache.program_key(jaxpr, ()), plan)
    cache.clear()
    native._loaded.clear()
    again = compile_jaxpr(jaxpr)
    assert again.explain().cache == "miss"
    np.testing.assert_array_equal(again([x])[0], wanted[0])


def test_plans_of_other_versions_are_ignored(own_store):
    jaxpr = staged(lambda x: [exp(x)], aval((3,)))
    name = cache.program_key(jaxpr, ())
    for payload in (b"{}", b"not json", b'{"version": 1}', b"[]"):
        cache.clear()
        store.put(name, payload)
        assert cache.load(name) is None


SCRIPT = """
import sys
import numpy as np
from tests.fnx.compiler.test_cache import MIXED, mixed
from tests.support.staged_programs import staged
from fnx.compiler.pipeline import compile_jaxpr
from fnx.kernels import native

if sys.argv[1] == "warm":
    def refuse(*args, **options):
        raise AssertionError("code was generated")
    native.compile_ir = native.compile_numba = refuse
executable = compile_jaxpr(staged(mixed, *MIXED))
assert executable.explain().cache == ("hit" if sys.argv[1] == "warm" else "miss")
arrays = [np.linspace(0, 1, a.size, dtype=np.float32).reshape(a.shape) for a in MIXED]
print([float(r.sum()) for r in executable(arrays)])
if sys.argv[1] == "warm":
    assert "numba" not in sys.modules
"""


def test_a_second_process_generates_nothing(tmp_path):
    environment = {**os.environ, "FNX_CACHE_DIR": str(tmp_path / "store")}
    outputs = []
    for state in ("cold", "warm"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, state],
            cwd=ROOT, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
