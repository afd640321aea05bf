"""Settings, and the one context variable of fnx.

Here: `Settings` (what a user may choose), `Context` (the active trace, the named axes, settings
chosen for a block of code), `CONTEXT` (the variable that holds it), `replaced` (the one context
manager that changes it), and the face of all this for users: `config.update(...)` and context
managers such as `enable_x64(True)`. In come names and values; out comes an immutable `Settings`.
Threads and asyncio tasks each see their own context; `config.update` changes what holds wherever no
block says otherwise. Read next: `dtypes`, which asks `settings()`.
"""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, fields
from dataclasses import replace as _replace_fields
from typing import Any, NoReturn

from fnx.errors import ArgumentTypeError, ArgumentValueError, JaxRuntimeError, UnknownSettingError

__all__ = [
    "CONTEXT",
    "Config",
    "Context",
    "SettingManager",
    "Settings",
    "check_tracer_leaks",
    "checking_leaks",
    "config",
    "current",
    "debug_infs",
    "debug_key_reuse",
    "debug_nans",
    "default_device",
    "default_matmul_precision",
    "default_prng_impl",
    "describe_key",
    "disable_jit",
    "enable_checks",
    "enable_custom_prng",
    "enable_x64",
    "evaluates",
    "explain_cache_misses",
    "kernel_printer",
    "log_compiles",
    "no_retrace",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "replaced",
    "settings",
    "threads",
    "trace_key",
]

