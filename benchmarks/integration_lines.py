"""What an integrator writes: lines of the examples in docs/clients.md, and what they leave unsaid.

"before" are the lines of our own client for the same, which is what the protocol asks of whoever
writes one. Lines are those with code: no comments, docstrings or empty lines. Sizes are what
`npm pack` ships, file by file, `gzip -9`, comments included.
"""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLIENTS = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
WEB = ROOT / "order_events" / "web"
LINK = ("order_events/client/link.py", "order_events/client/backoff.py")
EXAMPLES = {
    "follow events, Python": ("Python", "python", ("order_events/client/events.py", *LINK)),
    "the same, killed and restarted": (
        "Exactly once, even if you are killed",
        "python",
        ("order_events/client/events.py", *LINK),
    ),
    "follow events, JavaScript": (
        "JavaScript and TypeScript",
        "js",
        ("order_events/web/events.js", "order_events/web/socket.js"),
    ),
    "a guest's voice, Python": (
        "Voice",
        "python",
        ("voice_service/client/session.py", "voice_service/client/stream.py", *LINK),
    ),
    "a microphone, JavaScript": (
        "A microphone",
        "js",
        tuple(f"order_events/web/{m}.js" for m in ("voice", "capture", "pcm-worklet", "socket")),
    ),
    "check a webhook, Python": ("Webhooks", "python", ("order_events/client/webhooks.py",)),
    "state in React": (
        "React",
        "jsx",
        ("clients/js/react.js", "order_events/web/events.js", "order_events/web/socket.js"),
    ),
}
PACKED = {
    "events": ("socket.js", "events.js"),
    "events and voice": ("socket.js", "events.js", "voice.js", "capture.js", "pcm-worklet.js"),
}


def example(heading: str, language: str) -> str:
    """Return the first code of a language under a heading."""
    section = re.split(rf"^##+ {re.escape(heading)}$", CLIENTS, flags=re.MULTILINE)[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None, heading
    return found[1]


def lines_of_python(source: str) -> int:
    """Return how many lines have code."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    texts: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented):
            for each in node.body:
                if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                    texts.update(range(each.lineno, (each.end_lineno or each.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(number not in texts and _is_code(line, "#") for number, line in lines)


def lines_of_javascript(source: str) -> int:
    """Return how many lines have code."""
    plain = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return sum(_is_code(line, "//") for line in plain.splitlines())


def _is_code(line: str, comment: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(comment)


def lines(source: str, name: str) -> int:
    """Return how many lines of a file or example have code."""
    python = name.endswith((".py", "python"))
    return lines_of_python(source) if python else lines_of_javascript(source)


def main() -> None:
    """Print both tables."""
    print("| what | before | after |\n|---|---|---|")
    for what, (heading, language, modules) in EXAMPLES.items():
        before = sum(lines((ROOT / m).read_text(encoding="utf-8"), m) for m in modules)
        print(f"| {what} | {before} | {lines(example(heading, language), language)} |")
    print("\n| what is loaded | bytes |\n|---|---|")
    for what, files in PACKED.items():
        print(f"| {what} | {sum(map(_packed, (WEB / f for f in files))):,} |")
    print(f"| React, beside it | {_packed(ROOT / 'clients' / 'js' / 'react.js'):,} |")


def _packed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))


if __name__ == "__main__":
    main()
