"""A menu with combos, sizes and a day part, and changed copies of it."""

from __future__ import annotations

import json
from typing import Any

from order_events.menu.diagnostics import read_menu
from order_events.menu.menu import Menu

CORNER: dict[str, Any] = {
    "name": "Corner",
    "time_zone": "America/New_York",
    "sizes": [{"id": "m", "name": "Medium"}, {"id": "l", "name": "Large"}],
    "categories": [
        {"id": "food", "name": "Food"},
        {"id": "drinks", "name": "Drinks"},
        {"id": "combos", "name": "Combos"},
        {"id": "morning", "name": "Breakfast"},
    ],
    "modifier_groups": [
        {
            "id": "toppings",
            "name": "Toppings",
            "modifiers": [{"id": "bacon", "name": "Bacon", "price": 150}],
        }
    ],
    "items": [
        {
            "id": "burger",
            "name": "Burger",
            "category": "food",
            "price": 500,
            "modifier_groups": ["toppings"],
        },
        {"id": "fries", "name": "Fries", "category": "food", "prices": {"m": 250, "l": 320}},
        {"id": "rings", "name": "Rings", "category": "food", "prices": {"m": 300, "l": 390}},
        {
            "id": "cola",
            "name": "Cola",
            "category": "drinks",
            "prices": {"m": 200, "l": 260},
            "default_size": "m",
        },
        {"id": "water", "name": "Water", "category": "drinks", "price": 100},
        {"id": "porridge", "name": "Porridge", "category": "morning", "price": 300},
        {
            "id": "meal",
            "name": "Burger Meal",
            "number": 1,
            "category": "combos",
            "prices": {"m": 800, "l": 950},
            "default_size": "m",
            "slots": [
                {
                    "id": "main",
                    "name": "Main",
                    "choices": [{"item": "burger"}],
                    "default": "burger",
                },
                {
                    "id": "side",
                    "name": "Side",
                    "choices": [
                        {"item": "fries"},
                        {"item": "rings", "upcharge": 50, "size_upcharges": {"l": 75}},
                    ],
                    "default": "fries",
                },
                {"id": "drink", "name": "Drink", "choices": [{"category": "drinks"}]},
            ],
        },
    ],
    "day_parts": [
        {
            "id": "morning",
            "name": "Breakfast",
            "days": ["mon", "tue"],
            "start": "06:00",
            "end": "11:00",
            "categories": ["morning"],
        }
    ],
}


def corner_menu(**changes: Any) -> Menu:
    """Return the menu with some of its fields replaced."""
    return read_menu(json.dumps({**CORNER, **changes}))
