"""The examples of docs/menus.md work, and it names every field."""

from __future__ import annotations

import json
import re

from support.paths import DOCS

from order_events.domain import orders
from order_events.domain.models import OrderDraft
from order_events.menu import entries
from order_events.menu.csv_format import COLUMNS, from_csv, to_csv
from order_events.menu.diagnostics import read_menu
from order_events.menu.menu import Menu

_TEXT = (DOCS / "menus.md").read_text("utf-8")
_BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", _TEXT, re.M | re.S)
_MENU = next(text for language, text in _BLOCKS if language == "json")
_ORDER = next(text for language, text in _BLOCKS if language == "http")


def test_the_example_is_a_menu_in_every_form() -> None:
    """As JSON, and as a table."""
    menu = read_menu(_MENU)
    assert len(menu.items) == 6
    assert from_csv(to_csv(menu)) == menu


def test_the_example_of_a_combo_is_priced_from_the_menu() -> None:
    """Default parts are added; only the large drink costs extra."""
    draft = OrderDraft.model_validate_json(_ORDER[_ORDER.index("{") :])
    priced = orders.price_items(draft.items, read_menu(_MENU), already={})
    assert [(i.menu_item_id, i.size, i.subtotal) for i in priced] == [
        ("burger_combo", "large", 999),
        ("burger", None, 0),
        ("fries", "large", 0),
        ("cola", "large", 40),
    ]
    assert json.loads(_MENU)["items"][-1]["number"] == 1


def test_every_field_and_column_is_described() -> None:
    """Each appears by name, formatted as code."""
    models = (
        Menu,
        entries.MenuItem,
        entries.ModifierGroup,
        entries.Modifier,
        entries.Slot,
        entries.Choice,
        entries.DayPart,
        entries.Category,
        entries.Size,
    )
    fields = {name for model in models for name in model.model_fields}
    named = set(re.findall(r"`(\w+)`", _TEXT)) | {"modifiers"}
    assert fields - named == set()
    assert {*COLUMNS} - named == set()
