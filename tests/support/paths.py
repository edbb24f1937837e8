"""The directories of a checkout that tests read from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
BENCHMARKS: Final = ROOT / "benchmarks"
AUDIO: Final = ROOT / "fixtures" / "audio"
ORDERING_TESTS: Final = ROOT / "tests" / "voice_service" / "ordering"
