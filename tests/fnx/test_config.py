"""fnx.config: the context and its isolation, settings, names, environment variables."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from fnx.config import CONTEXT, Context, Settings, config, current, replaced, settings, trace_key

# `fnx.config` is the object, as in JAX; the module is found by its name only.
module = importlib.import_module("fnx.config")
NAMES = [field.name for field in dataclasses.fields(Settings) if field.init]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Whatever a test does to the process's settings, they come back."""
    before = {name: config.read(name) for name in NAMES}
    yield
    for name, value in before.items():
        config.update(name, value)
    assert current() == Context()


def test_context_is_replaced_and_comes_back() -> None:
    assert current() == Context(trace=None, axis_env=(), settings=None)
    with replaced(trace="outer", axis_env=("i",)) as outer:
        assert current() is outer and outer.trace == "outer"
        with replaced(trace=None):
            assert current() == Context(None, ("i",), None)
        assert current() is outer
    assert current() == Context()


def test_context_comes_back_after_an_error() -> None:
    with pytest.raises(KeyError), replaced(trace=1):
        raise KeyError
    assert current().trace is None


def test_replaced_refuses_unknown_fields_and_entering_twice() -> None:
    with pytest.raises(TypeError, match="tracer"), replaced(tracer=1):
        pass
    block = replaced(trace=1)
    with block, pytest.raises(RuntimeError, match="active"):
        block.__enter__()
    with block:
        assert current().trace == 1


def test_each_thread_has_its_own_context() -> None:
    seen = []
    with replaced(trace="here"), module.enable_x64(True):
        thread = threading.Thread(target=lambda: seen.append((current(), settings().enable_x64)))
        thread.start()
        thread.join()
    assert seen == [(Context(), None)]


def test_each_task_has_its_own_context() -> None:
    async def work(name: str, order: list[str]) -> None:
        with replaced(trace=name), module.debug_nans(name == "a"):
            order.append(name)
            await asyncio.sleep(0)
            assert current().trace == name
            assert settings().debug_nans == (name == "a")

    async def main() -> list[str]:
        order: list[str] = []
        await asyncio.gather(work("a", order), work("b", order))
        return order

    assert asyncio.run(main()) == ["a", "b"]


def test_a_copied_context_keeps_its_settings() -> None:
    with module.enable_x64(True):
        inside = contextvars.copy_context()
    assert inside.run(lambda: settings().enable_x64) is True
    assert settings().enable_x64 is None


def test_updates_hold_for_the_process_and_for_every_spelling() -> None:
    config.update("jax_debug_nans", True)
    assert config.debug_nans is config.jax_debug_nans is config.fnx_debug_nans is True
    assert settings().debug_nans and config.values["jax_debug_nans"]
    seen = []
    thread = threading.Thread(target=lambda: seen.append(settings().debug_nans))
    thread.start()
    thread.join()
    assert seen == [True]


def test_blocks_prevail_and_nest() -> None:
    config.update("enable_x64", True)
    with module.enable_x64(False):
        assert config.jax_enable_x64 is False and config.read("jax_enable_x64") is True
        assert not config.x64_enabled
        with module.debug_infs():
            assert settings().enable_x64 is False and settings().debug_infs
        assert not settings().debug_infs
    assert config.jax_enable_x64 is True and config.x64_enabled


def test_an_update_inside_a_block_is_seen_there() -> None:
    with module.enable_x64(True):
        config.update("debug_nans", True)
        assert settings().debug_nans and settings().enable_x64
    assert settings().debug_nans and settings().enable_x64 is None


def test_blocks_can_be_used_again() -> None:
    block = module.log_compiles()
    for _ in range(2):
        with block:
            assert settings().log_compiles
            with block:
                assert settings().log_compiles
        assert not settings().log_compiles


def test_an_update_by_one_thread_does_not_lose_another_s() -> None:
    names = ["debug_nans", "debug_infs", "log_compiles", "enable_checks", "disable_jit"]

    def write(name: str) -> None:
        for i in range(300):
            config.update(name, i % 2 == 0)
        config.update(name, True)

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [config.read(name) for name in names] == [True] * 5


