"""Run the service until the process is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

from aiohttp import web

from order_events.app import EVENTS
from order_events.menu.menu import Menu
from order_events.server import Runner, listen
from voice_service.app import build_voice_app, load_recognizer
from voice_service.asr.compute import NoSuchDevice
from voice_service.asr.model_pair import ModelPair, SpeechRecognizer
from voice_service.asr.recognizer import Recognizer
from voice_service.models.registry import ModelError, default_models_dir, hub_unreachable, resolve
from voice_service.settings import VoiceSettings

DEMO_RESTAURANT = "demo"


def prepare(settings: VoiceSettings) -> SpeechRecognizer:
    """Find, check and load the model, or the two; raise ModelError with what to do if that fails.

    A final model that is the same as the model is not loaded twice.
    """
    model = _load(settings, settings.model, "--model")
    if settings.final_model in (None, settings.model):
        return model
    finals = _load(settings, settings.final_model, "--final-model")
    try:
        return ModelPair(model, finals)
    except ValueError as error:
        raise ModelError(
            f"{settings.model!r} and {settings.final_model!r}: {error}; check --final-model"
        ) from error


def model_name(settings: VoiceSettings) -> str:
    """Return the name of the model for clients, or the names of both, joined by a plus sign.

    A model given as a directory is shown by its last part: clients need not know our paths.
    """
    names = (settings.model, settings.final_model or settings.model)
    return "+".join(dict.fromkeys(Path(name).name for name in names))


def _load(settings: VoiceSettings, name: str, option: str) -> Recognizer:
    resolved = resolve(name, settings.models_dir or default_models_dir())
    try:
        return load_recognizer(settings, resolved)
    except (RuntimeError, ValueError, OSError) as error:
        # CTranslate2's message names the problem with the files, the device or the number format.
        if resolved.source == "hub" and not isinstance(error, NoSuchDevice):
            raise hub_unreachable(resolved.name, error) from error
        raise ModelError(
            f"model {name!r} cannot be loaded on {settings.device} as "
            f"{settings.compute_type}: {error}; check {option}, --device, --device-index "
            "and --compute-type"
        ) from error


def demo_menu() -> Menu:
    """Return the menu of the demo restaurant."""
    return Menu.model_validate_json(
        resources.files("voice_service").joinpath("demo_menu.json").read_bytes()
    )


@contextlib.asynccontextmanager
async def running(
    settings: VoiceSettings, recognizer: SpeechRecognizer
) -> AsyncIterator[tuple[web.Application, str]]:
    """Run the service; yield the application and its address, `http://host:port`.

    Gives the demo restaurant its menu if it has none. Raises OSError if the port is taken.
    """
    app = build_voice_app(settings, recognizer, model_name(settings))
    runner = Runner(app, settings)
    await runner.setup()
    try:
        events = app[EVENTS]
        if await events.menu(DEMO_RESTAURANT) is None:
            await events.put_menu(DEMO_RESTAURANT, demo_menu(), "voice-service")
        yield app, await listen(runner, settings)
    finally:
        await runner.cleanup()


async def until_stopped() -> None:
    """Wait until the process is asked to stop, by SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
