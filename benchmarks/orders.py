"""Order understanding on an evaluation set: menu and data in, predictions out.

    orders.py --menu MENU.json --data DATA.jsonl --out PRED.jsonl [--stress WHAT …] [--seed N]

The menu format: `items [{id, category, aliases}]`, `modifier_groups {group: [{id, aliases,
count?}]}`, `sizes [{id, aliases}]`, `allowed {category: [group, …, "size"]}`, `category_words`.
Each data line has `id` and `utterance`. Each prediction has `id`, `order` and `status`.

--items 300           the menu padded with items made of its own names, to measure time with
--stress names-only   the menu without its aliases
--stress fillers      "um", "like", "you know" and politeness put in
--stress noise 10     one word in ten misheard: left out, changed, or one put in
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from order_events.menu.entries import Category, MenuItem, Modifier, ModifierGroup, Size
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.ordering.cart.lines import Line

# The format has no default size and nobody is asked for one, so there is a size that says so.
_NO_SIZE = Size(id="(none)", name="(none)")
_COUNT_MARK = "#"


@dataclass(frozen=True)
class EvalMenu:
    """A converted menu, and the count that each modifier id of ours stands for in the format."""

    menu: Menu
    modifiers: Mapping[str, tuple[str, int | None]]


def convert(source: Mapping[str, Any]) -> EvalMenu:
    """Convert the evaluation format into a menu, using nothing but the file; all is free."""
    sizes = [Size(id=s["id"], name=_name(s), aliases=_aliases(s)) for s in source["sizes"]]
    ids: dict[str, tuple[str, int | None]] = {}
    groups = [
        ModifierGroup(id=name, name=name.replace("_", " "), modifiers=tuple(_modifiers(ms, ids)))
        for name, ms in source["modifier_groups"].items()
    ]
    allowed: Mapping[str, Sequence[str]] = source["allowed"]
    words: Mapping[str, Sequence[str]] = source["category_words"]
    categories = dict.fromkeys([*allowed, *(i["category"] for i in source["items"])])
    items = [_item(i, allowed.get(i["category"], []), sizes) for i in source["items"]]
    menu = Menu(
        name=source.get("restaurant", "evaluation"),
        sizes=(*sizes, _NO_SIZE),
        categories=tuple(
            Category(id=c, name=c.replace("_", " "), aliases=tuple(words.get(c, ())))
            for c in categories
        ),
        modifier_groups=tuple(groups),
        items=tuple(items),
    )
    return EvalMenu(menu, ids)


def _item(source: Mapping[str, Any], allowed: Sequence[str], sizes: Sequence[Size]) -> MenuItem:
    sized = "size" in allowed and bool(sizes)
    return MenuItem(
        id=source["id"],
        name=_name(source),
        category=source["category"],
        aliases=_aliases(source),
        price=None if sized else 0,
        prices={s.id: 0 for s in (*sizes, _NO_SIZE)} if sized else {},
        default_size=_NO_SIZE.id if sized else None,
        modifier_groups=tuple(g for g in allowed if g != "size"),
    )


def _modifiers(
    sources: Iterable[Mapping[str, Any]], ids: dict[str, tuple[str, int | None]]
) -> Iterable[Modifier]:
    seen: set[str] = set()
    for source in sources:
        count = source.get("count")
        own = source["id"]
        while own in seen:
            own = (
                f"{source['id']}{_COUNT_MARK}{count}{_COUNT_MARK * (len(own) - len(source['id']))}"
            )
        seen.add(own)
        ids[own] = (source["id"], count)
        yield Modifier(id=own, name=_name(source), aliases=_aliases(source), count=count)


def _name(source: Mapping[str, Any]) -> str:
    """Return the canonical name, read off the id or, if that is ambiguous, the first alias."""
    name = str(source["id"]).replace("_", " ")
    return str(source["aliases"][0]) if "|" in name and source["aliases"] else name


def _aliases(source: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(source["aliases"])


def names_only(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the menu with canonical names only."""

    def bare(thing: Mapping[str, Any]) -> dict[str, Any]:
        kept = thing["aliases"][:1] if "|" in thing["id"] else []
        return {**thing, "aliases": kept}

    return {
        **source,
        "items": [bare(i) for i in source["items"]],
        "sizes": [bare(s) for s in source["sizes"]],
        "modifier_groups": {
            g: [bare(m) for m in ms] for g, ms in source["modifier_groups"].items()
        },
        "category_words": {},
    }


def padded(source: Mapping[str, Any], items: int) -> dict[str, Any]:
    """Return the menu with up to `items` items: pairs of its names, as long menus have them."""
    own = source["items"]
    names = [str(item["id"]).replace("_", " ") for item in own]
    pairs = ((a, b) for a in range(len(own)) for b in range(len(own)) if a != b)
    made = [
        {
            "id": f"{own[a]['id']}_and_{own[b]['id']}_{number}",
            "category": own[b]["category"],
            "aliases": [f"{names[a]} {names[b]} special", f"{names[b]} {names[a]} deluxe"],
        }
        for number, (a, b) in enumerate(islice(pairs, max(items - len(own), 0)))
    ]
    return {**source, "items": [*own, *made]}


_FILLERS = ("um", "uh", "like", "you know", "let's see", "er", "please", "so", "well", "hmm")
_INSERTED = ("the", "a", "and", "uh", "oh", "it")
_LETTERS = (("c", "k"), ("s", "z"), ("ee", "ea"), ("i", "e"), ("o", "a"), ("t", "d"), ("p", "b"))


