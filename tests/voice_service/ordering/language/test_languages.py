"""Languages: what is said is in the packs, what is done is in the code."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.conversations import codes, demo_menu, hears, said, short

import voice_service.ordering
from order_events.domain.orders import price_items
from order_events.menu.entries import Category, MenuItem, Size
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu
from voice_service.ordering.dialogue.readback import subtotal
from voice_service.ordering.language.loader import language
from voice_service.ordering.language.numbers import number_at
from voice_service.ordering.language.tokens import plural, tokenize
from voice_service.ordering.reasons import ReasonCode

EN, ES = language("en"), language("es-MX")
_IDENTIFIERS = {*EN.texts, "item", "items", "size", "group", "half", "extra", "light"}
"""Names of ours, the same for every language, that happen to be English words."""
_READERS = {Path("language/loader.py"), Path("menu/localization.py")}
"""Modules that name the fields of files and menus."""


def test_packs_know_the_same_cues_and_sentences() -> None:
    """A cue or sentence that one language lacks would fail only when a guest needs it."""
    assert set(EN.cues) == set(ES.cues)
    assert set(EN.texts) == set(ES.texts)
    assert {code for code in ReasonCode if code.handling.asks} == set(ReasonCode) & set(EN.texts)


def test_sentences_take_the_same_fields() -> None:
    """What one language fills in, the other must know as well."""

    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for code, text in EN.texts.items():
        assert fields(ES.texts[code]) == fields(text), code


def test_no_word_of_english_is_in_the_code() -> None:
    """No string of a module is a phrase by which an English guest says something."""
    phrases = {phrase for group in EN.cues.values() for phrase in group}
    phrases |= {
        *EN.numbers.words,
        *EN.numbers.phrases,
        *EN.spelling.contractions,
        *EN.texts.values(),
    }
    package = Path(voice_service.ordering.__file__).parent
    modules = sorted(package.rglob("*.py"))
    assert len(modules) > 50
    assert {package / reader for reader in _READERS} <= {*modules}
    found = []
    for module in modules:
        tree = ast.parse(module.read_text("utf-8"))
        strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        said = {s for s in strings if isinstance(s, str) and len(s) > 1}
        words = {s for s in said if s.strip().lower() in phrases}
        path = module.relative_to(package)
        if path not in _READERS:
            found += [(path.as_posix(), word) for word in words - _IDENTIFIERS]
    assert found == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("cinco", (5, 1)),
        ("treinta y cinco", (35, 3)),
        ("treinta y una coca", (30, 1)),
        ("veintidós", (22, 1)),
        ("cien", (100, 1)),
        ("ciento cincuenta", (150, 2)),
        ("mil quinientos", (1500, 2)),
        ("dos millones", (2_000_000, 2)),
        ("media docena de", (6, 3)),
        ("un par de", (2, 3)),
        ("cero", None),
    ],
)
def test_spanish_numbers(text: str, number: tuple[int, int] | None) -> None:
    """Read by the same code as English ones."""
    assert number_at(tokenize(text, ES), 0, ES) == number


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("Chocolate Chip Cookie", "Chocolate Chip Cookies"),
        ("French Fries", "French Fries"),
        ("Onion Rings", "Onion Rings"),
        ("Coca-Cola", "Coca-Colas"),
        ("Sandwich", "Sandwiches"),
        ("Cherry", "Cherries"),
        ("Chai", "Chais"),
        ("Cup of Soup", "Cups of Soup"),
        ("Chicken with Rice", "Chickens with Rice"),
    ],
)
def test_english_plurals(name: str, many: str) -> None:
    """The noun of a name changes, what is a plural already stays."""
    assert plural(name, EN) == many


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("Hamburguesa con Queso", "Hamburguesas con Queso"),
        ("Hamburguesa Doble con Queso", "Hamburguesas Dobles con Queso"),
        ("Papas Fritas", "Papas Fritas"),
        ("Té Helado", "Tés Helados"),
        ("Café", "Cafés"),
        ("Limón", "Limónes"),
    ],
)
def test_spanish_plurals(name: str, many: str) -> None:
    """The noun stands first and its adjectives follow it."""
    assert plural(name, ES) == many


def test_read_back_in_spanish() -> None:
    """Names, sizes, lists, prices and the question, none of them in English."""
    update = said(demo_menu("es"), "dos hamburguesas sin cebolla y una coca grande")
    assert update.readback == (
        "Gracias. 2 Hamburguesas sin Cebolla y 1 Coca-Cola tamaño Grande. Son $11.57 más impuestos."
    )


def test_a_menu_without_spanish_names_is_still_ordered_from_in_spanish() -> None:
    """Sizes and everyday words come with us; a dish is called what the menu calls it."""
    menu = CompiledMenu(
        Menu(
            name="Taco Stand",
            sizes=(Size(id="s", name="Small"), Size(id="l", name="Large")),
            categories=(Category(id="c", name="Food"),),
            items=(MenuItem(id="taco", name="Taco", category="c", prices={"s": 200, "l": 300}),),
        ),
        "es-ES",
    )
    update, _ = hears(menu, ["quiero dos tacos grandes"])
    assert short(update.items) == ["2 taco/l"]


_SPANISH = (
    *("hamburguesa", "dos papas grandes", "coca", "número dos", "combo", "aros de cebolla"),
    *("con", "sin", "y", "una", "la", "tocino", "cebolla", "extra", "que sea", "quita", "cambia"),
    *("por", "no", "en vez de", "otra igual", "cancela eso", "es todo", "solo", "mitad"),
)


@given(st.lists(st.lists(st.sampled_from(_SPANISH), max_size=10).map(" ".join), max_size=3))
@settings(max_examples=100, deadline=None)
def test_spanish_words_in_any_order_give_an_order_that_can_be_placed(utterances: list[str]) -> None:
    """The hub takes every line as it is, at the price that is read back."""
    menu = demo_menu("es")
    update = said(menu, *utterances)
    priced = price_items(update.items, menu.menu, already={})
    assert [line.id for line in priced] == [item.id for item in update.items]
    assert subtotal(update.items, menu) == sum(line.subtotal for line in priced)


def test_a_language_without_a_pack_is_refused() -> None:
    """Better no order than one in words that nobody understood."""
    with pytest.raises(ValueError, match="only en, es"):
        demo_menu("fr")


def test_staff_read_an_allergy_in_their_language() -> None:
    """The guest speaks Spanish, the kitchen's note begins in the menu's language."""
    update = said(demo_menu("es"), "una hamburguesa", "soy alérgica a las nueces")
    assert update.notes == "ALLERGY: soy alergica a las nueces"
    assert "allergy" in codes(update)
