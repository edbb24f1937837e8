"""Orders from sound: recordings over `/voice-stream`, and the order that comes of them.

    spoken_orders.py --menu MENU.json --data DATA.jsonl --audio DIR [--noise FILE …] [--snr 6 12]
    spoken_orders.py --menu MENU.json --data DATA.jsonl --voices 6 --cache DIR [--noise FILE …]
    spoken_orders.py --menu MENU.json --nothing MANIFEST.jsonl [--noise FILE …]

Menu and data are of the format of `orders.py`; `audio` in a data line names its recording. The
service is a real one, in a process of its own, with the menu loaded over `PUT /v1/menu`. An order
is right if items, quantities, sizes and modifiers of the last `voice:order` are exactly the truth,
in any order; accepted if its status is `confirmed`.

--voices N    the utterances are spoken by N synthetic voices (fixtures/speech.py), kept in --cache
--nothing     recordings of people who order nothing, and the noises alone: orders must not arise
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shlex
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import (
    Recording,
    Service,
    active_span,
    finals,
    in_parallel,
    mixed,
    read_manifest,
    service,
)
from orders import EvalMenu, convert, names_only
from spoken_voices import VOICES, spoken_by

from order_events.menu.menu import Menu
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.audio.recordings import read_audio
from voice_service.client.stream import Event

_NOISE_ALONE_S = 15
_LEVELS = (1.0, 0.2)
"""Of a noise without speech: as it was recorded, and a fifth of it."""

Order = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A recording of an order, and the order expected of it."""

    recording: Recording
    said: str
    order: Order


@dataclass(frozen=True)
class Result:
    """One recording under one condition. `order` is in the format of the data."""

    id: str
    noise: str
    snr: float | None
    said: str
    heard: str
    right: bool
    status: str
    order: Order


def meaning(order: Iterable[Mapping[str, Any]], menu: EvalMenu) -> list[tuple[Any, ...]]:
    """Return what makes two orders the same. An accompaniment is an item, however it is written."""
    items = {item.id for item in menu.menu.items}
    told: list[tuple[Any, ...]] = []
    for line in order:
        beside = [m for m in line.get("modifiers", []) if m["name"] in items]
        modifiers = sorted(
            (
                "|".join(sorted(m["name"].split("|"))),
                m.get("qualifier") or "",
                bool(m.get("negated")),
                m.get("count") or 0,
            )
            for m in line.get("modifiers", [])
            if m["name"] not in items
        )
        told.append((line["item"], line.get("quantity") or 1, line.get("size") or "", modifiers))
        told += [(m["name"], 1, "", []) for m in beside]
    return sorted(told)


def understood(events: Sequence[tuple[float, Event]], menu: EvalMenu) -> tuple[Order, str]:
    """Return the order that the hub has at the end of a session, and its status."""
    orders = [event["data"] for _, event in events if event["type"] == "voice:order"]
    if not orders:
        return [], "listening"
    order = orders[-1]["order"] or {"items": []}
    return [_line(item, menu) for item in order["items"]], orders[-1]["status"]


def _line(item: Mapping[str, Any], menu: EvalMenu) -> dict[str, Any]:
    sizes = {size.id for size in menu.menu.sizes[:-1]}
    modifiers = [
        {
            "name": menu.modifiers[m["id"]][0],
            "qualifier": m["qualifier"],
            "negated": m["negated"],
            "count": menu.modifiers[m["id"]][1],
        }
        for m in item["modifiers"]
    ]
    return {
        "item": item["menu_item_id"],
        "quantity": item["quantity"],
        "size": item["size"] if item["size"] in sizes else None,
        "modifiers": modifiers,
    }


def send_menu(to: Service, menu: Menu) -> None:
    """Send the menu with PUT /v1/menu, as an operator does."""
    request = urllib.request.Request(
        to.url.replace("ws", "http", 1).removesuffix("/voice-stream") + "/v1/menu",
        data=menu.model_dump_json().encode(),
        headers={"Authorization": f"Bearer {to.token}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


async def order_all(
    to: Service,
    menu: EvalMenu,
    cases: Sequence[Case],
    condition: tuple[str, float | None, Samples | None],
    arguments: argparse.Namespace,
) -> list[Result]:
    """Run every case under one condition; return the results in order."""
    name, snr, noise = condition
    audio = [mixed(c.recording, noise, snr, i) for i, c in enumerate(cases)]
    results: list[Result | None] = [None] * len(cases)
    async for index, events in in_parallel(
        to, audio, arguments.streams, speed=arguments.speed, options={"order": "auto"}
    ):
        case = cases[index]
        order, status = understood(events, menu)
        results[index] = Result(
            case.recording.name,
            name,
            snr,
            case.said,
            _heard(events),
            meaning(order, menu) == meaning(case.order, menu),
            status,
            order,
        )
    return [r for r in results if r is not None]


def _heard(events: Sequence[tuple[float, Event]]) -> str:
    return " / ".join(event["data"]["text"] for _, event in finals(events))


def recorded(rows: Iterable[Mapping[str, Any]], folder: Path) -> list[Case]:
    """Return the cases whose recordings are in a folder."""
    cases = []
    for row in rows:
        samples = read_audio(folder / row["audio"])
        recording = Recording(row["id"], row["utterance"], samples, *active_span(samples))
        cases.append(Case(recording, row["utterance"], row["order"]))
    return cases


def synthetic(rows: Sequence[Mapping[str, Any]], voices: int, cache: Path) -> list[Case]:
    """Return each utterance by each of a number of voices."""
    named = list(VOICES)[:voices]
    spoken = spoken_by(named, [row["utterance"] for row in rows], cache)
    cases = []
    for voice, samples, row in (
        (voice, spoken[voice, row["utterance"]], row) for voice in named for row in rows
    ):
        name = f"{row['id']} {voice}"
        recording = Recording(name, row["utterance"], samples, *active_span(samples))
        cases.append(Case(recording, row["utterance"], row["order"]))
    return cases


def report(results: Sequence[Result], *, show: bool) -> None:
    """Print a line of the table, and what went wrong."""
    first, count = results[0], len(results)
    right = sum(r.right for r in results)
    accepted = sum(r.status == "confirmed" for r in results)
    wrong = sum(r.status == "confirmed" and not r.right for r in results)
    level = "clean" if first.snr is None else f"{first.snr:g} dB"
    print(
        f"{first.noise:24} {level:>6}  {_share(right, count)}  {_share(accepted, count)}"
        f"  {_share(wrong, count)}  of {count}",
        flush=True,
    )
    for result in results if show else []:
        if not result.right:
            print(f"    said  {result.said}\n    heard {result.heard}  [{result.status}]")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):7.1f}"


