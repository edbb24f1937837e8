"""Words about the visit: what they say, and that a name on the menu always wins."""

from __future__ import annotations

import pytest
from support.conversations import demo_menu, said

from voice_service.ordering import CompiledMenu
from voice_service.ordering.mentions.entities import Entity, EntityType
from voice_service.ordering.mentions.segmentation import Segmenter


def entities(text: str, language: str = "en") -> list[Entity]:
    """The entities of `text` at the demo's restaurant."""
    menu = demo_menu(language)
    spans = Segmenter(menu.lexicon, menu.language).segment(text)
    return [span.entity for span in spans if span.entity is not None]


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("we're at table twelve", EntityType.TABLE, 12),
        ("table four four cokes", EntityType.TABLE, 4),
        ("table twenty two cokes", EntityType.TABLE, 20),
        ("the second window", EntityType.PLACE, None),
        ("my phone number is one oh four", EntityType.NUMBER, 1),
        ("867 530 9442", EntityType.NUMBER, None),
        ("me and my two hungry kids", EntityType.PARTY, 2),
        ("it's for six", EntityType.PARTY, 6),
        ("that's four ninety nine right", EntityType.MEASURE, None),
        ("it was $4.99", EntityType.MEASURE, None),
        ("at 6:30 pm", EntityType.MEASURE, None),
        ("she's four", EntityType.MEASURE, 4),
        ("for the office", EntityType.OCCASION, None),
    ],
)
def test_a_number_that_counts_nothing(text: str, type_: EntityType, value: int | None) -> None:
    """It belongs to what is said with it."""
    assert [(e.type, e.value) for e in entities(text)] == [(type_, value)]


@pytest.mark.parametrize(
    "text",
    [
        "for two cheeseburgers",
        "number two",
        "two twenty piece nuggets",
        "make it two",
        "a shake with a cherry",
        "can i get for tacos",
        "ketchup for the fries",
        "one for me",
    ],
)
def test_what_is_ordered_is_no_entity(text: str) -> None:
    """A number counts what follows, and a dish is nobody's name."""
    assert entities(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a cheeseburger for Sam", "Sam"),
        ("a cheeseburger for mary jones please", "Mary Jones"),
        ("my name is Mary Jo Smith", "Mary Jo Smith"),
        ("put it under O'Brien", "O'Brien"),
        ("last name pepper", "Pepper"),
        ("ginger's my name", "Ginger"),
        ("hi it's Siobhan can i get a coke", "Siobhan"),
        ("it's for my daughter Cherry", "Cherry"),
        ("it's for Mr. Bacon", "Bacon"),
        ("a coke for Sam and a sprite for Jess", "Sam, Jess"),
        ("a coke for Sam and my name is John", "John"),
        ("we're waiting for Tom", None),
        ("a cheeseburger for my kids", None),
        ("a coke for tomorrow", None),
        ("a coke for tacos", None),
        ("my name is on the order", None),
    ],
)
def test_for_whom_the_order_is(text: str, name: str | None) -> None:
    """A name after an introduction is a name, whatever else it means."""
    assert said(demo_menu(), text).customer_name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a nombre de Rosa", "Rosa"),
        ("me llamo Jorge Ramírez", "Jorge Ramírez"),
        ("hola soy Pedro, una coca", "Pedro"),
        ("una coca para mi hija Ximena", "Ximena"),
        ("soy alérgico a las nueces", None),
        ("una coca para llevar", None),
    ],
)
def test_for_whom_a_spanish_order_is(text: str, name: str | None) -> None:
    """The same code, other words."""
    assert said(demo_menu("es"), text).customer_name == name


@pytest.mark.parametrize(
    ("language", "utterances", "table"),
    [
        ("en", ["a cheeseburger", "it's for table four"], "4"),
        ("en", ["two cheeseburgers for table twelve", "no, table thirteen"], "13"),
        ("en", ["a cheeseburger, table for two"], None),
        ("en", ["a cheeseburger", "the second table"], None),
        ("es", ["una hamburguesa para la mesa cinco"], "5"),
    ],
)
def test_a_table_is_the_orders_where_the_restaurant_serves_at_tables(
    language: str, utterances: list[str], table: str | None
) -> None:
    """The last one named, if it has a number; elsewhere it only counts nothing."""
    menu = demo_menu(language)
    serving = CompiledMenu(menu.menu.model_copy(update={"table_service": True}), language)
    assert said(serving, *utterances).table_number == table
    assert said(menu, *utterances).table_number is None
