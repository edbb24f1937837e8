"""`voice-service webhooks`: manage a restaurant's webhooks at a running server."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from voice_service.commands.options import bearer, option

_TIMEOUT_S = 30.0
_ACTIONS = (
    ("list", "list the webhooks, and what keeps them from delivering"),
    ("add", "have events sent to an address; prints the secret"),
    ("remove", "delete a webhook"),
    ("enable", "switch a webhook on again; it continues where it stopped"),
    ("disable", "switch a webhook off"),
    ("rotate", "give a webhook a new secret; the old one stays valid for a day"),
    ("test", "send a test and say what came of it"),
)

Json = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of the command."""
    option(parser, "--url", default="http://127.0.0.1:3001", help="address of the server")
    option(parser, "--token", type=bearer, required=True, help="token of a manager or a service")
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    for action, does in _ACTIONS:
        command = actions.add_parser(action, help=does)
        if action == "add":
            command.add_argument("address", help="https:// address that takes the events")
            command.add_argument("events", nargs="*", help="names or patterns (default: all)")
        elif action != "list":
            command.add_argument("id", help="id of the webhook")


def run(options: argparse.Namespace, complain: Callable[[str], None]) -> int:
    """Run the command; return the exit status."""
    try:
        return _run(options, complain)
    except urllib.error.HTTPError as error:
        complain(_reason(error))
    except OSError as error:
        complain(f"no answer from {options.url}: {error}")
    return 1


def _run(options: argparse.Namespace, complain: Callable[[str], None]) -> int:
    path = "/v1/webhooks" if options.action in ("list", "add") else f"/v1/webhooks/{options.id}"
    match options.action:
        case "list":
            for webhook in _ask(options, "GET", path)["webhooks"]:
                print(_line(webhook))
        case "add":
            draft = {"url": options.address, "events": options.events or ["*"]}
            _show_secret(_ask(options, "POST", path, draft))
        case "rotate":
            _show_secret(_ask(options, "POST", f"{path}/secret", {}))
        case "test":
            answer = _ask(options, "POST", f"{path}/test", {})
            if not answer["delivered"]:
                complain(answer["problem"])
                return 1
            print(f"delivered: {answer['status']}")
        case "remove":
            print(_line(_ask(options, "DELETE", path)["webhook"]))
        case _:
            change = {"enabled": options.action == "enable"}
            print(_line(_ask(options, "PATCH", path, change)["webhook"]))
    return 0


def _ask(options: argparse.Namespace, method: str, path: str, body: Json | None = None) -> Json:
    request = urllib.request.Request(  # noqa: S310  the address is the user's own
        options.url.rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {options.token}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        content: Json = json.load(answer)
        return content


def _show_secret(answer: Json) -> None:
    print(f"{_line(answer['webhook'])}\nsecret, shown this once: {answer['secret']}")


def _line(webhook: Json) -> str:
    state = "on" if webhook["enabled"] else "off"
    problem = f"  {webhook['problem']}" if webhook["problem"] else ""
    events = ",".join(webhook["events"])
    return f"{webhook['id']}  {state:3}  {webhook['url']}  {events}{problem}"


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        message: str = json.load(error)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code}"
    return message
