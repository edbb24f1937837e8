"""The shape of the packages: small folders, short modules, and each folder explained."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("order_events", "voice_service")
MOST_MODULES = 16
"""Modules in one folder, its `__init__.py` not counted."""
MOST_LINES = 400
"""Lines in one module."""


def modules(package: str) -> list[Path]:
    """Return every module of a package, its `__init__.py` files included."""
    found = sorted((ROOT / package).rglob("*.py"))
    assert len(found) > 50, f"only {len(found)} modules were found in {package}"
    return found


def folders(package: str) -> dict[Path, list[Path]]:
    """Return the modules of each folder, without its `__init__.py`."""
    by_folder: dict[Path, list[Path]] = {}
    for module in modules(package):
        inside = by_folder.setdefault(module.parent, [])
        if module.name != "__init__.py":
            inside.append(module)
    return by_folder


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_too_many_modules(package: str) -> None:
    """A reader can keep a folder's modules in mind; past that it needs subfolders."""
    crowded = {str(f): len(inside) for f, inside in folders(package).items()}
    assert {name: count for name, count in crowded.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_too_long(package: str) -> None:
    """A module that outgrows the limit has more than one subject."""
    lines = {str(m): len(m.read_text(encoding="utf-8").splitlines()) for m in modules(package)}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_says_what_it_is(package: str) -> None:
    """Each has an `__init__.py` with a docstring."""
    unexplained = []
    for folder in folders(package):
        init = folder / "__init__.py"
        source = init.read_text(encoding="utf-8") if init.is_file() else ""
        if not ast.get_docstring(ast.parse(source)):
            unexplained.append(str(folder))
    assert unexplained == []
