"""Random functions of R^3 to R^3 with control flow, from a seed: loops and branches, also nested.

`random_control(seed)` writes one or two statements of control flow, the first one of the kind in
`FORMS` that is the seed's turn, around random smooth expressions (`random_bodies`), in which there
may be more.  Sizes stay near 1, so that a transform of a transform does as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from tests.support.random_bodies import PRELUDE, Bodies

__all__ = ["FORMS", "Controlled", "random_control"]

#: Control flow around functions f, g, h of one value and an expression `body` of u and x.
FORMS = {
    "cond": "lax.cond(jnp.sum({x}) > {limit}, {f}, {g}, {x})",
    "switch": "lax.switch((jnp.sum({x}) > {limit}) + 1, [{f}, {g}, {h}], {x})",
    "fori": "lax.fori_loop(0, {n}, lambda i, {u}: {u} * 0.5 + {body} / (i + 2.0), {x})",
    "fori to data": (
        "lax.fori_loop(0, 1 + (jnp.sum({x}) > {limit}), lambda i, {u}: {u} * 0.5 + {body}, {x})"
    ),
    "while": (
        "lax.while_loop(lambda s: s[0] < {n}, "
        "lambda s: (s[0] + 1, lax.tanh(({f})(s[1]))), (0, {x}))[1]"
    ),
    "while on data": (
        "lax.while_loop(lambda {u}: jnp.sum({u} * {u}) > 0.3, "
        "lambda {u}: 0.7 * lax.sin({u}) + 0.02 * {x}, {f_of_x})"
    ),
    "scan": (
        "(lambda last, ys: last * 0.5 + ys)(*lax.scan(lambda {u}, y: (lax.tanh({body} + y), "
        "jnp.sum({other}) * y), {x} * 0.5, {x}))"
    ),
    "scan from behind": (
        "(lambda last, ys: last + ys[:, 0])(*lax.scan(lambda {u}, y: (lax.sin({body}) * y[1], "
        "{u} * y[0]), {x}, jnp.stack([{x}, lax.cos({x})], 1), reverse=True))"
    ),
    "map": "lax.map(lambda {u}: {of_number}, {x})",
    "branch in loop": (
        "lax.scan(lambda {u}, y: (lax.cond(jnp.sum({u}) > y, {f}, {g}, {u}), None), {x}, {x})[0]"
    ),
    "loop in loop": (
        "lax.fori_loop(0, 2, lambda i, {v}: lax.scan(lambda {u}, y: "
        "(lax.tanh({body}) + y, None), {v}, {x} * 0.5)[0], {x})"
    ),
    "loop in branch": (
        "lax.cond(jnp.sum({x}) > {limit}, lambda {v}: lax.while_loop(lambda s: s[0] < {n}, "
        "lambda s: (s[0] + 1, lax.sin(({f})(s[1]))), (0, {v}))[1], {g}, {x})"
    ),
    "search in loop": (
        "lax.fori_loop(0, 2, lambda i, {v}: lax.while_loop(lambda {u}: jnp.sum({u} * {u}) > 0.2, "
        "lambda {u}: 0.6 * lax.sin({u}), {v}) + {f_of_x}, {x})"
    ),
}


@dataclass(frozen=True)
class Controlled:
    """A function with control flow as text, and a point.

    Parameters
    ----------
    seed : int
        What it was made from.
    kinds : tuple of str
        Of `FORMS`, in order.
    body : str
        The function's text, without the prelude.
    point : Array
        Of three numbers.
    """

    seed: int
    kinds: tuple[str, ...]
    body: str
    point: Any

    @cached_property
    def function(self) -> Callable[[Any], Any]:
        """The function itself."""
        namespace: dict[str, Any] = {}
        text = f"{PRELUDE}\n\n{self.body}"
        exec(compile(text, f"<random control flow {self.seed}>", "exec"), namespace)
        return namespace["program"]

    @property
    def text(self) -> str:
        """A Python file that runs it."""
        point = np.asarray(self.point).tolist()
        return (
            f"# random_control({self.seed})\n{PRELUDE}\n\n{self.body}\n\n"
            f"print(program(jnp.array({point!r}, 'float64')))\n"
        )

    @cached_property
    def jaxpr(self) -> Any:
        """What it is traced to."""
        return fnx.make_jaxpr(self.function)(self.point)


def random_control(seed: int, statements: int = 2) -> Controlled:
    """The function of a seed; with one statement, the beginning of the one with two."""
    rng = np.random.default_rng([seed, 7])
    bodies, names = Bodies(rng), list(FORMS)
    kinds = (names[seed % len(names)], names[int(rng.integers(len(names)))])[:statements]
    lines, x = ["def program(x):"], "x"
    for k, kind in enumerate(kinds):
        lines.append(f"    c{k} = {_written(bodies, kind, x)}")
        x = f"c{k}"
    lines.append(f"    return {x} + 0.5 * lax.cos(c0)\n")
    point = jnp.asarray(rng.uniform(-1, 1, 3), "float64")
    return Controlled(seed, kinds, "\n".join(lines), point)


def _written(bodies: Bodies, kind: str, x: str) -> str:
    u, v = bodies.fresh(), bodies.fresh()
    return FORMS[kind].format(
        x=x,
        u=u,
        v=v,
        n=1 + int(bodies.rng.integers(3)),
        limit=bodies.number(-0.5, 0.5),
        f=bodies.function([x]),
        g=bodies.function([x]),
        h=bodies.function([x]),
        body=bodies.expression([u, x], 1),
        other=bodies.expression([u, x], 1),
        f_of_x=bodies.expression([x], 1),
        of_number=bodies.expression([u], 1),
    )
