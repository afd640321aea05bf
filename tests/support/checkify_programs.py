"""Programs under `checkify`, for JAX and for fnx alike: what each one finds, and what it gives.

`programs` takes the modules by their names in JAX. Every program gives a pair: the message (None if
nothing failed), and the result, an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["programs"]

Program = Callable[[], tuple[str | None, Any]]


def programs(jax: Any, jnp: Any, checkify: Any) -> dict[str, Program]:
    """The programs by name."""
    lax, check = jax.lax, checkify.check
    found: dict[str, Program] = {}

    def program(
        name: str,
        f: Any,
        *args: Any,
        errors: str = "all_checks",
        out: bool = True,
        jit: bool = False,
    ) -> None:
        """`f` under checkify, maybe compiled; `out`: whether results are comparable."""

        def run() -> tuple[str | None, Any]:
            checked = checkify.checkify(f, errors=getattr(checkify, errors))
            error, result = (jax.jit(checked) if jit else checked)(*args)
            return error.get(), result if out else 0

        found[name] = run

    def mapped(name: str, f: Any, *args: Any, errors: str = "all_checks") -> None:
        """`f` under checkify under vmap."""

        def run() -> tuple[str | None, Any]:
            checked = checkify.checkify(f, errors=getattr(checkify, errors))
            error, result = jax.vmap(checked)(*args)
            return error.get(), result

        found[f"vmap of {name}"] = run

    rows = jnp.arange(6.0).reshape(3, 2)
    five = jnp.array(5)
    inf = jnp.array(jnp.inf)

    # ------------------------------------------------------------------------------ checks of users

    def positive(x: Any) -> Any:
        check(x > 0, "{x} must be positive, not like {}", jnp.sum(x), x=x)
        return 2 * x

    def two(x: Any) -> Any:
        check(x < 10, "too large: {:.2f}", x)
        check(x > 0, "too small: {0:.3e}", x)
        return x

    def all_of(x: Any) -> Any:
        check(jnp.all(x > 0), "not all of {} are positive", x)
        return x.sum()

    def nested(x: Any) -> Any:
        check(jnp.all(x > 0), "{b} and {a[1][k]}", a=[x, {"k": x + 1}], b=x.sum())
        return x

    program("a check that holds", positive, jnp.array(2.0))
    program("a check that fails", positive, jnp.array(-2.0))
    program("jit of a check that fails", positive, jnp.array(-2.0), jit=True)
    program("the first of two, above", two, jnp.array(12.0))
    program("the second of two, below", two, jnp.array(-12.0))
    program("an array in the message", all_of, jnp.array([1.0, -2.0]))
    program("jit of an array in the message", all_of, jnp.array([1.0, -2.0]), jit=True)
    program("trees in the message", nested, jnp.array([1.0, -2.0]))
    program("a check that is not enabled", positive, jnp.array(-2.0), errors="float_checks")
    program("only checks of users", lambda x: positive(x) / 0, jnp.array(1.0), errors="user_checks")
    mapped("a check", positive, jnp.array([1.0, -2.0, 3.0, -4.0]))
    mapped("two checks", two, jnp.array([1.0, -2.0, 30.0, 4.0]))
    mapped("an array in the message", all_of, jnp.array([[1.0, 2.0], [-1.0, 4.0]]))
    program("a check inside of vmap", jax.vmap(positive), jnp.array([1.0, -2.0, -3.0, 4.0]))
    program(
        "jit of a check inside of vmap",
        jax.vmap(positive),
        jnp.array([1.0, -2.0, -3.0, 4.0]),
        jit=True,
    )
    program("a check inside of jit", jax.jit(positive), jnp.array(-2.0))
    program("a check inside of grad", jax.grad(positive), jnp.array(-2.0))
    program(
        "debug", lambda x: checkify.debug_check(x > 0, "debugged {}", x), jnp.array(-2.0), out=False
    )

    def rechecked(x: Any) -> Any:
        error, out = jax.jit(checkify.checkify(positive))(x)
        checkify.check_error(error)
        return out

    program("an error raised again", rechecked, jnp.array(-2.0))
    program("jit of an error raised again", rechecked, jnp.array(-2.0), jit=True)
    program("an error thrown again, mapped", jax.vmap(rechecked), jnp.array([2.0, -1.0]))

    # ------------------------------------------------------------------------------------- numbers

    program("sin of infinity", lambda x: x + jnp.sin(x), inf)
    program("jit of sin of infinity", lambda x: x + jnp.sin(x), inf, jit=True)
    program("log of a negative number", jnp.log, jnp.array([1.0, -1.0]))
    program("infinity less infinity", lambda x: x - x, inf)
    program("NaN passes a choice", lambda x: jnp.where(x > 0, x, jnp.nan), -inf)
    program("NaN passes on", lambda x: jnp.exp(jnp.where(x > 0, x, jnp.nan)), -inf)
    program("sqrt where it is not chosen", lambda x: jnp.where(x > 0, jnp.sqrt(x), 0), -inf)
    program("a product of matrices", lambda x: x @ x, jnp.array([[jnp.inf, 0.0], [0.0, 1.0]]))
    program("a sum", jnp.sum, jnp.array([jnp.inf, -jnp.inf]))
    program("jit of a sum", jnp.sum, jnp.array([jnp.inf, -jnp.inf]), jit=True)
    program("zero by zero", lambda x: x / x, jnp.array(0.0))
    program("zero by zero, only NaN", lambda x: x / x, jnp.array(0.0), errors="nan_checks")
    program("one by zero", lambda x: 1 / x, jnp.array([1.0, 0.0]))
    program("jit of one by zero", lambda x: 1 / x, jnp.array([1.0, 0.0]), jit=True)
    program("one by zero, only NaN", lambda x: 1 / x, jnp.array([1.0, 0.0]), errors="nan_checks")
    program("integers by zero", lambda x: five // x, jnp.array(0), out=False)
    program("the derivative of sqrt at 0", jax.grad(lambda x: jnp.sqrt(x) * 0.0), jnp.array(0.0))
    program("a power", lambda x: x**3 - x**3, inf)
    mapped("log", jnp.log, jnp.array([1.0, -1.0, 2.0]))
    mapped("a quotient", lambda x, y: x / y, jnp.array([1.0, 0.0]), jnp.array([0.0, 0.0]))

    # ------------------------------------------------------------------------------------- indices

    program("a row", lambda x, i: x[i], rows, five, out=False)
    program("a row that is there", lambda x, i: x[i], rows, jnp.array(1))
    program("an element", lambda x, i: x[1, i], rows, five, out=False)
    program("rows", lambda x, i: x[i], rows, jnp.array([1, 7, 9]), out=False)
    program("jit of rows", lambda x, i: x[i], rows, jnp.array([1, 7, 9]), out=False, jit=True)
    program("elements", lambda x, i, j: x[i, j], rows, jnp.array([0, 1]), five, out=False)
    program("rows, below", lambda x, i: x[i], rows, jnp.array([1, -5]), out=False)
    program("a set", lambda x, i: x.at[i].set(1.0), rows, five)
    program("an addition", lambda x, i: x.at[i, 0].add(1.0), rows, jnp.array([0, 4]))
    program("a product in place", lambda x, i: x.at[i].multiply(2.0), rows, jnp.array([0, 4]))
    program("a maximum in place", lambda x, i: x.at[i].max(2.0), rows, jnp.array([0, 4]))
    program("a slice", lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 2)), rows, jnp.array(2))
    program(
        "jit of a slice",
        lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 2)),
        rows,
        jnp.array(2),
        jit=True,
    )
    program(
        "an update", lambda x, i: lax.dynamic_update_slice(x, x[:2], (0, i)), rows, jnp.array(1)
    )
    program("a take", lambda x, i: jnp.take(x, i, axis=1), rows, jnp.array([1, 2]))
    mapped("a row", lambda x, i: lax.dynamic_slice(x, (i,), (1,)), rows, jnp.array([0, 2, 9]))

    # -------------------------------------------------------------------------------- control flow

    def branch(x: Any) -> Any:
        return lax.cond(x > 0, two, lambda y: positive(y) + jnp.log(y), x)

    def switch(k: Any, x: Any) -> Any:
        return lax.switch(k, [jnp.sin, two, jnp.log, lambda y: y / 0], x)

    program("cond, true", branch, jnp.array(11.0))
    program("jit of cond, true", branch, jnp.array(11.0), jit=True)
    program("cond, false", branch, jnp.array(-1.0), errors="user_checks")
    program("cond, false, NaN", branch, jnp.array(-1.0), errors="nan_checks")
    program("jit of cond, false, NaN", branch, jnp.array(-1.0), errors="nan_checks", jit=True)
    program("cond, nothing", branch, jnp.array(1.0))
    for k in range(4):
        program(f"switch {k}", switch, jnp.array(k), jnp.array(-1.0))
    program("a failure before cond", lambda x: branch(jnp.log(x)), jnp.array(-1.0))
    program("a failure after cond", lambda x: jnp.log(branch(x) - 11), jnp.array(1.0))

    def scanned(x: Any) -> Any:
        def step(carry: Any, y: Any) -> Any:
            check(y < 3, "step {} of {total}", y, total=carry)
            return carry + y, jnp.log(4 - y)

        carry, logarithms = lax.scan(step, x, jnp.arange(6.0))
        return carry + logarithms[0]

    program("scan", scanned, jnp.array(1.0))
    program("jit of scan", scanned, jnp.array(1.0), jit=True)
    program("scan, only NaN", scanned, jnp.array(1.0), errors="nan_checks")
    program("scan, nothing", lambda x: lax.scan(lambda c, y: (c + y, c), x, rows)[0], rows[0])
    program("grad of scan", jax.grad(scanned), jnp.array(1.0), errors="nan_checks")
    program("jit of grad of scan", jax.grad(scanned), jnp.array(1.0), errors="nan_checks", jit=True)
    mapped("scan", scanned, jnp.array([1.0, 2.0]))

    def loop(x: Any) -> Any:
        def step(y: Any) -> Any:
            check(y < 4, "at {}", y)
            return y + 1

        return lax.while_loop(lambda y: y < 6, step, x)

    def predicate(x: Any) -> Any:
        def goes_on(y: Any) -> Any:
            check(y != 3, "met {}", y)
            return y < 6

        return lax.while_loop(goes_on, lambda y: y + 1, x)

    program("while", loop, jnp.array(0.0))
    program("jit of while", loop, jnp.array(0.0), jit=True)
    program("while, no steps", loop, jnp.array(7.0))
    program("a predicate in a loop", predicate, jnp.array(0.0))
    program("jit of a predicate in a loop", predicate, jnp.array(0.0), jit=True)
    program("a predicate before the loop", predicate, jnp.array(3.0))
    program("a predicate after the loop", predicate, jnp.array(5.5))
    program("fori_loop", lambda x: lax.fori_loop(0, 4, lambda i, y: y / (i - 2), x), jnp.array(1.0))
    program(
        "an index in a loop",
        lambda x: lax.fori_loop(0, 4, lambda i, y: y + lax.dynamic_slice(x, (i,), (1,))[0], 0.0),
        jnp.arange(3.0),
    )
    program(
        "jit of an index in a loop",
        lambda x: lax.fori_loop(0, 4, lambda i, y: y + lax.dynamic_slice(x, (i,), (1,))[0], 0.0),
        jnp.arange(3.0),
        jit=True,
    )
    program(
        "a loop in a loop",
        lambda x: lax.fori_loop(0, 3, lambda i, y: loop(y - 5), x),
        jnp.array(4.0),
    )

    # ------------------------------------------------------------------ rules, and computing again

    @jax.custom_jvp
    def root(x: Any) -> Any:
        check(x > 0, "the root of {}", x)
        return jnp.sqrt(x)

    root.defjvp(lambda primals, tangents: (root(primals[0]), 3.0 * tangents[0]))

    @jax.custom_vjp
    def logarithm(x: Any) -> Any:
        return jnp.log(x)

    logarithm.defvjp(lambda x: (jnp.log(x), x), lambda x, ct: (ct / x,))

    def slope(f: Any) -> Any:
        """The derivative of what is checked, and what it finds."""

        def run(x: Any) -> Any:
            grown, error = jax.grad(lambda y: checkify.checkify(f)(y)[::-1], has_aux=True)(x)
            return error, grown

        return run

    program("custom_jvp", root, jnp.array(-1.0))
    program("jit of custom_jvp", root, jnp.array(-1.0), jit=True)
    program("grad of custom_jvp", jax.grad(root), jnp.array(4.0))
    program("custom_vjp", logarithm, jnp.array(-1.0))
    program("grad of custom_vjp", jax.grad(logarithm), jnp.array(0.0))
    program("jit of grad of custom_vjp", jax.grad(logarithm), jnp.array(0.0), jit=True)
    program("checkpoint", jax.checkpoint(positive), jnp.array(-2.0))
    program("jit of checkpoint", jax.checkpoint(positive), jnp.array(-2.0), jit=True)
    program("grad of checkpoint", jax.grad(jax.checkpoint(positive)), jnp.array(-2.0))
    program(
        "jit of grad of checkpoint", jax.grad(jax.checkpoint(positive)), jnp.array(-2.0), jit=True
    )
    for name, f in {"a check": positive, "scan": scanned}.items():
        for point in (4.0, -1.0):

            def run(f: Any = f, point: float = point) -> tuple[str | None, Any]:
                error, grown = jax.jit(slope(f))(point)
                return error.get(), grown

            found[f"grad of checkify of {name} at {point}"] = run
    return found
