"""Data flows one way: no import points up, and no room knows its sibling.

Every import of every file is read, also those inside functions and under TYPE_CHECKING; the table
of layers is in `layout.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.layout import (
    LATE_LIBRARIES,
    LATE_MODULES,
    NUMBA_AT_HOME,
    PEERS,
    PUBLIC_MODULES,
    ROOT,
    Import,
    imports_of,
    matches,
    module_name,
    room_of,
    source_files,
)

SOURCES = source_files("fnx", "fnx_nn", "examples")
OURS = ("fnx", "fnx_nn", "examples", "tests")


def _complaints(judge) -> list[str]:
    found = []
    for path in SOURCES:
        for imported in imports_of(path):
            reason = judge(module_name(path), imported)
            if reason:
                found.append(f"{path.relative_to(ROOT)}:{imported.line}: {reason}")
    return found


def test_every_module_has_a_room():
    homeless = [
        str(path.relative_to(ROOT)) for path in SOURCES if room_of(module_name(path)) is None
    ]
    assert not homeless, f"no room in layout.ROOMS lists these: {homeless}"


def test_no_import_points_up():
    assert not (found := _complaints(points_up)), "\n".join(found)


def points_up(module: str, imported: Import) -> str | None:
    """Why a module may not import this, or None if it may."""
    if not matches(imported.target, OURS):
        return None
    if imported.target.startswith("tests"):
        return f"{module} imports the tests ({imported.target})"
    here, there = room_of(module), room_of(imported.target)
    if there is None:
        return f"{imported.target} is in no room of layout.ROOMS"
    if here is not None and there is not here and there.layer >= here.layer:
        return (
            f"{module} (layer {here.layer:g}, {here.name}) imports {imported.target} "
            f"(layer {there.layer:g}, {there.name})"
        )
    return None


def test_the_facade_and_the_examples_use_public_names_only():
    assert not (found := _complaints(reaches_inside)), "\n".join(found)


def reaches_inside(module: str, imported: Import) -> str | None:
    """Why the facade or an example may not import this, or None if it may."""
    if module.startswith("fnx_nn") and matches(imported.target, ("fnx_nn",)):
        return None
    outside = matches(module, ("fnx_nn", "examples"))
    if outside and matches(imported.target, ("fnx", "fnx_nn")):
        public = imported.target in PUBLIC_MODULES
        return None if public else f"{module} imports {imported.target}, which is not public"
    return None


def test_the_compilers_stay_behind_their_doors():
    def judge(module: str, imported: Import) -> str | None:
        if matches(imported.target, ("numba", "llvmlite")) and not matches(module, NUMBA_AT_HOME):
            return f"{imported.target} is imported outside of {', '.join(NUMBA_AT_HOME)}"
        return None

    assert not (found := _complaints(judge)), "\n".join(found)


def test_no_peer_is_used():
    def judge(module: str, imported: Import) -> str | None:
        return f"imports {imported.target}" if matches(imported.target, PEERS) else None

    assert not (found := _complaints(judge)), "\n".join(found)


def test_imports_stand_at_the_top_of_the_file():
    def judge(module: str, imported: Import) -> str | None:
        late = matches(imported.target, LATE_LIBRARIES) or matches(imported.target, LATE_MODULES)
        if imported.inside_function and not late:
            return f"imports {imported.target} inside a function; a cycle is a wrong layer"
        return None

    assert not (found := _complaints(judge)), "\n".join(found)


# The reader itself, on a file that breaks the rules.


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("fnx.core.array", "fnx.errors", True),
        ("fnx.core.array", "fnx.primitives.arithmetic", False),
        ("fnx.transforms.vmap", "fnx.compiler.lower", False),
        ("fnx.control.jit", "fnx.compiler.lower", True),
        ("fnx.dtypes", "fnx.kernels.gemm", False),
        ("fnx.kernels.gemm", "fnx.errors", True),
        ("fnx.kernels.gemm", "fnx.core.types", False),
        ("fnx.numpy.linalg", "fnx.lax", True),
        ("fnx.numpy.linalg", "fnx", False),
        ("fnx", "fnx.numpy", True),
        ("fnx", "fnx_nn", False),
        ("fnx_nn.tensor", "fnx", True),
        ("examples.training", "fnx_nn.nn", True),
        ("fnx.random", "numpy", True),
        ("fnx.random", "fnx.unheard_of", False),
    ],
)
def test_the_rule_of_layers(module, target, allowed):
    assert (points_up(module, Import(target, 1, False, False)) is None) is allowed


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("fnx_nn.tensor", "fnx.extend", True),
        ("fnx_nn.tensor", "fnx.core.array", False),
        ("fnx_nn.tensor", "fnx_nn.autograd.tape", True),
        ("examples.training", "fnx.numpy", True),
        ("examples.training", "fnx_nn.autograd.tape", False),
    ],
)
def test_the_rule_of_public_names(module, target, allowed):
    assert (reaches_inside(module, Import(target, 1, False, False)) is None) is allowed


def test_imports_are_found_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.architecture.layout.ROOT", tmp_path)
    package = tmp_path / "fnx" / "core"
    package.mkdir(parents=True)
    (package / "types.py").write_text("")
    file = package / "array.py"
    file.write_text(
        "import numba.core as nc\n"
        "from .types import ShapedArray\n"
        "from .. import core\n"
        "from fnx.core import types, missing\n"
        "if TYPE_CHECKING:\n    from fnx import control\n"
        "def f():\n    import scipy.special\n    importlib.import_module('fnx.control.jit')\n"
    )
    found = [(i.target, i.line, i.inside_function, i.type_checking) for i in imports_of(file)]
    assert found == [
        ("numba.core", 1, False, False),
        ("fnx.core.types", 2, False, False),
        ("fnx", 3, False, False),
        ("fnx.core.types", 4, False, False),
        ("fnx.core", 4, False, False),
        ("fnx", 6, False, True),
        ("scipy.special", 8, True, False),
        ("fnx.control.jit", 9, True, False),
    ]
