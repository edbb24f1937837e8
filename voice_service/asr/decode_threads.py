"""Run decodes on threads that may never come back, and keep nobody waiting for one that does not.

A device that has stopped answering blocks for good whoever asked it. The threads are daemons: they
do not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

A = TypeVar("A")
T = TypeVar("T")


class DecodeHangsError(Exception):
    """A decode has not come back in time. `late` is done when it does, if ever."""

    def __init__(self, late: asyncio.Future[Any]) -> None:
        super().__init__("a decode has not come back in time")
        self.late = late


async def in_thread(call: Callable[[A], T], argument: A, seconds: float) -> T:
    """Return what `call` returns on a thread of its own, or raise what it raises.

    Raises DecodeHangsError after `seconds`. Nothing stops the call itself, not even cancelling.
    """
    job: Future[T] = Future()
    answer = asyncio.wrap_future(job)
    thread = threading.Thread(target=_work, args=(job, call, argument), name="decode", daemon=True)
    thread.start()
    await asyncio.wait({answer}, timeout=seconds)
    if answer.done():
        return answer.result()
    raise DecodeHangsError(answer)


def _work(job: Future[T], call: Callable[[A], T], argument: A) -> None:
    try:
        job.set_result(call(argument))
    except BaseException as error:  # noqa: BLE001
        # Whoever waits for the answer handles it; nobody looks after this thread.
        job.set_exception(error)
