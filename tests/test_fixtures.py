"""The recordings that other tests trust: format, times, orders and what they are examples of."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from order_events.domain.drafts import ItemDraft
from order_events.menu.menu import Menu

ROOT = Path(__file__).resolve().parent.parent
AUDIO = ROOT / "fixtures" / "audio"
NAMES = sorted(path.stem for path in AUDIO.glob("*.wav"))


class Strict(BaseModel):
    """A sidecar has these fields and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Utterance(Strict):
    """What is said without a pause that would end it; times are of its first and last sound."""

    text: str = Field(min_length=1)
    start_ms: int = Field(ge=0)
    end_ms: int
    voice: str


class Noise(Strict):
    """Something else that is heard all the time."""

    kind: Literal["traffic", "engine", "kitchen", "babble"]
    snr_db: float | None


class Audio(Strict):
    """The WAV file beside the sidecar."""

    encoding: Literal["pcm_s16le", "mulaw"]
    sample_rate: int
    channels: Literal[1]
    duration_ms: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Sidecar(Strict):
    """`NAME.json`."""

    text: str
    utterances: tuple[Utterance, ...]
    order: tuple[ItemDraft, ...]
    status: Literal["listening", "clarify", "confirmed", "needs_staff"]
    kinds: tuple[str, ...] = Field(min_length=1)
    language: Literal["en-US", "en-GB"]
    voices: tuple[str, ...]
    speed: float
    channel: Literal["wideband", "telephone", "mulaw"]
    noise: Noise | None
    audio: Audio
    wer: dict[Literal["base_clean", "base", "tiny.en"], float | None]
    made: str = Field(min_length=1)
    licence: Literal["Apache-2.0"]


@cache
def sidecar(name: str) -> Sidecar:
    return Sidecar.model_validate_json((AUDIO / f"{name}.json").read_bytes())


@cache
def samples(name: str) -> tuple[NDArray[np.float32], int]:
    data, rate = soundfile.read(AUDIO / f"{name}.wav", dtype="float32")
    return data, rate


def described() -> list[dict[str, Any]]:
    with (ROOT / "fixtures" / "recordings.toml").open("rb") as stream:
        recordings: list[dict[str, Any]] = tomllib.load(stream)["recording"]
    return recordings


def loudness(part: NDArray[np.float32]) -> float:
    """RMS in dB of full scale."""
    return float(10 * np.log10(np.mean(part.astype(np.float64) ** 2) + 1e-12))


