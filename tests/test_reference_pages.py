"""The reference pages name everything that is public, and every primitive."""

from __future__ import annotations

import importlib

from fnx.core.primitive import registry
from tests.architecture.layout import PUBLIC_MODULES, existing
from tests.support.reference_pages import write_pages


def test_pages_are_complete(tmp_path):
    pages = {path.name: path.read_text(encoding="utf-8") for path in write_pages(tmp_path)}
    for module in existing(PUBLIC_MODULES):
        page = pages[f"{module}.md"].splitlines()
        for name in importlib.import_module(module).__all__:
            assert f"## {name}" in page, f"{module}.{name}"
        assert f"[{module}]({module}.md)" in pages["index.md"]
    for name in registry:
        assert f"\n| {name} | " in pages["primitives.md"]
