"""An allergy is told wherever it stands, and the rest of what was said is still understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.conversations import codes, demo_menu, hears, order, said, short

from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            "does the cheeseburger have nuts, my daughter is allergic",
            "does the cheeseburger have nuts my daughter is allergic",
        ),
        ("do you use peanut oil? I have a peanut allergy", "i have a peanut allergy"),
        ("what can I eat if I'm allergic to nuts", "can i eat if i am allergic to nuts"),
        (
            "is there dairy in the shake because I'm allergic",
            "is there dairy in the shake because i am allergic",
        ),
        (
            "we're on the phone, tell them I'm allergic to sesame",
            "i am allergic to sesame",
        ),
        ("my son can't have dairy", "my son can not have dairy"),
        ("I can't eat gluten", "i can not eat gluten"),
        ("nothing with nuts please", "nothing with nuts"),
        ("nut free please", "nut free"),
        ("without lactose please", "without lactose"),
        ("I'm celiac", "i am celiac"),
        ("I should avoid gluten", "i should avoid gluten"),
        ("dairy makes me sick", "dairy makes me sick"),
        ("he'll die if he eats nuts", "he will die if he eats nuts"),
        ("I have allergies. Peanuts and tree nuts.", "i have allergies peanuts and tree nuts"),
        (
            "my husband has a severe peanut allergy",
            "my husband has a severe peanut allergy",
        ),
        ("my wife is lactose intolerant", "my wife is lactose intolerant"),
        ("No, I'm allergic to nuts", "i am allergic to nuts"),
        ("no i am allergic to peanuts", "i am allergic to peanuts"),
        ("I have a dairy and nut allergy", "i have a dairy and nut allergy"),
        ("I'm not allergic to nuts but my son is allergic to eggs", "my son is allergic to eggs"),
        (
            "please note that my wife is severely allergic to sesame",
            "please note that my wife is severely allergic to sesame",
        ),
    ],
)
def test_whatever_else_a_sentence_is_its_allergy_is_noted(
    demo: CompiledMenu, text: str, note: str
) -> None:
    """A question, talk or a correction does not swallow it."""
    update = said(demo, text, "a coke", "that's all")
    assert update.notes == f"ALLERGY: {note}"
    assert update.status == "needs_staff"
    assert short(update.items) == ["1 coca_cola/medium"]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("my kid is allergic to nuts, a hamburger please", ["1 hamburger"]),
        ("my kid is allergic to nuts a hamburger please", ["1 hamburger"]),
        ("I have a nut allergy and I'd like a hamburger", ["1 hamburger"]),
        (
            "a hamburger and my brother is allergic to shellfish and a coke",
            ["1 coca_cola/medium", "1 hamburger"],
        ),
        ("I'm allergic to milk and cheese, a hamburger", ["1 hamburger"]),
        ("a cheeseburger I'm allergic to onions so no onions please", ["1 cheeseburger -onions"]),
        ("a cheeseburger, no onions, I'm allergic", ["1 cheeseburger -onions"]),
        ("a hamburger with no pickles because of an allergy", ["1 hamburger -pickles"]),
        ("my roommate can't have cheese, a hamburger", ["1 hamburger"]),
        ("a nut free hamburger", ["1 hamburger"]),
        ("a coke I'm celiac", ["1 coca_cola/medium"]),
        ("she's allergic to eggs, he wants a coke", ["1 coca_cola/medium"]),
    ],
)
def test_the_order_beside_an_allergy_is_an_order(
    demo: CompiledMenu, text: str, items: list[str]
) -> None:
    """What is not borne is no topping and no item, and what is ordered is not in the note."""
    update = said(demo, text)
    assert short(update.items) == items
    assert "allergy" in codes(update)
    assert not codes(update) - {"allergy"}


@pytest.mark.parametrize(
    "text",
    [
        "no allergies",
        "no food allergies",
        "I'm not allergic to anything",
        "I don't have any allergies",
        "we have no known food allergies",
        "nobody is allergic to anything",
        "none of us have allergies",
    ],
)
def test_who_denies_an_allergy_has_none(demo: CompiledMenu, text: str) -> None:
    """It is for the record, and the order is taken."""
    update, reasons = hears(demo, [f"{text}, a coke", "that's all"])
    assert (update.status, update.notes) == ("confirmed", None)
    assert short(update.items) == ["1 coca_cola/medium"]
    assert {r.code for r in reasons} == {"side_talk"}


@pytest.mark.parametrize(
    ("text", "note", "items"),
    [
        (
            "soy alérgico a los cacahuates, una coca",
            "soy alergico a los cacahuates",
            ["1 coca_cola/medium"],
        ),
        (
            "tenemos una alergia a los mariscos y queremos dos hamburguesas",
            "tenemos una alergia a los mariscos",
            ["2 hamburger"],
        ),
        ("no tengo alergias, una coca", None, ["1 coca_cola/medium"]),
    ],
)
def test_spanish_allergies(text: str, note: str | None, items: list[str]) -> None:
    """Another language runs through the same code."""
    update = said(demo_menu("es"), text)
    assert update.notes == (note and f"ALLERGY: {note}")
    assert short(update.items) == items


def test_an_allergy_cut_by_a_pause_is_told_whole(demo: CompiledMenu) -> None:
    """And it is told though the guest never goes on."""
    assert said(demo, "I'm allergic to").notes == "ALLERGY: i am allergic to"
    whole = said(demo, "I'm allergic to", "peanuts and soy")
    assert whole.notes == "ALLERGY: i am allergic to peanuts and soy"


def test_what_the_menu_has_free_of_something_is_ordered() -> None:
    """ "Without gluten" is a bun of the demo's, no allergy."""
    update = said(demo_menu("es"), "una hamburguesa sin gluten")
    assert (update.notes, short(update.items)) == (None, ["1 hamburger +gluten_free_bun"])


@pytest.mark.parametrize(
    "text", ["is there a manager", "where is your manager", "can I speak to a real person"]
)
def test_a_call_for_a_person_is_heard_in_a_question(demo: CompiledMenu, text: str) -> None:
    """Nobody asks for a manager for the record."""
    update = said(demo, "a coke", text, "that's all")
    assert update.status == "needs_staff"
    assert "staff_requested" in codes(update)


_BEFORE = ["", "a hamburger and ", "do you have fries? ", "um so yeah ", "no ", "what is in that, "]
_AFTER = [
    "",
    " and a coke",
    ", a coke please",
    " so no onions",
    "? two cokes",
    " thanks that's all",
]


@given(st.sampled_from(_BEFORE), st.sampled_from(_AFTER))
def test_no_neighbours_lose_an_allergy(before: str, after: str) -> None:
    """Whatever stands before and after it."""
    update = said(demo_menu(), f"{before}I'm allergic to peanuts{after}")
    assert "allergic to peanuts" in (update.notes or "")


def test_an_allergy_makes_no_item(demo: CompiledMenu) -> None:
    """The item that is named as an allergen is none that was ordered."""
    assert order(demo, "I'm allergic to coffee") == []
