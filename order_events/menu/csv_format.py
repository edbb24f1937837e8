"""A menu as one CSV table, and back, for owners who keep it in a spreadsheet.

Each row is an item or, with `kind`, a `menu`, `size`, `category`, `group`, `modifier`, `slot` (of a
combo) or `day_part`. docs/menus.md lists the columns. Amounts are written as on the board
("4.49"); several values in a cell are separated by "|".
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from order_events.menu.diagnostics import MenuError, why
from order_events.menu.entries import Called, Choice, MenuItem
from order_events.menu.menu import Menu
from order_events.menu.rules import unusable

_NOT_IN_ID = re.compile(r"[^a-z0-9]+")
_AMOUNT = re.compile(r"\d{1,6}(\.\d{1,2})?")
_YES, _NO = frozenset({"yes", "true", "1", "x"}), frozenset({"", "no", "false", "0"})
_LISTS = {
    "menu": "",
    "size": "sizes",
    "category": "categories",
    "group": "modifier_groups",
    "item": "items",
    "day_part": "day_parts",
}
"""By kind of row, the menu's list it goes to."""
_FIELDS = {
    "menu": ("name", "currency", "tax_rate", "time_zone", "language", "table_service"),
    "size": ("id", "name", "aliases"),
    "category": ("id", "name", "aliases"),
    "group": ("id", "name", "min", "max"),
    "modifier": ("id", "name", "aliases", "group", "price", "count"),
    "item": (
        *("id", "name", "aliases", "category", "price", "default_size", "groups", "defaults"),
        *("number", "minutes", "sold_out"),
    ),
    "slot": ("id", "name", "item", "choices", "default"),
    "day_part": ("id", "name", "days", "start", "end", "items", "categories"),
}
"""The columns of each kind. All but `menu` also have `name:xx`, items also `price:SIZE`."""
COLUMNS = ("kind", *dict.fromkeys(c for columns in _FIELDS.values() for c in columns))
_SEVERAL = frozenset({"aliases", "groups", "defaults", "days", "items", "categories"})
_YES_OR_NO = frozenset({"sold_out", "table_service"})
_WHOLE = frozenset({"min", "max", "count", "number", "minutes"})
_FORMULA = re.compile(r"'*[=+@\t\r-](?![0-9.]+$)")
"""Cells that spreadsheets calculate, and those that begin as they do once quoted; no numbers."""
_CALLED = {"groups": "modifier_groups", "minutes": "prep_minutes"}
"""Columns whose field in the menu format has another name."""


@dataclass
class _Table:
    """The menu read so far; `rows` maps each part of it to its row in the file."""

    data: dict[str, Any]
    rows: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class _Fault(Exception):
    """What is wrong with a cell."""


