"""Stores the dtypes that `jax.numpy` gives, in tests/fnx/data/jax_numpy_dtypes.json.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_numpy_dtypes [SECTION ...]

With sections only these are computed anew.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.support.numpy_cases import CASES, KINDS, described, evaluated, expressions, operands

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_numpy_dtypes.json"


def outcome(expression: str, values: dict[str, Any]) -> str:
    """The dtypes of an expression's result, or the class of its error.

    Nothing is compiled, unless the result's shape depends on values.
    """
    try:
        return described(jax.eval_shape(lambda: evaluated(jnp, expression, values)))
    except jax.errors.JAXTypeError:
        try:
            return described(evaluated(jnp, expression, values))
        except Exception as error:
            return f"!{type(error).__name__}"
    except Exception as error:
        return f"!{type(error).__name__}"


def main(sections: list[str]) -> None:
    """Compute and store; for each expression a dtype per kind of operands, or one for all."""
    warnings.simplefilter("ignore")
    stored = json.loads(PATH.read_text()) if PATH.exists() else {}
    tables: dict[str, dict[str, str]] = {s: t for s, t in stored.items() if s not in sections}
    for x64 in (True, False):
        jax.config.update("jax_enable_x64", x64)
        kinds = [k for k in KINDS if x64 or np.dtype(jnp.dtype(k)).name == jnp.zeros(0, k).dtype]
        values = [{n: jnp.asarray(a) for n, a in operands(kind).items()} for kind in kinds]
        for section in sections:
            table = tables.setdefault(section, {})
            for expression in expressions(section):
                found = [outcome(expression, v) for v in values]
                row = found[0] if len(set(found)) == 1 else " ".join(found)
                table[expression] = row if x64 else f"{table[expression]} | {row}"
    ordered = {section: tables[section] for section in CASES if section in tables}
    PATH.write_text(json.dumps(ordered, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(CASES))
