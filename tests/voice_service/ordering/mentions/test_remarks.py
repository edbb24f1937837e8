"""Complaints and calls for a person are heard, and what only sounds like one orders as ever."""

from __future__ import annotations

import pytest
from support.conversations import codes, demo_menu, hears, said, short

from voice_service.ordering import CompiledMenu

_ORDERED = ["1 cheeseburger"]


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to talk to a robot",
        "agent",
        "Operator, please.",
        "human",
        "give me a human",
        "manager",
        "get me the manager",
        "get me your boss",
        "I would like to speak with management",
        "could you get me a supervisor please",
        "is the manager around",
        "where's your manager",
        "can you send someone over",
        "can I just talk to somebody",
        "could I speak with one of your colleagues",
        "can your colleague take my order",
        "can a person take my order",
        "would somebody else take this please",
        "call the waiter",
        "please call your waitress over",
        "connect me to customer care",
        "transfer me to customer service",
        "put me through to a real person",
        "let me speak to whoever's in charge",
        "I'd rather order from an actual person",
        "is there anyone working here I could ask",
        "somebody come and help me",
        "can someone help me",
        "I hate talking to machines",
        "no robots please",
        "I'd prefer a person to a machine",
        "get somebody on the line",
        "put a human on",
        "I want a live person now",
        "you charged me twice",
        "I want my money back",
        "I want a refund",
        "I'd like to make a complaint",
        "where's my food",
        "I've been waiting for half an hour",
        "I'm still waiting for my coffee",
        "we ordered an hour ago",
        "this is taking forever",
        "my fries are cold",
        "the burger you gave me is raw",
        "these onion rings are stone cold",
        "the coffee you made tastes burnt",
        "the chicken is not cooked",
        "there's a hair in my burger",
        "you gave me a sprite",
    ],
)
def test_a_call_for_a_person_is_never_talked_over(demo: CompiledMenu, text: str) -> None:
    """Whatever follows, and whoever is called by whatever name."""
    update, reasons = hears(demo, ["a cheeseburger", text, "that's all"])
    assert "staff_requested" in {r.code for r in reasons}
    assert update.status == "needs_staff"
    assert short(update.items) == _ORDERED


@pytest.mark.parametrize(
    "text",
    [
        "that's wrong",
        "no, that's wrong",
        "this is the wrong order",
        "that is not what I ordered",
        "this isn't at all what we asked for",
        "that's nothing like what I said",
        "that wasn't what I wanted",
        "that's not the one I ordered",
        "that's not my order",
        "you messed up my order",
        "you've mixed up our order",
        "you got my order wrong",
        "you keep getting it wrong",
        "you guys always screw it up",
        "I never ordered that",
        "I didn't ask for any of that",
        "nobody ordered that",
        "I never said that",
        "who said anything about a coke",
        "who ordered the fries",
        "that's not right",
        "that doesn't sound right",
        "that can't be right",
        "no that isn't quite correct",
        "that's too many",
        "that's way too much",
        "you gave me too many",
        "I asked for no pickles",
        "I told you no onions",
        "why did you add that",
        "I asked for a coke and got a sprite",
        "there must be some mistake",
        "there's an error in my order",
        "your order screen is incorrect",
        "you're not listening",
        "you forgot my fries",
        "you missed the drinks",
        "you left something out",
        "my drink is missing",
        "this is ridiculous",
        "what a terrible service",
        "stop adding things",
    ],
)
def test_a_complaint_is_asked_about_and_never_confirmed(demo: CompiledMenu, text: str) -> None:
    """Nothing changes until the guest says what is wrong."""
    update, reasons = hears(demo, ["a cheeseburger", text, "that's all"])
    assert {r.code for r in reasons} == {"complaint"}
    assert update.status == "needs_staff"
    assert short(update.items) == _ORDERED


@pytest.mark.parametrize(
    ("say", "items"),
    [
        (["that's wrong", "make it a hamburger"], ["1 hamburger"]),
        (["that's not right, no pickles"], ["1 cheeseburger -pickles"]),
        (["that's not what I ordered, I wanted a hamburger"], ["1 hamburger"]),
        (["you messed up my order", "it should be without onions"], ["1 cheeseburger -onions"]),
        (["that's wrong", "yes that's right now"], _ORDERED),
        (["this isn't what I asked for", "add fries"], ["1 cheeseburger", "1 french_fries/medium"]),
    ],
)
def test_a_complaint_is_settled_by_a_change(
    demo: CompiledMenu, say: list[str], items: list[str]
) -> None:
    """Or by the guest saying that it is right."""
    update = said(demo, "a cheeseburger", *say, "that's all")
    assert short(update.items) == items
    assert update.status == "confirmed"


