"""From LLVM IR or Numba functions to native code in memory, through the persistent store.

In comes a key and a recipe for the code: text of LLVM IR (`load_ir`), or Numba functions on raw
addresses (`load_numba`).  Out comes a `NativeModule`, whose `address(symbol)` is a C function.
On a store hit the recipe is never called: only llvmlite's object loader is imported, never
Numba.  The two doors to code generation are `compile_ir` and `compile_numba`; nothing else
compiles, so replacing both by functions that raise shows that a warm process compiles nothing.

Every kernel has the C signature ``void kernel(int64_t *words, int64_t begin, int64_t end)``:
words are 8 bytes each (addresses, extents, bits of constants), begin and end bound the part of
the parallel axis that this call does.  Read next: store.py, threads.py.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fnx.kernels import store

__all__ = [
    "NativeModule",
    "Target",
    "builtin",
    "compile_ir",
    "compile_numba",
    "host_key",
    "load_ir",
    "load_numba",
    "source_key",
    "target",
]

NumbaEntry = tuple[Callable[..., None], str, str]
"""A Numba function, its signature such as ``"void(intp, intp, intp)"``, and its C symbol."""

# What a stand-alone object may refer to: the C library, never Numba's or Python's run time.
_ALLOWED_EXTERNALS = frozenset(("memcpy", "memmove", "memset", "memcmp", "fmod", "fmodf"))


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that code is generated for."""

    triple: str
    cpu: str
    features: str

    @property
    def vector_bits(self) -> int:
        """The width of the vectors worth using."""
        if "+avx512f" in self._flags and "+avx512vl" in self._flags:
            return 512
        return 256 if "+avx" in self._flags else 128

    @property
    def vector_registers(self) -> int:
        """How many vector registers there are: decides the size of register blocks."""
        if "+avx512f" in self._flags or not self.triple.startswith(("x86_64", "i")):
            return 32
        return 16

    @property
    def _flags(self) -> frozenset[str]:
        return frozenset(self.features.split(","))


class NativeModule:
    """Loaded object code; its addresses are valid while this object lives.

    Attributes
    ----------
    symbols : tuple of str
        The functions that it exports.
    """

    def __init__(self, code: bytes, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)
        self._library = _linker().link(code, self.symbols)

    def address(self, symbol: str) -> int:
        """The address of an exported function."""
        if symbol not in self.symbols:
            raise KeyError(f"native: no symbol {symbol!r}; there are {', '.join(self.symbols)}")
        return self._library[symbol]


def load_ir(
    key: str,
    make_ir: Callable[[], str],
    symbols: Sequence[str],
    *,
    opt: int = 0,
    codegen: int = 1,
) -> NativeModule:
    """Load the code of an LLVM IR text, compiling it only if the store does not have it.

    Parameters
    ----------
    key : str
        Names the text: two texts that differ need two keys.  The target, the versions and the
        optimisation levels are added to it here.
    make_ir : callable
        Returns the text of an LLVM module; not called when the store has its code.
    symbols : sequence of str
        The functions whose addresses are wanted.
    opt : int
        Level of LLVM's optimisation passes; 0 runs none, which is right for text that is
        already inlined and vectorised.
    codegen : int
        Level of instruction selection and scheduling, 0 to 3.
    """
    full_key = f"ir {key} opt={opt} codegen={codegen} {host_key()}"

    def build() -> bytes:
        return compile_ir(make_ir(), opt=opt, codegen=codegen)

    return _load(full_key, build, tuple(symbols))


def load_numba(
    key: str, make: Callable[[], Sequence[NumbaEntry]], symbols: Sequence[str]
) -> NativeModule:
    """Load the code of Numba functions, compiling them only if the store does not have it.

    Parameters
    ----------
    key : str
        Names the functions and their version (see `source_key`).
    make : callable
        Returns ``[(function, signature, symbol), ...]``; it may import Numba, and is not called
        when the store has the code.  The functions work on raw addresses: they must not
        allocate, raise, or touch Python objects; what they call is compiled into the object.
    symbols : sequence of str
        The functions whose addresses are wanted.
    """
    full_key = f"numba {key} {host_key()} {_numba_version()}"
    return _load(full_key, lambda: compile_numba(make()), tuple(symbols))


