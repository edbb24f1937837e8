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

from order_events.settings import Count, HubSettings, Seconds
from voice_service.asr.batching import BatchPolicy
from voice_service.asr.compute import Compute, Device, DeviceChoice
from voice_service.audio.intake import IntakeSettings
from voice_service.ordering import Thresholds
from voice_service.ordering.dialogue.policy import DEFAULT
from voice_service.sessions.machine import SessionSettings
from voice_service.utterances.background import BackgroundSettings
from voice_service.utterances.endpointing import EndpointSettings
from voice_service.utterances.settings import ListenerSettings, frames
from voice_service.utterances.turn_end import TurnEndPolicy
from voice_service.utterances.vad import DetectorKind

Milliseconds = Annotated[int, Field(ge=1, le=60_000)]
Moment = Annotated[int, Field(ge=1, le=1_500)]
"""Milliseconds added to an utterance: even the longest must fit into one decode, 30 s."""
Probability = Annotated[float, Field(ge=0, le=1)]
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
        description="A name of the models manifest, a faster-whisper name, or a directory with a "
        "CTranslate2 model.",
    )
    models_dir: Path | None = Field(None, description="Where fetched models are kept.")
    device: DeviceChoice = Field(
        "cpu", description="Where the model runs; `auto` takes a GPU if there is one."
    )
    device_index: Annotated[tuple[DeviceIndex, ...], NoDecode, Field(min_length=1)] = Field(
        (0,), description="Which GPUs, separated by commas, counted from 0."
    )
    compute_type: NumberFormat = Field(
        "default",
        description="Number format of the weights, as CTranslate2 names it; `default` is int8 on a "
        "CPU and what the model was saved in on a GPU.",
    )
    batch_size: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Utterances decoded together at most; 0 is 1 on a CPU and 16 on a GPU."
    )
    batch_wait_ms: Annotated[float, Field(ge=0, le=50)] = Field(
        3,
        description="How long a batch that is not full waits for company while others are decoded.",
    )
    decode_workers: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Decodes at the same time; 0 is one per core of a CPU, two per GPU."
    )
    decode_threads: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Threads of one decode on a CPU; 0 shares the cores between the workers."
    )
    max_sessions: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Voice sessions at a time; 0 allows as many as this machine is measured to "
        "serve in time. Beyond it: OVERLOADED, 1013.",
    )
    menu_bias: bool = Field(True, description="Let the menu's words be heard more easily.")

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
        description="`silero`, `webrtc`, or `two-stage`: webrtcvad as the gate in front of Silero.",
    )
    webrtc_mode: Annotated[int, Field(ge=0, le=3)] = Field(
        2, description="How little `webrtc` takes for speech, when it decides alone."
    )
    onset: Probability = Field(0.3, description="Speech probability at which speech begins.")
    offset: Probability = Field(0.2, description="Speech probability below which it pauses.")
    confirm_ms: Moment = Field(96, description="Speech of this length begins an utterance.")
    hangover_ms: Milliseconds = Field(500, description="A pause of this length ends an utterance.")
    finished_hangover_ms: Milliseconds = Field(
        320,
        description="The same, at most, after words that are a whole order; without a menu, a "
        "sentence.",
    )
    finished_confidence: Probability = Field(0.7, description="How sure those words must be.")
    open_hangover_ms: Milliseconds = Field(
        900, description="The same, at least, after words that break off."
    )
    short_hangover_ms: Milliseconds = Field(
        200, description="The same once the utterance is longer than `soft_limit_ms`."
    )
    soft_limit_ms: Milliseconds = Field(15_000, description="See `short_hangover_ms`.")
    utterance_limit_ms: Annotated[int, Field(ge=1_000, le=28_000)] = Field(
        26_000, description="A longer utterance is cut at its quietest recent moment."
    )
    no_progress_ms: Milliseconds = Field(
        2_000, description="Without a new word for this long, an utterance ends despite noise."
    )
    pre_roll_ms: Moment = Field(320, description="Audio kept from before speech began.")
    post_roll_ms: Milliseconds = Field(192, description="Audio kept from after speech ended.")

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
        description="Speech of this length gets its first partial; if that is too unsure, the next "
        "try comes as soon.",
    )
    partial_interval_ms: Milliseconds = Field(
        400, description="New audio that a further partial takes."
    )
    speculate_ms: Milliseconds = Field(
        192, description="After a pause of this length the final is tried, in case it lasts."
    )
    # Bounds of confidence are on the decoder's own probabilities, before calibration.
    min_confidence: Probability = Field(
        0.05, description="A final less sure than this is taken for noise."
    )
    clear_speech: Probability = Field(
        0.6, description="An utterance is clear if the detector was this sure of speech once."
    )
    unclear_confidence: Probability = Field(
        0.6,
        description="The least confidence for the text of an utterance that is not, and for an "
        "order before anybody was understood by speech that does not stand out.",
    )
    stand_out_db: Annotated[float, Field(ge=0, le=60)] = Field(
        4.0,
        description="Speech stands out if it is so much louder than its surroundings.",
    )
    faint_db: Annotated[float, Field(ge=0, le=60)] = Field(
        8.0,
        description="Speech is faint if it is so much below the guest's that was understood last; "
        "if it does not stand out, from 3 dB on.",
    )
    faint_confidence: Probability = Field(
        0.85,
        description="Faint speech less sure than this is told, and orders nothing: others may be "
        "talking in the background. 0 takes all speech for the guest's.",
    )
    min_partial_confidence: Probability = Field(
        0.05, description="An utterance's first partial less sure than this is held back."
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
        256, description="How many sequences ahead of the next one a chunk may arrive."
    )
    gap_patience_s: Seconds = Field(
        1.5, description="How long a missing chunk is waited for before silence takes its place."
    )
    stall_s: Seconds = Field(
        3, description="When no audio has come for this long, an utterance in progress is ended."
    )
    idle_s: Seconds = Field(
        120, description="When no audio has come for this long, the session is ended."
    )
    resume_window_s: Seconds = Field(
        30, description="How long a session waits for a lost connection to come back."
    )
    max_backlog_s: Seconds = Field(
        90, description="Seconds of audio that may wait for finals before more is refused."
    )
    max_speed: Seconds = Field(
        8,
        description="Times real time at which a session may send, after a burst of 3 minutes.",
    )
    ending_s: Seconds = Field(
        60, description="How long the last finals and the order may take after `voice:end`."
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


class OrderSettings(BaseModel):
    """Which orders need a question or a person."""

    item_confidence: Probability = Field(
        DEFAULT.item_confidence,
        description="An item understood less surely than this is asked about.",
    )
    menu_doubt: Probability = Field(
        DEFAULT.menu_doubt,
        description="Factor of the odds that a word of the menu was misheard.",
    )
    most_of_item: Count = Field(
        DEFAULT.most_of_item,
        description="An order of more of one item than this goes to a person.",
    )
    most_items: Count = Field(
        DEFAULT.most_items, description="An order of more items than this goes to a person."
    )
    most_total: Count = Field(
        DEFAULT.most_total,
        description="An order of more cents than this, before tax, goes to a person.",
    )
    misunderstood: Count = Field(
        DEFAULT.misunderstood,
        description="So many utterances in a row without effect, and a person takes over.",
    )

    def ordering(self) -> Thresholds:
        """Return when an order is accepted, asked about, or handed to a person."""
        return Thresholds(
            item_confidence=self.item_confidence,
            menu_doubt=self.menu_doubt,
            most_of_item=self.most_of_item,
            most_items=self.most_items,
            most_total=self.most_total,
            misunderstood=self.misunderstood,
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
    """Settings of `voice-service serve`. Those of listening apply to `transcribe` as well."""

    def listener(self) -> ListenerSettings:
        """Return how a session detects and decodes utterances, in frames."""
        return ListenerSettings(
            endpoint=self.endpointing(),
            pre_roll=frames(self.pre_roll_ms),
            post_roll=frames(self.post_roll_ms),
            first_partial=frames(self.first_partial_ms),
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
