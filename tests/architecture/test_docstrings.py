"""Every public function and class explains itself, and every example in a docstring runs.

The form is NumPy's: a summary of one line, then Parameters where there are arguments. Examples are
compared as text, with the numbers in them compared as numbers.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import types

import numpy as np
import pytest

from tests.architecture.layout import PUBLIC_MODULES, existing, module_name, source_files

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)(?![\w])")


def _public_objects() -> dict[str, object]:
    """Functions and classes of ours under their public names, each object once."""
    found: dict[int, tuple[str, object]] = {}
    for name in existing(PUBLIC_MODULES):
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public, None)
            if _is_ours(value) and (callable(value) or inspect.isclass(value)):
                found.setdefault(id(value), (f"{name}.{public}", value))
    return dict(found.values())


def _is_ours(value: object) -> bool:
    origin = getattr(value, "__module__", None)
    return isinstance(origin, str) and origin.split(".")[0] in ("fnx", "fnx_nn")


OBJECTS = _public_objects()


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring(name):
    value = OBJECTS[name]
    text = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
    complaints = docstring_complaints(inspect.cleandoc(text or ""), _arguments(value))
    assert not complaints, f"{name}: " + "; ".join(complaints)


def docstring_complaints(text: str, arguments: list[str]) -> list[str]:
    """What is missing in a docstring, given the names of the arguments to be explained."""
    if not text.strip():
        return ["it has no docstring"]
    lines = text.splitlines()
    complaints = []
    if not lines[0].strip() or (len(lines) > 1 and lines[1].strip()):
        complaints.append("its docstring does not begin with a summary of one line")
    elif not lines[0].rstrip().endswith((".", "?", "!")):
        complaints.append("its summary does not end with a full stop")
    if arguments:
        explained = _parameters_section(lines)
        if explained is None:
            complaints.append("it has arguments and no Parameters section")
        elif missing := [name for name in arguments if name not in explained]:
            complaints.append(f"its Parameters section leaves out {missing}")
    return complaints


def _arguments(value: object) -> list[str]:
    # A class is explained with its own constructor, not with one that it inherits.
    if inspect.isclass(value) and "__init__" not in vars(value):
        return []
    target = inspect.unwrap(value) if callable(value) else value
    if not isinstance(target, types.FunctionType | type):
        return []
    parameters = inspect.signature(target).parameters.values()
    return [
        parameter.name
        for parameter in parameters
        if not parameter.name.startswith("_") and parameter.name not in ("self", "cls")
    ]


def _parameters_section(lines: list[str]) -> set[str] | None:
    names: set[str] | None = None
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        underlined = bool(re.fullmatch(r"-{3,}", following.strip()))
        if underlined:
            if line.strip() in ("Parameters", "Other Parameters"):
                names = names or set()
                continue
            if names is not None:
                break
        elif names is not None and line and not line[0].isspace():
            names.update(part.strip().lstrip("*") for part in line.split(":")[0].split(","))
    return names


@pytest.mark.parametrize("name", OBJECTS)
def test_arguments_are_annotated(name):
    value = OBJECTS[name]
    target = inspect.unwrap(value) if callable(value) else value
    if not isinstance(target, types.FunctionType):
        target = vars(target).get("__init__") if inspect.isclass(target) else None
    if not isinstance(target, types.FunctionType) or not _is_ours(target):
        return
    bare = [
        parameter.name
        for parameter in inspect.signature(target).parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
    ]
    assert not bare, f"{name}: annotate {bare}"


class NumericChecker(doctest.OutputChecker):
    """Equal text, where numbers are equal if they agree to 1e-4 relative, or 1e-6 absolute."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        want_numbers, got_numbers = NUMBER.findall(want), NUMBER.findall(got)
        if not want_numbers or len(want_numbers) != len(got_numbers):
            return False
        if not super().check_output(_skeleton(want), _skeleton(got), optionflags):
            return False
        return all(_agree(*pair) for pair in zip(want_numbers, got_numbers, strict=True))


def _skeleton(text: str) -> str:
    # Blanks beside a number depend on how many digits its neighbours have.
    return re.sub(r"\s+", " ", re.sub(r"\s*#\s*", "#", NUMBER.sub("#", text)))


def _agree(want: str, got: str) -> bool:
    if all(re.fullmatch(r"[-+]?\d+", text) for text in (want, got)):
        return int(want) == int(got)
    return bool(np.isclose(float(want), float(got), rtol=1e-4, atol=1e-6))


MODULES = [
    name
    for path in source_files("fnx", "fnx_nn")
    if ">>> " in path.read_text(encoding="utf-8")
    and not (name := module_name(path)).endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(
        checker=NumericChecker(),
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.FAIL_FAST,
    )
    report: list[str] = []
    for test in finder.find(module, name):
        runner.run(test, out=report.append)
    assert runner.tries, f"{name} has lines with >>> that are in no docstring"
    assert not runner.failures, "".join(report)


# The instruments themselves.


@pytest.mark.parametrize(
    ("want", "got", "equal"),
    [
        ("0.33333\n", "0.33333334\n", True),
        ("[1.  0.5]\n", "[1. 0.5]\n", True),
        (
            "Array([ 1. ,  0.84147], dtype=float32)\n",
            "Array([1., 0.841471], dtype=float32)\n",
            True,
        ),
        ("0.3334\n", "0.33333\n", False),
        ("3\n", "4\n", False),
        ("f32[3]\n", "f32[4]\n", False),
        ("f32[3]\n", "f64[3]\n", False),
        ("(1.0, 2.0)\n", "[1.0, 2.0]\n", False),
        ("True\n", "False\n", False),
    ],
)
def test_numbers_are_compared_as_numbers(want, got, equal):
    assert NumericChecker().check_output(want, got, doctest.NORMALIZE_WHITESPACE) is equal


@pytest.mark.parametrize(
    ("text", "arguments", "complaint"),
    [
        ("", [], "no docstring"),
        ("A summary\nthat goes on.", [], "one line"),
        ("A summary without an end", [], "full stop"),
        ("A summary.", ["x"], "no Parameters"),
        ("A summary.\n\nParameters\n----------\nx : int\n    One.", ["x", "y"], "['y']"),
        ("A summary.\n\nParameters\n----------\nx, *y : int\n    Two.", ["x", "y"], None),
    ],
)
def test_docstrings_are_judged(text, arguments, complaint):
    complaints = docstring_complaints(text, arguments)
    assert (complaint is None) == (not complaints)
    assert complaint is None or complaint in complaints[0]
