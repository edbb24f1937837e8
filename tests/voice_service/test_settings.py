"""Every setting can come from the environment, and wrong values are reported."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from order_events.settings import Retention
from voice_service.asr.hypothesis import Hypothesis
from voice_service.asr.whisper import MAX_SECONDS
from voice_service.audio.formats import SAMPLE_RATE
from voice_service.settings import VoiceSettings
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import FRAME_MS

SECRET = "x" * 40
SPECIAL: dict[str, tuple[str, Any]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("4001", 4001),
    "log_level": ("debug", "debug"),
    "jwt_secret": (SECRET, SecretStr(SECRET)),
    "metrics_token": (SECRET, SecretStr(SECRET)),
    "jwt_secret_previous": (SECRET, SecretStr(SECRET)),
    "trusted_proxies": (
        "10.0.0.0/8, 2001:db8::1",
        (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128")),
    ),
    "allowed_origins": ("https://a.example, https://b.example/", None),
    "allowed_hosts": ("a.example, b.example", ("a.example", "b.example")),
    "retention_of": ('{"r1": {"days": 90}}', {"r1": Retention(days=90)}),
    "store": ("postgresql://u@h/n", SecretStr("postgresql://u@h/n")),
    "oidc_issuer": ("https://id.example", "https://id.example"),
    "jwt_claims": ('{"role": "roles"}', {"role": "roles"}),
    "jwt_roles": ('{"pos-admin": "manager"}', {"pos-admin": "manager"}),
    "bus": ("nats://u:p@h1:4222,nats://h2", SecretStr("nats://u:p@h1:4222,nats://h2")),
    "device": ("cuda", "cuda"),
    "device_index": ("0, 1", (0, 1)),
    "compute_type": ("int8_float16", "int8_float16"),
    "detector": ("webrtc", "webrtc"),
    "webrtc_mode": ("3", 3),
    "utterance_limit_ms": ("9000", 9_000),
}

NEEDS = {
    "store": {"VOICE_JWT_SECRET": SECRET},
    "oidc_issuer": {"VOICE_JWT_AUDIENCE": "us"},
}
"""What has to be set beside a setting."""


def example(name: str, field: FieldInfo) -> tuple[str, Any]:
    """Return a value that differs from the default, as text and as it must be read."""
    if name in SPECIAL:
        text, value = SPECIAL[name]
        return text, ("https://a.example", "https://b.example") if value is None else value
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, bool):
        return ("false" if default else "true"), not default
    if isinstance(default, int):
        return str(default + 1), default + 1
    if isinstance(default, float):
        other = default / 2 or 0.5
        return str(other), other
    if field.annotation is Path or Path in get_args(field.annotation):
        return "somewhere/else", Path("somewhere/else")
    return "another", "another"


@pytest.mark.parametrize("name", sorted(VoiceSettings.model_fields))
def test_every_setting_can_be_set_by_its_environment_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers are configured by nothing else."""
    text, value = example(name, VoiceSettings.model_fields[name])
    default = getattr(VoiceSettings(), name)
    variable = "LOG_LEVEL" if name == "log_level" else f"VOICE_{name.upper()}"
    monkeypatch.setenv(variable, text)
    for needed, its_text in NEEDS.get(name, {}).items():
        monkeypatch.setenv(needed, its_text)
    assert getattr(VoiceSettings(), name) == value
    assert default != value


