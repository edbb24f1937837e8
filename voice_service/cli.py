"""The command `voice-service`: its subcommands and their options."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from order_events import logs
from order_events.bus.factory import BusUnusable
from order_events.protocol.errors import OrderError
from order_events.server import why_not
from order_events.settings import HubSettings
from order_events.storage.database import DatabaseUnusable, UnknownSchema
from order_events.storage.sqlite import DataDirBusy
from voice_service.commands import access, webhooks
from voice_service.commands.options import (
    bearer,
    complain,
    option,
    settings_of,
    settings_options,
    within,
)
from voice_service.ordering.dialogue.policy import Thresholds
from voice_service.settings import VoiceSettings

Run = Callable[[argparse.Namespace], int]

_CHUNK_MS = (60, 1_400)
"""Shorter chunks exceed 1,000 messages a minute; longer ones exceed 64 KB as base64."""
_LISTENER_SETTINGS = (
    "log_level",
    *(name for name in VoiceSettings.model_fields if name not in HubSettings.model_fields),
)
_ORDERING_SETTINGS = tuple(field.name for field in fields(Thresholds))
_START_ERRORS = (
    BusUnusable,
    DataDirBusy,
    DatabaseUnusable,
    UnknownSchema,
    OrderError,
    OSError,
)
"""Errors that keep the service from starting, with a message for whoever starts it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 done, 1 failed, 2 wrong usage.

    If nobody reads standard output any more, print nothing and return 141, as any command before
    `head` in a pipeline does.
    """
    try:
        try:
            return _main(arguments)
        finally:
            # Flush here, where a failure can be handled, and not when the interpreter exits.
            print(end="", flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return 141


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    run: Run = options.run
    try:
        return run(options)
    except ImportError as error:
        # Only the light layer is installed.
        complain(f"{error.name} is not installed: run `pip install 'voice-ordering[tiny-en]'`")
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice-service",
        description="Turns spoken orders into live transcripts and orders. Every option is also an "
        "environment variable: VOICE_ and its name in capitals (VOICE_DATA_DIR, VOICE_URL).",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _serve(commands.add_parser("serve", help="run the service"))
    _demo(commands.add_parser("demo", help="run the service and place a recorded order"))
    access.token(commands.add_parser("token", help="issue a token and print it"))
    access.link(commands.add_parser("link", help="print a link that pairs one screen, once"))
    _stream(commands.add_parser("stream", help="stream recordings as a microphone would"))
    _mic(commands.add_parser("mic", help="stream this machine's microphone"))
    _transcribe(commands.add_parser("transcribe", help="transcribe recordings without a server"))
    _order(commands.add_parser("order", help="understand orders from text"))
    _menu(commands.add_parser("menu", help="check a menu, or convert it from or to CSV"))
    _webhooks(commands.add_parser("webhooks", help="manage webhooks at a running server"))
    _models(commands.add_parser("models", help="list, verify, fetch and add speech models"))
    return parser


# serve, demo


def _serve(parser: argparse.ArgumentParser) -> None:
    settings_options(parser)
    parser.set_defaults(run=_run_serve)


def _run_serve(options: argparse.Namespace) -> int:
    # Speech libraries take seconds to load, so only the commands that need them do so.
    from voice_service import server  # noqa: PLC0415
    from voice_service.models.registry import ModelError  # noqa: PLC0415

    settings = settings_of(options)
    logs.configure(settings.log_level)

    async def serve() -> None:
        async with server.running(settings, recognizer) as (_, address):
            print(f"Listening on {address}", file=sys.stderr, flush=True)
            await server.until_stopped()

    try:
        recognizer = server.prepare(settings)
        asyncio.run(serve())
    except (ModelError, *_START_ERRORS) as error:
        complain(why_not(error, settings))
        return 1
    return 0


def _demo(parser: argparse.ArgumentParser) -> None:
    option(parser, "--exit", action="store_true", help="exit after the recording")
    settings_options(parser)
    parser.set_defaults(run=_run_demo)


def _run_demo(options: argparse.Namespace) -> int:
    from voice_service import server  # noqa: PLC0415
    from voice_service.commands import demo  # noqa: PLC0415
    from voice_service.models.registry import ModelError  # noqa: PLC0415

    settings = settings_of(options)
    logs.configure("debug" if settings.log_level == "debug" else "warning")
    try:
        recognizer = server.prepare(settings)
        return asyncio.run(demo.run(settings, recognizer, stay=not options.exit))
    except BrokenPipeError:
        raise
    except (ModelError, *_START_ERRORS) as error:
        complain(why_not(error, settings))
        return 1


# stream, mic, transcribe


def _connection_options(parser: argparse.ArgumentParser) -> None:
    option(
        parser,
        "--url",
        default="ws://127.0.0.1:3001/voice-stream",
        help="URL of the socket (default: %(default)s)",
    )
    option(parser, "--token", type=bearer, required=True, help="a token with the role device")
    option(
        parser,
        "--language",
        default="en-US",
        help="BCP 47 tag of the language (default: %(default)s)",
    )
    option(parser, "--lane", help="lane that the guest is at")
    option(parser, "--table-id", help="table that the guest is at")
    option(
        parser,
        "--order",
        choices=["auto", "off"],
        default="auto",
        help="off: transcripts only, no order (default: %(default)s)",
    )
    option(
        parser,
        "--chunk-ms",
        type=within(int, *_CHUNK_MS),
        default=100,
        help=f"milliseconds per chunk, {_CHUNK_MS[0]} to {_CHUNK_MS[1]} (default: %(default)s)",
    )
    option(parser, "--jsonl", action="store_true", help="print every event as a line of JSON")


def _stream(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="recording: WAV, FLAC or Ogg"
    )
    _connection_options(parser)
    speed, shuffle, drop = within(float, 0, 1_000), within(int, 1, 1_000), within(float, 0, 1)
    option(parser, "--speed", type=speed, default=1.0, help="multiple of real time; 0: all at once")
    option(
        parser,
        "--shuffle",
        type=shuffle,
        default=1,
        metavar="N",
        help="shuffle chunks in groups of N",
    )
    option(
        parser, "--drop", type=drop, default=0.0, metavar="P", help="drop chunks with probability P"
    )
    parser.set_defaults(run=_run_stream)


def _run_stream(options: argparse.Namespace) -> int:
    from voice_service.commands import microphone  # noqa: PLC0415

    return microphone.stream_files(options, complain)


def _mic(parser: argparse.ArgumentParser) -> None:
    _connection_options(parser)
    option(parser, "--input", help="name or number of the microphone to use")
    parser.set_defaults(run=_run_mic)


def _run_mic(options: argparse.Namespace) -> int:
    from voice_service.commands import microphone  # noqa: PLC0415

    return microphone.stream_microphone(options, complain)


def _transcribe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="recording: WAV, FLAC or Ogg"
    )
    option(
        parser,
        "--language",
        default="en-US",
        help="BCP 47 tag of the language (default: %(default)s)",
    )
    option(parser, "--jsonl", action="store_true", help="print every event as a line of JSON")
    settings_options(parser, _LISTENER_SETTINGS)
    parser.set_defaults(run=_run_transcribe)


def _run_transcribe(options: argparse.Namespace) -> int:
    from voice_service import server  # noqa: PLC0415
    from voice_service.commands import transcribe  # noqa: PLC0415
    from voice_service.models.registry import ModelError  # noqa: PLC0415

    settings = settings_of(options)
    logs.configure(settings.log_level)
    try:
        recognizer = server.prepare(settings)
    except ModelError as error:
        complain(str(error))
        return 1
    return transcribe.transcribe_files(options, settings, recognizer, complain)


# order, models


def _order(parser: argparse.ArgumentParser) -> None:
    option(parser, "--menu", type=Path, required=True, help="menu, a JSON file")
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="one order per line: an utterance, or a JSON list of them (default: standard input)",
    )
    option(parser, "--jsonl", action="store_true", help="print every order as a line of JSON")
    option(
        parser,
        "--language",
        help="language of the guests, or several with commas between (default: the menu's)",
    )
    settings_options(parser, _ORDERING_SETTINGS)
    parser.set_defaults(run=_run_order)


def _run_order(options: argparse.Namespace) -> int:
    from voice_service.commands import order  # noqa: PLC0415

    return order.run(
        options.menu,
        options.file,
        jsonl=options.jsonl,
        tag=options.language,
        thresholds=settings_of(options).ordering(),
    )


def _menu(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    for action, does in (
        ("check", "report mistakes in a menu"),
        ("import", "convert a CSV table to a menu"),
        ("export", "convert a menu to a CSV table"),
    ):
        command = actions.add_parser(action, help=does)
        command.add_argument("file", type=Path)
        if action != "check":
            option(command, "--out", type=Path, help="file to write (default: standard output)")
    parser.set_defaults(run=_run_menu)


def _run_menu(options: argparse.Namespace) -> int:
    from voice_service.commands import menu_files  # noqa: PLC0415

    out = getattr(options, "out", None)
    return menu_files.run(options.action, options.file, out, complain)


def _webhooks(parser: argparse.ArgumentParser) -> None:
    webhooks.add_arguments(parser)
    parser.set_defaults(run=lambda options: webhooks.run(options, complain))


def _models(parser: argparse.ArgumentParser) -> None:
    option(parser, "--models-dir", type=Path, help="directory of the models")
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    actions.add_parser("list", help="list known models, and whether they are present")
    for action, does in (("verify", "check every byte of a model"), ("fetch", "fetch a model")):
        actions.add_parser(action, help=does).add_argument("name")
    add = actions.add_parser("add", help="copy a model of your own into the models directory")
    add.add_argument("name")
    add.add_argument("path", type=Path, help="directory with a CTranslate2 model")
    parser.set_defaults(run=_run_models)


def _run_models(options: argparse.Namespace) -> int:
    from voice_service.models import registry  # noqa: PLC0415

    directory = options.models_dir or registry.default_models_dir()
    try:
        if options.action == "list":
            print(registry.format_list(registry.list_models(directory)))
        elif options.action == "verify":
            verification = registry.verify(options.name, directory)
            print(registry.format_verification(verification))
            return 1 if verification.problems else 0
        elif options.action == "fetch":
            print(registry.format_list([registry.fetch(options.name, directory)]))
        else:
            print(registry.format_list([registry.add(options.name, options.path, directory)]))
    except registry.ModelError as error:
        complain(str(error))
        return 1
    return 0
