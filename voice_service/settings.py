"""Settings of the voice service: those of the hub and, per subject, those of the voice side.

Each setting is also an environment variable: `VOICE_` and its name in capitals. A class per subject
declares its settings and converts them into the frozen values that the stages take.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from order_events.settings import HubSettings
from order_events.token_settings import Count, Seconds
from voice_service.asr.batching import BatchPolicy
from voice_service.asr.compute import Compute, Device, DeviceChoice
from voice_service.audio.intake import IntakeSettings
from voice_service.order_settings import OrderSettings, Probability
from voice_service.sessions.pipeline import SessionSettings
from voice_service.utterances.background import BackgroundSettings
from voice_service.utterances.endpointing import EndpointSettings
from voice_service.utterances.settings import ListenerSettings, frames
from voice_service.utterances.turn_end import TurnEndPolicy
from voice_service.utterances.vad import DetectorKind

Milliseconds = Annotated[int, Field(ge=1, le=60_000)]
Moment = Annotated[int, Field(ge=1, le=1_500)]
"""Milliseconds added to an utterance: even the longest must fit into one decode, 30 s."""
DeviceIndex = Annotated[int, Field(ge=0)]
NumberFormat = Literal[
    "default",
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]

_CUT_WINDOW_MS: Final = 3_000
"""An utterance that is too long is cut at the quietest moment of this time."""
_CONTEXT_STEP_S: Final = 5.0
"""Step of the encoder windows in batches, which are 10, 15, 20, 25 or 30 s long."""
_PROMPT_STEP: Final = 32
"""Step of the prompt lengths in batches: prompts of menus, 100 to 223 tokens, get four lengths."""


class ModelSettings(BaseModel):
    """Which model runs, where, and for how many sessions."""

    model: str = Field(
        "tiny.en",
        description="Speech model: a name from the models manifest, a faster-whisper name, or a "
        "directory with a CTranslate2 model.",
    )
    final_model: str | None = Field(
        None,
        description="Model that decodes finals, a better one than `model`, which then decodes "
        "partials only. Named as `model` is; sessions can use the languages that both know.",
    )
    models_dir: Path | None = Field(None, description="Directory of fetched models.")
    device: DeviceChoice = Field(
        "cpu", description="Device the model runs on; `auto` uses a GPU if there is one."
    )
    device_index: Annotated[tuple[DeviceIndex, ...], NoDecode, Field(min_length=1)] = Field(
        (0,), description="GPUs to use, separated by commas, counted from 0."
    )
    compute_type: NumberFormat = Field(
        "default",
        description="Number format of the weights, as named by CTranslate2. `default` is int8 on a "
        "CPU, and the format the model was saved in on a GPU.",
    )
    batch_size: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Most utterances decoded together; 0 means 1 on a CPU and 16 on a GPU."
    )
    batch_wait_ms: Annotated[float, Field(ge=0, le=50)] = Field(
        3,
        description="Milliseconds that a batch that is not full waits for more utterances while "
        "others are being decoded.",
    )
    decode_workers: Annotated[int, Field(ge=0, le=64)] = Field(
        0,
        description="Decodes that run at the same time; 0 means one per CPU core, or two per GPU.",
    )
    decode_threads: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Threads per decode on a CPU; 0 divides the cores among the workers."
    )
    decode_patience_s: Seconds = Field(
        60,
        description="Seconds after which a decode that has not come back is given up. While one is "
        "missing, the service is not ready.",
    )
    max_sessions: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Concurrent voice sessions; 0 allows as many as this machine is measured to "
        "serve in time. More are refused: OVERLOADED, close code 1013.",
    )
    menu_bias: bool = Field(True, description="Bias recognition towards the words of the menu.")

    @field_validator("device_index", mode="before")
    @classmethod
    def _split_devices(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    def compute(self, device: Device) -> Compute:
        """Return how the model runs on a device."""
        return self._on_cpu() if device == "cpu" else self._on_gpu()

    def _on_cpu(self) -> Compute:
        """Give every core a decode of its own, each of a single utterance.

        With a small model, threads that share a decode lose more by waiting for each other than
        they gain, and so do utterances that share one.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        workers = self.decode_workers or cores
        return Compute(
            "cpu",
            "int8" if self.compute_type == "default" else self.compute_type,
            workers,
            self._batches(self.batch_size or 1, devices=1),
            threads=self.decode_threads or max(1, cores // workers),
        )

    def _on_gpu(self) -> Compute:
        """Give each GPU two workers: one prepares or reads a batch while the other's is decoded."""
        devices = len(self.device_index)
        return Compute(
            "cuda",
            self.compute_type,
            self.decode_workers or 2 * devices,
            self._batches(self.batch_size or 16, devices),
            devices=self.device_index,
        )

    def _batches(self, size: int, devices: int) -> BatchPolicy:
        wait = self.batch_wait_ms / 1000
        if size == 1:
            return BatchPolicy(size, wait, devices)
        return BatchPolicy(size, wait, devices, _CONTEXT_STEP_S, _PROMPT_STEP)


class DetectionSettings(BaseModel):
    """When speech begins and ends."""

    detector: DetectorKind = Field(
        "two-stage",
        description="Speech detector: `silero`, `webrtc`, or `two-stage` (webrtcvad as a gate in "
        "front of Silero).",
    )
    webrtc_mode: Annotated[int, Field(ge=0, le=3)] = Field(
        2,
        description="Aggressiveness of `webrtc` when it decides alone: 0 takes the most for "
        "speech, 3 the least.",
    )
    onset: Probability = Field(0.3, description="Speech probability at which speech begins.")
    offset: Probability = Field(0.2, description="Speech probability below which speech pauses.")
    confirm_ms: Moment = Field(96, description="Milliseconds of speech that begin an utterance.")
    hangover_ms: Milliseconds = Field(
        500, description="Milliseconds of pause that end an utterance."
    )
    finished_hangover_ms: Milliseconds = Field(
        320,
        description="Milliseconds of pause that end an utterance whose words make a complete order "
        "(without a menu: a complete sentence), if that is shorter than `hangover_ms`.",
    )
    finished_confidence: Probability = Field(
        0.7,
        description="Confidence that those words must have for `finished_hangover_ms` to apply.",
    )
    open_hangover_ms: Milliseconds = Field(
        900,
        description="Milliseconds of pause that end an utterance whose words break off, if that is "
        "longer than `hangover_ms`.",
    )
    short_hangover_ms: Milliseconds = Field(
        200, description="Milliseconds of pause that end an utterance longer than `soft_limit_ms`."
    )
    soft_limit_ms: Milliseconds = Field(
        15_000, description="Milliseconds of an utterance after which `short_hangover_ms` applies."
    )
    utterance_limit_ms: Annotated[int, Field(ge=1_000, le=28_000)] = Field(
        26_000,
        description="Longest utterance in milliseconds; a longer one is cut at its least "
        "speech-like recent moment.",
    )
    no_progress_ms: Milliseconds = Field(
        2_000,
        description="Milliseconds without a new word after which an utterance ends despite noise.",
    )
    pre_roll_ms: Moment = Field(
        320, description="Milliseconds of audio that are kept from before speech began."
    )
    post_roll_ms: Milliseconds = Field(
        192, description="Milliseconds of audio that are kept from after speech ended."
    )

    def endpointing(self) -> EndpointSettings:
        """Return when an utterance begins and ends, in frames."""
        return EndpointSettings(
            onset=self.onset,
            offset=self.offset,
            confirm=frames(self.confirm_ms),
            hangover=frames(self.hangover_ms),
            short_hangover=frames(self.short_hangover_ms),
            soft_limit=frames(self.soft_limit_ms),
            hard_limit=frames(self.utterance_limit_ms),
            cut_window=frames(_CUT_WINDOW_MS),
        )

    def turn_end_policy(self) -> TurnEndPolicy:
        """Return how long a pause must be, by the words before it, in frames."""
        return TurnEndPolicy(
            finished=frames(min(self.finished_hangover_ms, self.hangover_ms)),
            open=frames(max(self.open_hangover_ms, self.hangover_ms)),
            confidence=self.finished_confidence,
        )


class DecodingSettings(BaseModel):
    """When an utterance is decoded, and how sure the text must be."""

    first_partial_ms: Milliseconds = Field(
        256,
        description="Milliseconds of speech before the first partial.",
    )
    first_partial_retry_ms: Milliseconds = Field(
        128,
        description="Milliseconds of speech until the next attempt, if the first partial is too "
        "unsure to be sent.",
    )
    partial_interval_ms: Milliseconds = Field(
        400, description="Milliseconds of new audio before each further partial."
    )
    speculate_ms: Milliseconds = Field(
        128,
        description="Milliseconds of pause after which the final is decoded in advance, in case "
        "the pause lasts.",
    )
    # Bounds of confidence are on the decoder's own probabilities, before calibration.
    min_confidence: Probability = Field(
        0.05, description="A final with less confidence than this is taken for noise."
    )
    clear_speech: Probability = Field(
        0.6,
        description="An utterance is clear if its speech probability reached this value at least "
        "once.",
    )
    unclear_confidence: Probability = Field(
        0.6,
        description="Least confidence for the text of an utterance that is not clear. As long as "
        "nobody has been understood, speech that does not stand out also needs it to order.",
    )
    stand_out_db: Annotated[float, Field(ge=0, le=60)] = Field(
        4.0,
        description="Speech stands out if it is this many dB louder than its surroundings.",
    )
    faint_db: Annotated[float, Field(ge=0, le=60)] = Field(
        8.0,
        description="Speech is faint if it is this many dB quieter than the guest's when last "
        "understood. If it does not stand out, 3 dB are enough.",
    )
    faint_confidence: Probability = Field(
        0.85,
        description="Faint speech with less confidence than this is sent but orders nothing, "
        "because others may be talking in the background. 0 takes all speech for the guest's.",
    )
    min_partial_confidence: Probability = Field(
        0.05,
        description="The first partial of an utterance is held back if it has less confidence than "
        "this.",
    )

    def background(self) -> BackgroundSettings:
        """Return when speech may be somebody else's than the guest's."""
        return BackgroundSettings(
            stand_out_db=self.stand_out_db,
            faint_db=self.faint_db,
            faint_confidence=self.faint_confidence,
            unclear_confidence=self.unclear_confidence,
        )


class SessionBounds(BaseModel):
    """How long sessions wait, and how much audio they take."""

    reorder_chunks: Count = Field(
        256,
        description="A chunk this many sequences or more ahead of the next expected one is "
        "refused.",
    )
    gap_patience_s: Seconds = Field(
        1.5, description="Seconds to wait for a missing chunk before silence takes its place."
    )
    stall_s: Seconds = Field(
        3, description="Seconds without audio after which an utterance in progress is ended."
    )
    idle_s: Seconds = Field(
        120, description="Seconds without audio after which the session is ended."
    )
    store_patience_s: Seconds = Field(
        30,
        description="Seconds that finals and orders wait for a database that is away; after that, "
        "a person is called.",
    )
    resume_window_s: Seconds = Field(
        30, description="Seconds that a session waits for a lost connection to come back."
    )
    max_backlog_s: Seconds = Field(
        90,
        description="Seconds of audio that may wait for finals; more is refused with RATE_LIMITED.",
    )
    max_speed: Seconds = Field(
        8,
        description="Speed at which a session may send audio, as a multiple of real time, after a "
        "burst of 3 minutes.",
    )
    ending_s: Seconds = Field(
        60, description="Seconds that the last finals and the order may take after `voice:end`."
    )

    def session(self) -> SessionSettings:
        """Return the bounds of a session."""
        return SessionSettings(
            intake=IntakeSettings(
                capacity=self.reorder_chunks,
                gap_patience=self.gap_patience_s,
                max_backlog=self.max_backlog_s,
                max_speed=self.max_speed,
            ),
            stall=self.stall_s,
            idle=self.idle_s,
            resume_window=self.resume_window_s,
            ending=self.ending_s,
        )


# pydantic takes the fields of the last base first: the hub's, the model's, and so on. `--help` and
# the documents show them in this order.
class VoiceSettings(
    OrderSettings,
    SessionBounds,
    DecodingSettings,
    DetectionSettings,
    ModelSettings,
    HubSettings,
):
    """Settings of `voice-service serve`. Those about listening also apply to `transcribe`."""

    def listener(self) -> ListenerSettings:
        """Return how a session detects and decodes utterances, in frames."""
        return ListenerSettings(
            endpoint=self.endpointing(),
            pre_roll=frames(self.pre_roll_ms),
            post_roll=frames(self.post_roll_ms),
            first_partial=frames(self.first_partial_ms),
            first_partial_retry=frames(self.first_partial_retry_ms),
            partial_interval=frames(self.partial_interval_ms),
            speculate=frames(self.speculate_ms),
            turn_end_policy=self.turn_end_policy(),
            no_progress=frames(self.no_progress_ms),
            min_confidence=self.min_confidence,
            min_partial_confidence=self.min_partial_confidence,
            clear_speech=self.clear_speech,
            unclear_confidence=self.unclear_confidence,
            background=self.background(),
        )