def compile_ir(text: str, *, opt: int = 0, codegen: int = 1) -> bytes:
    """Compile the text of an LLVM module to an object file for this machine."""
    llvm = _llvm()
    machine = _machine(codegen)
    module = llvm.parse_assembly(text)
    module.triple = target().triple
    module.data_layout = str(machine.target_data)
    if opt:
        _optimise(module, machine, opt)
    return machine.emit_object(module)


def compile_numba(entries: Sequence[NumbaEntry]) -> bytes:
    """Compile Numba functions and all that they call to one object file for this machine.

    Raises
    ------
    ValueError
        If the code refers to Numba's or Python's run time, which a later process would not
        have: a kernel that allocates, raises or boxes something.
    """
    libraries, wrappers = [], []
    for function, signature, symbol in entries:
        library, name, arguments = _numba_module(function, signature)
        libraries.append(library)
        wrappers.append(_c_entry(symbol, name, arguments))
    module = _llvm().parse_assembly("\n".join(wrappers))
    for library in libraries:
        module.link_in(library)
    exported = {symbol for _, _, symbol in entries}
    for function in module.functions:
        if not function.is_declaration and function.name not in exported:
            function.linkage = "internal"
    machine = _machine(1)
    module.triple = target().triple
    module.data_layout = str(machine.target_data)
    _drop_unused(module, machine)  # Numba has run all other passes
    _check_externals(module)
    return machine.emit_object(module)


def builtin(address: int, name: str = "kernel") -> Callable[..., Any]:
    """A Python built-in function around a native ``METH_FASTCALL`` function.

    Parameters
    ----------
    address : int
        Of ``PyObject *f(PyObject *self, PyObject *const *args, Py_ssize_t n)``.  The caller
        keeps the `NativeModule` that it lies in alive.
    name : str
        The function's name in messages.
    """
    if sys.implementation.name != "cpython":
        raise NotImplementedError(
            f"native.builtin: needs CPython's call protocol, this is {sys.implementation.name}. "
            "Call the kernel's address through ctypes instead."
        )
    definition = _MethodDefinition(name.encode(), address, _METH_FASTCALL, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p] * 3
    made = make(ctypes.byref(definition), None, None)
    _definitions.append(definition)  # CPython keeps a pointer to it for the function's life
    return made


