"""What staff are told of, whatever becomes of the items."""

from __future__ import annotations

from voice_service.ordering.dialogue.open_questions import MAX_REASONS
from voice_service.ordering.dialogue.readback import question
from voice_service.ordering.dialogue.turns import Reason
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode

_MAX_NOTE_LENGTH = 400  # letters of an order's notes


class StaffCalls:
    """The reasons for which a person has to look at the order."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self.reasons: list[Reason] = []

    def add(self, code: ReasonCode, text: str, utterance: int) -> None:
        """Add a reason, once."""
        if code is ReasonCode.ALLERGY:
            # "I'm allergic to", and after a pause, what to.
            self.reasons = [r for r in self.reasons if r.code != code or r.text not in text]
        known = any((r.code, r.text) == (code, text) for r in self.reasons)
        if not known and len(self.reasons) < MAX_REASONS:
            asked = question(code, self._menu, text=text)
            self.reasons.append(Reason(code, text, utterance, asked))

    def keep_allergies(self) -> None:
        """Drop everything but allergies, which hold for whatever is ordered next."""
        self.reasons = self._allergies()

    def notes(self) -> str | None:
        """Return what must stand on the order itself, in the restaurant's language."""
        note = self._menu.staff_texts["allergy_note"]
        lines = [note.format(text=r.text) for r in self._allergies()]
        return "\n".join(lines)[:_MAX_NOTE_LENGTH] or None

    def _allergies(self) -> list[Reason]:
        return [r for r in self.reasons if r.code == ReasonCode.ALLERGY]
