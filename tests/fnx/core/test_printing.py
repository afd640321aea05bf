"""Printed programs look as JAX prints them (one equation a line; weak types are marked)."""

from __future__ import annotations

from typing import Any

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.printing import format_jaxpr


def test_a_program() -> None:
    closed = fnx.make_jaxpr(lambda x, y: jnp.sin(x) * y)(jnp.ones(3), jnp.ones(3))
    assert str(closed) == (
        "{ lambda ; a:f32[3] b:f32[3]. let\n"
        "    c:f32[3] = sin a\n"
        "    d:f32[3] = mul c b\n"
        "  in (d,) }"
    )


def test_captured_values_stand_before_the_semicolon() -> None:
    table = jnp.arange(3)
    text = str(fnx.make_jaxpr(lambda x: (x, table))(1.0))
    assert text == "{ lambda a:i32[3] ; b:~f32[]. let in (b, a) }"


def test_literals_and_results() -> None:
    text = str(fnx.make_jaxpr(lambda x: (x * 2.5, True, 3))(1.0))
    assert "b:~f32[] = mul a 2.5:~f32[]" in text
    assert text.endswith("in (b, True:bool[], 3:~i32[]) }")


def test_no_inputs_and_no_results() -> None:
    assert str(fnx.make_jaxpr(lambda: ())()) == "{ lambda ;. let in () }"


def test_names_go_on_after_z() -> None:
    text = str(fnx.make_jaxpr(lambda *xs: xs)(*[1.0] * 28))
    assert " z:~f32[] ba:~f32[] bb:~f32[]. let" in text


def test_parameters_are_sorted_and_readable() -> None:
    text = str(fnx.make_jaxpr(lambda x: jnp.reshape(x, (3, 2)).astype("float16"))(jnp.ones((2, 3))))
    assert "reshape[new_sizes=(3, 2)] a" in text
    assert "convert_element_type[new_dtype=float16" in text


def test_inner_programs_are_indented() -> None:
    def step(c: Any, x: Any) -> Any:
        return c + x, None

    text = str(fnx.make_jaxpr(lambda xs: lax.scan(step, jnp.float32(0), xs)[0])(jnp.ones(3)))
    assert text.splitlines() == [
        "{ lambda ; a:f32[3]. let",
        "    b:f32[] = scan[",
        "      jaxpr={ lambda ; a:f32[] b:f32[]. let",
        "          c:f32[] = add a b",
        "        in (c,) }",
        "      length=3",
        "      num_carry=1",
        "      num_consts=0",
        "      reverse=False",
        "      unroll=1",
        "    ] 0.0:f32[] a",
        "  in (b,) }",
    ]


def test_branches_are_listed() -> None:
    text = str(fnx.make_jaxpr(lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x))(1.0))
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("branches=(")
    assert "cos" in lines[start + 2] and "sin" in lines[start + 5]


def test_sources_on_request() -> None:
    closed = fnx.make_jaxpr(lambda x: jnp.sin(x))(1.0)
    line = format_jaxpr(closed, sources=True).splitlines()[1]
    assert line.startswith("    b:~f32[] = sin a  # test_printing.py:")
    assert "#" not in format_jaxpr(closed)
