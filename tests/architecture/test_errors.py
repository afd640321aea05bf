"""What fnx raises about its use is of fnx.errors: those errors know the user's line by themselves.

Kernels and the compiler are not called by users; what they raise is about fnx itself.
"""

from __future__ import annotations

import ast
import builtins

from tests.architecture.layout import matches, module_name, source_files, syntax_tree

BEHIND = ("fnx.kernels", "fnx.compiler")

# Raised and caught within one file, where making an error of ours would cost too much.
CAUGHT = {("fnx.core.staging", "TypeError")}

# What protocols of Python ask for (`__getattr__`, mappings, imports), and what tests raise.
PROTOCOLS = ("AttributeError", "KeyError", "StopIteration", "ImportError", "AssertionError")


def test_errors_are_those_of_fnx() -> None:
    found = []
    for path in source_files("fnx"):
        module = module_name(path)
        if matches(module, BEHIND):
            continue
        for node in ast.walk(syntax_tree(path)):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = ast.unparse(node.exc.func)
                kind = getattr(builtins, name, None)
                is_builtin = isinstance(kind, type) and issubclass(kind, Exception)
                allowed = name in PROTOCOLS or (module, name) in CAUGHT
                if is_builtin and not allowed:
                    found.append(f"{module}:{node.lineno}: {name}")
    assert found == [], "raise the class of fnx.errors that derives from it, ArgumentTypeError say"
