"""Server events as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_service import protocol


def describe(event: Mapping[str, Any]) -> str | None:
    """One line for an event of either socket; None for one that says nothing to people."""
    data = event.get("data") or {}
    match event["type"]:
        case protocol.TRANSCRIPT if data["is_final"]:
            return f"final    {data['text']}  ({data['confidence']:.0%} sure)"
        case protocol.TRANSCRIPT:
            stable = data["stable_text"]
            return f"partial  {stable}|{data['text'][len(stable) :]}"
        case protocol.ORDER:
            reasons = "; ".join(f"{r['code']}: {r['text']}" for r in data["reasons"])
            return f"order    [{data['status']}] {data['readback']} {reasons}".rstrip()
        case protocol.SPEECH_DISCARDED:
            return f"nothing understood in utterance {data['utterance']}"
        case protocol.END:
            return f"end      {data['utterances']} utterances in {data['duration']:.1f} s of audio"
        case "error":
            return f"error    {data['code']}: {data['message']}"
        case "order:created" | "order:updated":
            return f"{event['type']}  {order_line(data['order'])}"
        case "order:status":
            return f"order:status   {data['previous_status']} → {data['status']}"
    return None


def order_line(order: Mapping[str, Any]) -> str:
    """An order in short: number, items, total."""
    items = ", ".join(item_line(item) for item in order["items"])
    return f"{order['order_number']} [{order['status']}]  {items}  {money(order['total'])}"


def item_line(item: Mapping[str, Any]) -> str:
    """An item in short: quantity, size, name, modifiers."""
    words = [f"{item['quantity']} x", *([item["size"]] if item["size"] else []), item["name"]]
    modifiers = [
        f"no {m['name']}" if m["negated"] else " ".join(filter(None, (m["qualifier"], m["name"])))
        for m in item["modifiers"]
    ]
    return " ".join(words) + (f" ({', '.join(modifiers)})" if modifiers else "")


def money(cents: int) -> str:
    """An amount with its point: 1234 is 12.34."""
    return f"{cents // 100}.{cents % 100:02d}"
