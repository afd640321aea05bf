"""What every source file has: a size one can read, an honest name, a docstring, no dust."""

from __future__ import annotations

import ast
import re
import tokenize

from tests.architecture.layout import ROOT, source_files, syntax_tree

OURS = source_files("fnx", "fnx_nn", "examples")
ALL = source_files("fnx", "fnx_nn", "examples", "tests")

LONGEST = 600
# A name says the job of a file; these say only that it is somewhere.
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "stuff"}
# ...but for the public modules that have the names of the peers' own.
PEER_NAMES = {
    "fnx_nn/utils/__init__.py",
    "fnx_nn/nn/utils/__init__.py",
    "fnx_nn/vision/utils.py",
    "fnx_nn/vision/utils/__init__.py",
}
DUST = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _name(path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_too_long():
    long = {}
    for path in ALL:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONGEST:
            long[_name(path)] = lines
    assert not long, f"split these, they are longer than {LONGEST} lines: {long}"


def test_files_are_named_for_a_job():
    places = [
        _name(path)
        for path in ALL
        if (path.parent.name if path.name == "__init__.py" else path.stem) in FORBIDDEN_NAMES
        and _name(path) not in PEER_NAMES
    ]
    assert not places, f"name these for what they do: {places}"


def test_files_open_with_a_docstring():
    silent = [_name(path) for path in ALL if not ast.get_docstring(syntax_tree(path))]
    assert not silent, f"say in a docstring what is here: {silent}"


def test_annotations_are_never_evaluated():
    eager = [
        _name(path)
        for path in ALL
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in syntax_tree(path).body)
        and not any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and "annotations" in [alias.name for alias in node.names]
            for node in syntax_tree(path).body
        )
    ]
    assert not eager, f"add `from __future__ import annotations`: {eager}"


def test_nothing_is_left_for_later():
    dust = []
    for path in OURS:
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type in (tokenize.COMMENT, tokenize.STRING) and DUST.search(token.string):
                    dust.append(f"{_name(path)}:{token.start[0]}")
    assert not dust, f"finish these, or write an issue: {dust}"
