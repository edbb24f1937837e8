"""The order in which needs for decodes are served."""

from __future__ import annotations

from voice_service.asr.needs import DecodeNeed, Urgency


def test_finals_go_first_but_do_not_starve_guests_who_begin_to_speak() -> None:
    """A further partial comes last, however old it is."""
    needs = [
        DecodeNeed(Urgency.PARTIAL, 0.0),
        DecodeNeed(Urgency.SPECULATIVE, 9.0),
        DecodeNeed(Urgency.FINAL, 10.0),
        DecodeNeed(Urgency.FIRST_PARTIAL, 9.9),
        DecodeNeed(Urgency.FIRST_PARTIAL, 9.7),
    ]
    turns = sorted(needs, key=lambda need: need.turn)
    assert [(w.urgency.name, w.since) for w in turns] == [
        ("FIRST_PARTIAL", 9.7),
        ("FINAL", 10.0),
        ("FIRST_PARTIAL", 9.9),
        ("SPECULATIVE", 9.0),
        ("PARTIAL", 0.0),
    ]


def test_urgency_orders_finals_before_speculation_before_partials() -> None:
    """The scheduler compares these across sessions."""
    assert sorted(Urgency, key=lambda urgency: DecodeNeed(urgency, 7.0).turn) == [
        Urgency.FINAL,
        Urgency.FIRST_PARTIAL,
        Urgency.STALLED,
        Urgency.SPECULATIVE,
        Urgency.PARTIAL,
    ]
