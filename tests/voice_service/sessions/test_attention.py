"""Which reasons call a person, and which of them stand on the order."""

from __future__ import annotations

import pytest

from voice_service.ordering import Reason
from voice_service.sessions.attention import calls_staff


@pytest.mark.parametrize(
    ("code", "question", "ended", "calls"),
    [
        ("allergy", None, False, True),
        ("staff_requested", "Somebody is coming.", False, True),
        ("missing_size", "What size?", False, False),
        ("missing_size", "What size?", True, True),
        ("off_topic", None, True, False),
        ("connection_lost", None, True, True),
        ("unavailable", None, False, True),
        ("staff_took_over", None, False, False),
    ],
)
def test_a_person_is_called_where_only_a_person_can_help(
    code: str, question: str | None, ended: bool, calls: bool
) -> None:
    """A question is the guest's to answer, as long as somebody listens to the answer."""
    assert calls_staff(Reason(code, "", 1, question), ended=ended) is calls
