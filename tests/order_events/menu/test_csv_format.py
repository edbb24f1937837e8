"""Menus as CSV tables."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

import voice_service
from order_events.menu.csv_format import from_csv, to_csv
from order_events.menu.diagnostics import MenuError, read_menu

_DEMO = Path(voice_service.__file__).parent / "demo_menu.json"


def test_a_table_of_three_columns_is_a_menu() -> None:
    """What most owners have: names, headings and prices."""
    menu = from_csv("name,category,price\nHot Dog,Snacks,4.5\nCola,Drinks,2\n")
    assert [(i.id, i.category, i.price) for i in menu.items] == [
        ("hot_dog", "Snacks", 450),
        ("cola", "Drinks", 200),
    ]
    assert [c.name for c in menu.categories] == ["Snacks", "Drinks"]


def test_the_demo_menu_survives_the_round_trip() -> None:
    """With sizes, modifiers, combos, day parts and Spanish names."""
    menu = read_menu(_DEMO.read_text("utf-8"))
    menu = menu.model_copy(update={"table_service": True})
    assert from_csv(to_csv(menu)) == menu
    assert from_csv("\ufeff" + to_csv(menu).replace("\n", "\r\n")) == menu


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,category,price\nTea,Hot,2\nCola,Cold,2;5", "row 3, price: '2;5' is not an amount"),
        ("name,category,price\nTea,Hot,-2", "row 2, price: '-2' is not an amount"),
        ("name,category,price,minutes\nTea,Hot,2,soon", "row 2, minutes: 'soon' is not a whole"),
        ("name,category,price,sold_out\nTea,Hot,2,maybe", "row 2, sold_out: 'maybe' is neither"),
        ("name,category\nTea,Hot", "row 2: give either price or prices per size"),
        ("name,category,price,colour\nTea,Hot,2,red", "row 1: there is no column 'colour'"),
        ("category,price\nHot,2", "row 1: the column 'name' is missing"),
        ("kind,name\ndrink,Tea", "row 2, kind: 'drink' is not one of menu, size"),
        ("kind,name,price\nsize,Small,2", "row 2, price: a row of kind size has no such column"),
        ("kind,name,group\nmodifier,Milk,x", "row 2, group: no row above defines 'x'"),
        ("name,category,price:l\nTea,Hot,2", "row 2, price:l: there is no such size"),
        ("name,category,price,groups\nTea,Hot,2,g", "row 2, groups: names 'g', which is not"),
        ("name,category,price\nTea,Hot,2\nTea,Hot,3", "row 3, id: 'tea' is defined twice"),
        ("kind,name,time_zone\nmenu,Bar,Mars", "row 2, time_zone: 'Mars' is not an IANA"),
        (
            "kind,name,item,choices,category,price\n,Meal,,,Hot,9\nslot,Side,meal,tea x,,",
            "row 3, choices: 'x' is not an upcharge such as +0.50",
        ),
        (
            "kind,name,item,choices,category,price\n,Meal,,,Hot,9\nslot,Side,meal,tea,,",
            "row 3, choices: names 'tea', which is not defined",
        ),
    ],
)
def test_what_is_wrong_with_a_table_names_the_row_and_the_column(table: str, said: str) -> None:
    """Counted as in a spreadsheet: the header is row 1."""
    with pytest.raises(MenuError) as caught:
        from_csv(table)
    assert said in str(caught.value)


def test_all_rows_that_are_wrong_are_said_at_once() -> None:
    """One pass reports them all."""
    with pytest.raises(MenuError) as caught:
        from_csv("name,category,price\nTea,Hot,a\nCola,Cold,b")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "'=1", "''@x"])
def test_no_spreadsheet_takes_a_name_for_a_formula(name: str) -> None:
    """And the name survives the round trip; numbers stay numbers."""
    menu = from_csv("name,category,price\nTea,Drinks,1.00\n")
    named = menu.model_copy(
        update={"items": tuple(i.model_copy(update={"name": name}) for i in menu.items)}
    )
    table = to_csv(named)
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert not [cell for cell in cells if re.match(r"[=+@\t\r-]", cell)]
    assert from_csv(table) == named
