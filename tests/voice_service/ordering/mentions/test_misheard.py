"""One word of a name that was heard as another is known by the words around it."""

from __future__ import annotations

import pytest
from support.conversations import kinds_menu, said, short


@pytest.mark.parametrize(
    ("menu", "heard", "ordered"),
    [
        ("bakery", "a cinnamon rule", ["1 cinnamon_roll"]),
        ("saffron", "two garlic none", ["2 garlic_naan"]),
        ("saffron", "a mango lassie and butter chicken", ["1 butter_chicken", "1 mango_lassi"]),
    ],
)
def test_a_word_is_known_by_those_around_it(menu: str, heard: str, ordered: list[str]) -> None:
    """The rest of the name says what it is, and it sounds like what is missing."""
    assert short(said(kinds_menu(menu), heard).items) == ordered


def test_idle_words_beside_a_name_stay_idle() -> None:
    """ "French fries later" are fries, and nothing on the menu that sounds like "later"."""
    update = said(kinds_menu("boba"), "an egg waffle later")
    assert short(update.items) == ["1 egg_waffle"]


def test_a_number_of_several_words_is_one_in_a_name() -> None:
    """ "Twenty five percent" is how "25%" is said."""
    update = said(kinds_menu("boba"), "a taro milk tea with twenty five percent sugar")
    assert short(update.items) == ["1 taro_milk_tea/regular +quarter_sugar"]


def test_plain_is_a_kind_where_the_menu_has_it() -> None:
    """ "Make one of them plain" is the plain one of the same kind, if there is one."""
    update = said(kinds_menu("saffron"), "three garlic naan", "make one of them plain")
    assert short(update.items) == ["1 plain_naan", "2 garlic_naan"]
