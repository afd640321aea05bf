"""Each public module says exactly what it offers, and importing it stays quick.

`__all__` is there, sorted, without duplicates, true and complete: every name exists, and whatever
a module defines, or a package's `__init__` takes from its own files, is either in it or begins
with an underscore.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

from tests.architecture.layout import (
    PUBLIC_MODULES,
    ROOT,
    existing,
    matches,
    module_file,
    syntax_tree,
)

PUBLIC = existing(PUBLIC_MODULES)
HEAVY = ("llvmlite", "matplotlib", "numba", "scipy")


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_sorted_and_true(name):
    module = importlib.import_module(name)
    assert hasattr(module, "__all__"), f"{name} has no __all__"
    names = list(module.__all__)
    assert names == sorted(names), f"{name}.__all__ is not sorted (as sorted() sorts)"
    assert len(names) == len(set(names)), f"{name}.__all__ names something twice"
    absent = [public for public in names if not hasattr(module, public)]
    assert not absent, f"{name}.__all__ names what is not there: {absent}"


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_complete(name):
    module = importlib.import_module(name)
    offered = set(module.__all__)
    left_out = sorted(defined_names(name) - offered)
    assert not left_out, f"{name}: in __all__ or with an underscore? {left_out}"


def defined_names(name: str) -> set[str]:
    """Public names that a module binds itself, or that a package takes from its own files."""
    path = module_file(name)
    assert path is not None
    names: set[str] = set()
    for node in syntax_tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(leaf.id for target in targets for leaf in _names_in(target))
        elif isinstance(node, ast.ImportFrom) and path.name == "__init__.py":
            source = f"{'.' * node.level}{node.module or ''}"
            if node.level or matches(source, (name.split(".")[0],)):
                names.update(alias.asname or alias.name for alias in node.names)
    return {public for public in names if not public.startswith("_")}


def _names_in(target: ast.expr) -> list[ast.Name]:
    return [node for node in ast.walk(target) if isinstance(node, ast.Name)]


@pytest.mark.parametrize("name", existing(("fnx", "fnx.numpy", "fnx.lax", "fnx_nn")))
def test_importing_is_light(name):
    # In a process of its own: what this one has loaded says nothing.
    program = f"import sys, {name}\nprint(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    heavy = [library for library in HEAVY if library in loaded]
    assert not heavy, f"`import {name}` loads {heavy}; import them where they are first used"