def with_fillers(utterance: str, random: Random) -> str:
    """Return the utterance as a hesitating guest says it, with a filler about every fifth word."""
    words: list[str] = []
    for word in utterance.split():
        if random.random() < 0.2:
            words.append(random.choice(_FILLERS))
        words.append(word)
    return " ".join(words)


def with_noise(utterance: str, share: float, random: Random) -> str:
    """Return the utterance with `share` of its words misheard, short ones more often dropped."""
    words: list[str] = []
    for word in utterance.split():
        if random.random() >= share:
            words.append(word)
            continue
        kind = random.random()
        if kind < 0.5 and len(word) <= 3:
            continue
        if kind < 0.2:
            words += [word, random.choice(_INSERTED)]
        else:
            words.append(_misheard(word, random))
    return " ".join(words)


def _misheard(word: str, random: Random) -> str:
    swaps = [(a, b) for pair in _LETTERS for a, b in (pair, pair[::-1]) if a in word]
    if swaps and random.random() < 0.7:
        heard, written = random.choice(swaps)
        return word.replace(heard, written, 1)
    at = random.randrange(len(word))
    return word[:at] + word[at + 1 :] if len(word) > 3 else word + "s"


def stress_named(words: Sequence[str]) -> str:
    """Return `names-only`, `fillers` or `noise:PERCENT`; raise ValueError for anything else."""
    stress = ":".join(" ".join(words).replace(":", " ").split())
    if not re.fullmatch(r"|names-only|fillers|noise:\d{1,2}(\.\d+)?", stress):
        raise ValueError(f"{stress!r} is none of names-only, fillers, noise PERCENT")
    return stress


def stressed(utterance: str, stress: str, seed: int) -> str:
    """Return the utterance under a stress; the same seed gives the same words."""
    random = Random(f"{seed} {utterance}")
    if stress == "fillers":
        return with_fillers(utterance, random)
    if stress.startswith("noise:"):
        return with_noise(utterance, float(stress.removeprefix("noise:")) / 100, random)
    return utterance


def predict(compiled: CompiledMenu, source: EvalMenu, utterance: str) -> dict[str, Any]:
    """Return the order of one utterance and its status at the end."""
    conversation = Conversation(compiled)
    conversation.hear(Heard(1, utterance, 1.0))
    update = conversation.end()
    return {
        "order": order_of(conversation.lines, source),
        "status": update.status,
        "reasons": [f"{r.code}: {r.text}" for r in update.reasons],
        "heard": utterance,
    }


def order_of(lines: Iterable[Line], source: EvalMenu) -> list[dict[str, Any]]:
    """Return the lines of an order in the format of the evaluation sets."""
    order: list[dict[str, Any]] = []
    for line in lines:
        if line.joined and order:
            # The format writes an accompaniment as a modifier of what it goes with.
            order[-1]["modifiers"].append({"name": line.item})
            continue
        order.append(_line(line, source))
    return order


def _line(line: Line, source: EvalMenu) -> dict[str, Any]:
    modifiers: list[dict[str, Any]] = []
    # The format writes "all the toppings" as one.
    whole = sorted({m.group for m in line.mods if m.every})
    modifiers += [{"name": f"all_{group}s"} for group in whole]
    for mod in line.mods:
        if mod.every:
            continue
        name, count = source.modifiers[mod.id]
        modifiers.append(
            {"name": name, "qualifier": mod.qualifier, "negated": mod.negated, "count": count}
        )
    return {
        "item": line.item,
        "quantity": line.count,
        "size": line.size,
        "modifiers": _closed(modifiers),
        "confidence": round(line.confidence, 3),
    }


def _closed(modifiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without what was left open ("beans") and then settled ("black beans")."""
    names = {m["name"] for m in modifiers}
    return [m for m in modifiers if not ("|" in m["name"] and names & set(m["name"].split("|")))]


def main() -> None:
    """Write a prediction for every line of the data and print how long one took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--menu", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--stress",
        nargs="+",
        default=[],
        metavar="WHAT",
        help="names-only, fillers or noise PERCENT",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=0, help="make the menu as long as this")
    options = parser.parse_args()
    try:
        stress = stress_named(options.stress)
    except ValueError as error:
        parser.error(f"--stress: {error}")
    file = padded(json.loads(options.menu.read_text("utf-8")), options.items)
    source = convert(names_only(file) if stress == "names-only" else file)
    compiled = CompiledMenu(source.menu)
    seconds: list[tuple[float, float]] = []
    with options.out.open("w", encoding="utf-8") as out:
        for text in options.data.read_text("utf-8").splitlines():
            if not text.strip():
                continue
            row = json.loads(text)
            utterance = stressed(row["utterance"], stress, options.seed)
            started = time.perf_counter(), time.thread_time()
            prediction = predict(compiled, source, utterance)
            seconds.append((time.perf_counter() - started[0], time.thread_time() - started[1]))
            out.write(json.dumps({"id": row["id"], **prediction}, ensure_ascii=False) + "\n")
    if seconds:
        wall, processor = (sorted(one) for one in zip(*seconds, strict=True))
        for what, sample in (("on the clock", wall), ("of the processor", processor)):
            p50, p99 = (1000 * sample[int(q * (len(sample) - 1))] for q in (0.5, 0.99))
            print(f"{len(sample)} utterances, {what}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