def test_trace_key_holds_what_changes_meaning() -> None:
    plain = trace_key()
    hash(plain)
    meaningful = {
        "enable_x64": True,
        "explicit_x64_dtypes": "allow",
        "numpy_dtype_promotion": "strict",
        "numpy_rank_promotion": "raise",
        "default_matmul_precision": "highest",
        "random_seed_offset": 3,
        "enable_custom_prng": True,
        "debug_nans": True,
        "debug_infs": True,
        "debug_key_reuse": True,
        "kernel_printer": "text",
        "default_device": "cpu",
    }
    for name, value in meaningful.items():
        with replaced(settings=dataclasses.replace(settings(), **{name: value})):
            assert trace_key() != plain, name
    for name, value in {"threads": 1, "log_compiles": True, "enable_checks": True}.items():
        with replaced(settings=dataclasses.replace(settings(), **{name: value})):
            assert trace_key() == plain, name
    assert trace_key() == plain


def test_unknown_names_raise_with_near_ones() -> None:
    with pytest.raises(AttributeError, match=r"jax_enable_x65.*enable_x64"):
        config.update("jax_enable_x65", True)
    with pytest.raises(AttributeError, match="Did you mean debug_nans"):
        _ = config.jax_debug_nan
    with pytest.raises(AttributeError, match="Known: enable_x64"):
        config.read("zzz")
    assert not hasattr(config, "jax_nothing")


def test_settings_are_not_assigned() -> None:
    with pytest.raises(AttributeError, match=r"config\.update"):
        config.jax_enable_x64 = True
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().enable_x64 = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("enable_x64", "maybe", "True or False"),
        ("debug_nans", 3, "True or False"),
        ("debug_nans", None, "True or False"),
        ("numpy_dtype_promotion", "loose", r"\['standard', 'strict'\]"),
        ("default_matmul_precision", "fast", "'highest'"),
        ("threads", 0, "positive integer"),
        ("threads", True, "positive integer"),
        ("random_seed_offset", 1.5, "integer"),
        ("platform_name", "gpu", "'cpu'"),
        ("default_device", "gpu", "'cpu'"),
        ("kernel_printer", "c", r"\['ir', 'text'\]"),
    ],
)
def test_wrong_values_are_refused(name: str, value: object, words: str) -> None:
    before = settings()
    with pytest.raises(ValueError, match=f"{name}: .*{words}"):
        config.update(f"jax_{name}", value)
    assert settings() is before


def test_right_values_are_taken() -> None:
    class Device:
        platform = "cpu"

    device = Device()
    for name, value, expected in [
        ("enable_x64", "true", True),
        ("enable_x64", None, None),
        ("debug_nans", 0, False),
        ("debug_nans", "on", True),
        ("threads", 3, 3),
        ("platforms", "cpu", "cpu"),
        ("default_device", device, device),
        ("default_matmul_precision", None, None),
    ]:
        config.update(name, value)
        assert config.read(name) == expected


def test_managers_without_a_default_want_a_value() -> None:
    with pytest.raises(TypeError, match="numpy_dtype_promotion: expected one value"):
        module.numpy_dtype_promotion()
    with pytest.raises(ValueError, match="'strict'"):
        module.numpy_dtype_promotion("loose")
    assert module.enable_x64.value is None
    assert repr(module.threads) == "<setting threads=None>"


@pytest.mark.parametrize("name", ["enable_x64", "threads", "kernel_printer", "debug_nans"])
def test_every_manager_changes_its_own_setting(name: str) -> None:
    value = {"threads": 2, "kernel_printer": "text"}.get(name, True)
    with getattr(module, name)(value):
        changed = {n for n in NAMES if getattr(settings(), n) != config.read(n)}
    assert changed == {name}


def test_environment_variables() -> None:
    code = (
        "from fnx.config import settings; s = settings(); "
        "print(s.enable_x64, s.threads, s.numpy_dtype_promotion, s.debug_nans)"
    )
    chosen = {
        "FNX_ENABLE_X64": "1",
        "FNX_THREADS": "2",
        "FNX_NUMPY_DTYPE_PROMOTION": "strict",
        "FNX_DEBUG_NANS": "",
    }
    answer = _python(code, chosen)
    assert answer.stdout.split() == ["True", "2", "strict", "False"]


def test_wrong_environment_variables_are_named() -> None:
    for text in ("many", "-1"):
        answer = _python("import fnx.config", {"FNX_THREADS": text})
        assert answer.returncode != 0
        assert f"environment variable FNX_THREADS='{text}'" in answer.stderr


def _python(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FNX_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_is_one_context_variable() -> None:
    assert isinstance(CONTEXT, contextvars.ContextVar)
    found = [v for v in vars(module).values() if isinstance(v, contextvars.ContextVar)]
    assert found == [CONTEXT]
