"""300 random programs: eager, jit, derivatives of every kind, vmap and jet agree.

The bound of each comparison is measured, program by program (`tests.support.rounding_noise`): a few
eps times the condition of what is computed. Eager means NumPy throughout (`disable_jit`); every
program is compiled as it is and in one further form, in rotation, so that each form sees 60.
Programs of double precision without `stop_gradient` are also held against central differences.
A program that fails prints itself as a Python file, with its Jaxpr.
Read next: `tests.support.random_programs`.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.primitive import Primitive
from fnx.experimental.jet import jet
from fnx.primitives.collectives import ALONG
from tests.support.random_programs import Program, count_primitives, random_program
from tests.support.random_samples import OF_DERIVATIVES
from tests.support.rounding_noise import Measured, disagreement, measured, wide

PROGRAMS, BATCH = 300, 10
FUZZED = range(10_000, 13_000, BATCH)

compared: Counter[str] = Counter()


@cache
def program_of(seed: int) -> Program:
    """The program of a seed, made once."""
    return random_program(seed)


class Trial:
    """One program with what the laws need of it.

    Parameters
    ----------
    program : Program
        Which one.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rng = np.random.default_rng([program.seed, 3])
        self.arguments = tuple([jnp.asarray(a) for a in program.lanes[0]])
        self.point = self.arguments[: program.floats]
        self.rest = self.arguments[program.floats :]
        self.outs = program.jaxpr.out_avals
        self.weights = [
            self.rng.uniform(0.5, 1.5, a.shape) if a.dtype.kind == "f" else None for a in self.outs
        ]
        self.velocity = self._direction()

    def _direction(self) -> tuple[np.ndarray, ...]:
        draw = self.rng.uniform
        return tuple([jnp.asarray(np.asarray(draw(-1, 1, x.shape), x.dtype)) for x in self.point])

    def smooth(self, *point: Any) -> list[Any]:
        """The floating-point results as a function of the floating-point arguments."""
        outs = self.program.function(*point, *self.rest)
        return [o for o, w in zip(outs, self.weights, strict=True) if w is not None]

    def loss(self, *point: Any) -> Any:
        """A scalar that every floating-point result counts in."""
        weights = [w for w in self.weights if w is not None]
        total = jnp.zeros((), "float64")
        for out, weight in zip(self.smooth(*point), weights, strict=True):
            total = total + jnp.sum(out.astype("float64") * weight)
        return total

    def same(self, what: str, reference: Measured, result: Any) -> None:
        """Count a comparison, and fail with the program if it disagrees."""
        compared[what] += 1
        message = disagreement(reference, result)
        if message:
            self.fail(what, message)

    def fail(self, what: str, message: str) -> None:
        """Fail with the program's text and Jaxpr."""
        pytest.fail(
            f"seed {self.program.seed}, {what}: {message}\n\n{self.program.text}\n"
            f"{self.program.jaxpr}",
            pytrace=False,
        )

    def run(self, what: str, compute: Callable[[], Any]) -> Any:
        """Compute, naming the program if that raises."""
        try:
            return compute()
        except Exception as error:
            error.add_note(
                f"seed {self.program.seed}, {what}\n{self.program.text}\n{self.program.jaxpr}"
            )
            raise

    def derivatives(self) -> list[Any]:
        """The programs of derivatives: of the gradient, and where rules make more of them."""
        numbers = tuple(range(len(self.point)))
        programs = [fnx.make_jaxpr(fnx.grad(self.loss, argnums=numbers))(*self.point)]
        if "windows." in self.program.body or "bent(" in self.program.body:

            def twice(*x: Any) -> Any:
                return fnx.jvp(lambda *y: fnx.jvp(self.smooth, y, self.velocity), x, self.velocity)

            programs.append(fnx.make_jaxpr(twice)(*self.point))
        if "checkpoint(" in self.program.body:
            push = fnx.linearize(self.smooth, *self.point)[1]
            programs.append(fnx.make_jaxpr(push)(*self.velocity))
        return programs

    # -------------------------------------------------------------------------------------- laws

    def eager_laws(self) -> None:
        """jvp, linearize, grad, vmap and jet, each in NumPy."""
        gradient = fnx.grad(self.loss, argnums=tuple(range(len(self.point))))
        self.value = self.run("eager", lambda: measured(self.forward))
        self.tangents = self.run("jvp", lambda: measured(self.push))
        self.gradient = self.run("grad", lambda: measured(lambda: gradient(*self.point)))
        with fnx.disable_jit():
            self.same("linearize", self.tangents, self.run("linearize", self.linearized))
            self.adjoint()
            self.vectorised(self.program.seed % 2 == 0)
            if self.program.seed % 3 == 0:
                self.vectorised_gradient(gradient)
            self.taylor()
            if self.program.faithful:
                self.differences()

    def forward(self) -> Any:
        """The program on its arguments."""
        return self.program.function(*self.arguments)

    def push(self) -> Any:
        """Values and tangents."""
        return fnx.jvp(self.smooth, self.point, self.velocity)

    def linearized(self) -> Any:
        """Values and tangents again."""
        outs, push = fnx.linearize(self.smooth, *self.point)
        return outs, push(*self.velocity)

    def adjoint(self) -> None:
        """<w, Jv> by forward mode is <J^T w, v> by reverse mode."""
        count = len(self.tangents.values) // 2
        weights = [w for w in self.weights if w is not None]
        pairs = zip(
            weights, self.tangents.values[count:], self.tangents.bounds[count:], strict=True
        )
        forward, slack = 0.0, 0.0
        for weight, tangent, bound in pairs:
            forward += np.sum(weight * wide(tangent))
            slack += np.sum(weight * bound)
        reverse = 0.0
        for v, g, bound in zip(
            self.velocity, self.gradient.values, self.gradient.bounds, strict=True
        ):
            reverse += np.sum(wide(v) * wide(g))
            slack += np.sum(np.abs(wide(v)) * bound)
        compared["jvp against grad"] += 1
        if not abs(forward - reverse) <= slack:
            self.fail("jvp against grad", f"<w, Jv> = {forward}, <J^T w, v> = {reverse}, {slack=}")

    def vectorised(self, whole: bool) -> None:
        """vmap, over all arguments or over the floating-point ones, against a loop."""
        lanes = [tuple([jnp.asarray(a) for a in lane]) for lane in self.program.lanes]
        if not whole:
            lanes = [(*lane[: len(self.point)], *self.rest) for lane in lanes]
        axes = tuple([0 if whole or k < len(self.point) else None for k in range(len(lanes[0]))])
        stacked = [
            jnp.stack([lane[k] for lane in lanes]) if axis == 0 else lanes[0][k]
            for k, axis in enumerate(axes)
        ]
        function = self.program.function
        self.stacked = stacked
        self.mapped = fnx.vmap(function, in_axes=axes) if axes else function
        batched = self.run("vmap", lambda: measured(lambda: self.mapped(*stacked)))
        self.batched = batched
        loop = [function(*lane) for lane in lanes]
        self.same("vmap", batched, [np.stack([np.asarray(o) for o in row]) for row in zip(*loop)])

    def vectorised_gradient(self, gradient: Callable[..., Any]) -> None:
        """vmap of grad against a loop."""
        points = [[jnp.asarray(a) for a in lane[: len(self.point)]] for lane in self.program.lanes]
        stacked = [jnp.stack(column) for column in zip(*points)]
        batched = self.run("vmap of grad", lambda: measured(lambda: fnx.vmap(gradient)(*stacked)))
        loop = [gradient(*point) for point in points]
        rows = [np.stack([np.asarray(g) for g in row]) for row in zip(*loop)]
        self.same("vmap of grad", batched, rows)

    def series(self) -> list[list[Any]]:
        """Derivatives of a curve through the point, an entry for each argument.

        To the second or the third, in turns.
        """
        rng = np.random.default_rng([self.program.seed, 5])
        order = 2 + self.program.seed % 2
        return [
            [
                v,
                *[
                    jnp.asarray(np.asarray(rng.uniform(-1, 1, v.shape), v.dtype))
                    for _ in range(order - 1)
                ],
            ]
            for v in self.velocity
        ]

    def jet(self) -> Any:
        """Value and derivatives along the curve."""
        return jet(self.smooth, self.point, self.series())

    def taylor(self) -> None:
        """jet against nested jvps along the same curve."""
        series = self.series()

        def along(t: Any) -> Any:
            curve = []
            for x, terms in zip(self.point, series, strict=True):
                s, moved = t.astype(x.dtype), 0.0
                for k, c in reversed(list(enumerate(terms, 1))):
                    moved = (moved + c / math.factorial(k)) * s
                curve.append(x + moved)
            return self.smooth(*curve)

        def derivative(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
            return lambda t: fnx.jvp(f, (t,), (jnp.ones_like(t),))[1]

        def nested() -> Any:
            f, derivatives = along, []
            for _ in range(2 + self.program.seed % 2):
                f = derivative(f)
                derivatives.append(f(jnp.zeros((), "float64")))
            value = along(jnp.zeros((), "float64"))
            return value, [list(column) for column in zip(*derivatives)]

        self.curved = self.run("jet", lambda: measured(self.jet))
        wanted = self.run("nested jvp", nested)
        if disagreement(self.curved, wanted):  # nested jvps may round worse than the series
            own = measured(nested)
            bounds = [a + b for a, b in zip(self.curved.bounds, own.bounds, strict=True)]
            self.curved = Measured(self.curved.values, bounds)
        self.same("jet", self.curved, wanted)

    def differences(self) -> None:
        """jvp against central differences; a step of twice the size says how good they are."""

        def slope(h: float) -> float:
            ahead = self.loss(*[x + h * v for x, v in zip(self.point, self.velocity, strict=True)])
            behind = self.loss(*[x - h * v for x, v in zip(self.point, self.velocity, strict=True)])
            return (float(ahead) - float(behind)) / (2 * h)

        step = 1e-4
        fine, coarse = slope(step), slope(2 * step)
        exact = float(fnx.jvp(self.loss, self.point, self.velocity)[1])
        kept = [k for k, w in enumerate(self.weights) if w is not None]
        rounding = sum(float(np.sum(self.value.bounds[k])) for k in kept)
        bound = 4 * abs(fine - coarse) + 2 * rounding / step + 1e-12
        compared["central differences"] += 1
        extrapolated = fine + (fine - coarse) / 3
        if not abs(extrapolated - exact) <= bound:
            self.fail("central differences", f"jvp {exact}, differences {extrapolated}, {bound=}")

    def compiled_laws(self) -> None:
        """The program compiled, and one of its transforms compiled."""
        numbers = tuple(range(len(self.point)))
        function = self.program.function
        self.same("jit", self.value, self.run("jit", lambda: fnx.jit(function)(*self.arguments)))
        forms: dict[str, tuple[Measured, Callable[[], Any]]] = {
            "jit of jvp": (
                self.tangents,
                lambda: fnx.jit(lambda x, v: fnx.jvp(self.smooth, x, v))(self.point, self.velocity),
            ),
            "jit of grad": (
                self.gradient,
                lambda: fnx.jit(fnx.grad(self.loss, argnums=numbers))(*self.point),
            ),
            "grad of jit": (
                self.gradient,
                lambda: fnx.grad(fnx.jit(self.loss), argnums=numbers)(*self.point),
            ),
            "jit of vmap": (self.batched, lambda: fnx.jit(self.mapped)(*self.stacked)),
            "jit of jet": (
                self.curved,
                lambda: fnx.jit(lambda x, s: jet(self.smooth, x, s))(self.point, self.series()),
            ),
        }
        name = list(forms)[self.program.seed % len(forms)]
        reference, compute = forms[name]
        self.same(name, reference, self.run(name, compute))


def check(seeds: range) -> None:
    """Put the programs of some seeds through all laws."""
    for seed in seeds:
        trial = Trial(program_of(seed))
        trial.eager_laws()
        trial.compiled_laws()


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_programs_agree(first: int) -> None:
    check(range(first, first + BATCH))


@pytest.mark.fuzz
@pytest.mark.parametrize("first", FUZZED)
def test_more_programs_agree(first: int) -> None:
    check(range(first, first + BATCH))


def own_primitives() -> set[str]:
    """Every primitive that a module of fnx binds; what tests register themselves isn't there."""
    for module in pkgutil.walk_packages(fnx.__path__, "fnx."):
        importlib.import_module(module.name)
    modules = [m for name, m in sys.modules.items() if name.split(".")[0] == "fnx"]
    bound = [v for m in modules for v in vars(m).values() if isinstance(v, Primitive)]
    return {primitive.name for primitive in bound}


def resolved_collectives(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a `vmap` with a named axis resolves each collective while programs are traced.

    No Jaxpr holds a collective along the axis of a vmap that is inside the program.
    """
    counts: Counter[str] = Counter()

    def counting(primitive: Primitive, resolve: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **params: Any) -> Any:
            counts[primitive.name] += 1
            return resolve(*args, **params)

        return counted

    for primitive, resolve in list(ALONG.items()):
        monkeypatch.setitem(ALONG, primitive, counting(primitive, resolve))
    for seed in range(PROGRAMS):
        program = program_of(seed)
        if "axis_name=" in program.body:
            fnx.make_jaxpr(program.function)(*map(jnp.asarray, program.lanes[0]))
    return counts


def test_every_primitive_occurs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the programs themselves; those that only derivatives make, in the gradients' programs."""
    forward: dict[str, int] = {}
    derived: dict[str, int] = {}
    for seed in range(PROGRAMS):
        trial = Trial(program_of(seed))
        count_primitives(trial.program.jaxpr.jaxpr, forward)
        for derivative in trial.derivatives():
            count_primitives(derivative.jaxpr, derived)
    for name, count in resolved_collectives(monkeypatch).items():
        forward[name] = forward.get(name, 0) + count
    names = own_primitives()
    with capsys.disabled():
        print(coverage_table(names, forward, derived))
    assert not OF_DERIVATIVES - names
    missing = {n: forward.get(n, 0) for n in names - OF_DERIVATIVES if forward.get(n, 0) < 5}
    missing |= {n: derived.get(n, 0) for n in OF_DERIVATIVES if derived.get(n, 0) < 5}
    assert not missing, f"occur fewer than 5 times: {missing}"
    assert not {n for n in OF_DERIVATIVES if forward.get(n)}, "a user's function can reach these"


def coverage_table(names: set[str], forward: dict[str, int], derived: dict[str, int]) -> str:
    """Occurrences in programs and in their gradients, and how often each law was compared."""
    cells = [f"{n:26}{forward.get(n, 0):5}{derived.get(n, 0):7}" for n in sorted(names)]
    height = -(-len(cells) // 3)
    rows = ["   ".join(cells[k::height]) for k in range(height)]
    laws = [f"{law:22}{count:5}" for law, count in compared.items()]
    title = f"\n{PROGRAMS} random programs: eqns in the programs, and in their derivatives"
    return "\n".join([title, *rows, "comparisons made in this run", *laws])
