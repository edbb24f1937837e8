"""The Autobahn WebSocket cases that run in seconds.

`benchmarks/conformance.py` runs them all.
"""

from __future__ import annotations

import subprocess
import sys

from support.paths import BENCHMARKS

SCRIPT = BENCHMARKS / "conformance.py"
GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.1", "10.*", "12.1.4", "13.1.4"]


def test_no_case_of_autobahn_fails() -> None:
    """Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, compression."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--parallel", "16", *GROUPS],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[:2] == ["all", "250"]
