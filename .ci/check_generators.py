"""Checks that the documents are what generators and linters take.

Lints both documents, generates clients from them in TypeScript and Python, compiles these, and
calls every route with the generated Python client. Installs the tools on its first run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path
from typing import Any

from hub_process import ServiceProcess
from kill_run import MENU

ROOT = Path(__file__).parent.parent
TOOLS = Path(__file__).parent / "generators"
VENV = TOOLS / "venv" / "bin"
NODE = TOOLS / "node_modules" / ".bin"
STRICT = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "module": "nodenext",
        "target": "es2023",
        "types": [],
    },
    "include": ["**/*.ts"],
}


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command; end everything if it fails."""
    own = os.pathsep.join((str(NODE), str(VENV), str(Path(sys.executable).parent)))
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}
    print("+", *command, flush=True)
    subprocess.run(command, cwd=cwd, env=environment, check=True)


def install() -> None:
    """Install the tools into folders of their own: their pins are not ours."""
    if not NODE.is_dir():
        run("npm", "ci", "--silent", cwd=TOOLS)
    if not VENV.is_dir():
        venv.create(VENV.parent, with_pip=True)
        run(VENV / "pip", "install", "--quiet", "-r", "requirements.txt", cwd=TOOLS)


def lint(folder: Path) -> None:
    """No linter may have anything to say about either document."""
    for name in ("openapi", "asyncapi"):
        rules = str(TOOLS / f"{name}.yaml")
        run("spectral", "lint", f"{name}.json", "-r", rules, "-F", "warn", cwd=folder)
    # What tells whether the server is alive has nothing to refuse.
    without = ("--skip-rule", "operation-4xx-response")
    run("redocly", "lint", "openapi.json", "--extends", "recommended", *without, cwd=folder)


def generate(folder: Path) -> None:
    """Generate with each tool, and compile what it has made."""
    run("openapi-typescript", "openapi.json", "-o", "types/api.d.ts", cwd=folder)
    run("node", TOOLS / "messages.js", "asyncapi.json", "types/messages", cwd=folder)
    (folder / "types" / "tsconfig.json").write_text(json.dumps(STRICT))
    run("tsc", "-p", "types", cwd=folder)
    where = ("--path", "openapi.json", "--output-path", "client")
    run(
        "openapi-python-client",
        "generate",
        *where,
        "--meta",
        "none",
        "--fail-on-warning",
        cwd=folder,
    )
    kinds = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel")
    made = ("--input", "openapi.json", "--output", "models.py")
    run("datamodel-codegen", *made, *kinds, "--formatters", "black", "isort", cwd=folder)
    run(sys.executable, "-W", "error::SyntaxWarning", "-c", "import models", cwd=folder)


def call(folder: Path) -> None:
    """Call a server with the generated client."""
    hub = ServiceProcess(folder / "data")
    hub.start()
    try:
        token = hub.token("r1")
        ask(hub.url, token, "PUT", "/v1/menu", MENU)
        ask(hub.url, token, "PUT", "/v1/tables/t1", {"number": "1", "status": "free"})
        draft = {"items": [{"menu_item_id": "burger"}]}
        order = ask(hub.url, token, "POST", "/v1/orders", draft)["order"]["id"]
        given = (folder, hub.url, token, order, "t1")
        run(VENV / "python", TOOLS / "call.py", *given, cwd=folder)
    finally:
        hub.kill()


def ask(url: str, token: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make a change; return the answer."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        content: dict[str, Any] = json.load(answer)
        return content


def main() -> None:
    """Check everything, in an empty folder."""
    install()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("openapi", "asyncapi"):
            shutil.copy(ROOT / "docs" / f"{name}.json", folder)
        lint(folder)
        generate(folder)
        call(folder)
    print("The documents are what generators take.")


if __name__ == "__main__":
    main()
