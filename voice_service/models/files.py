"""The files of a model on disk: check them, and put them in place all at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from voice_service.models.manifest import ModelError, ModelFile

BLOCK = 1 << 20
"""Bytes read at a time."""

STAMPS = ".checked"
"""Folder of the models directory that records which files have been hashed."""

ENGLISH_VOCABULARY = 51864
"""Number of tokens of an English-only Whisper; every multilingual one has more."""

REQUIRED = ("model.bin", "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wrong_sizes(directory: Path, files: Sequence[ModelFile]) -> tuple[str, ...]:
    """Check sizes only, without reading; return a line per file that is missing or wrong."""
    problems = []
    for file in files:
        path = directory / file.name
        if not path.is_file():
            problems.append(f"{file.name} is missing")
        elif (size := path.stat().st_size) != file.bytes:
            problems.append(f"{file.name} has {size} bytes instead of {file.bytes}")
    return tuple(problems)


def wrong_contents(directory: Path, files: Sequence[ModelFile]) -> tuple[str, ...]:
    """Check sizes and, if they are right, the SHA-256 of every file; return a line per problem."""
    problems = wrong_sizes(directory, files)
    if problems:
        return problems
    return tuple(
        f"{file.name} has the wrong SHA-256"
        for file in files
        if sha256_of(directory / file.name) != file.sha256
    )


def checked_before(
    stamp: Path, directory: Path, files: Sequence[ModelFile]
) -> tuple[tuple[str, ...], bool]:
    """Check a model, hashing its files only if they have changed since they were last hashed.

    Return the problems, and whether the files were hashed now. If the models directory cannot be
    written (a read-only volume), they are hashed at every start.
    """
    problems = wrong_sizes(directory, files)
    if problems:
        return problems, False
    state = _state(directory, files)
    if _read_stamp(stamp) == state:
        return (), False
    problems = wrong_contents(directory, files)
    if not problems:
        with contextlib.suppress(OSError):
            _write_stamp(stamp, state)
    return problems, True


def _state(directory: Path, files: Sequence[ModelFile]) -> dict[str, object]:
    stats = {file.name: (directory / file.name).stat() for file in files}
    return {
        "directory": str(directory.resolve()),
        "files": {
            file.name: [stats[file.name].st_size, stats[file.name].st_mtime_ns, file.sha256]
            for file in files
        },
    }


def _read_stamp(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_stamp(stamp: Path, state: dict[str, object]) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    temporary = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(stamp)


def joined(target: Path, parts: Iterable[IO[bytes]]) -> tuple[int, str]:
    """Write `parts` one after the other; return the size and SHA-256 of the whole."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        for part in parts:
            while block := part.read(BLOCK):
                digest.update(block)
                size += len(block)
                out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


@contextlib.contextmanager
def workspace(models_dir: Path) -> Iterator[Path]:
    """Yield a temporary folder in the models directory, so that the last step can be a rename."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=models_dir) as folder:
        yield Path(folder)


def put_in_place(models_dir: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Create `models_dir/name` with what `fill` writes, or change nothing.

    Raises what `fill` raises, and ModelError if the directory cannot be written.
    """
    target = models_dir / name
    try:
        with workspace(models_dir) as folder:
            fresh = folder / name
            fresh.mkdir()
            fill(fresh)
            if target.exists():
                target.rename(folder / "replaced")
            fresh.rename(target)
    except OSError as error:
        raise ModelError(f"model {name!r} cannot be written to {models_dir}: {error}") from error
    return target


def copy_files(source: Path, target: Path, names: Iterable[str]) -> tuple[ModelFile, ...]:
    """Copy files by name; return them as entries of a manifest."""
    copied = []
    for name in names:
        with (source / name).open("rb") as stream:
            size, digest = joined(target / name, [stream])
        shutil.copymode(source / name, target / name)
        copied.append(ModelFile(name=name, bytes=size, sha256=digest))
    return tuple(copied)


def files_of(directory: Path) -> tuple[str, ...]:
    """Return the names of the files in a CTranslate2 Whisper directory that make up the model."""
    optional = (*VOCABULARIES, "preprocessor_config.json")
    return (*REQUIRED, *(name for name in optional if (directory / name).is_file()))


def inspect_directory(directory: Path) -> bool:
    """Return whether a CTranslate2 Whisper directory is multilingual, by its vocabulary's size.

    Raises ModelError, naming what is missing, if the directory is not such a model.
    """
    missing = [name for name in REQUIRED if not (directory / name).is_file()]
    vocabulary = next((p for n in VOCABULARIES if (p := directory / n).is_file()), None)
    if vocabulary is None:
        missing.append("vocabulary.json or vocabulary.txt")
    if missing or vocabulary is None:
        raise ModelError(
            f"{directory} is not a CTranslate2 Whisper model, it lacks {', '.join(missing)}: "
            "convert one with `ct2-transformers-converter --copy_files tokenizer.json`"
        )
    return _vocabulary_size(vocabulary) > ENGLISH_VOCABULARY


def _vocabulary_size(path: Path) -> int:
    content = path.read_bytes()
    if path.suffix == ".txt":
        return content.count(b"\n")
    try:
        tokens = json.loads(content)
    except ValueError as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(tokens, list):
        raise ModelError(f"{path} is not a list of tokens")
    return len(tokens)
