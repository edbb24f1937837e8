"""`python -m order_events.integrations.printing`: print a restaurant's orders."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from order_events.integrations.command import add_server, run_relay
from order_events.integrations.printing.printers import (
    PORT,
    DevicePrinter,
    NetworkPrinter,
    Paper,
    TicketPrinter,
)


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; return 1 if the server does not accept the token."""
    parser = argparse.ArgumentParser(
        prog="python -m order_events.integrations.printing",
        description="Prints each order once it is confirmed, its changes and its cancellation.",
    )
    add_server(parser, journal="printed.sqlite3")
    parser.add_argument(
        "--printer",
        required=True,
        help=f"its address (192.0.2.7, or with another port than {PORT}: 192.0.2.7:9101), or its "
        "device (/dev/usb/lp0)",
    )
    parser.add_argument(
        "--profile", default="default", help="its name in the database of python-escpos"
    )
    parser.add_argument(
        "--columns", type=int, help="characters in a line, if not as in the profile"
    )
    options = parser.parse_args(arguments)
    printer = TicketPrinter(_paper(options.printer), options.profile, options.columns)
    return run_relay(options, lambda http, hub: printer)


def _paper(named: str) -> Paper:
    if "/" in named:
        return DevicePrinter(Path(named))
    host, _, port = named.partition(":")
    return NetworkPrinter(host, int(port or PORT))


if __name__ == "__main__":
    sys.exit(main())
