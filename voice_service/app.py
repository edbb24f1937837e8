"""The whole service as one aiohttp application: the hub's, extended by `/voice-stream`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from order_events.app import AUTHENTICATOR, REGISTRY, TAKE_OVER, add_socket, build_app
from order_events.http.serving import add_routes
from order_events.metrics import HubMetrics
from order_events.operations import CHANNELS, READINESS
from order_events.service import OrderEvents
from voice_service.asr.capacity import Capacity
from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.model_pair import SpeechRecognizer
from voice_service.asr.recognizer import Recognizer
from voice_service.asr.scheduler import Scheduler
from voice_service.asr.self_test import keep_tested
from voice_service.asr.whisper import Whisper, resolve_device
from voice_service.audio.formats import SAMPLE_RATE
from voice_service.audio.recordings import demo_recording, read_audio
from voice_service.metrics import VoiceMetrics
from voice_service.models.registry import ResolvedModel
from voice_service.ordering.language.loader import language
from voice_service.protocol import payloads
from voice_service.sessions import preview_api, voice_api
from voice_service.sessions.preview_api import PreviewApi
from voice_service.sessions.registry import SessionProfile, SessionRegistry, SpeechModel
from voice_service.sessions.runner import SessionServices
from voice_service.sessions.socket import VoiceApplication
from voice_service.sessions.takeover import LocalSessions
from voice_service.sessions.voice_api import VoiceApi
from voice_service.settings import VoiceSettings
from voice_service.speech import synthesis
from voice_service.utterances.vad import DetectorFactory

CAPACITY = web.AppKey("CAPACITY", Capacity)

_TURN_S = 6.0
"""Seconds of speech and pause, on average, per first partial and final."""
_SILENCE_TO_SPEECH = 1.5
"""How many times longer than silence speech takes to decode, as it has words. Includes finals that
are tried in vain."""
_GREETING = language("en").texts["greeting"]
"""What guests are told first, in the language of the voice."""
_TEST_S = 5
"""Seconds of the demo's recording that a suspicious recogniser must hear words in, …"""
_TEST_EVERY_S = 10.0
"""… and how often."""


def load_recognizer(settings: VoiceSettings, model: ResolvedModel) -> Recognizer:
    """Load a model with the given settings and warm it up, so that the first guest need not wait.

    Blocks for seconds. Raises what CTranslate2 raises: RuntimeError, ValueError or OSError.
    """
    whisper = Whisper(model.location, settings.compute(resolve_device(settings.device)))
    return Recognizer(whisper, model.calibration, model.languages)


def build_voice_app(
    settings: VoiceSettings, recognizer: SpeechRecognizer, model_name: str
) -> web.Application:
    """Return the service around a loaded recogniser; `model_name` is shown to clients."""
    metrics = HubMetrics()
    events = OrderEvents(settings, metrics)
    voice_metrics = VoiceMetrics(metrics.registry)
    compute = recognizer.compute
    capacity = Capacity(compute.workers, _SILENCE_TO_SPEECH * recognizer.cost / _TURN_S)
    scheduler = Scheduler(
        recognizer,
        compute.workers,
        compute.batches,
        voice_metrics,
        capacity,
        settings.decode_patience_s,
    )
    own_voice = synthesis.Voice() if synthesis.installed() else None
    sessions = SessionRegistry(
        profile=SessionProfile(
            session=settings.session(),
            listener=settings.listener(),
            policy=settings.ordering(),
            max_sessions=settings.max_sessions,
            menu_bias=settings.menu_bias,
        ),
        model=SpeechModel(model_name, recognizer.languages),
        detectors=DetectorFactory(settings.detector, settings.webrtc_mode),
        capacity=capacity,
        services=SessionServices(
            events, scheduler, voice_metrics, settings.store_patience_s, own_voice
        ),
    )
    app = build_app(settings, events)
    app[CAPACITY] = capacity
    app[CHANNELS][:] = payloads.CHANNELS
    registry = app[REGISTRY]
    registry.when_stopping.append(sessions.end_all)
    add_socket(app, "/voice-stream", VoiceApplication(sessions, settings.shutdown_grace_s), "voice")

    local = LocalSessions(sessions, events.ledger)
    app[TAKE_OVER].local = local
    events.upkeep.session_changed.append(local.changed)
    routes = preview_api.ROUTES
    add_routes(app, PreviewApi(events, settings.ordering()), routes, app[AUTHENTICATOR])

    add_routes(app, VoiceApi(sessions), voice_api.ROUTES, app[AUTHENTICATOR])

    app[READINESS].append(lambda: scheduler.watchdog.trouble)

    async def voice(app: web.Application) -> AsyncIterator[None]:
        testing = asyncio.create_task(
            keep_tested(scheduler, _known_speech(recognizer), _TEST_EVERY_S)
        )
        # The voice is loaded before the first guest comes, and what they are told first is ready.
        greeting = None if own_voice is None else asyncio.create_task(own_voice.pcm(_GREETING))
        yield
        if greeting is not None:
            greeting.cancel()
        testing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await testing
        await sessions.drain(registry.remaining)
        await scheduler.close(registry.remaining())
        if own_voice is not None:
            own_voice.close()

    # After the hub's own context, so that this one is left before the store is closed.
    app.cleanup_ctx.append(voice)
    return app


def _known_speech(recognizer: SpeechRecognizer) -> DecodeRequest:
    """Return a recording in which every Whisper model hears some words, in whatever language."""
    samples = read_audio(demo_recording())[: _TEST_S * SAMPLE_RATE]
    language = "en" if "en" in recognizer.languages else min(recognizer.languages)
    return DecodeRequest(samples, language, thorough=True)
