"""`python -m tests.benchmarks.control_flow`: the figures of docs/control_flow.md.

Memory is the largest resident size of a fresh process for each row, over that of the same process
after its imports. Times are the shortest of some runs in one process, first runs left out. The
eager rows run under JAX, too, with `--jax-python`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]

MEMORY = """
import time
import fnx, fnx.numpy as jnp, numpy as np
from fnx import lax

def peak():
    (line,) = [l for l in open("/proc/self/status") if l.startswith("VmHWM")]
    return int(line.split()[1]) // 1024

def body(c, x):
    return jnp.sin(c) * x + c * 0.5

def loop(x, n):
    return {loop}

f, n = loop, np.int32(1_000_000)
for _ in range({order}):
    f = fnx.grad(f)
f = {wrap}
imported = peak()
f(np.float64(0.7), {short})
start = time.perf_counter()
f(np.float64(0.7), n)
print(f"{{imported}} MB, {{peak()}} MB, {{time.perf_counter() - start:.2f}} s")
"""

LOOPS = {
    "while_loop": (
        "lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, body(s[1], x)), (0, x))[1]"
    ),
    "fori_loop": "lax.fori_loop(0, n, lambda i, c: body(c, x), x)",
    "scan": "lax.scan(lambda c, _: (body(c, x), None), x, length=10**6, checkpoint={again})[0]",
}


def memory(loop: str, order: int, compiled: bool) -> str:
    """Import, peak and seconds of a million steps."""
    is_scan = "length=" in loop
    program = MEMORY.format(
        loop=loop,
        order=order,
        wrap="fnx.jit(f)" if compiled else "f",
        short="n" if is_scan else "np.int32(3)",
    )
    run = [sys.executable, "-c", program]
    return subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def shortest(function: Callable[[], Any], runs: int = 30) -> float:
    """Seconds."""
    function()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        np.asarray(function())
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def lanes() -> None:
    """A thousand lanes, of which one is long, beside that one alone; bodies with a product."""
    import fnx
    import fnx.numpy as jnp
    from fnx import lax

    def loop(x: Any, n: Any) -> Any:
        def body(s: Any) -> Any:
            return s[0] + 1, jnp.sin(s[1]) * x + s[1] * 0.5

        return lax.while_loop(lambda s: s[0] < n, body, (0, x))[1]

    x, n = np.linspace(0.1, 0.9, 1000), np.ones(1000, np.int32)
    n[500] = 10_000
    for name, wrap in (("compiled", fnx.jit), ("eager", lambda f: f)):
        one, many = wrap(loop), wrap(fnx.vmap(loop))
        alone = shortest(lambda one=one: one(x[500], n[500]), 9)
        together = shortest(lambda many=many: many(x, n), 9)
        print(f"lanes, {name}: {alone * 1e3:.2f} ms alone, {together * 1e3:.2f} ms")


EAGER = """
import sys, time
import {library} as jax, {library}.numpy as jnp
from {library} import lax

jax.config.update("jax_enable_x64", True)
x, v, w, p = jnp.ones(()), jnp.ones(8), jnp.linspace(0, 1, 1000), jnp.asarray(True)
up, down = lambda x: jnp.sin(x) + 1, lambda x: jnp.cos(x) * 2
step = lambda c, x: (c * 0.5 + jnp.sin(x), c)
less, half = lambda c: c > 0.1, lambda c: c * 0.5 + 1e-3
rows = {{
    "cond": lambda: lax.cond(p, up, down, x),
    "cond of new functions": lambda: lax.cond(p, lambda x: jnp.sin(x), lambda x: x * 2, x),
    "scan of 8": lambda: lax.scan(step, x, v)[0],
    "scan of 1000": lambda: lax.scan(step, x, w)[0],
    "while_loop of 4": lambda: lax.while_loop(less, half, x),
    "fori_loop of 10": lambda: lax.fori_loop(0, 10, lambda i, c: c * 0.5 + 1e-3, x),
    "grad of scan of 8": lambda: jax.grad(lambda x: lax.scan(step, x, v)[0])(x),
}}
for name, row in rows.items():
    jax.block_until_ready(row())
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        jax.block_until_ready(row())
        seconds.append(time.perf_counter() - start)
    print(f"{library}, {{name}}: {{min(seconds) * 1e6:.0f}} us")
"""


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.control_flow")
    parser.add_argument("--jax-python", help="an interpreter that has jax")
    arguments = parser.parse_args()
    for name, loop in LOOPS.items():
        for compiled in (False, True):
            for order in (1, 2, 3):
                for again in (0, 1, 2) if name == "scan" else (0,):
                    found = memory(loop.format(again=again), order, compiled)
                    how = "compiled" if compiled else "eager"
                    print(f"{name}, {how}, order {order}, again {again}: {found}", flush=True)
    lanes()
    for library, python in (("fnx", sys.executable), ("jax", arguments.jax_python)):
        if python is not None:
            program = EAGER.format(library=library)
            subprocess.run([python, "-c", program], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