def source_key(*modules: str) -> str:
    """A digest of the source files of modules, without importing them: part of a Numba key."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(_read_source(module))
    return digest.hexdigest()[:32]


@functools.cache
def target() -> Target:
    """The machine that code is generated for: the host.

    ``FNX_CPU`` (and ``FNX_CPU_FEATURES``) name another one, for instance ``haswell`` to see what
    a CPU without AVX512 would run.
    """
    llvm = _llvm()
    named = os.environ.get("FNX_CPU")
    if named:
        return Target(llvm.get_process_triple(), named, os.environ.get("FNX_CPU_FEATURES", ""))
    features = llvm.get_host_cpu_features().flatten()
    kept = ",".join(name for name in features.split(",") if "prefer-256-bit" not in name)
    return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), kept)


@functools.cache
def host_key() -> str:
    """What native code depends on besides its source; part of every key."""
    machine = target()
    version = ".".join(map(str, _llvm().llvm_version_info))
    features = hashlib.sha256(machine.features.encode()).hexdigest()[:16]
    return f"llvm-{version} {machine.triple} {machine.cpu} {features}"


# --- loading ----------------------------------------------------------------------------------

_loaded: weakref.WeakValueDictionary[str, NativeModule] = weakref.WeakValueDictionary()
_loading = threading.Lock()


def _load(key: str, build: Callable[[], bytes], symbols: tuple[str, ...]) -> NativeModule:
    full_key = key + " " + ",".join(symbols)
    module = _loaded.get(full_key)
    if module is not None:
        return module
    code = store.get(full_key)
    if code is None:
        code = build()
        store.put(full_key, code)
    with _loading:
        module = _loaded.get(full_key)
        if module is None:
            module = NativeModule(code, symbols)
            _loaded[full_key] = module
    return module


class _Linker:
    """One ORC compiler for the process; every object is a library of its own."""

    def __init__(self) -> None:
        self._llvm = _llvm()
        self._jit = self._llvm.create_lljit_compiler(_new_machine(1))
        self._number = itertools.count()

    def link(self, code: bytes, symbols: Sequence[str]) -> Any:
        builder = self._llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        for symbol in symbols:
            builder.export_symbol(symbol)
        return builder.link(self._jit, f"fnx-{next(self._number)}")


@functools.cache
def _linker() -> _Linker:
    return _Linker()


# --- compiling --------------------------------------------------------------------------------


@functools.cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _new_machine(level: int) -> Any:
    machine = target()
    return (
        _llvm()
        .Target.from_triple(machine.triple)
        .create_target_machine(
            cpu=machine.cpu,
            features=machine.features,
            opt=level,
            reloc="pic",
            codemodel="jitdefault",
            jit=True,
        )
    )


_machines = threading.local()  # a TargetMachine must not be used by two threads at once


def _machine(level: int) -> Any:
    machine = getattr(_machines, f"level{level}", None)
    if machine is None:
        machine = _new_machine(level)
        setattr(_machines, f"level{level}", machine)
    return machine


def _optimise(module: Any, machine: Any, level: int) -> None:
    llvm = _llvm()
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = options.slp_vectorization = level > 1
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)


def _drop_unused(module: Any, machine: Any) -> None:
    llvm = _llvm()
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    manager = llvm.create_new_module_pass_manager()
    manager.add_global_dead_code_eliminate_pass()
    manager.add_strip_dead_prototype_pass()
    manager.run(module, passes)


def _numba_module(function: Callable[..., None], signature: str) -> tuple[Any, str, int]:
    """Numba's optimised LLVM module with a function and its callees, and the function's symbol."""
    from numba.core import compiler, sigutils
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    flags = compiler.Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    flags.nrt = False
    arguments, result = sigutils.normalize_signature(signature)
    python_function = getattr(function, "py_func", function)
    with global_compiler_lock:
        compiled = compiler.compile_extra(
            cpu_target.typing_context,
            cpu_target.target_context,
            python_function,
            arguments,
            result,
            flags,
            {},
        )
        # What CodeLibrary.finalize does, without handing the module to Numba's own execution
        # engine, which would generate machine code that nobody calls.
        library = compiled.library
        for callee in dict.fromkeys(library._linking_libraries):
            library._final_module.link_in(callee._get_module_for_linking(), preserve=True)
        library._optimize_final_module()
        module = library._final_module.clone()
    return module, compiled.fndesc.llvm_func_name, len(arguments)


def _c_entry(symbol: str, name: str, arguments: int) -> str:
    """A C function around a Numba function, which also takes places for result and error."""
    types = ", ".join(["i64"] * arguments)
    named = ", ".join(f"i64 %a{k}" for k in range(arguments))
    return f"""
declare i32 @{_quoted(name)}(ptr, ptr, {types})
define void @{_quoted(symbol)}({named}) {{
  %result = alloca ptr
  %error = alloca ptr
  %status = call i32 @{_quoted(name)}(ptr %result, ptr %error, {named})
  ret void
}}"""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', "") + '"'


def _check_externals(module: Any) -> None:
    """Refuse code that needs more than the C library.

    Global variables count too: Numba reaches its run time through pointers in external ones.
    """
    wanted = {f.name for f in module.functions if f.is_declaration}
    wanted |= {v.name for v in module.global_variables if v.is_declaration}
    foreign = sorted(
        name for name in wanted if not name.startswith("llvm.") and name not in _ALLOWED_EXTERNALS
    )
    if foreign:
        raise ValueError(
            f"native.compile_numba: the code refers to {', '.join(foreign)}, outside the C "
            "library. Kernels must not allocate, raise, or touch Python objects."
        )


@functools.cache
def _numba_version() -> str:
    """A digest of Numba's version file: importing Numba to ask would take half a second."""
    specification = importlib.util.find_spec("numba")
    if specification is None or specification.origin is None:
        raise ModuleNotFoundError("native: Numba is not installed; fnx needs it to build kernels")
    with open(os.path.join(os.path.dirname(specification.origin), "_version.py"), "rb") as file:
        return "numba-" + hashlib.sha256(file.read()).hexdigest()[:16]


@functools.cache
def _read_source(module: str) -> bytes:
    specification = importlib.util.find_spec(module)
    if specification is None or specification.origin is None:
        raise ModuleNotFoundError(f"native.source_key: no module {module}")
    with open(specification.origin, "rb") as file:
        return file.read()


# --- Python's call protocol -------------------------------------------------------------------

_METH_FASTCALL = 0x0080


class _MethodDefinition(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("documentation", ctypes.c_char_p),
    ]


_definitions: list[_MethodDefinition] = []
