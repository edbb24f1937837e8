"""What a guest is told, and that nothing is told twice."""

from __future__ import annotations

from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.server import demo_menu
from voice_service.speech.prompts import Prompts, Say

MENU = CompiledMenu(demo_menu(), "en")


def told(*said: str) -> list[Say | None]:
    """Return what a guest is told after each of these utterances."""
    conversation, prompts = Conversation(MENU), Prompts(MENU.language.texts)
    updates = (conversation.hear(Heard(n, text, 1.0)) for n, text in enumerate(said, 1))
    return [prompts.after(update) for update in updates]


def test_changes_questions_and_the_order_at_the_end() -> None:
    """In the words of the order; each with its number and why it is said."""
    said = told("a cheeseburger", "a vanilla shake", "small", "that's all")
    assert said == [
        Say("1", "Added 1 Cheeseburger, $4.99.", "change"),
        Say("2", "What size Vanilla Shake would you like: Small, Medium or Large?", "question"),
        Say("3", "Added 1 Small Vanilla Shake, $3.49.", "change"),
        Say(
            "4",
            "Thank you. 1 Cheeseburger and 1 Small Vanilla Shake. That's $8.48 plus tax.",
            "readback",
        ),
    ]


def test_small_talk_is_not_answered_and_staff_are_announced_once() -> None:
    """Nobody likes a machine that repeats itself."""
    said = told("a cheeseburger", "nice weather today", "can I talk to a person", "hello?")
    assert [say and say.why for say in said] == ["change", None, "handover", None]
    assert said[2] is not None
    assert "colleague" in said[2].text
