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
from voice_service.asr.recognizer import Recognizer
from voice_service.models.registry import ModelError, default_models_dir, hub_unreachable, resolve
from voice_service.settings import VoiceSettings

DEMO_RESTAURANT = "demo"


def prepare(settings: VoiceSettings) -> Recognizer:
    """Find, check and load the model; raise ModelError with the command to run if that fails."""
    resolved = resolve(settings.model, settings.models_dir or default_models_dir())
    try:
        return load_recognizer(settings, resolved)
    except (RuntimeError, ValueError, OSError) as error:
        # CTranslate2's message names the problem with the files, the device or the number format.
        if resolved.source == "hub" and not isinstance(error, NoSuchDevice):
            raise hub_unreachable(resolved.name, error) from error
        raise ModelError(
            f"model {settings.model!r} cannot be loaded on {settings.device} as "
            f"{settings.compute_type}: {error}; check --model, --device, --device-index "
            "and --compute-type"
        ) from error


def demo_menu() -> Menu:
    """Return the menu of the demo restaurant."""
    return Menu.model_validate_json(
        resources.files("voice_service").joinpath("demo_menu.json").read_bytes()
    )


@contextlib.asynccontextmanager
async def running(
    settings: VoiceSettings, recognizer: Recognizer
) -> AsyncIterator[tuple[web.Application, str]]:
    """Run the service; yield the application and its address, `http://host:port`.

    Gives the demo restaurant its menu if it has none. Raises OSError if the port is taken.
    """
    # A model given as a directory is shown by its name: clients need not know our paths.
    app = build_voice_app(settings, recognizer, Path(settings.model).name)
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
