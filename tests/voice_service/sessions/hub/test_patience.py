"""What is entered at a hub that is slow or away."""

from __future__ import annotations

import asyncio

import pytest

from order_events.protocol.errors import StoreUnavailable
from voice_service.sessions.hub import patience


async def test_a_change_whose_answer_is_late_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have been committed already: a final would be in the history twice."""
    monkeypatch.setattr(patience, "_TIMEOUT", 0.01)
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    made = 0

    async def change() -> str:
        nonlocal made
        made += 1
        return await answer

    waiting = asyncio.create_task(patience.patiently(patience.made_once(change), 60, lambda: False))
    await asyncio.sleep(0.1)
    answer.set_result("stored")
    assert (await waiting, made) == ("stored", 1)


async def test_a_change_that_was_refused_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was away, so nothing was stored."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)
    answers = iter([StoreUnavailable("away"), StoreUnavailable("away"), None])

    async def change() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "stored"

    attempt = patience.made_once(change)
    assert await patience.patiently(attempt, 60, lambda: False) == "stored"
