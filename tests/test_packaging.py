"""What no other test would notice: the image, the wheel, what the documents point to."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile.gpu").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "fixtures/README.md",
    "models/README.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
]


def tracked() -> set[str]:
    """Every file that git knows."""
    git = shutil.which("git")
    assert git is not None
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(listed.stdout.split("\n"))


def test_every_path_that_the_image_copies_is_in_the_repository() -> None:
    """An engine to build the image is not needed to notice a file that was moved away."""
    files = tracked()
    sources = [
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert len(sources) >= 6
    for source in sources:
        assert source in files or any(f.startswith(f"{source}/") for f in files), source


def test_the_image_copies_all_that_the_wheel_is_made_of() -> None:
    """Whatever the build puts into the wheel must be there when the image builds it."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "README.md", "LICENSE"}
    for path in needed:
        assert re.search(rf"^COPY .*\b{re.escape(path)}\b", DOCKERFILE, re.MULTILINE), path


def test_the_image_speaks_of_the_ctranslate2_that_is_pinned() -> None:
    """The libraries in the image were chosen for one version; a new pin needs another look."""
    [pin] = [
        p.removeprefix("ctranslate2==")
        for p in PROJECT["project"]["optional-dependencies"]["voice"]
        if p.startswith("ctranslate2==")
    ]
    assert f"CTranslate2 {pin}" in DOCKERFILE


def test_the_pinned_ctranslate2_loads_cublas_12_and_no_cudnn() -> None:
    """What the image installs is what the library opens at run time, read from its own strings."""
    import ctranslate2

    folder = Path(ctranslate2.__file__).parent.parent / "ctranslate2.libs"
    [library] = folder.glob("libctranslate2*.so*")
    opened = set(re.findall(rb"lib(cu[a-z]+|nccl)\.so\.(\d+)", library.read_bytes()))
    assert (b"cublas", b"12") in opened
    assert not {name for name, _ in opened if b"cudnn" in name}


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_repository_lead_somewhere(page: str) -> None:
    """Every relative link of a page names a file that is there, and a heading that it has."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text)
    for link, heading in links:
        target = (ROOT / page).parent / link if link else ROOT / page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in headings}
            assert heading in anchors, f"{link}#{heading}"


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_a_page_names_exist(page: str) -> None:
    """In code marks, from the root of the repository; names in capitals stand for any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    folders = "voice_service|order_events|tests|benchmarks|fixtures|docs"
    for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", text):
        assert (ROOT / path).exists() or re.search("[A-Z]{3}", path), path


def test_make_targets_that_the_readme_names_exist() -> None:
    """A reader who types what the README says must not meet "no rule to make target"."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`?make ((?:[a-z]+ ?)+)", (ROOT / "README.md").read_text("utf-8")))
    words = {word for names in named for word in names.split()}
    assert {"demo", "test"} <= words & targets
