"""Spoken conversations from sound to order: what came of each, and which are silently wrong.

    speech_cases.py --data MANIFEST.jsonl [--menu MENU.json] [--model tiny.en] [--final-model base]

Each line of the manifest is one guest: `file` (a recording, relative to the manifest), `utterances`
(what is said) and `order`, in words: "2 cheeseburger, 1 coca_cola small" with the ids of the menu;
"…, or a question" where asking is as good; "a question or a person" where there must be no order
without one; or the code of the reason that must be given ("staff_requested"). What follows a
semicolon is for readers. Recordings are streamed to a real service, whose demo restaurant has the
demo's menu or the one given here. An order is silently wrong if it was confirmed and is not as
expected.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import Service, finals, in_parallel, service, silence
from spoken_orders import send_menu

from order_events.menu.diagnostics import read_menu
from voice_service.audio.recordings import read_audio
from voice_service.client.stream import Event
from voice_service.server import DEMO_RESTAURANT

_LINE = re.compile(r"(\d+) (\w+)(?: (\w+))?")
_OR_ASK = re.compile(r",? or a question$")
_ASK = "a question or a person"
_PAUSE_S = 2.0

Line = tuple[str, str | None]
"""The ids of an item and its size."""


@dataclass(frozen=True)
class Expected:
    """The order that must come of a conversation. With `may_ask`, a question is as good.

    `reason` must be given, if it is set; then the order is not compared.
    """

    cart: Counter[Line]
    may_ask: bool
    reason: str | None = None

    def verdict(self, cart: Counter[Line], status: str, reasons: Sequence[str]) -> str:
        """Return `right`, `asked` where an order was expected, or `silently wrong`."""
        if self.reason is not None:
            return "right" if self.reason in reasons else "silently wrong"
        if status == "confirmed":
            return "right" if self.cart and cart == self.cart else "silently wrong"
        return "right" if self.may_ask else "asked"


def expected(text: str) -> Expected:
    """Return what the words for an order mean; raises ValueError."""
    wanted = text.partition(";")[0].strip()
    if wanted == _ASK:
        return Expected(Counter(), may_ask=True)
    if re.fullmatch(r"[a-z_]+", wanted):
        return Expected(Counter(), may_ask=True, reason=wanted)
    may_ask = bool(_OR_ASK.search(wanted))
    cart: Counter[Line] = Counter()
    for part in _OR_ASK.sub("", wanted).split(", "):
        found = _LINE.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no line of an order: write “2 cheeseburger large”")
        cart[found[2], found[3]] += int(found[1])
    return Expected(cart, may_ask)


def outcome(events: Sequence[tuple[float, Event]]) -> tuple[Counter[Line], str, list[str]]:
    """Return the cart at the end of a session, its status and the codes of its reasons."""
    told = [event["data"] for _, event in events if event["type"] == "voice:order"]
    if not told:
        return Counter(), "listening", []
    last = told[-1]
    cart: Counter[Line] = Counter()
    for item in (last["order"] or {"items": []})["items"]:
        cart[item["menu_item_id"], item["size"]] += item["quantity"]
    reasons = {reason["code"] for data in told for reason in data["reasons"]}
    return cart, last["status"], sorted(reasons)


async def run(to: Service, rows: Sequence[dict[str, Any]], folder: Path, speed: float) -> None:
    """Print what came of each conversation, and the sums."""
    audio = [np.concatenate([read_audio(folder / r["file"]), silence(_PAUSE_S)]) for r in rows]
    verdicts: Counter[str] = Counter()
    async for index, events in in_parallel(to, audio, 1, speed=speed, options={"order": "auto"}):
        row = rows[index]
        cart, status, reasons = outcome(events)
        verdict = expected(row["order"]).verdict(cart, status, reasons)
        verdicts[verdict] += 1
        lines = ", ".join(" ".join(filter(None, (str(n), *line))) for line, n in cart.items())
        print(f"{row['file']}: {verdict}")
        print(f"    said     {' / '.join(row['utterances'])}")
        print(f"    heard    {' / '.join(event['data']['text'] for _, event in finals(events))}")
        print(f"    expected {row['order']}")
        print(f"    got      {lines or 'nothing'} [{status}; {', '.join(reasons) or '-'}]")
    kinds = ("right", "asked", "silently wrong")
    print(f"{len(rows)} conversations:", ", ".join(f"{verdicts[kind]} {kind}" for kind in kinds))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--menu", type=Path, help="in the product's own format")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--final-model")
    parser.add_argument("--speed", type=float, default=2.0, help="times real time, at most 8")
    parser.add_argument("--serve", default="", help="options of `voice-service serve`, quoted")
    arguments = parser.parse_args()
    text = arguments.data.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    options = ["--model", arguments.model, *shlex.split(arguments.serve)]
    if arguments.final_model:
        options += ["--final-model", arguments.final_model]
    with service(options, restaurant=DEMO_RESTAURANT, role="manager") as to:
        if arguments.menu:
            send_menu(to, read_menu(arguments.menu.read_bytes()))
        asyncio.run(run(to, rows, arguments.data.parent, arguments.speed))


if __name__ == "__main__":
    main()
