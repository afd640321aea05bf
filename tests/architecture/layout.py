"""The plan of the house as data, and the reading of the source that the tests of it share.

`ROOMS` says which layer each part belongs to, `PUBLIC_MODULES` what users may import.
`source_files` lists the Python files, `imports_of` all imports of one, those inside functions
included. Nothing here imports the project; everything is read from the syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the source: its height and the modules in it.

    A module is in the room with the longest matching prefix. A room uses itself and every room
    below it; rooms of the same height do not know each other.
    """

    layer: float
    name: str
    modules: tuple[str, ...]


ROOMS = (
    Room(9, "examples", ("examples",)),
    Room(8, "fnx_nn", ("fnx_nn",)),
    Room(7, "fnx", ("fnx",)),
    Room(
        6,
        "public functions",
        (
            "fnx.ad_checkpoint",
            "fnx.custom_batching",
            "fnx.custom_derivatives",
            "fnx.debug",
            "fnx.distributed",
            "fnx.dlpack",
            "fnx.experimental",
            "fnx.extend",
            "fnx.flatten_util",
            "fnx.image",
            "fnx.interpreters",
            "fnx.lax",
            "fnx.nn",
            "fnx.numpy",
            "fnx.ops",
            "fnx.optim",
            "fnx.parallel",
            "fnx.random",
            "fnx.scipy",
            "fnx.sharding",
            "fnx.stages",
            "fnx.test_util",
        ),
    ),
    Room(5, "control", ("fnx.control",)),
    Room(4, "transforms", ("fnx.transforms",)),
    Room(4, "compiler", ("fnx.compiler",)),
    Room(3, "primitives", ("fnx.primitives",)),
    Room(2, "core", ("fnx.core",)),
    # The kernels use the words of the foundations (errors, settings) and nothing else.
    Room(1.5, "kernels", ("fnx.kernels",)),
    Room(1, "foundations", ("fnx.config", "fnx.dtypes", "fnx.errors", "fnx.tree", "fnx.tree_util")),
)

# What users may import, and what fnx_nn stands on. A module of this list that does not exist (yet)
# is simply not there.
PUBLIC_MODULES = (
    "fnx",
    "fnx.ad_checkpoint",
    "fnx.config",
    "fnx.core",
    "fnx.custom_batching",
    "fnx.custom_derivatives",
    "fnx.debug",
    "fnx.distributed",
    "fnx.dlpack",
    "fnx.dtypes",
    "fnx.errors",
    "fnx.experimental",
    "fnx.experimental.checkify",
    "fnx.experimental.jet",
    "fnx.experimental.ode",
    "fnx.experimental.sparse",
    "fnx.experimental.sparse_jacobian",
    "fnx.extend",
    "fnx.flatten_util",
    "fnx.image",
    "fnx.interpreters",
    "fnx.interpreters.ad",
    "fnx.interpreters.batching",
    "fnx.lax",
    "fnx.lax.linalg",
    "fnx.nn",
    "fnx.nn.initializers",
    "fnx.numpy",
    "fnx.numpy.fft",
    "fnx.numpy.linalg",
    "fnx.ops",
    "fnx.optim",
    "fnx.random",
    "fnx.scipy",
    "fnx.scipy.fft",
    "fnx.scipy.integrate",
    "fnx.scipy.interpolate",
    "fnx.scipy.linalg",
    "fnx.scipy.ndimage",
    "fnx.scipy.optimize",
    "fnx.scipy.signal",
    "fnx.scipy.sparse",
    "fnx.scipy.sparse.linalg",
    "fnx.scipy.special",
    "fnx.scipy.stats",
    "fnx.sharding",
    "fnx.stages",
    "fnx.test_util",
    "fnx.tree",
    "fnx.tree_util",
    "fnx_nn",
    "fnx_nn.autograd",
    "fnx_nn.autograd.functional",
    "fnx_nn.fft",
    "fnx_nn.func",
    "fnx_nn.hub",
    "fnx_nn.linalg",
    "fnx_nn.nn",
    "fnx_nn.nn.functional",
    "fnx_nn.nn.init",
    "fnx_nn.nn.utils",
    "fnx_nn.nn.utils.parametrize",
    "fnx_nn.nn.utils.prune",
    "fnx_nn.nn.utils.rnn",
    "fnx_nn.optim",
    "fnx_nn.optim.lr_scheduler",
    "fnx_nn.optim.swa_utils",
    "fnx_nn.quantization",
    "fnx_nn.serialization",
    "fnx_nn.special",
    "fnx_nn.style",
    "fnx_nn.utils",
    "fnx_nn.utils.data",
    "fnx_nn.utils.tensorboard",
    "fnx_nn.vision",
    "fnx_nn.vision.datasets",
    "fnx_nn.vision.io",
    "fnx_nn.vision.models",
    "fnx_nn.vision.ops",
    "fnx_nn.vision.transforms",
    "fnx_nn.vision.transforms.functional",
    "fnx_nn.vision.utils",
)