@pytest.mark.parametrize(
    ("say", "items"),
    [
        (["no problem"], []),
        (["that's not too bad"], []),
        (["not right now"], []),
        (["don't get me wrong I love it"], []),
        (["nothing's wrong"], []),
        (["sorry my mistake"], []),
        (["yes that's right"], []),
        (["that's right"], []),
        (["all correct"], []),
        (["my manager wants a coke"], ["1 coca_cola/medium"]),
        (["and a coke for the manager"], ["1 coca_cola/medium"]),
        (["my friend and I want a coke"], ["1 coca_cola/medium"]),
        (["can a person get fries with that"], ["1 french_fries/medium"]),
        (["somebody here wants fries"], ["1 french_fries/medium"]),
        (["can you get my friend a coke"], ["1 coca_cola/medium"]),
        (["get the manager a coke"], ["1 coca_cola/medium"]),
        (["I'm an insurance agent", "and a coke"], ["1 coca_cola/medium"]),
        (["she's a manager", "a coke too"], ["1 coca_cola/medium"]),
        (["I'm waiting for my friend", "a coke"], ["1 coca_cola/medium"]),
        (["someone told me the fries are good", "add fries"], ["1 french_fries/medium"]),
        (["make sure the fries are hot", "and add fries"], ["1 french_fries/medium"]),
        (["I was talking to my sister", "a coke"], ["1 coca_cola/medium"]),
        (["am I in the wrong lane", "a coke"], ["1 coca_cola/medium"]),
        (["a coke and some napkins"], ["1 coca_cola/medium"]),
        (["a coke with a straw"], ["1 coca_cola/medium"]),
        (["a coke no lid no straw"], ["1 coca_cola/medium"]),
        (["napkins please"], []),
        (["could we have four forks and a few knives"], []),
        (["can I get a bag and a receipt"], []),
        (["can we get chopsticks for three"], []),
        (["do you take cards"], []),
        (["I'll pay cash"], []),
        (["can I use a gift card"], []),
        (["it's on my credit card"], []),
        (["cash on delivery"], []),
        (["do I pay now or at the window"], []),
        (["have a nice day"], []),
        (["thanks you have a good one"], []),
    ],
)
def test_what_only_sounds_like_one_changes_nothing(
    demo: CompiledMenu, say: list[str], items: list[str]
) -> None:
    """Nothing is asked, and what is ordered is ordered."""
    update, reasons = hears(demo, ["a cheeseburger", *say, "that's all"])
    assert [r.code for r in reasons if r.question] == []
    assert short(update.items) == sorted([*_ORDERED, *items])
    assert update.status == "confirmed"


@pytest.mark.parametrize(
    "text",
    [
        "not too many pickles on a cheeseburger",
        "easy on the pickles with a cheeseburger",
    ],
)
def test_little_of_something_is_no_complaint(demo: CompiledMenu, text: str) -> None:
    """ "Not too many" is about a topping."""
    update = said(demo, text, "that's all")
    assert short(update.items) == ["1 cheeseburger +pickles(light)"]
    assert codes(update) == set()


@pytest.mark.parametrize(
    "text",
    [
        "what's up, may I get a cheeseburger",
        "what's up I need a cheeseburger",
        "hey what's good can I grab a cheeseburger",
        "how's your day going, could I do a cheeseburger",
        "how are you doing tonight I'd like a cheeseburger",
        "hi how are things, let me get a cheeseburger",
        "I see you have the cheeseburger, my fave",
        "do you have a cheeseburger without onions, please",
        "I need a cheeseburger to go",
        "cheeseburger to take away",
        "a takeaway cheeseburger",
        "can I get a cheeseburger for takeaway",
        "could you do me a cheeseburger",
        "any chance I could get a cheeseburger",
        "is there any way to get a cheeseburger please",
        "would you have a cheeseburger for me please",
        "c c ch cheeseburger please",
        "ch ch cheeseburger",
    ],
)
def test_openers_and_polite_questions_order(demo: CompiledMenu, text: str) -> None:
    """However a guest leads up to it."""
    update = said(demo, text, "that's all")
    assert [s.split()[:2] for s in short(update.items)] == [["1", "cheeseburger"]]
    assert update.status == "confirmed"


@pytest.mark.parametrize(
    "text",
    [
        "do you have cheeseburgers?",
        "do you have a cheeseburger",
        "how much is a cheeseburger",
        "is there a cheeseburger on the menu",
        "what's on the cheeseburger",
        "what's good here",
        "do you still have the cheeseburger?",
    ],
)
def test_a_real_question_orders_nothing(demo: CompiledMenu, text: str) -> None:
    """The guest may order what was asked about, or not."""
    assert said(demo, text).items == ()


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "enough",
        "that's enough",
        "complete my order",
        "you can close the order",
        "no thnks",
        "no thx",
        "nah that's all thanks",
        "I don't want tea",
        "no tea",
        "I'm done with my order",
        "I'm finished ordering",
        "that's the whole order",
        "no more",
        "nope",
        "nothing more thank you",
        "that'll be everything for me today",
        "just that",
        "only that please",
        "that's all I need",
        "that's all I wanted",
        "we have everything",
        "go ahead and ring it up",
        "finish the order",
        "place the order",
        "no I don't need anything else",
        "I don't want anything else",
    ],
)
def test_a_closing_asks_nothing(demo: CompiledMenu, text: str) -> None:
    """However it is said, the order is complete."""
    update, reasons = hears(demo, ["a cheeseburger", text])
    assert [r.code for r in reasons if r.question] == []
    assert short(update.items) == _ORDERED
    assert update.status == "confirmed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("quiero hablar con alguien", "staff_requested"),
        ("el gerente por favor", "staff_requested"),
        ("llame al mesero", "staff_requested"),
        ("no quiero hablar con una máquina", "staff_requested"),
        ("páseme con una persona de verdad", "staff_requested"),
        ("que me atienda una persona", "staff_requested"),
        ("me cobraron dos veces", "staff_requested"),
        ("las papas están frías", "staff_requested"),
        ("¿dónde está mi pedido?", "staff_requested"),
        ("eso no es lo que pedí", "complaint"),
        ("está mal", "complaint"),
        ("se equivocaron con mi orden", "complaint"),
        ("yo no pedí eso", "complaint"),
        ("son demasiados", "complaint"),
        ("eso no está bien", "complaint"),
        ("le dije sin cebolla", "complaint"),
    ],
)
def test_spanish_complaints_and_calls(text: str, code: str) -> None:
    """The same in Spanish."""
    update, reasons = hears(demo_menu("es"), ["una hamburguesa con queso", text, "es todo"])
    assert code in {r.code for r in reasons}
    assert update.status == "needs_staff"
    assert short(update.items) == _ORDERED
