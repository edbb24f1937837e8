"""Format server events as lines for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice_service.protocol import messages

Data = Mapping[str, Any]


def describe(event: Mapping[str, Any]) -> str | None:
    """Return a line for an event of either socket; None if it is of no interest to people."""
    line = _LINES.get(event["type"])
    return None if line is None else line(event.get("data") or {})


def order_line(order: Mapping[str, Any]) -> str:
    """Return an order in short: number, status, items, total."""
    items = ", ".join(item_line(item) for item in order["items"])
    total = f"{money(order['total'])} {order['currency']}"
    return f"{order['order_number']} [{order['status']}]  {items}  {total}"


def item_line(item: Mapping[str, Any]) -> str:
    """Return an item in short: quantity, size, name, modifiers."""
    words = [f"{item['quantity']} x", *([item["size"]] if item["size"] else []), item["name"]]
    modifiers = [
        f"no {m['name']}" if m["negated"] else " ".join(filter(None, (m["qualifier"], m["name"])))
        for m in item["modifiers"]
    ]
    return " ".join(words) + (f" ({', '.join(modifiers)})" if modifiers else "")


def money(cents: int) -> str:
    """Return an amount with its decimal point: 1234 is 12.34."""
    return f"{cents // 100}.{cents % 100:02d}"


def _transcript(data: Data) -> str:
    if data["is_final"]:
        aside = ", overheard" if data.get("overheard") else ""
        return f"final    {data['text']}  ({data['confidence']:.0%} sure{aside})"
    stable = data["stable_text"]
    return f"partial  {stable}|{data['text'][len(stable) :]}"


def _order(data: Data) -> str:
    reasons = "; ".join(f"{r['code']}: {r['text']}" for r in data["reasons"])
    return f"order    [{data['status']}] {data['readback']} {reasons}".rstrip()


_LINES: dict[str, Callable[[Data], str]] = {
    messages.TRANSCRIPT: _transcript,
    messages.ORDER: _order,
    messages.SPEECH_DISCARDED: lambda d: f"nothing understood in utterance {d['utterance']}",
    messages.END: lambda d: (
        f"end      {d['utterances']} utterances in {d['duration']:.1f} s of audio"
    ),
    "error": lambda d: f"error    {d['code']}: {d['message']}",
    "order:created": lambda d: f"order:created  {order_line(d['order'])}",
    "order:updated": lambda d: f"order:updated  {order_line(d['order'])}",
    "order:status": lambda d: f"order:status   {d['previous_status']} → {d['status']}",
}
