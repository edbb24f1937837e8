"""Languages mixed: guests of a restaurant that names its dishes in two languages use both."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.conversations import demo_menu, said, short

from order_events.menu.diagnostics import read_menu
from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.ordering.language.loader import language

_ESQUINA = Path(__file__).parents[1] / "kinds" / "menus" / "esquina.json"


@pytest.fixture(scope="module", params=["es", "en", "es, en", "en-US,es-MX"])
def esquina(request: pytest.FixtureRequest) -> CompiledMenu:
    """A menu in Spanish with English names, for guests who begin in either language."""
    return CompiledMenu(read_menu(_ESQUINA.read_text("utf-8")), request.param)


@pytest.mark.parametrize(
    ("utterances", "items"),
    [
        (["dame two tacos de asada and a large horchata"], "2 taco_asada, 1 horchata/grande"),
        (["can i get tres tacos al pastor sin cebolla please"], "3 taco_pastor -cebolla"),
        (["one fish taco y dos de carnitas"], "1 taco_pescado, 2 taco_carnitas"),
        (["quiero once tacos de pollo"], "11 taco_pollo"),
        (["un burrito with chicken, no beans"], "1 burrito +pollo -frijoles"),
        (
            ["a quesadilla de lengua", "y una horchata, that's all"],
            "1 quesadilla +lengua, 1 horchata/chica",
        ),
    ],
)
def test_both_languages_are_understood(
    esquina: CompiledMenu, utterances: list[str], items: str
) -> None:
    """Numbers, cues and names of both, whichever language the session has."""
    update = said(esquina, *utterances)
    assert sorted(short(update.items)) == sorted(items.split(", "))
    assert update.status == "confirmed"


def test_guests_are_answered_in_the_first_language() -> None:
    """The others are only understood."""
    menu = CompiledMenu(demo_menu("en").menu, "en,es")
    assert said(menu, "dos hamburguesas").readback.startswith("Thank you. 2 Hamburgers")


def test_a_word_of_both_languages_is_one_of_the_first() -> None:
    """ "Once" is eleven in Spanish, "soy" an allergen in English."""
    es_first, en_first = language("es,en"), language("en,es")
    assert es_first.numbers.words["once"] == 11
    assert "once" not in en_first.numbers.words
    assert "soy" in es_first.entities.presentations.said
    assert "soy" not in en_first.entities.presentations.said
    assert [pack.code for pack in es_first.packs] == ["es", "en"]


def test_an_unknown_language_among_several_is_told() -> None:
    """The message names the one that there is no pack for."""
    with pytest.raises(ValueError, match="'xx-XX'"):
        language("es,xx-XX")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("cinco taquitos de asada y dos de pescado", "5 taco_asada, 2 taco_pescado"),
        ("tres tacos, dos de asada y el otro de pollo", "2 taco_asada, 1 taco_pollo"),
        (
            "dos quesadillas, una de pollo y otra de carnitas",
            "1 quesadilla +pollo, 1 quesadilla +carnitas",
        ),
        ("me regala un burrito de lengua y uno de pastor", "1 burrito +lengua, 1 burrito +pastor"),
        ("ando queriendo un consomecito", "1 consome"),
        ("póngame una torta de pastor", "1 torta +pastor"),
    ],
)
def test_what_spanish_leaves_out_or_makes_small(text: str, items: str) -> None:
    """Ellipsis after "de", diminutives, and the polite ways to ask."""
    menu = CompiledMenu(read_menu(_ESQUINA.read_text("utf-8")), "es")
    assert sorted(short(said(menu, text).items)) == sorted(items.split(", "))


@pytest.mark.parametrize(
    ("utterances", "items"),
    [
        (["a steak quesadilla", "and one chicken"], "1 quesadilla +asada, 1 quesadilla +pollo"),
        (
            ["two quesadillas with steak and one with chicken"],
            "2 quesadilla +asada, 1 quesadilla +pollo",
        ),
        (
            ["una quesadilla de asada", "y otra de pollo"],
            "1 quesadilla +asada, 1 quesadilla +pollo",
        ),
    ],
)
def test_a_second_choice_is_another_item(utterances: list[str], items: str) -> None:
    """A quesadilla has one meat, so that a counted second meat changes none."""
    menu = CompiledMenu(read_menu(_ESQUINA.read_text("utf-8")))
    assert sorted(short(said(menu, *utterances).items)) == sorted(items.split(", "))


@pytest.fixture(scope="module")
def mixed_demo() -> dict[str, CompiledMenu]:
    """The demo menu for guests who speak English and Spanish, by what they are speaking."""
    return {code: demo_menu(tags) for code, tags in (("en", "en,es"), ("es", "es,en"))}


@pytest.mark.parametrize(
    ("text", "spoken", "items", "name"),
    [
        ("soy juan, una limonada grande", "es", "1 lemonade/large", "Juan"),
        ("once limonadas grandes", "es", "11 lemonade/large", None),
        ("a large lemonade", "en", "1 lemonade/large", None),
        ("a large lemonade", "", "1 lemonade/large", None),
    ],
)
def test_an_utterance_is_read_in_its_own_language_first(
    mixed_demo: dict[str, CompiledMenu], text: str, spoken: str, items: str, name: str | None
) -> None:
    """In Spanish, "soy" is no allergen and "once" is a number; the recogniser knows which it is."""
    guest = Conversation(mixed_demo["en"], spoken=mixed_demo)
    update = guest.hear(Heard(1, text, 0.95, language=spoken))
    assert short(update.items) == [items]
    assert (update.customer_name, update.reasons) == (name, ())
