"""The order of one session without I/O: turn finals into order updates until it is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from order_events.domain.models import OrderItem
from order_events.protocol.messages import ErrorCode, ProtocolError
from voice_service.asr.hypothesis import Chooser
from voice_service.ordering import CartUpdate, Conversation, Heard, HeardWord, Reason
from voice_service.protocol import messages
from voice_service.sessions.actions import Audience, PlaceOrder, Send
from voice_service.sessions.attention import calls_staff
from voice_service.utterances.events import Final


class GuestOrder:
    """See the module. `conversation` is None if no order is to be understood."""

    def __init__(self, session_id: str, conversation: Conversation | None) -> None:
        self.order_id: str | None = None
        self.last_order: Send | None = None
        """The last `voice:order`, to be sent again to a client that comes back."""
        self._session_id = session_id
        self._conversation = conversation
        self._update: CartUpdate | None = None
        self._held = False
        self._placing = 0
        self._turn = 0

    @property
    def placing(self) -> bool:
        """Return whether the answer to a `PlaceOrder` is still to come."""
        return self._placing > 0

    def chooser(self) -> Chooser | None:
        """Return a function that picks one of several texts; None to take the most likely."""
        return None if self._conversation is None else self._conversation.chooser()

    def hear(self, final: Final) -> list[PlaceOrder]:
        """Take a final. People in the background order nothing, but may name an allergy."""
        heard = final.hypothesis
        if self._conversation is None or not heard.text:
            return []
        if self._held:
            return self._leave_as_it_is(final.utterance)
        words = tuple(HeardWord(word.text, word.confidence) for word in heard.words)
        said = Heard(
            final.utterance,
            heard.text,
            heard.confidence,
            words,
            final.language,
            heard.agreement,
            final.lost,
        )
        take = self._conversation.overhear if final.overheard else self._conversation.hear
        return [self._place(take(said))]

    def answer(self, text: str, utterance: int) -> list[PlaceOrder]:
        """Take an answer that the guest has chosen on a screen."""
        if self._conversation is None:
            return []
        if self._held:
            return self._leave_as_it_is(utterance)
        return [self._place(self._conversation.hear(Heard(utterance, text, 1.0)))]

    def change_quantity(self, item_id: str, quantity: int, utterance: int) -> list[PlaceOrder]:
        """Set how many there are of a line, 0 for none; raises ProtocolError if it is not there."""
        if self._conversation is None:
            return []
        if self._held:
            return self._leave_as_it_is(utterance)
        update = self._conversation.change_quantity(item_id, quantity)
        if update is None:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE,
                f"item_id: the order has no line {item_id!r} that can be counted; the parts of a "
                "combo change with it",
            )
        return [self._place(update)]

    def call_staff(self, utterance: int) -> list[PlaceOrder]:
        """Note that the guest wants a person, who may be there already."""
        if self._conversation is None:
            return []
        if self._held:
            return self._leave_as_it_is(utterance)
        return [self._place(self._conversation.call_staff())]

    def hold(self, utterance: int) -> list[PlaceOrder]:
        """Stop changing the order, since staff have taken it over."""
        self._held = True
        return [] if self._conversation is None else self._leave_as_it_is(utterance)

    def hand_back(
        self, items: Sequence[OrderItem]
    ) -> tuple[list[PlaceOrder], tuple[OrderItem, ...]]:
        """Continue with the order as staff have left it.

        Also return the items that the conversation cannot represent, which stay as they are.
        """
        self._held = False
        self._turn += 1
        if self._conversation is None:
            return [], tuple(items)
        update, left = self._conversation.adopt(items)
        return [self._place(update)], left

    def placed(self, order: Mapping[str, Any] | None, update: CartUpdate) -> Send:
        """Return the `voice:order` for an update that the hub has handled.

        `order` is the order as stored; None if there is none or it could not be stored.
        """
        self._placing -= 1
        if order is not None:
            self.order_id = str(order["id"])
        self.last_order = Send(
            messages.ORDER,
            {
                "session_id": self._session_id,
                "order": order,
                "readback": update.readback,
                "change": update.change,
                "status": update.status,
                "reasons": [
                    {
                        "code": reason.code,
                        "text": reason.text,
                        "utterance": reason.utterance,
                        "question": reason.question,
                        "choices": reason.choices,
                        "calls_staff": calls_staff(reason, ended=self._conversation is None),
                    }
                    for reason in update.reasons
                ],
                "after_utterance": update.utterance,
                "matched": [asdict(match) for match in update.matched],
                "readings": [asdict(reading) for reading in update.readings],
                "status_without_trial": update.status_without_trial,
            },
            Audience.STAFF,
        )
        return self.last_order

    def close(self, abandoned: str | None, utterance: int) -> list[PlaceOrder]:
        """Close the order after the last final. `abandoned` is why the guest was cut off, if so.

        A person must look at an incomplete order whose guest was cut off.
        """
        if self._conversation is None or self._held:
            return []
        conversation, self._conversation = self._conversation, None
        complete = self._update is not None and self._update.status == "confirmed"
        update = conversation.end()
        if abandoned is not None and not complete and update.items:
            reason = Reason(abandoned, "the guest was cut off", utterance, None)
            reasons = (*update.reasons, reason)
            update = replace(update, status="needs_staff", reasons=reasons)
        return [self._place(update)]

    def leave(self) -> None:
        """Stop changing the order, since the session is over."""
        self._conversation = None

    def _leave_as_it_is(self, utterance: int) -> list[PlaceOrder]:
        update = CartUpdate((), "needs_staff", (), "", changed=False, utterance=utterance)
        return [self._place(update)]

    def _place(self, update: CartUpdate) -> PlaceOrder:
        self._update = update
        self._placing += 1
        return PlaceOrder(update, self._turn)
