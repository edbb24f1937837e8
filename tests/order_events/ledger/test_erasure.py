"""Erased words are nowhere on the disk: not in free space, not in the WAL, not in the order."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from order_events.domain.audit_records import SessionStart
from order_events.domain.models import OrderDraft
from order_events.ledger import redaction
from order_events.storage import schema, scrubber
from order_events.storage.sqlite import DATABASE_FILE


def words(session: str, number: int) -> list[str]:
    """Return three words that are nowhere else: one said, one in the order, one in its notes."""
    return [f"{kind}{session}n{number}" for kind in ("said", "instruction", "allergy")]


async def spoken(server: Any, session: str, number: int) -> None:
    said, _, _ = words(session, number)
    # Lengths of all kinds: cells of different sizes split pages in different ways.
    text = f"{said} " * (1 + number * 7 % 60)
    data = {"session_id": session, "text": text, "is_final": True, "utterance": number}
    tags = {"session_id": session}
    await server.events.publish("r1", "voice:transcript", data, tags=tags)
    reason = {"code": "unknown_item", "text": text, "utterance": number}
    order = {"session_id": session, "status": "clarify", "reasons": [reason], "matched": []}
    await server.events.publish("r1", "voice:order", order, tags=tags)


async def ordered(server: Any, session: str, number: int) -> Any:
    _, instruction, allergy = words(session, number)
    item = {"menu_item_id": "burger", "special_instructions": instruction}
    draft = {"items": [item], "notes": allergy, "source": {"session_id": session}}
    return await server.events.create_order("r1", OrderDraft.model_validate(draft), actor="lane-1")


async def finished(server: Any, order: Any) -> None:
    for status in ("confirmed", "preparing", "ready", "completed"):
        await server.events.set_status("r1", order.id, status, actor="k")


def on_disk(directory: Path) -> bytes:
    return b"".join(
        path.read_bytes() for path in sorted(directory.iterdir()) if DATABASE_FILE in path.name
    )


async def until_gone(directory: Path, gone: list[str]) -> None:
    for _ in range(2_000):
        content = on_disk(directory)
        if not any(word.encode() in content for word in gone):
            return
        await asyncio.sleep(0.02)
    raise AssertionError([word for word in gone if word.encode() in content][:10])


@pytest.mark.sqlite
async def test_erased_words_leave_the_file_and_the_wal_while_the_server_runs(start: Any) -> None:
    """With other sessions between them, so that pages were split in all sorts of places."""
    server = await start()
    directory = server.events.settings.data_dir
    sessions = [f"s{n}" for n in range(6)]
    for session in sessions:
        await server.events.ledger.begin("r1", SessionStart(session_id=session), "lane-1")
    orders = {session: await ordered(server, session, 0) for session in sessions}
    for number in range(1, 25):
        await asyncio.gather(*(spoken(server, session, number) for session in sessions))
    for order in orders.values():
        await finished(server, order)
    erased, kept = sessions[::2], sessions[1::2]
    gone = [words(s, n)[0] for s in erased for n in range(1, 25)]
    gone += [word for s in erased for word in words(s, 0)[1:]]
    assert all(word.encode() in on_disk(directory) for word in gone)
    for session in erased:
        assert (await server.call("DELETE", f"/v1/sessions/{session}"))[0] == 200
    await until_gone(directory, gone)
    content = on_disk(directory)
    assert all(words(s, n)[0].encode() in content for s in kept for n in range(1, 25))
    assert all(word.encode() in content for s in kept for word in words(s, 0)[1:])
    history = json.dumps((await server.call("GET", "/v1/events?limit=1000"))[1])
    assert not any(word in history for word in gone)
    await server.stop()
    assert not any(word.encode() in on_disk(directory) for word in gone)


@pytest.mark.sqlite
async def test_the_words_of_an_order_are_needed_until_it_is_finished(start: Any) -> None:
    """The kitchen must know of an allergy; the next run of the retention takes it away."""
    server = await start()
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    order = await ordered(server, "s1", 1)
    await server.call("DELETE", "/v1/sessions/s1")
    assert (await server.events.order("r1", order.id)).notes == words("s1", 1)[2]
    await finished(server, order)
    await server.events.forget(0.0)
    kept = await server.events.order("r1", order.id)
    assert (kept.notes, kept.items[0].special_instructions) == (None, None)
    assert kept.total == order.total
    await until_gone(server.events.settings.data_dir, words("s1", 1)[1:])


async def test_orders_may_be_left_as_they_are(start: Any) -> None:
    """By a setting: some must document what they were told of allergies."""
    server = await start(erase_orders=False)
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    order = await ordered(server, "s1", 1)
    await finished(server, order)
    await server.call("DELETE", "/v1/sessions/s1")
    await server.events.forget(0.0)
    assert (await server.events.order("r1", order.id)).notes == words("s1", 1)[2]


@pytest.mark.sqlite
async def test_what_a_crash_interrupted_is_done_after_the_next_start(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database remembers that it is to be written anew."""
    monkeypatch.setattr(scrubber, "SMALL_BYTES", 0)
    server = await start()
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    await spoken(server, "s1", 1)
    await server.call("DELETE", "/v1/sessions/s1")
    await server.stop()
    path = server.events.settings.data_dir / DATABASE_FILE
    with closing(sqlite3.connect(path)) as db:
        assert schema.scrub_due_at(db) is not None
    monkeypatch.undo()
    await start()
    for _ in range(1_000):
        with closing(sqlite3.connect(path)) as db:
            if schema.scrub_due_at(db) is None:
                return
        await asyncio.sleep(0.02)
    raise AssertionError("it was not scrubbed")


def test_only_the_order_in_question_loses_its_words() -> None:
    """A `kds:update` has several."""
    orders = [
        {
            "id": id_,
            "notes": "nuts",
            "items": [{"special_instructions": "x"}],
            "attention": [{"code": "allergy", "text": "nuts"}],
        }
        for id_ in "ab"
    ]
    body = json.dumps({"type": "kds:update", "data": {"orders": orders}}).encode()
    one, other = json.loads(redaction.without_words_of("a", body))["data"]["orders"]
    assert one == {
        "id": "a",
        "notes": None,
        "items": [{"special_instructions": None}],
        "attention": [{"code": "allergy", "text": ""}],
    }
    assert other == orders[1]