def frames_db(part: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Power of every 10 ms in dB of full scale."""
    frame = rate // 100
    whole = part[: len(part) // frame * frame].reshape(-1, frame).astype(np.float64)
    return np.asarray(10 * np.log10(np.mean(whole**2, axis=1) + 1e-12))


# --- the set as a whole --------------------------------------------------------------------------


def test_there_is_a_recording_a_sidecar_and_a_description_for_every_name() -> None:
    """What is committed is what `recordings.toml` describes, no more and no less."""
    assert sorted(path.stem for path in AUDIO.glob("*.json")) == NAMES
    assert sorted(recording["name"] for recording in described()) == NAMES
    assert len(NAMES) >= 24


def test_together_they_stay_small() -> None:
    """A clone of the repository carries them."""
    assert sum(path.stat().st_size for path in AUDIO.iterdir()) < 20_000_000


SPOKEN = [name for name in NAMES if sidecar(name).utterances]


@pytest.mark.parametrize(
    "kind",
    [
        "one utterance",
        "several utterances",
        "several voices",
        "pause inside",
        "correction",
        "repeats",
        "long utterance",
        "level",
        "accent",
        "noise",
        "telephone",
        "mulaw",
        "silence only",
        "noise only",
        "no trailing silence",
        "not understood",
        "long recording",
    ],
)
def test_every_kind_of_input_has_an_example(kind: str) -> None:
    """A kind without a recording would be a kind without a test."""
    assert [name for name in NAMES if kind in sidecar(name).kinds]


def test_voices_speeds_and_noises_differ() -> None:
    """One voice at one speed would test one voice at one speed."""
    all_of_them = [sidecar(name) for name in NAMES]
    assert len({voice for one in all_of_them for voice in one.voices}) >= 20
    assert {one.speed for one in all_of_them} >= {0.8, 1.0, 1.3}
    noises = [one.noise for one in all_of_them if one.noise and one.noise.snr_db is not None]
    assert {noise.snr_db for noise in noises} >= {20, 10, 5}
    assert {noise.kind for noise in noises} == {"traffic", "engine", "kitchen", "babble"}


def test_the_demonstration_is_a_short_order_with_one_correction() -> None:
    """`make demo` plays it to a person who waits."""
    demo = sidecar("demo")
    assert 20_000 <= demo.audio.duration_ms <= 30_000
    assert len(demo.utterances) >= 4
    assert len(re.findall("actually", demo.text, re.IGNORECASE)) == 1


def test_the_long_recording_lasts_three_minutes() -> None:
    """Long enough for buffers, timers and clocks to show what they do in the long run."""
    assert sidecar("three_minutes").audio.duration_ms >= 180_000


# --- each recording ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_the_sidecar_says(name: str) -> None:
    """Same bytes, same format: 16 kHz PCM16, but for the one in mu-law, as a telephone sends it."""
    audio = sidecar(name).audio
    path = AUDIO / f"{name}.wav"
    info = soundfile.info(path)
    expected = {"pcm_s16le": (16_000, "PCM_16"), "mulaw": (8_000, "ULAW")}[audio.encoding]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == audio.sha256
    assert (info.samplerate, info.subtype) == expected
    assert (info.samplerate, info.channels) == (audio.sample_rate, audio.channels)
    assert audio.duration_ms == round(info.frames * 1000 / info.samplerate)


@pytest.mark.parametrize("name", NAMES)
def test_the_sidecar_follows_from_its_description(name: str) -> None:
    """Someone who changes `recordings.toml` must make the recordings again."""
    (recording,) = (entry for entry in described() if entry["name"] == name)
    lines = [" ".join(re.sub(r"\|[0-9.]+\|", " ", say).split()) for say in recording.get("say", [])]
    one = sidecar(name)
    assert [utterance.text for utterance in one.utterances] == lines
    assert one.text == " ".join(lines)
    assert one.status == recording.get("status", "confirmed")
    assert [item.menu_item_id for item in one.order] == [
        line["item"] for line in recording.get("order", [])
    ]


@pytest.mark.parametrize("name", SPOKEN)
def test_utterances_are_apart_and_have_silence_around_them(name: str) -> None:
    """Half a second before, one after; between two, well more than a hangover."""
    one = sidecar(name)
    assert all(utterance.end_ms - utterance.start_ms >= 300 for utterance in one.utterances)
    assert one.utterances[0].start_ms >= 500
    for before, after in zip(one.utterances, one.utterances[1:], strict=False):
        assert after.start_ms - before.end_ms >= 1000
    trailing = one.audio.duration_ms - one.utterances[-1].end_ms
    if "no trailing silence" in one.kinds:
        assert trailing <= 10
    else:
        assert trailing >= 1000


@pytest.mark.parametrize("name", [name for name in SPOKEN if not sidecar(name).noise])
def test_no_pause_inside_an_utterance_lasts_as_long_as_a_hangover(name: str) -> None:
    """Each is one utterance for an endpointer with 0.6 s; marked pauses are there to be heard."""
    one = sidecar(name)
    data, rate = samples(name)
    longest = 0
    for utterance in one.utterances:
        part = data[utterance.start_ms * rate // 1000 : utterance.end_ms * rate // 1000]
        power = frames_db(part, rate)
        quiet = "".join("q" if level < power.max() - 40 else "." for level in power)
        longest = max(longest, *(len(run) * 10 for run in quiet.split(".")))
    assert longest <= 540
    if "pause inside" in one.kinds:
        assert longest >= 300


@pytest.mark.parametrize("name", NAMES)
def test_speech_is_where_the_sidecar_says_and_the_noise_as_loud(name: str) -> None:
    """Endpoint and latency tests count from these times; noise tests rely on the ratio."""
    one = sidecar(name)
    data, rate = samples(name)
    spoken = np.zeros(len(data), np.bool_)
    for utterance in one.utterances:
        spoken[utterance.start_ms * rate // 1000 : utterance.end_ms * rate // 1000] = True
    background = loudness(data[~spoken])
    if not one.utterances:
        assert (background > -45) == bool(one.noise)
        return
    levels = frames_db(data[spoken], rate)
    active = levels[levels > np.percentile(levels, 95) - 35]
    speech = float(10 * np.log10(np.mean(10 ** (active / 10))))
    if one.noise is None or one.noise.snr_db is None:
        assert speech - background > 25
        return
    ratio = 10 * np.log10(10 ** ((speech - background) / 10) - 1)
    assert ratio == pytest.approx(one.noise.snr_db, abs=4)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_can_be_made_from_the_demo_menu(name: str) -> None:
    """An expectation that the menu cannot meet would fail for the wrong reason."""
    menu = Menu.model_validate_json((ROOT / "voice_service" / "demo_menu.json").read_bytes())
    items = {item.id: item for item in menu.items}
    groups = {group.id: {m.id for m in group.modifiers} for group in menu.modifier_groups}
    for line in sidecar(name).order:
        item = items[line.menu_item_id]
        assert line.size in item.prices if item.prices else line.size is None
        offered = set().union(*(groups[group] for group in item.modifier_groups))
        assert {modifier.id for modifier in line.modifiers} <= offered


@pytest.mark.parametrize("name", NAMES)
def test_base_understands_it(name: str) -> None:
    """A recording that a good recogniser cannot understand says nothing about ours."""
    one = sidecar(name)
    if not one.text:
        assert set(one.wer.values()) == {None}
        return
    clean, recorded = one.wer["base_clean"], one.wer["base"]
    assert clean is not None
    assert recorded is not None
    assert clean <= 0.05
    assert recorded <= 0.2


def test_sidecars_are_readable_json_of_one_style() -> None:
    """Written by the script, not by hand."""
    for name in NAMES:
        text = (AUDIO / f"{name}.json").read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
