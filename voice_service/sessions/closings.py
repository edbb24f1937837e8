"""The events that close utterances: who waits for them, and who may have missed them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from order_events.protocol.messages import ErrorCode, MessageId, ProtocolError
from voice_service.protocol import messages
from voice_service.sessions.actions import Action, Send

_KEPT: Final = 64
"""Finals and discards kept for a client that comes back."""
_MOST_ASKED: Final = 16
"""`voice:finalize` that may wait for their finals."""
_RETRY_MS: Final = 500


@dataclass(frozen=True, slots=True)
class _Closing:
    """The message that closed an utterance, and when it was sent."""

    at: float
    send: Send


@dataclass(frozen=True, slots=True)
class _Asked:
    """A `voice:finalize`, which is answered once `utterances` of them are concluded."""

    utterances: int
    id: MessageId | None


class Closings:
    """The latest finals and discards of one session, and the `voice:finalize` they answer."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._kept: deque[_Closing] = deque(maxlen=_KEPT)
        self._asked: deque[_Asked] = deque()

    def add(self, send: Send, now: float) -> None:
        """Keep an event that closes an utterance."""
        self._kept.append(_Closing(now, send))

    def missed(self, after_utterance: int | None, last_heard: float) -> list[Send]:
        """Return what a client that comes back may have missed.

        A client that names the last utterance whose final it has gets the later ones. Any other
        client is sent again whatever was sent after its last audio arrived, since that may have
        been lost; it recognises duplicates by `utterance`.
        """
        return [
            closing.send
            for closing in self._kept
            if (
                closing.at >= last_heard
                if after_utterance is None
                else closing.send.data["utterance"] > after_utterance
            )
        ]

    def check_room(self) -> None:
        """Raise ProtocolError if too many `voice:finalize` are unanswered."""
        if len(self._asked) >= _MOST_ASKED:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED,
                "many voice:finalize wait for their finals; wait for these first",
                retry_after_ms=_RETRY_MS,
            )

    def ask(self, utterances: int, message_id: MessageId | None) -> None:
        """Take a `voice:finalize` that concerns the first `utterances` of the session."""
        self._asked.append(_Asked(utterances, message_id))

    def answer(self, actions: Sequence[Action], concluded: int, announced: int) -> list[Action]:
        """Return the actions with answers to every `voice:finalize` that is due.

        The event that closes the utterance is the answer. Where there is none among the actions,
        because nobody had said anything, a `voice:finalize` is.
        """
        answered = list(actions)
        while self._asked and self._asked[0].utterances <= concluded:
            asked = self._asked.popleft()
            closing = self._kept[-1].send if self._kept else None
            at = next((i for i, action in enumerate(answered) if action is closing), None)
            if closing is None or at is None:
                data = {"session_id": self._session_id, "utterances": announced}
                answered.append(Send(messages.FINALIZE, data, id=asked.id))
            else:
                answered[at] = replace(closing, id=asked.id)
        return answered