# The compilers are behind these doors only.
NUMBA_AT_HOME = (
    "fnx.kernels",
    "fnx.compiler.emit_ir",
    "fnx.compiler.build",
    "fnx.compiler.cache",
)

# Libraries that load on first use, or that an extra brings: an import inside a function is right
# for them, and for the kernel modules that need them when they are imported.
LATE_LIBRARIES = (
    "llvmlite",
    "matplotlib",
    "mpi4py",
    "numba",
    "safetensors",
    "scipy",
    "tensorboard",
)
LATE_MODULES = ("fnx.kernels", "fnx.compiler.emit_ir", "fnx.compiler.build", "fnx.compiler.cache")

# Frameworks that we compare with and never use.
PEERS = ("jax", "jaxlib", "flax", "optax", "tensorflow", "torch", "torchaudio", "torchvision")


@dataclass(frozen=True, slots=True)
class Import:
    """One module that a file imports, with the line and whether it is inside a function."""

    target: str
    line: int
    inside_function: bool
    type_checking: bool


def source_files(*folders: str) -> list[Path]:
    """All Python files under the given folders of the repository, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name under which a file of the repository is imported."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def module_file(name: str) -> Path | None:
    """The file of a module of the repository, or None where there is none."""
    base = ROOT.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def existing(names: tuple[str, ...]) -> list[str]:
    """Those of the modules that are there."""
    return [name for name in names if module_file(name) is not None]


def matches(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the modules or lies inside one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def room_of(name: str) -> Room | None:
    """The room of a module of ours; None for a library or a module that no room lists."""
    best: tuple[int, Room | None] = (-1, None)
    for room in ROOMS:
        for prefix in room.modules:
            inside = name == prefix or (prefix != "fnx" and name.startswith(prefix + "."))
            if inside and len(prefix) > best[0]:
                best = (len(prefix), room)
    return best[1]


@cache
def syntax_tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of a file: statements at any depth, and import_module("constant") calls."""
    package = module_name(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    yield from _walk(syntax_tree(path), package, False, False)


def _walk(node: ast.AST, package: str, inside: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside, typing)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, package)
            for alias in child.names:
                yield Import(_from_target(base, alias.name), child.lineno, inside, typing)
        elif isinstance(child, ast.Call) and _imports_by_name(child):
            first = child.args[0]
            assert isinstance(first, ast.Constant)
            yield Import(str(first.value), child.lineno, inside, typing)
        enters = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        guard = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _walk(child, package, inside or enters, typing or guard)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _from_target(base: str, name: str) -> str:
    # `from fnx import numpy` names a module, `from fnx.numpy import exp` something inside one.
    candidate = f"{base}.{name}"
    is_ours = base.split(".")[0] in ("fnx", "fnx_nn", "examples", "tests")
    return candidate if is_ours and (module_file(candidate) is not None) else base


def _imports_by_name(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return (
        called in ("__import__", "import_module", "importlib.import_module")
        and bool(call.args)
        and isinstance(call.args[0], ast.Constant)
    )
