"""`python -m order_events.integrations.square`: import a menu, or carry stock and orders."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import closing

import aiohttp

from order_events import logs
from order_events.integrations import point_of_sale
from order_events.integrations.command import add_server, run, token
from order_events.integrations.hub_api import HubApi, HubError
from order_events.integrations.journal import Journal
from order_events.integrations.point_of_sale import PosOutlet, Stock
from order_events.integrations.relay import NotAccepted, Relay, Unavailable
from order_events.integrations.square.api import PRODUCTION, SquareApi
from order_events.integrations.square.point_of_sale import Square

_TOKEN = "SQUARE_TOKEN"  # noqa: S105 (the name of a variable)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0 if it was done or stopped, 1 if it failed."""
    options = _parser().parse_args(arguments)
    secret = os.environ.get(_TOKEN)
    if not secret:
        raise SystemExit(f"set {_TOKEN}")
    logs.configure("info")
    work = _menu if options.action == "import-menu" else _run
    try:
        return run(work(options, secret))
    except (HubError, NotAccepted, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m order_events.integrations.square",
        description="Connects a restaurant with its Square location.",
    )
    parser.add_argument("action", choices=["import-menu", "run"])
    parser.add_argument("--location", required=True, help="id of the Square location")
    parser.add_argument("--square-url", default=PRODUCTION, help="(default: %(default)s)")
    parser.add_argument(
        "--stock-every", type=float, default=60, metavar="SECONDS", help="(default: 60)"
    )
    add_server(parser, journal="square.sqlite3")
    parser.epilog = f"{parser.epilog} {_TOKEN} is Square's access token."
    return parser


async def _menu(options: argparse.Namespace, secret: str) -> None:
    async with aiohttp.ClientSession() as http:
        square = Square(SquareApi(http, secret, options.square_url), options.location)
        notes = await point_of_sale.import_menu(square, HubApi(http, options.url, token))
    for note in notes:
        print(note, file=sys.stderr)


async def _run(options: argparse.Namespace, secret: str) -> None:
    with closing(Journal(options.journal)) as journal:
        async with aiohttp.ClientSession() as http:
            square = Square(SquareApi(http, secret, options.square_url), options.location)
            hub = HubApi(http, options.url, token)
            stock = asyncio.create_task(Stock(square, hub).run(options.stock_every))
            try:
                await Relay(options.url, token, hub, journal, PosOutlet(square)).run()
            finally:
                stock.cancel()


if __name__ == "__main__":
    sys.exit(main())