def from_csv(text: str) -> Menu:
    """Return the menu in a table; raise MenuError, which names each faulty row and column."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="?", strict=True)
    table = _Table({"name": "Menu", **{name: [] for name in _LISTS.values() if name}})
    try:
        _check_columns(reader.fieldnames or ())
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise MenuError([f"row {reader.line_num}: {error}"]) from error
    for number, row in rows:
        try:
            _take({k: (v or "").strip() for k, v in row.items() if k != "?"}, number, table)
        except _Fault as fault:
            table.faults.append(f"row {number}, {fault}")
    _add_categories(table)
    if table.faults:
        raise MenuError(table.faults)
    try:
        menu = Menu.model_validate_json(json.dumps(table.data))
    except ValidationError as error:
        raise MenuError([_placed(f["loc"], why(f), table) for f in error.errors()]) from error
    faults = [_placed(place, what, table) for place, what in unusable(menu)]
    if faults:
        raise MenuError(faults)
    return menu


def _check_columns(columns: Iterable[str]) -> None:
    known = set(COLUMNS)
    unknown = [c for c in columns if c not in known and not c.startswith(("name:", "price:"))]
    if unknown:
        raise MenuError([f"row 1: there is no column {name!r}" for name in unknown])
    if "name" not in columns:
        raise MenuError(["row 1: the column 'name' is missing"])


def _take(row: Mapping[str, str], number: int, table: _Table) -> None:
    if not any(row.values()):
        return
    kind = row.get("kind") or "item"
    if kind not in _FIELDS:
        raise _Fault(f"kind: {kind!r} is not one of {', '.join(_FIELDS)}")
    values = _values(row, kind)
    if kind == "menu":
        table.data |= values
        table.rows[()] = number
        return
    values.setdefault("id", _NOT_IN_ID.sub("_", values.get("name", "").lower()).strip("_"))
    place, target = _target(kind, values, table)
    table.rows[(*place, len(target))] = number
    target.append(values)


def _target(
    kind: str, values: dict[str, Any], table: _Table
) -> tuple[tuple[str | int, ...], list[Any]]:
    """Return the location of the list that a row belongs to, and the list."""
    if kind in _LISTS:
        values |= {"modifiers": []} if kind == "group" else {}
        return (_LISTS[kind],), table.data[_LISTS[kind]]
    owner, inner = ("group", "modifiers") if kind == "modifier" else ("item", "slots")
    wanted = values.pop(owner, "")
    owners = table.data[_LISTS[owner]]
    for index, one in enumerate(owners):
        if one["id"] == wanted:
            return (_LISTS[owner], index, inner), one.setdefault(inner, [])
    raise _Fault(f"{owner}: no row above defines {wanted!r}")


def _values(row: Mapping[str, str], kind: str) -> dict[str, Any]:
    """Return the cells of a row as values of the menu format."""
    values: dict[str, Any] = {}
    for column, written in row.items():
        if not written or column == "kind":
            continue
        cell = _as_written(written)
        if column.startswith("name:") and kind != "menu":
            values.setdefault("names", {})[column.removeprefix("name:")] = _several(cell)
        elif column.startswith("price:") and kind == "item":
            prices = values.setdefault("prices", {})
            prices[column.removeprefix("price:")] = _cents(column, cell)
        elif column not in _FIELDS[kind]:
            raise _Fault(f"{column}: a row of kind {kind} has no such column")
        else:
            values[_CALLED.get(column, column)] = _value(column, cell)
    return values


def _value(column: str, cell: str) -> object:
    if column in _SEVERAL:
        return _several(cell)
    if column in _WHOLE:
        return _whole(column, cell)
    if column == "price":
        return _cents(column, cell)
    if column in _YES_OR_NO:
        return _yes_or_no(column, cell)
    if column == "choices":
        return [_choice(one) for one in _several(cell)]
    return cell


def _several(cell: str) -> list[str]:
    return [one.strip() for one in cell.split("|") if one.strip()]


def _whole(column: str, cell: str) -> int:
    if not (cell.isascii() and cell.isdigit()):
        raise _Fault(f"{column}: {cell!r} is not a whole number")
    return int(cell)


def _cents(column: str, cell: str) -> int:
    if _AMOUNT.fullmatch(cell) is None:
        raise _Fault(f"{column}: {cell!r} is not an amount such as 4.49")
    units, _, cents = cell.partition(".")
    return int(units) * 100 + int(cents.ljust(2, "0"))


def _yes_or_no(column: str, cell: str) -> bool:
    if cell.lower() not in _YES | _NO:
        raise _Fault(f"{column}: {cell!r} is neither yes nor no")
    return cell.lower() in _YES


def _choice(text: str) -> dict[str, Any]:
    """Parse a choice: "onion_rings +0.50 large+0.40", "nuggets/ten_piece", "category:drinks"."""
    thing, *extras = text.split()
    choice: dict[str, Any] = {}
    if thing.startswith("category:"):
        choice["category"] = thing.removeprefix("category:")
    else:
        choice["item"], _, size = thing.partition("/")
        choice |= {"size": size} if size else {}
    for extra in extras:
        size, plus, amount = extra.partition("+")
        if not plus:
            raise _Fault(f"choices: {extra!r} is not an upcharge such as +0.50 or large+0.40")
        if size:
            choice.setdefault("size_upcharges", {})[size] = _cents("choices", amount)
        else:
            choice["upcharge"] = _cents("choices", amount)
    return choice


def _add_categories(table: _Table) -> None:
    """Derive the categories from the items, if the table defines none."""
    if table.data["categories"]:
        return
    used = dict.fromkeys(item.get("category", "") for item in table.data["items"])
    table.data["categories"] = [{"id": name, "name": name} for name in used if name]


def _placed(loc: tuple[int | str, ...], reason: str, table: _Table) -> str:
    """Return a fault with the row and column that it comes from."""
    for length in range(len(loc), -1, -1):
        number = table.rows.get(loc[:length])
        if number is not None and (length or not loc or loc[0] not in _LISTS.values()):
            column = _column(loc[length:])
            return f"row {number}, {column}: {reason}" if column else f"row {number}: {reason}"
    return f"{'.'.join(map(str, loc)) or 'menu'}: {reason}"


def _column(loc: tuple[int | str, ...]) -> str:
    names = {internal: column for column, internal in _CALLED.items()}
    if loc and loc[0] == "prices" and len(loc) > 1:
        return f"price:{loc[1]}"
    return names.get(str(loc[0]), str(loc[0])) if loc else ""


def to_csv(menu: Menu) -> str:
    """Return the menu as a table, which `from_csv` reads back as an equal menu."""
    rows = [_menu_row(menu)]
    for kind, things in (("size", menu.sizes), ("category", menu.categories)):
        rows += [{"kind": kind, **_cells(thing)} for thing in things]
    for group in menu.modifier_groups:
        rows.append({"kind": "group", **_cells(group)})
        rows += [{"kind": "modifier", "group": group.id, **_cells(m)} for m in group.modifiers]
    for item in menu.items:
        rows.append({"kind": "item", **_cells(item), **_prices(item)})
        rows += [{"kind": "slot", "item": item.id, **_cells(slot)} for slot in item.slots]
    rows += [{"kind": "day_part", **_cells(part)} for part in menu.day_parts]
    columns = [*COLUMNS, *sorted({c for row in rows for c in row} - set(COLUMNS))]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)
    return out.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; `_as_written` takes it back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _as_written(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _menu_row(menu: Menu) -> dict[str, str]:
    cells = {name: _cell(name, getattr(menu, name)) for name in _FIELDS["menu"]}
    return {"kind": "menu", **cells}


def _cells(thing: Called) -> dict[str, str]:
    cells = {f"name:{tag}": "|".join(names) for tag, names in thing.names.items()}
    for column in COLUMNS:
        name = _CALLED.get(column, column)
        if name in type(thing).model_fields:
            cells[column] = _cell(column, getattr(thing, name))
    return cells


def _cell(column: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if column == "price":
        return f"{value // 100}.{value % 100:02d}"
    if column == "choices":
        return " | ".join(_choice_cell(choice) for choice in value)
    if isinstance(value, tuple):
        return "|".join(value)
    return "yes" if value is True else str(value)


def _choice_cell(choice: Choice) -> str:
    thing = f"category:{choice.category}" if choice.item is None else choice.item
    words = [f"{thing}/{choice.size}" if choice.size else thing]
    if choice.upcharge:
        words.append("+" + _cell("price", choice.upcharge))
    words += [f"{size}+{_cell('price', cents)}" for size, cents in choice.size_upcharges.items()]
    return " ".join(words)


def _prices(item: MenuItem) -> dict[str, str]:
    return {f"price:{size}": _cell("price", cents) for size, cents in item.prices.items()}
