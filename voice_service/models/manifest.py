"""What is known about speech models: `manifest.toml`, and the record beside an added model.

Data and validation only; nothing here reads weights.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voice_service.asr.calibration import RAW, Calibration

MULTILINGUAL = "multilingual"
RECORD = "voice-model.json"
"""File with the `ModelEntry` of an added model, beside its weights."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class ModelError(Exception):
    """A model cannot be used. The message names the model and the command that helps."""


class ManifestModel(BaseModel):
    """A frozen model. An unknown field is an error, as a misspelt checksum would check nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(ManifestModel):
    """A file of a CTranslate2 directory. `parts` are the wheel members it is made of, in order."""

    name: FileName
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    parts: tuple[str, ...] = ()


class ModelEntry(ManifestModel):
    """A model and its origin; the fields are described in `manifest.toml`."""

    description: str = ""
    languages: tuple[str, ...]
    licence: str | None = None
    origin: str = ""
    wheels: tuple[str, ...] = ()
    installed: str | None = None
    extra: str | None = None
    calibration: Calibration = RAW
    files: Annotated[tuple[ModelFile, ...], Field(min_length=1)]

    @property
    def bytes(self) -> int:
        """Return the total size of the files."""
        return sum(file.bytes for file in self.files)


class Hub(ManifestModel):
    """Names that faster-whisper fetches from its model hub, by their languages."""

    english: tuple[str, ...]
    multilingual: tuple[str, ...]


class Manifest(ManifestModel):
    """The whole of `manifest.toml`. A model's `languages` may name a set of `[languages]`."""

    languages: dict[str, tuple[str, ...]]
    hub: Hub
    model: dict[str, ModelEntry]

    @model_validator(mode="before")
    @classmethod
    def _named_language_sets(cls, data: dict[str, dict[str, object]]) -> object:
        sets = data.get("languages", {})
        models = {}
        for name, entry in data.get("model", {}).items():
            models[name] = entry
            if isinstance(entry, dict) and isinstance(entry.get("languages"), str):
                models[name] = {**entry, "languages": sets.get(entry["languages"])}
        return {**data, "model": models}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if MULTILINGUAL not in self.languages:
            raise ValueError(f"[languages] has no set {MULTILINGUAL!r}")
        for name, entry in self.model.items():
            if any(not file.parts for file in entry.files):
                raise ValueError(f"model {name!r}: every file needs its parts")
        return self

    @property
    def multilingual(self) -> tuple[str, ...]:
        """Return the languages of a Whisper model that is not English-only."""
        return self.languages[MULTILINGUAL]

    def hub_languages(self, name: str) -> tuple[str, ...] | None:
        """Return the languages of a hub model; None if the manifest does not list its name."""
        if name in self.hub.english:
            return ("en",)
        return self.multilingual if name in self.hub.multilingual else None


@functools.cache
def load_manifest() -> Manifest:
    """Return this installation's manifest, from the wheel or the checkout's `models/manifest.toml`.

    Raises ModelError if the installation has none or a broken one.
    """
    packaged = resources.files("voice_service") / "manifest.toml"
    checkout = checkout_models_dir() / "manifest.toml"
    for place in (packaged, checkout):
        if place.is_file():
            return parse_manifest(place.read_text(encoding="utf-8"))
    raise ModelError("this installation has no manifest.toml: install voice-ordering again")


def parse_manifest(text: str) -> Manifest:
    """Parse a manifest; raise ModelError if the text is not a valid one."""
    try:
        return Manifest.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ModelError(f"manifest.toml is not valid: {error}") from error


def read_record(directory: Path) -> ModelEntry | None:
    """Return the record of a model that was added by hand; None if the directory has none."""
    path = directory / RECORD
    if not path.is_file():
        return None
    try:
        return ModelEntry.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ModelError(
            f"{path} is damaged: run `voice-service models add {directory.name} DIR` again"
        ) from error


def checkout_models_dir() -> Path:
    """Return where `models/` is if the package runs from a checkout; it need not exist."""
    return Path(__file__).resolve().parents[2] / "models"