@pytest.mark.parametrize("name", sorted(VoiceSettings.model_fields))
def test_every_setting_is_described(name: str) -> None:
    """`--help` shows it."""
    description = VoiceSettings.model_fields[name].description
    assert description
    assert description[0].isupper() or description.startswith("`")
    assert description.endswith((".", "1013"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "70000"),
        ("port", "none"),
        ("onset", "1.5"),
        ("hangover_ms", "0"),
        ("utterance_limit_ms", "40000"),
        ("pre_roll_ms", "5000"),
        ("confirm_ms", "1501"),
        ("webrtc_mode", "4"),
        ("detector", "energy"),
        ("device", "tpu"),
        ("compute_type", "int4"),
        ("batch_size", "65"),
        ("resume_window_s", "-1"),
        ("max_sessions", "-1"),
        ("decode_workers", "many"),
        ("jwt_secret", "short"),
        ("bus", "nats"),
        ("bus", "redis://localhost"),
        ("voice_per_minute", "0"),
    ],
)
def test_a_wrong_value_names_its_setting(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found at start, not when the first guest speaks."""
    monkeypatch.setenv(f"VOICE_{name.upper()}", text)
    with pytest.raises(ValidationError) as refused:
        VoiceSettings()
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files may leave variables empty."""
    monkeypatch.setenv("VOICE_PORT", "")
    assert VoiceSettings().port == 3001


def test_lengths_reach_the_listener_in_frames() -> None:
    """Half a second is half a second."""
    settings = VoiceSettings(hangover_ms=500, pre_roll_ms=320, confirm_ms=1)
    listener = settings.listener()
    assert listener.endpoint.hangover * FRAME_MS == pytest.approx(500, abs=FRAME_MS / 2)
    assert listener.pre_roll == 10
    assert listener.endpoint.confirm == 1


class Talk:
    """A detector for a guest who begins after three seconds and never stops."""

    def __init__(self) -> None:
        self._frames = 0

    def probability(self, frame: NDArray[np.float32]) -> float:
        self._frames += 1
        return float(self._frames * FRAME_MS > 3_000)


def test_the_longest_utterance_fits_into_one_decode() -> None:
    """Even with the largest settings, the model hears all of it."""
    settings = VoiceSettings(
        utterance_limit_ms=28_000,
        pre_roll_ms=1_500,
        confirm_ms=1_500,
        post_roll_ms=60_000,
        no_progress_ms=60_000,
    )
    listener = Listener(settings.listener(), Talk(), "en", "")
    longest = 0
    for word in range(700):
        listener.push(np.zeros(SAMPLE_RATE // 10, np.float32), 0.0)
        while listener.next_decode() is not None:
            longest = max(longest, len(listener.start_decode().audio))
            listener.decoded(Hypothesis(f"word {word}", 0.9), 0.0)
    assert 29 < longest / SAMPLE_RATE <= MAX_SECONDS


def test_on_a_cpu_every_core_has_a_decode_of_its_own() -> None:
    """None waits for another, and the encoder sees no more than it must."""
    cores = len(os.sched_getaffinity(0))
    found = VoiceSettings().compute("cpu")
    assert (found.workers, found.threads, found.numbers) == (cores, 1, "int8")
    assert found.batches.size == 1
    assert found.batches.context(11.3) == 11.3
    told = VoiceSettings(decode_workers=3, decode_threads=2, batch_size=4).compute("cpu")
    assert (told.workers, told.threads, told.batches.size) == (3, 2, 4)


def test_on_gpus_batches_form_and_each_has_its_workers() -> None:
    """These are the defaults of unset values; the weights stay in the format they were saved in."""
    found = VoiceSettings(device_index=(1, 3)).compute("cuda")
    assert (found.devices, found.workers, found.workers_per_device) == ((1, 3), 4, 2)
    assert (found.numbers, found.batches.size, found.batches.wait) == ("default", 16, 0.003)
    assert found.batches.context(11.3) == 15.0
    told = VoiceSettings(compute_type="float16", batch_size=1, batch_wait_ms=0, decode_workers=3)
    assert told.compute("cuda").numbers == "float16"
    assert told.compute("cuda").batches.context(11.3) == 11.3
    assert told.compute("cuda").workers == 3


def test_gap_and_resume_follow_the_protocol() -> None:
    """Thirty seconds to come back."""
    session = VoiceSettings().session()
    assert session.resume_window == 30
    assert session.intake.gap_patience == VoiceSettings().gap_patience_s
    assert session.intake.max_backlog == VoiceSettings().max_backlog_s