#: Values of `default_matmul_precision`, beside None.
_MATMUL_PRECISIONS = (
    "default",
    "high",
    "highest",
    "bfloat16",
    "tensorfloat32",
    "float32",
    "float64",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may choose. Every field is also an environment variable: `FNX_` and its name.

    Parameters
    ----------
    enable_x64 : bool or None
        What has no dtype of its own is 64 bits wide (True) or 32 (None). False also narrows
        64-bit inputs to 32 bits, as JAX does by default.
    explicit_x64_dtypes : {'warn', 'error', 'allow'}
        With `enable_x64` False: what asking for a 64-bit dtype by name does.
    numpy_dtype_promotion : {'standard', 'strict'}
        'strict' refuses operations on differing dtypes; Python scalars still adapt.
    numpy_rank_promotion : {'allow', 'warn', 'raise'}
        What broadcasting operands of different rank does.
    default_matmul_precision : str or None
        The precision of contractions that name none.
    default_prng_impl : {'threefry2x32'}
        The generator behind `random.key`.
    enable_custom_prng : bool
        `random.PRNGKey` gives typed keys, as `random.key` does.
    random_seed_offset : int
        Added to every seed.
    debug_nans, debug_infs : bool
        Raise `FloatingPointError` where a result is NaN, or infinite.
    debug_key_reuse : bool
        Raise `KeyReuseError` where a random key is used twice.
    check_tracer_leaks : bool
        Report tracers that outlive their trace.
    enable_checks : bool
        Check every Jaxpr after every pass.
    disable_jit : bool
        `jit` calls the function itself.
    log_compiles, explain_cache_misses : bool
        Log each compilation, and why each call was traced anew.
    no_retrace : bool
        A call of a jitted function that would be traced raises instead.
    kernel_printer : {'ir', 'text'}
        Whether loop nests are printed as LLVM IR or as Numba text.
    threads : int or None
        Threads that kernels may use; None: one for each core this process may run on.
    platforms, platform_name : {'cpu'} or None
        Present for programs that choose a platform; there is one.
    default_device : object or None
        Where results are placed; the CPU is the only device.
    """

    enable_x64: bool | None = None
    explicit_x64_dtypes: str = "warn"
    numpy_dtype_promotion: str = "standard"
    numpy_rank_promotion: str = "allow"
    default_matmul_precision: str | None = None
    default_prng_impl: str = "threefry2x32"
    enable_custom_prng: bool = False
    random_seed_offset: int = 0
    debug_nans: bool = False
    debug_infs: bool = False
    debug_key_reuse: bool = False
    check_tracer_leaks: bool = False
    enable_checks: bool = False
    disable_jit: bool = False
    log_compiles: bool = False
    explain_cache_misses: bool = False
    no_retrace: bool = False
    kernel_printer: str = "ir"
    threads: int | None = None
    platforms: str | None = None
    platform_name: str | None = None
    default_device: Any = None
    #: The values that change what a traced function means, as a part of keys; see `trace_key`.
    key: tuple[Any, ...] = field(init=False, repr=False, compare=False)
    #: Whether results are looked at: `debug_nans` or `debug_infs`.
    watches: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        strict = self.numpy_rank_promotion != "allow"
        object.__setattr__(self, "watches", self.debug_nans or self.debug_infs or strict)
        object.__setattr__(self, "key", tuple([getattr(self, name) for name in _MEANING]))


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a piece of running code.

    Parameters
    ----------
    trace : object or None
        The active trace; None while evaluating.
    axis_env : tuple
        The named axes in scope: pairs of name and size, the innermost last.
    settings : Settings or None
        Settings chosen for this block; None where those of the process hold.
    scope : str
        The names that `named_scope` gave to this block, ``encoder/attention``.
    """

    trace: Any = None
    axis_env: tuple[Any, ...] = ()
    settings: Settings | None = None
    scope: str = ""


#: The one context variable of fnx. `replaced` changes it, and `config.update` inside a block.
CONTEXT: ContextVar[Context] = ContextVar("fnx_context", default=Context())  # noqa: B039 (it is frozen)

#: The current context. (The variable's own method: nothing is quicker.)
current: Callable[[], Context] = CONTEXT.get


def settings() -> Settings:
    """Settings in force here: those of the innermost block, or those of the process.

    Returns
    -------
    Settings
        Immutable; read what is needed and pass it on.
    """
    local = CONTEXT.get().settings
    return config._process if local is None else local


def evaluates() -> bool:
    """Whether operations are evaluated here and nothing else: no trace, no look at what they do.

    Then NumPy may be called without going through a primitive.

    Returns
    -------
    bool
    """
    context = CONTEXT.get()
    return context.trace is None and not (context.settings or config._process).watches


def trace_key() -> tuple[Any, ...]:
    """The settings, and named axes, that change what a traced function means, as part of a key.

    Returns
    -------
    tuple
        Hashable; equal for settings under which a function means the same.
    """
    context = CONTEXT.get()
    local = context.settings
    key = (config._process if local is None else local).key
    return (*key, context.axis_env) if context.axis_env else key


def describe_key(key: tuple[Any, ...]) -> dict[str, Any]:
    """What a `trace_key` says, by name.

    Parameters
    ----------
    key : tuple
        From `trace_key`.
    """
    axes = key[len(_MEANING)] if len(key) > len(_MEANING) else ()
    return {**dict(zip(_MEANING, key, strict=False)), "axis_env": axes}


class replaced:
    """Change fields of the context for a block of code.

    The former context comes back at the end of the block, however it ends.

    Parameters
    ----------
    **changes
        `trace`, `axis_env`, `settings` or `scope`, with the new values.

    Examples
    --------
    >>> with replaced(axis_env=("batch",)) as context:
    ...     current().axis_env
    ('batch',)
    """

    __slots__ = ("_changes", "_token")
    _token: Token[Context] | None

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._token = None

    def __enter__(self) -> Context:
        if self._token is not None:
            raise JaxRuntimeError(
                "replaced: this block is active already. Make one object per block."
            )
        now = CONTEXT.get()
        # These `get`s are a third of the price of `dataclasses.replace`; the count below keeps
        # a misspelt field from passing unnoticed.
        changes = self._changes
        taken = ("trace" in changes) + ("axis_env" in changes) + ("settings" in changes)
        taken += "scope" in changes
        if taken != len(changes):
            raise ArgumentTypeError(f"replaced: a context has no fields {_strangers(changes)}.")
        new = Context(
            changes.get("trace", now.trace),
            changes.get("axis_env", now.axis_env),
            changes.get("settings", now.settings),
            changes.get("scope", now.scope),
        )
        self._token = CONTEXT.set(new)
        return new

    def __exit__(self, *exception: object) -> None:
        token, self._token = self._token, None
        if token is not None:
            CONTEXT.reset(token)


class Config:
    """Settings of the process, and how to change them.

    Names are accepted as JAX writes them (``jax_enable_x64``), with ``fnx_``, or bare.

    Parameters
    ----------
    process : Settings
        What to begin with.

    Examples
    --------
    >>> config.update("jax_debug_nans", True)
    >>> config.jax_debug_nans
    True
    >>> config.update("jax_debug_nans", False)
    """

    __slots__ = ("_lock", "_process")
    _process: Settings

    def __init__(self, process: Settings) -> None:
        object.__setattr__(self, "_process", process)
        object.__setattr__(self, "_lock", threading.Lock())

    def update(self, name: str, value: Any) -> None:
        """Change one setting for the whole process.

        Inside a block that has settings of its own, the block sees the change too, until it ends.

        Parameters
        ----------
        name : str
            The setting.
        value : object
            The new value; it is checked.
        """
        bare = _bare(name)
        value = _checked(bare, value)
        with self._lock:
            changed = _replace_fields(self._process, **{bare: value})
            object.__setattr__(self, "_process", changed)
        now = CONTEXT.get()
        if now.settings is not None:
            local = _replace_fields(now.settings, **{bare: value})
            CONTEXT.set(Context(now.trace, now.axis_env, local, now.scope))

    def read(self, name: str) -> Any:
        """The value of one setting for the process, whatever blocks say.

        Parameters
        ----------
        name : str
            The setting.
        """
        return getattr(self._process, _bare(name))

    @property
    def values(self) -> dict[str, Any]:
        """Every setting of the process, by its name as JAX writes it."""
        return {f"jax_{name}": getattr(self._process, name) for name in _NAMES}

    @property
    def x64_enabled(self) -> bool:
        """Whether what has no dtype is 64 bits wide, here."""
        return bool(settings().enable_x64)

    def __getattr__(self, name: str) -> Any:
        return getattr(settings(), _bare(name))

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnknownSettingError(
            f"config.{name}: settings aren't assigned. Write config.update({name!r}, {value!r})."
        )

    def __dir__(self) -> Iterator[str]:
        yield from ("read", "update", "values", "x64_enabled")
        for name in _NAMES:
            yield f"jax_{name}"

    def __repr__(self) -> str:
        return f"<fnx config: {self._process!r}>"


class SettingManager:
    """The context manager of one setting: ``with debug_nans(True): ...``.

    Parameters
    ----------
    name : str
        The setting.
    summary : str
        What choosing it does; the manager's docstring.
    *value
        The value that an empty call stands for; without it a call must name one.
    """

    def __init__(self, name: str, summary: str, *value: Any) -> None:
        self.__name__ = name
        self.__doc__ = summary
        self._default = value

    def __call__(self, *value: Any) -> _SettingBlock:
        if len(value or self._default) != 1:
            raise ArgumentTypeError(
                f"{self.__name__}: expected one value, got {len(value)}. "
                f"Write `with {self.__name__}(value): ...`."
            )
        return _SettingBlock(self.__name__, _checked(self.__name__, (value or self._default)[0]))

    @property
    def value(self) -> Any:
        """The value in force here."""
        return getattr(settings(), self.__name__)

    def __repr__(self) -> str:
        return f"<setting {self.__name__}={self.value!r}>"


class _SettingBlock:
    """One use of a `SettingManager`; may be entered again after it has ended, or decorate."""

    __slots__ = ("_name", "_value", "_within")

    def __init__(self, name: str, value: Any) -> None:
        self._name = name
        self._value = value
        self._within: list[replaced] = []

    def __enter__(self) -> None:
        block = replaced(settings=_replace_fields(settings(), **{self._name: self._value}))
        block.__enter__()
        self._within.append(block)

    def __exit__(self, *exception: object) -> None:
        self._within.pop().__exit__(*exception)


# --- names, kinds and values ---------------------------------------------------------------------

_MEANING = (
    "enable_x64",
    "explicit_x64_dtypes",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "default_matmul_precision",
    "default_prng_impl",
    "enable_custom_prng",
    "random_seed_offset",
    "debug_nans",
    "debug_infs",
    "debug_key_reuse",
    "kernel_printer",
    "default_device",
)
_NAMES = tuple(f.name for f in fields(Settings) if f.init)
_CHOICES: Mapping[str, tuple[str | None, ...]] = {
    "explicit_x64_dtypes": ("warn", "error", "allow"),
    "numpy_dtype_promotion": ("standard", "strict"),
    "numpy_rank_promotion": ("allow", "warn", "raise"),
    "default_matmul_precision": (None, *_MATMUL_PRECISIONS),
    "default_prng_impl": ("threefry2x32",),
    "kernel_printer": ("ir", "text"),
    "platforms": (None, "cpu"),
    "platform_name": (None, "cpu"),
}
_BOOLEANS = frozenset(
    f.name for f in fields(Settings) if f.init and (f.default is True or f.default is False)
)
_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")


def _strangers(changes: Mapping[str, Any]) -> list[str]:
    return sorted(set(changes) - {f.name for f in fields(Context)})


def _bare(name: str) -> str:
    for prefix in ("jax_", "fnx_"):
        if name.startswith(prefix):
            bare = name.removeprefix(prefix)
            break
    else:
        bare = name
    if bare not in _NAMES:
        _unknown(name, bare)
    return bare


def _unknown(name: str, bare: str) -> NoReturn:
    near = difflib.get_close_matches(bare, _NAMES, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else f" Known: {', '.join(_NAMES)}."
    error = UnknownSettingError(f"config: there is no setting {name!r}.{hint}")
    error.name = name
    raise error


def _checked(name: str, value: Any) -> Any:
    """The value if it fits the setting; a text where an environment variable would give one."""
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ArgumentValueError(
                f"{name}: expected one of {list(_CHOICES[name])}, got {value!r}."
            )
        return value
    if name in _BOOLEANS or name == "enable_x64":
        if value is None and name == "enable_x64":
            return None
        if isinstance(value, str) and value.lower() in _TRUE + _FALSE:
            return value.lower() in _TRUE
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise ArgumentValueError(f"{name}: expected True or False, got {value!r}.")
    if name == "threads":
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        raise ArgumentValueError(f"threads: expected a positive integer or None, got {value!r}.")
    if name == "random_seed_offset":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ArgumentValueError(f"random_seed_offset: expected an integer, got {value!r}.")
    return _checked_device(value)


def _checked_device(value: Any) -> Any:
    # A device object belongs to a higher layer: it is known by its platform.
    platform = value if isinstance(value, str) else getattr(value, "platform", None)
    if value is None or platform == "cpu":
        return value
    raise ArgumentValueError(f"default_device: expected a device, 'cpu' or None, got {value!r}.")


def _from_environment(environment: Mapping[str, str]) -> Settings:
    chosen: dict[str, Any] = {}
    for name in _NAMES:
        text = environment.get(f"FNX_{name.upper()}")
        if text is None or text == "":
            continue
        try:
            value: Any = int(text) if name in ("threads", "random_seed_offset") else text
            chosen[name] = _checked(name, value)
        except ValueError as error:
            raise ArgumentValueError(
                f"environment variable FNX_{name.upper()}={text!r}: {error} Change it or unset it."
            ) from error
    return Settings(**chosen)


#: The settings of the process.
config = Config(_from_environment(os.environ))

# --- one context manager per setting -------------------------------------------------------------

enable_x64 = SettingManager("enable_x64", "64-bit types by default, for a block of code.", True)
numpy_dtype_promotion = SettingManager(
    "numpy_dtype_promotion", "'standard' or 'strict' dtype promotion, for a block of code."
)
numpy_rank_promotion = SettingManager(
    "numpy_rank_promotion", "'allow', 'warn' or 'raise' on rank promotion, for a block of code."
)
default_matmul_precision = SettingManager(
    "default_matmul_precision", "Precision of contractions that name none, for a block of code."
)
default_prng_impl = SettingManager(
    "default_prng_impl",
    "The generator behind new keys, for a block of code. There is one, threefry 2x32, which is the "
    "default of JAX, too, and gives the same bits everywhere; any other name is refused.",
)
enable_custom_prng = SettingManager(
    "enable_custom_prng",
    "`PRNGKey`, and what is split off raw keys, gives typed keys, for a block of code.",
    True,
)
debug_nans = SettingManager("debug_nans", "Raise where a NaN appears, for a block of code.", True)
debug_infs = SettingManager(
    "debug_infs", "Raise where an infinity appears, for a block of code.", True
)
debug_key_reuse = SettingManager(
    "debug_key_reuse", "Raise where a random key is used twice, for a block of code.", True
)
check_tracer_leaks = SettingManager(
    "check_tracer_leaks", "Report tracers that outlive their trace, for a block of code.", True
)
checking_leaks = check_tracer_leaks
enable_checks = SettingManager(
    "enable_checks", "Check every Jaxpr after every pass, for a block of code.", True
)
disable_jit = SettingManager(
    "disable_jit", "`jit` calls the function itself, for a block of code.", True
)
log_compiles = SettingManager("log_compiles", "Log compilations, for a block of code.", True)
explain_cache_misses = SettingManager(
    "explain_cache_misses", "Log why calls are traced anew, for a block of code.", True
)
no_retrace = SettingManager(
    "no_retrace",
    "Calls of jitted functions that would be traced raise, for a block of code.",
    True,
)
kernel_printer = SettingManager(
    "kernel_printer", "Print loop nests as LLVM IR ('ir') or Numba text ('text'), for a block."
)
threads = SettingManager("threads", "Threads that kernels may use, for a block of code.")
default_device = SettingManager(
    "default_device", "Where results are placed, for a block of code; there is only the CPU."
)
