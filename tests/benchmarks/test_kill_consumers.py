"""A consumer in each language that is killed under load: its rows are the history."""

from __future__ import annotations

from pathlib import Path

import kill_consumers
import pytest
from kill_consumers import compare, javascript_consumer, python_consumer, run


async def test_killed_consumers_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is killed twice; the benchmark does the same fifty times."""
    monkeypatch.setattr(kill_consumers, "LIVES_S", (0.4, 0.9))
    consumers = [python_consumer(tmp_path), javascript_consumer(tmp_path)]
    assert await run(tmp_path, consumers, kills=2, rate=100, seed=1) > 50
    for consumer in consumers:
        assert consumer.kills == 2
        assert consumer.found["stored"] > 0
        faults = {what: count for what, count in consumer.found.items() if what != "stored"}
        assert not any(faults.values()), (consumer.name, faults)


def test_the_comparison_sees_each_kind_of_fault() -> None:
    """Otherwise the benchmark would prove nothing."""
    history = [{"event_id": str(n), "seq": n} for n in range(1, 6)]
    assert compare([("2", 2), ("4", 4), ("3", 3), ("3", 3), ("9", 9)], history, began=0) == {
        "stored": 5,
        "lost": 2,
        "doubled": 1,
        "invented": 1,
        "out of order": 2,
    }
