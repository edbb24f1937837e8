"""The models behind the views, with Node's own test runner."""

from __future__ import annotations

from support.javascript import NODE, run
from support.paths import ROOT


def test_the_models_of_the_pages() -> None:
    """See the files in `models`."""
    folder = ROOT / "tests" / "pages" / "models"
    tests = sorted(str(path) for path in folder.glob("*.test.js"))
    assert len(tests) > 2
    run(str(NODE), "--test", "--test-isolation=none", *tests, cwd=ROOT)