def summary(results: Sequence[Result]) -> None:
    """Print the means that are published for such tasks."""
    noisy = [r for r in results if r.snr is not None]
    if noisy:
        right = sum(r.right for r in noisy)
        wrong = sum(r.status == "confirmed" and not r.right for r in noisy)
        print(f"{'mean over noises':24} {'':6}  {_share(right, len(noisy))}", end="")
        print(f"  {'':7}  {_share(wrong, len(noisy))}  of {len(noisy)}")


async def nothing(to: Service, menu: EvalMenu, arguments: argparse.Namespace) -> None:
    """Stream what orders nothing and count the orders."""
    audio = [(r.name, r.text, mixed(r, None, None, 0)) for r in _small_talk(arguments)]
    for path in arguments.noise:
        noise = read_audio(path)[: _NOISE_ALONE_S * SAMPLE_RATE]
        audio += [(path.stem, "(noise)", level * noise) for level in _LEVELS]
    orders = asked = 0
    sounds = [samples for _, _, samples in audio]
    async for index, events in in_parallel(
        to, sounds, arguments.streams, speed=arguments.speed, options={"order": "auto"}
    ):
        order, status = understood(events, menu)
        orders += bool(order)
        asked += not order and status != "listening"
        if order:
            name, said, _ = audio[index]
            items = ", ".join(line["item"] for line in order)
            print(f"    {name}: {items} [{status}]\n    said  {said}\n    heard {_heard(events)}")
    print(f"{len(audio)} that order nothing: orders from {orders}, asked or to staff {asked}")


def _small_talk(arguments: argparse.Namespace) -> list[Recording]:
    found = read_manifest(arguments.nothing, without=arguments.without)
    return random.Random(arguments.seed).sample(found, min(len(found), arguments.sample))


async def measure(to: Service, menu: EvalMenu, arguments: argparse.Namespace) -> None:
    """Measure all conditions, one after the other."""
    text = arguments.data.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    rows = random.Random(arguments.seed).sample(rows, min(len(rows), arguments.sample))
    if arguments.voices:
        cases = synthetic(rows, arguments.voices, arguments.cache)
    else:
        cases = recorded(rows, arguments.audio)
    conditions: list[tuple[str, float | None, Samples | None]] = []
    if not arguments.no_clean:
        conditions.append(("-", None, None))
    for path in arguments.noise:
        noise = read_audio(path)
        conditions += [(path.stem, snr, noise) for snr in arguments.snr]
    print(f"{len(rows)} utterances, {len(cases)} recordings, model {arguments.model}; %")
    print(f"{'noise':24} {'SNR':>6}  {'right':>7}  {'accept.':>7}  {'…wrong':>7}")
    results: list[Result] = []
    for condition in conditions:
        fresh = await order_all(to, menu, cases, condition, arguments)
        report(fresh, show=arguments.show)
        results += fresh
        if arguments.out:
            lines = [json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in results]
            arguments.out.write_text("".join(lines), encoding="utf-8")
    summary(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--menu", type=Path, required=True)
    parser.add_argument("--names-only", action="store_true", help="the menu without its aliases")
    parser.add_argument("--data", type=Path, help="JSONL of utterances and orders")
    parser.add_argument("--audio", type=Path, help="the folder that `audio` in the data is in")
    parser.add_argument("--voices", type=int, default=0, help=f"up to {len(VOICES)}")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "voice-fixtures")
    parser.add_argument("--nothing", type=Path, help="a manifest of recordings (`file`, `text`)")
    parser.add_argument("--without", nargs="*", default=["barista"], help="its sets to leave out")
    parser.add_argument("--noise", type=Path, nargs="*", default=[])
    parser.add_argument("--snr", type=float, nargs="*", default=[6, 9, 12, 15, 18, 21, 24])
    parser.add_argument("--no-clean", action="store_true", help="the noises only")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--sample", type=int, default=10_000, help="so many utterances")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--speed", type=float, default=4.0, help="times real time, at most 8")
    parser.add_argument("--out", type=Path, help="JSONL with every result")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    parser.add_argument("--serve", default="", help="options of `voice-service serve`, quoted")
    return parser


def main() -> None:
    """Run the command line."""
    parser = _parser()
    arguments = parser.parse_args()
    if not arguments.nothing and not (arguments.data and (arguments.audio or arguments.voices)):
        parser.error("give --data with --audio or --voices, or --nothing")
    source = json.loads(arguments.menu.read_text(encoding="utf-8"))
    menu = convert(names_only(source) if arguments.names_only else source)
    options = ["--model", arguments.model, *shlex.split(arguments.serve)]
    with service(options, role="manager") as to:
        send_menu(to, menu.menu)
        asyncio.run(
            nothing(to, menu, arguments) if arguments.nothing else measure(to, menu, arguments)
        )


if __name__ == "__main__":
    main()
