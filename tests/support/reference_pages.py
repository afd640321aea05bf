"""`make docs`: reference pages in Markdown, made from the docstrings and the registry.

One page per public module with the signature and docstring of every name in its `__all__`, an
index, and a table of all primitives with the origin of each of their rules. Nothing is written by
hand, so nothing can be out of step.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
from pathlib import Path
from types import ModuleType

from tests.architecture.layout import PUBLIC_MODULES, existing


def write_pages(folder: Path) -> list[Path]:
    """Write all pages into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = [importlib.import_module(name) for name in existing(PUBLIC_MODULES)]
    pages = {f"{module.__name__}.md": module_page(module) for module in modules}
    pages["primitives.md"] = primitives_page()
    pages["index.md"] = index_page(modules)
    written = []
    for name, text in pages.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def module_page(module: ModuleType) -> str:
    """The page of one module."""
    parts = [f"# {module.__name__}", inspect.getdoc(module) or ""]
    for name in module.__all__:
        parts.append(_entry(module, name))
    return "\n\n".join(part for part in parts if part) + "\n"


def index_page(modules: list[ModuleType]) -> str:
    """A line per module: its name, what it is for, how many names it has."""
    lines = ["# Reference", "", "| module | | names |", "| --- | --- | ---: |"]
    for module in modules:
        summary = (inspect.getdoc(module) or "").split("\n")[0]
        link = f"[{module.__name__}]({module.__name__}.md)"
        lines.append(f"| {link} | {_cell(summary)} | {len(module.__all__)} |")
    lines += ["", "[All primitives and their rules](primitives.md)"]
    return "\n".join(lines) + "\n"


def primitives_page() -> str:
    """Every primitive of the registry, and where each of its rules comes from."""
    core = importlib.import_module("fnx.core.primitive")
    slots = core.SLOTS
    lines = [
        "# Primitives",
        "",
        "A dot is a rule of its own; `from x` is derived by the transform; a number is a slot that",
        "mathematics leaves empty, for the reason below.",
        "",
        f"| primitive | {' | '.join(slots)} |",
        f"| --- | {' | '.join('---' for _ in slots)} |",
    ]
    reasons: list[str] = []
    for name in sorted(core.registry):
        primitive = core.registry[name]
        cells = [_slot(core, getattr(primitive, slot), reasons) for slot in slots]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))]
    return "\n".join(lines) + "\n"


def _slot(core: ModuleType, found: object, reasons: list[str]) -> str:
    if isinstance(found, core.Undefined):
        if found.why not in reasons:
            reasons.append(found.why)
        return str(reasons.index(found.why) + 1)
    if isinstance(found, core.Derived):
        return f"from {found.source}"
    return "·"


def _entry(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if inspect.ismodule(value):
        return f"## {name}\n\nThe module `{value.__name__}`."
    if not (callable(value) or inspect.isclass(value)):
        return f"## {name}\n\n`{value!r}`"
    text = inspect.getdoc(value) or ""
    return f"## {name}\n\n```python\n{name}{_signature(value)}\n```\n\n{_markdown(text)}"


def _signature(value: object) -> str:
    try:
        return str(inspect.signature(value)) if callable(value) else ""
    except ValueError:  # built in, with no signature that Python knows
        return "(...)"


def _markdown(docstring: str) -> str:
    """Section titles in bold; what is indented or under `>>>` as it stands, in code blocks."""
    lines = docstring.splitlines()
    out: list[str] = []
    in_code = False
    for line, following in zip(lines, [*lines[1:], ""]):
        underline = bool(line) and set(line) == {"-"} and len(line) > 2
        if underline:
            continue
        if line.startswith(">>>") and not in_code:
            out += ["```pycon"]
            in_code = True
        elif in_code and not line.strip():
            out += ["```"]
            in_code = False
        title = bool(following) and set(following) == {"-"} and len(following) > 2
        out.append(f"**{line}**\n" if title else line)
    return "\n".join([*out, "```"] if in_code else out)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print(f"{len(write_pages(folder))} pages in {folder}")
